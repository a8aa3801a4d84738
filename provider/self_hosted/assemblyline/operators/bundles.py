"""Bundles: taking submissions out of a server, and into another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.operators.link import AssemblylineLink
from self_hosted.assemblyline.operators.values import upload_of_file
from self_hosted.core.arguments import check_id, checked_flag, checked_texts
from self_hosted.core.errors import Broken, Overdue
from self_hosted.core.lazy import when_used
from self_hosted.core.operator import ProductOperator, publish_link
from self_hosted.core.storage import check_output, note_read, note_written, path_of, written

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import api
    from self_hosted.core.flow import Upload
else:
    api = when_used("self_hosted.assemblyline.api")


class AssemblylineExportBundleOperator(ProductOperator):
    """Writes a submission with its files and results into one file; ``GET /api/v4/bundle/<sid>/``.

    The bundle is streamed, and the file is there once all of it is. It holds the files as they are, malware included,
    wrapped as CaRT so that nothing can run them by mistake.

    :param sid: the submission's id; either this or ``alert_id``
    :param alert_id: id of an alert, which is put into the bundle with its submission
    :param output_file: path of the file, local or in an object store: ``s3://aws_default@bucket/key.al_bundle``; what
        is there already is replaced
    :param assemblyline_conn_id: the connection

    The result is ``{sid, output_file, size, url}``; ``sid`` is that of the submission, ``size`` in bytes.

    :raises AirflowFailException: for wrong arguments, and what is not there or the user may not see
    :raises Overdue: when the submission is not completed, so that its bundle would lack results
    """

    hook_class: ClassVar[str] = "self_hosted.assemblyline.hook.AssemblylineHook"
    operator_extra_links = (AssemblylineLink(),)
    template_fields: Sequence[str] = ("sid", "alert_id", "output_file", "assemblyline_conn_id")

    def __init__(
        self,
        *,
        output_file: str,
        sid: str | None = None,
        alert_id: str | None = None,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.output_file, self.sid, self.alert_id = output_file, sid, alert_id
        self.assemblyline_conn_id = assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        if bool(self.sid) == bool(self.alert_id):
            raise ValueError("give either sid or alert_id, exactly one of them")
        argument, thing = ("sid", "a submission") if self.sid else ("alert_id", "an alert")
        check_id(argument, getattr(self, argument), thing)
        if self.output_file is None:
            raise ValueError("output_file is missing: say where the bundle goes")
        check_output("output_file", self.output_file)

    def start(self, context: Context) -> dict[str, Any]:
        """Write the bundle."""
        if self.sid:
            document = self.hook.run(api.submission(self.sid))
            if document["state"] != "completed" or api.is_ghost(document):
                raise Overdue(f"submission {self.sid} is not completed: wait for it first, with a sensor")
        id_ = str(self.sid or self.alert_id)
        self.hook.run(api.export_bundle(id_, lambda: written(self.output_file), use_alert=bool(self.alert_id)))
        size = path_of(self.output_file).stat().st_size
        sid = self._sid_inside()
        note_written(self.hook, self.output_file)
        url = api.submission_url(self.hook.settings.address.base_url, sid)
        publish_link(context, url)
        return {"sid": sid, "output_file": self.output_file, "size": size, "url": url}

    def _sid_inside(self) -> str:
        """Read what was written: an answer that is no bundle must not pass for one."""
        try:
            return _sid_in(upload_of_file(self.output_file))
        except ValueError as problem:
            raise Broken(f"the server sent no bundle: {problem}") from None


class AssemblylineImportBundleOperator(ProductOperator):
    """Imports a submission, with files and results, under the id that it had; ``POST /api/v4/bundle/``.

    The file is streamed. A task that is tried again finds what its earlier try imported, and succeeds.

    :param file: path of the bundle, local or in an object store
    :param exist_ok: whether it is fine that the submission is there already
    :param allow_incomplete: whether to take a bundle that lacks files or results
    :param rescan_services: services, or categories of them, that look at its files anew; wait for the submission then
    :param min_classification: what is classified lower gets this classification
    :param to_ingest: whether a rescan goes through the ingester, in its turn
    :param assemblyline_conn_id: the connection

    The result is ``{sid, imported, url}``; ``imported`` is false when the submission was there before this try.

    :raises AirflowFailException: for wrong arguments, a file that is no bundle, a submission that is there already, and
        a bundle that the server cannot read or that is incomplete
    """

    hook_class: ClassVar[str] = "self_hosted.assemblyline.hook.AssemblylineHook"
    operator_extra_links = (AssemblylineLink(),)
    template_fields: Sequence[str] = (
        "file",
        "exist_ok",
        "allow_incomplete",
        "rescan_services",
        "min_classification",
        "to_ingest",
        "assemblyline_conn_id",
    )

    def __init__(
        self,
        *,
        file: str,
        exist_ok: bool | str = False,
        allow_incomplete: bool | str = False,
        rescan_services: Sequence[str] | str = (),
        min_classification: str | None = None,
        to_ingest: bool | str = False,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.file, self.exist_ok, self.allow_incomplete = file, exist_ok, allow_incomplete
        self.rescan_services, self.min_classification, self.to_ingest = rescan_services, min_classification, to_ingest
        self.assemblyline_conn_id = assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments, look into the file."""
        self._options()
        try:
            _sid_in(upload_of_file(str(self.file)))
        except ValueError as problem:
            raise ValueError(f"file: {self.file!r} is no bundle: {problem}") from None

    def start(self, context: Context) -> dict[str, Any]:
        """Import the bundle."""
        bundle, options = upload_of_file(str(self.file)), self._options()
        # what an earlier try imported is this task's own
        options["exist_ok"] = options["exist_ok"] or context["ti"].try_number > 1
        note_read(self.hook, str(self.file))
        done = self.hook.run(api.import_bundle(bundle, _sid_in(bundle), **options))
        url = api.submission_url(self.hook.settings.address.base_url, done["sid"])
        publish_link(context, url)
        return {**done, "url": url}

    def _options(self) -> dict[str, Any]:
        flags = ("exist_ok", "allow_incomplete", "to_ingest")
        return {
            **{name: checked_flag(name, getattr(self, name)) for name in flags},
            "rescan_services": checked_texts("rescan_services", self.rescan_services),
            "min_classification": self.min_classification or None,
        }


def _sid_in(bundle: Upload) -> str:
    with bundle.open() as file:
        return api.bundle_sid(file.read(api.ENOUGH))
