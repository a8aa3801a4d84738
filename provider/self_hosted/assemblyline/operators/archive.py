"""Archive a submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.assemblyline.operators.references import parse_sid
from self_hosted.core.arguments import parse_bool, parse_object
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.operator import publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api import archive
    from self_hosted.assemblyline.api.submissions import submissions
else:
    archive = lazy_import("self_hosted.assemblyline.api.archive")
    submissions = lazy_import("self_hosted.assemblyline.api.submissions.submissions")

FLAGS = ("delete_after", "skip_hook", "use_alternate_dtl")


class ArchivedSubmission(TypedDict):
    """A submission that was sent to the archive.

    :param action: archive; resubmit if more services analyse it first, as the new submission ``sid``; hooked if a
        webhook handles it; archived if it was in the archive before
    :param sid: id of the submission, or of the new one
    :param url: page of the submission
    """

    action: str
    sid: str
    url: str


class AssemblylineArchiveSubmissionOperator(AssemblylineOperator):
    """Sends a submission to the archive, where it does not expire; ``PUT /api/v4/archive/<sid>/``.

    The server's archiver handles it asynchronously. A submission that is archived already does not change.

    :param sid: id of the submission, or the result of a task that has one
    :param metadata: own keys and values to add; existing ones do not change
    :param delete_after: whether to delete it from the main index once it is archived; default: False
    :param skip_hook: whether to skip the server's webhook for archiving; default: False
    :param use_alternate_dtl: whether to keep it for the server's alternate number of days; default: False
    :param assemblyline_conn_id: the Airflow connection
    :return: `ArchivedSubmission`
    :raises AirflowFailException: for invalid arguments, an unknown submission, and a server without an archive
    """

    template_fields: Sequence[str] = (*AssemblylineOperator.template_fields, "sid", "metadata", *FLAGS)
    template_fields_renderers: ClassVar[dict[str, str]] = {"metadata": "json", "sid": "json"}

    def __init__(
        self,
        *,
        sid: str | Mapping[str, Any],
        metadata: Mapping[str, Any] | str | None = None,
        delete_after: bool | str = False,
        skip_hook: bool | str = False,
        use_alternate_dtl: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sid, self.metadata = sid, metadata
        self.delete_after, self.skip_hook, self.use_alternate_dtl = delete_after, skip_hook, use_alternate_dtl

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        parse_sid("sid", self.sid)
        parse_object("metadata", self.metadata)
        self._flags()

    def submit(self, context: Context) -> ArchivedSubmission:
        """Send the submission to the archive, if it is not there.

        :param context: the context of the task
        """
        sid, metadata = parse_sid("sid", self.sid), parse_object("metadata", self.metadata)
        publish_link(context, submissions.build_page_url(self.base_url, sid))
        archived = self.hook.run(archive.add_submission(sid, metadata, **self._flags()))
        url = submissions.build_page_url(self.base_url, archived["sid"])
        if archived["sid"] != sid:
            publish_link(context, url)
        result = ArchivedSubmission(action=archived["action"], sid=archived["sid"], url=url)
        emit_asset(context, self.hook, asset_uri(self.hook, "submission", archived["sid"]), result)
        return result

    def _flags(self) -> dict[str, bool]:
        return {name: parse_bool(name, getattr(self, name)) for name in FLAGS}
