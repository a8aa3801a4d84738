"""Fetch signatures: let the updater of a service fetch its sources, and wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.core.arguments import parse_id, parse_id_list
from self_hosted.core.http.errors import ServerError
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.operator import publish_link
from self_hosted.core.tasks.waiting_operator import WaitingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import waits
    from self_hosted.assemblyline.api.signatures import fetches, sources
    from self_hosted.core.wait.observation import Observation
else:
    fetches = lazy_import("self_hosted.assemblyline.api.signatures.fetches")
    sources = lazy_import("self_hosted.assemblyline.api.signatures.sources")
    waits = lazy_import("self_hosted.assemblyline.waits")


class StartedFetch(TypedDict):
    """A fetch that was started.

    :param service: name of the service
    :param sources: names of the sources
    """

    service: str
    sources: list[str]


class FetchedSources(TypedDict):
    """The result of a fetch.

    :param service: name of the service
    :param sources: what the updater says of each, "Signature(s) Imported." or, if nothing changed, "Skipped."
    :param url: page of all sources
    """

    service: str
    sources: dict[str, str]
    url: str


class AssemblylineFetchSignaturesOperator(AssemblylineOperator, WaitingOperator):
    """Lets the updater of a service fetch signatures, and waits for it; ``PUT /api/v4/signature/sources/update/...``.

    The updater fetches one source after the other, and tries a failed one three more times within a minute. The task
    fails if a source cannot be fetched; a retry starts all of them again, which is harmless. A fetch cannot be
    cancelled.

    :param service: name of the service, such as "YARA"
    :param sources: name of a source, or a list of names; default: all that are enabled
    :param assemblyline_conn_id: the Airflow connection
    :return: `FetchedSources`
    :raises AirflowFailException: for invalid arguments, and unknown or disabled sources
    """

    wait_spec: ClassVar[str] = "self_hosted.assemblyline.waits.SIGNATURE_FETCH"
    template_fields: Sequence[str] = (
        *AssemblylineOperator.template_fields,
        *WaitingOperator.template_fields,
        "service",
        "sources",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"sources": "json"}

    def __init__(self, *, service: str, sources: Sequence[str] | str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.service, self.sources = service, sources

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        parse_id("service", self.service, "a service")
        self._names()

    def submit(self, context: Context) -> StartedFetch:
        """Start the fetch.

        :param context: the context of the task
        """
        publish_link(context, sources.build_page_url(self.base_url))
        service = parse_id("service", self.service, "a service")
        return StartedFetch(service=service, sources=self.hook.run(fetches.fetch(service, self._names())))

    def external_id(self, submitted: StartedFetch) -> str | None:
        """Return the wait key: the service and the sources.

        :param submitted: the result of `submit`
        """
        return waits.build_fetch_key(submitted["service"], submitted["sources"])

    def external_url(self, submitted: StartedFetch) -> str:
        """Return the page of all sources.

        :param submitted: the result of `submit`
        """
        return sources.build_page_url(self.base_url)

    def external_asset(self, submitted: StartedFetch) -> Sequence[str]:
        """Return the type of signatures, and the service.

        :param submitted: the result of `submit`
        """
        return "signature", submitted["service"]

    def build_result(self, context: Context, submitted: StartedFetch, observation: Observation) -> FetchedSources:
        """Return what the updater says of each source.

        :param context: the context of the task
        :param submitted: the result of `submit`
        :param observation: the last observation
        :raises ServerError: if a source could not be fetched
        """
        failed: dict[str, str] = observation.details["failed"]
        if failed:
            self._clear_job_state(context)  # a retry fetches again
            reasons = "; ".join(f"{name}: {message}" for name, message in failed.items())
            raise ServerError(f"signatures of {submitted['service']} could not be fetched: {reasons}")
        result = FetchedSources(
            service=submitted["service"],
            sources=observation.details["sources"],
            url=self.external_url(submitted),
        )
        emit_asset(context, self.hook, asset_uri(self.hook, *self.external_asset(submitted)), result)
        return result

    def _names(self) -> list[str]:
        return parse_id_list("sources", self.sources, "a source")
