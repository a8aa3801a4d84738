"""What becomes of submissions afterwards: they are judged by people, and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.operators.link import AssemblylineLink
from self_hosted.core.arguments import check_id, checked_flag, checked_number, checked_texts
from self_hosted.core.lazy import when_used
from self_hosted.core.operator import ProductOperator, publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import api
else:
    api = when_used("self_hosted.assemblyline.api")

MOST = 5_000
NAMED = 100


class AssemblylineSetVerdictOperator(ProductOperator):
    """Says for the connection's user whether a submission is malicious; ``PUT /api/v4/submission/verdict/<sid>/...``.

    It replaces what the user said before, and goes to the submission's alerts, too. The submission's score stays.

    :param sid: the submission's id
    :param verdict: malicious or non_malicious
    :param assemblyline_conn_id: the connection

    The result is ``{sid, verdict, changed, url}``; ``changed`` is False when the user had said so already.

    :raises AirflowFailException: for wrong arguments, and a submission that does not exist
    """

    hook_class: ClassVar[str] = "self_hosted.assemblyline.hook.AssemblylineHook"
    operator_extra_links = (AssemblylineLink(),)
    template_fields: Sequence[str] = ("sid", "verdict", "assemblyline_conn_id")

    def __init__(
        self, *, sid: str, verdict: str, assemblyline_conn_id: str = "assemblyline_default", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.sid, self.verdict, self.assemblyline_conn_id = sid, verdict, assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        check_id("sid", self.sid, "a submission")
        api.check_verdict(self.verdict)

    def start(self, context: Context) -> dict[str, Any]:
        """Say it, unless it is said."""
        url = api.submission_url(self.hook.settings.address.base_url, self.sid)
        publish_link(context, url)
        changed = self.hook.run(api.set_verdict(self.sid, self.verdict))
        return {"sid": self.sid, "verdict": self.verdict, "changed": changed, "url": url}


class AssemblylineDeleteSubmissionOperator(ProductOperator):
    """Deletes submissions with their results, and files that are in no other; ``DELETE /api/v4/submission/<sid>/``.

    What is not completed is cancelled. A task that is tried again goes on with those that are left.

    :param sids: id of a submission, or a list of ids; either this or ``query``
    :param query: a Lucene query that finds the submissions, such as
        ``metadata.campaign:"drill" AND times.completed:[* TO now-90d]``
    :param at_most: when there are more, none is deleted (100; 5,000 at the most)
    :param confirm: must be true, since nobody can bring back what is deleted
    :param assemblyline_conn_id: the connection

    The result is ``{deleted, absent, sids, url}``: how many were deleted, how many were not there any more, the ids of
    the first hundred that were deleted, and the page that lists submissions.

    :raises AirflowFailException: for wrong arguments, more submissions than ``at_most``, and submissions of other
        users, after all others are deleted
    """

    hook_class: ClassVar[str] = "self_hosted.assemblyline.hook.AssemblylineHook"
    operator_extra_links = (AssemblylineLink(),)
    template_fields: Sequence[str] = ("sids", "query", "at_most", "confirm", "assemblyline_conn_id")

    def __init__(
        self,
        *,
        sids: str | Sequence[str] | None = None,
        query: str | None = None,
        at_most: int | str = 100,
        confirm: bool | str = False,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sids, self.query, self.at_most, self.confirm = sids, query, at_most, confirm
        self.assemblyline_conn_id = assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        if (self.sids is None) == (self.query is None):
            raise ValueError("give either sids or query, exactly one of them")
        if self.query is not None and not str(self.query).strip():
            raise ValueError("query must not be empty; '*' finds all submissions")
        if not checked_flag("confirm", self.confirm):
            raise ValueError("confirm must be true: what is deleted is gone for good")
        checked_texts("sids", self.sids)
        if checked_number("at_most", self.at_most) > MOST:
            raise ValueError(f"at_most must be {MOST} or less, not {self.at_most}")

    def start(self, context: Context) -> dict[str, Any]:
        """Delete them."""
        url = api.search_url(self.hook.settings.address.base_url, "submission", self.query or "*")
        publish_link(context, url)
        sids = self._chosen(checked_number("at_most", self.at_most))
        told = self.hook.run(api.delete_submissions(sids))
        self.log.info("Deleted %s submissions; %s were not there any more", len(told["deleted"]), len(told["absent"]))
        counts = {fate: len(told[fate]) for fate in ("deleted", "absent")}
        return {**counts, "sids": told["deleted"][:NAMED], "url": url}

    def _chosen(self, at_most: int) -> list[str]:
        sids = list(dict.fromkeys(checked_texts("sids", self.sids))) or self._found(at_most)
        if len(sids) > at_most:
            raise ValueError(f"there are more than {at_most} submissions to delete: raise at_most if all are meant")
        return sids

    def _found(self, at_most: int) -> list[str]:
        if self.query is None:
            return []
        found = self.hook.run(api.search_submissions(self.query, fields="sid", rows=at_most + 1))
        return [one["sid"] for one in found]
