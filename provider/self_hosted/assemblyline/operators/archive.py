"""Archiving a submission, so that it stays when others expire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.operators.link import AssemblylineLink
from self_hosted.core.arguments import check_id, check_object, checked_flag
from self_hosted.core.lazy import when_used
from self_hosted.core.operator import ProductOperator, publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import api
else:
    api = when_used("self_hosted.assemblyline.api")

FLAGS = ("delete_after", "skip_hook", "use_alternate_dtl")


class AssemblylineArchiveOperator(ProductOperator):
    """Sends a submission to the archive, where it stays; ``PUT /api/v4/archive/<sid>/``.

    The server's archiver does it when it finds the time. A submission that is archived already is left alone.

    :param sid: the submission's id
    :param metadata: own keys and values that it gets; those it has already stay as they are
    :param delete_after: delete it from where it was, once it is archived
    :param skip_hook: pass over the webhook that the server may have for this
    :param use_alternate_dtl: keep it for the other period that the server is set to
    :param assemblyline_conn_id: the connection

    The result is ``{action, sid, url}``; ``action`` is archive, resubmit (more services look at it first, in the new
    submission ``sid``), hooked (a webhook takes it) or archived (it was before).

    :raises AirflowFailException: for wrong arguments, a submission that is not there, and a server without an archive
    """

    hook_class: ClassVar[str] = "self_hosted.assemblyline.hook.AssemblylineHook"
    operator_extra_links = (AssemblylineLink(),)
    template_fields: Sequence[str] = ("sid", "metadata", *FLAGS, "assemblyline_conn_id")

    def __init__(
        self,
        *,
        sid: str,
        metadata: dict[str, Any] | None = None,
        delete_after: bool | str = False,
        skip_hook: bool | str = False,
        use_alternate_dtl: bool | str = False,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sid, self.metadata = sid, metadata
        self.delete_after, self.skip_hook, self.use_alternate_dtl = delete_after, skip_hook, use_alternate_dtl
        self.assemblyline_conn_id = assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        check_id("sid", self.sid, "a submission")
        check_object("metadata", self.metadata)
        self._flags()

    def start(self, context: Context) -> dict[str, Any]:
        """Send it to the archive, unless it is there."""
        done = self.hook.run(api.archive_submission(self.sid, self.metadata, **self._flags()))
        url = api.submission_url(self.hook.settings.address.base_url, done["sid"])
        publish_link(context, url)
        return {**done, "url": url}

    def _flags(self) -> dict[str, bool]:
        return {name: checked_flag(name, getattr(self, name)) for name in FLAGS}
