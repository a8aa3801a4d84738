"""Sources of signatures: add, change and remove them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from airflow.providers.common.compat.sdk import BaseHook

from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.core.arguments import parse_id, parse_object, parse_optional, require_confirm
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.operator import publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.signatures import source_changes, source_settings, sources
else:
    source_changes = lazy_import("self_hosted.assemblyline.api.signatures.source_changes")
    source_settings = lazy_import("self_hosted.assemblyline.api.signatures.source_settings")
    sources = lazy_import("self_hosted.assemblyline.api.signatures.sources")


class SourceResult(TypedDict):
    """The result of adding or changing a source.

    :param service: name of its service
    :param name: name of the source
    :param op: "added", "updated" or "unchanged"
    :param changed: names of the settings that changed
    :param url: page of all sources
    """

    service: str
    name: str
    op: str
    changed: list[str]
    url: str


class RemovedSource(TypedDict):
    """The result of removing a source.

    :param service: name of its service
    :param name: name of the source
    :param removed: whether it existed
    :param url: page of all sources
    """

    service: str
    name: str
    removed: bool
    url: str


class SignatureSourceOperator(AssemblylineOperator):
    """Changes a source of signatures.

    :param service: name of its service
    :param source: name of the source
    """

    template_fields: Sequence[str] = (*AssemblylineOperator.template_fields, "service", "source")

    def __init__(self, *, service: str, source: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.service, self.source = service, source

    def names(self) -> tuple[str, str]:
        """Return the names of service and source.

        :raises ValueError: naming the argument
        """
        return parse_id("service", self.service, "a service"), parse_id("source", self.source, "a source")

    def publish_page(self, context: Context) -> str:
        """Publish the page of all sources, and return its URL.

        :param context: the context of the task
        """
        url = sources.build_page_url(self.base_url)
        publish_link(context, url)
        return url

    def emit_source(self, context: Context, result: Mapping[str, Any]) -> None:
        """Emit the source as an asset.

        :param context: the context of the task
        :param result: of the task
        """
        emit_asset(context, self.hook, asset_uri(self.hook, "signature", *self.names()), result)


class AssemblylineSetSignatureSourceOperator(SignatureSourceOperator):
    """Adds a source of signatures, or changes its settings; ``PUT /api/v4/signature/sources/<service>/``.

    Settings that are not given keep their values. Without a difference, nothing is sent. The updater of the service
    then fetches the source; `AssemblylineFetchSignaturesOperator` waits for that.

    :param service: name of its service, such as "YARA"
    :param source: name of the source: letters, digits and "_"
    :param settings: ``uri``, and if necessary: pattern, git_branch, headers, proxy, update_interval, sync,
        default_classification, ...
    :param credentials_conn_id: an Airflow connection with the source's credential: login, password, and ``private_key``
        in its extra; default: the credential is not changed
    :param assemblyline_conn_id: the Airflow connection
    :return: `SourceResult`
    :raises AirflowFailException: for invalid arguments, and a service without sources
    """

    template_fields: Sequence[str] = (*SignatureSourceOperator.template_fields, "settings", "credentials_conn_id")
    template_fields_renderers: ClassVar[dict[str, str]] = {"settings": "json"}

    def __init__(
        self, *, settings: Mapping[str, Any] | str, credentials_conn_id: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.settings, self.credentials_conn_id = settings, credentials_conn_id

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        self.names()
        source_settings.parse(parse_object("settings", self.settings))
        self._credentials_conn_id()

    def submit(self, context: Context) -> SourceResult:
        """Add the source, or change what differs.

        :param context: the context of the task
        """
        url, (service, source) = self.publish_page(context), self.names()
        settings = {**parse_object("settings", self.settings), **self._read_credential()}
        outcome = self.hook.run(source_changes.set_source(service, source, settings))
        result = SourceResult(**outcome, url=url)
        self.emit_source(context, result)
        return result

    def _credentials_conn_id(self) -> str | None:
        return parse_optional("credentials_conn_id", self.credentials_conn_id, partial(parse_id, label="a connection"))

    def _read_credential(self) -> dict[str, str]:
        conn_id = self._credentials_conn_id()
        if conn_id is None:
            return {}
        connection = BaseHook.get_connection(conn_id)
        values = {
            "username": connection.login,
            "password": connection.password,
            "private_key": connection.extra_dejson.get("private_key"),
        }
        return {name: value for name, value in values.items() if value}


class AssemblylineRemoveSignatureSourceOperator(SignatureSourceOperator):
    """Removes a source with all signatures from it; ``DELETE /api/v4/signature/sources/<service>/<name>/``.

    :param service: name of its service, such as "YARA"
    :param source: name of the source
    :param confirm: must be true, because removed signatures and their statistics cannot be restored
    :param assemblyline_conn_id: the Airflow connection
    :return: `RemovedSource`
    :raises AirflowFailException: for invalid arguments, and a service without sources
    """

    template_fields: Sequence[str] = (*SignatureSourceOperator.template_fields, "confirm")

    def __init__(self, *, confirm: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.confirm = confirm

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        self.names()
        require_confirm(self.confirm, "removed signatures and their statistics cannot be restored")

    def submit(self, context: Context) -> RemovedSource:
        """Remove the source.

        :param context: the context of the task
        """
        url, (service, source) = self.publish_page(context), self.names()
        removed = self.hook.run(sources.remove_source(service, source))
        result = RemovedSource(service=service, name=source, removed=removed, url=url)
        self.emit_source(context, result)
        return result
