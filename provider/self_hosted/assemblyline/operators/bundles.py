"""Export a submission as a bundle, and import it into another server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.assemblyline.operators.references import parse_alert_id, parse_file, parse_sid
from self_hosted.assemblyline.operators.uploads import upload_file
from self_hosted.core.arguments import parse_bool, parse_str_list, require_one_of
from self_hosted.core.http.errors import NotReadyError, ServerError
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.lineage import record_input, record_output
from self_hosted.core.tasks.operator import publish_link
from self_hosted.core.tasks.storage import atomic_writer, parse_max_size, parse_uri, resolve_path

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.alerts import alerts
    from self_hosted.assemblyline.api.bundles import bundles, carts
    from self_hosted.assemblyline.api.submissions import submissions
    from self_hosted.core.http.flow import Upload
else:
    alerts = lazy_import("self_hosted.assemblyline.api.alerts.alerts")
    bundles = lazy_import("self_hosted.assemblyline.api.bundles.bundles")
    carts = lazy_import("self_hosted.assemblyline.api.bundles.carts")
    submissions = lazy_import("self_hosted.assemblyline.api.submissions.submissions")


class ExportedBundle(TypedDict):
    """A bundle that was written.

    :param sid: id of the submission
    :param output_uri: path or URI of the file
    :param size: of the file, in bytes
    :param url: page of the submission
    """

    sid: str
    output_uri: str
    size: int
    url: str


class ImportedBundle(TypedDict):
    """A bundle that was imported.

    :param sid: id of the submission
    :param imported: whether the submission did not exist before this try
    :param url: page of the submission
    """

    sid: str
    imported: bool
    url: str


class AssemblylineExportBundleOperator(AssemblylineOperator):
    """Writes a submission with its files and results to one file; ``GET /api/v4/bundle/<sid>/``.

    The bundle is streamed; the file appears once it is complete. It contains the original files, malware included,
    encoded as CaRT, so that they cannot be run by accident.

    :param sid: id of the submission, or the result of a task that has one; either this or ``alert_id``
    :param alert_id: id of an alert, or the result of a task that has one; the bundle contains the alert and
        its submission
    :param output_uri: path or URI of the file: ``s3://aws_default@bucket/key.al_bundle``; an existing file is replaced
    :param max_size: maximum size of the written file, in bytes; default: no limit
    :param assemblyline_conn_id: the Airflow connection
    :return: `ExportedBundle`
    :raises AirflowFailException: for invalid arguments, and objects that do not exist or that the user may not see
    :raises NotReadyError: if the submission is not completed, so that its bundle would lack results
    """

    template_fields: Sequence[str] = (
        *AssemblylineOperator.template_fields,
        "sid",
        "alert_id",
        "output_uri",
        "max_size",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"sid": "json", "alert_id": "json"}

    def __init__(
        self,
        *,
        output_uri: str | Path,
        sid: str | Mapping[str, Any] | None = None,
        alert_id: str | Mapping[str, Any] | None = None,
        max_size: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.output_uri, self.sid, self.alert_id, self.max_size = output_uri, sid, alert_id, max_size

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        self._id()
        parse_uri("output_uri", self.output_uri)
        parse_max_size(self.max_size)

    def submit(self, context: Context) -> ExportedBundle:
        """Write the bundle.

        :param context: the context of the task
        """
        bundle_id = self._id()
        page = submissions.build_page_url if self.sid else alerts.build_page_url
        publish_link(context, page(self.base_url, bundle_id))
        record_input(self.hook, asset_uri(self.hook, "submission" if self.sid else "alert", bundle_id))
        if self.sid:
            self._require_completed(bundle_id)
        output_uri = parse_uri("output_uri", self.output_uri)
        save_to = lambda: atomic_writer(output_uri)  # noqa: E731
        max_size = parse_max_size(self.max_size)
        self.hook.run(bundles.export_to(bundle_id, save_to, use_alert=not self.sid, max_size=max_size))
        sid = _read_written_sid(output_uri)
        record_output(self.hook, output_uri)
        url = submissions.build_page_url(self.base_url, sid)
        publish_link(context, url)
        return ExportedBundle(sid=sid, output_uri=output_uri, size=resolve_path(output_uri).stat().st_size, url=url)

    def _id(self) -> str:
        if require_one_of({"sid": self.sid or None, "alert_id": self.alert_id or None}) == "sid":
            return parse_sid("sid", self.sid)
        return parse_alert_id("alert_id", self.alert_id)

    def _require_completed(self, sid: str) -> None:
        document = self.hook.run(submissions.get(sid))
        if document["state"] != "completed" or submissions.is_marked_deleted(document):
            raise NotReadyError(f"submission {sid} is not completed: wait for it first, with a sensor")


class AssemblylineImportBundleOperator(AssemblylineOperator):
    """Imports a submission, with its files and results, under its original id; ``POST /api/v4/bundle/``.

    The file is streamed. A retry finds the import of an earlier try, and succeeds.

    :param file: path or URI of the bundle, or the result of the task that exported it
    :param exist_ok: whether an existing submission is no failure; default: False
    :param allow_incomplete: whether a bundle may lack files or results; default: False
    :param rescan_services: services, or categories of them, that analyse the files again; wait for the submission then
    :param min_classification: raise lower classifications to this one
    :param to_ingest: whether a rescan goes through the ingester; default: False
    :param assemblyline_conn_id: the Airflow connection
    :return: `ImportedBundle`
    :raises AirflowFailException: for invalid arguments, a file that is not a bundle, an existing submission, and a
        bundle that is incomplete or that the server cannot read
    """

    template_fields: Sequence[str] = (
        *AssemblylineOperator.template_fields,
        "file",
        "exist_ok",
        "allow_incomplete",
        "rescan_services",
        "min_classification",
        "to_ingest",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"rescan_services": "json", "file": "json"}

    def __init__(
        self,
        *,
        file: str | Path | Mapping[str, Any],
        exist_ok: bool | str = False,
        allow_incomplete: bool | str = False,
        rescan_services: Sequence[str] | str = (),
        min_classification: str | None = None,
        to_ingest: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.file, self.exist_ok, self.allow_incomplete = file, exist_ok, allow_incomplete
        self.rescan_services, self.min_classification, self.to_ingest = rescan_services, min_classification, to_ingest

    def validate(self) -> None:
        """Check the arguments, and the start of the file.

        :raises ValueError: naming the argument
        """
        self._options()
        bundle = upload_file(parse_file("file", self.file))
        try:
            _read_bundle_sid(bundle)
        except ValueError as error:
            raise ValueError(f"file: {self.file!r} is not a bundle: {error}") from None

    def submit(self, context: Context) -> ImportedBundle:
        """Import the bundle.

        :param context: the context of the task
        """
        bundle, options = upload_file(parse_file("file", self.file)), self._options()
        # an earlier try may have imported it
        options["exist_ok"] = options["exist_ok"] or context["ti"].try_number > 1
        record_input(self.hook, parse_file("file", self.file))
        sid = _read_bundle_sid(bundle)
        url = submissions.build_page_url(self.base_url, sid)
        publish_link(context, url)
        outcome = self.hook.run(bundles.import_from(bundle, sid, **options))
        result = ImportedBundle(sid=outcome["sid"], imported=outcome["imported"], url=url)
        emit_asset(context, self.hook, asset_uri(self.hook, "submission", sid), result)
        return result

    def _options(self) -> dict[str, Any]:
        flags = ("exist_ok", "allow_incomplete", "to_ingest")
        return {
            **{name: parse_bool(name, getattr(self, name)) for name in flags},
            "rescan_services": parse_str_list("rescan_services", self.rescan_services),
            "min_classification": self.text("min_classification"),
        }


def _read_written_sid(uri: str) -> str:
    """Read the submission's id from the written file, which also shows that the response was a bundle."""
    try:
        return _read_bundle_sid(upload_file(uri))
    except ValueError as error:
        raise ServerError(f"the server's response is not a bundle: {error}") from None


def _read_bundle_sid(bundle: Upload) -> str:
    with bundle.open() as file:
        return carts.read_bundle_sid(file.read(carts.MAX_HEADER_BYTES))
