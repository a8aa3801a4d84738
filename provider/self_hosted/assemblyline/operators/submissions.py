"""Set a user's verdict on a submission, and delete submissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.assemblyline.operators.list_input import ListInputOperator
from self_hosted.assemblyline.operators.references import parse_sid, parse_sids
from self_hosted.core.arguments import parse_int, require_confirm, require_one_of
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.operator import publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.search import search
    from self_hosted.assemblyline.api.submissions import submissions, verdicts
else:
    search = lazy_import("self_hosted.assemblyline.api.search.search")
    submissions = lazy_import("self_hosted.assemblyline.api.submissions.submissions")
    verdicts = lazy_import("self_hosted.assemblyline.api.submissions.verdicts")

MAX_DELETIONS = 5_000
MAX_NAMED_SIDS = 100  # in a result


class VerdictResult(TypedDict):
    """A user's verdict.

    :param sid: id of the submission
    :param verdict: malicious or non_malicious
    :param changed: whether the user's verdict was another one, or none
    :param url: page of the submission
    """

    sid: str
    verdict: str
    changed: bool
    url: str


class DeletionResult(TypedDict):
    """The result of deleting submissions.

    :param deleted: how many were deleted
    :param absent: how many did not exist
    :param sids: ids of the first 100 that were deleted
    :param url: page that lists submissions
    """

    deleted: int
    absent: int
    sids: list[str]
    url: str


class AssemblylineSetVerdictOperator(AssemblylineOperator):
    """Sets the user's verdict on a submission; ``PUT /api/v4/submission/verdict/<sid>/<verdict>/``.

    It replaces the user's earlier verdict, and applies to the submission's alerts, too. The score does not change.

    :param sid: id of the submission, or the result of a task that has one
    :param verdict: malicious or non_malicious
    :param assemblyline_conn_id: the Airflow connection
    :return: `VerdictResult`
    :raises AirflowFailException: for invalid arguments, and an unknown submission
    """

    template_fields: Sequence[str] = (*AssemblylineOperator.template_fields, "sid", "verdict")
    template_fields_renderers: ClassVar[dict[str, str]] = {"sid": "json"}

    def __init__(self, *, sid: str | Mapping[str, Any], verdict: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sid, self.verdict = sid, verdict

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        parse_sid("sid", self.sid)
        verdicts.check_user_verdict(self.verdict)

    def submit(self, context: Context) -> VerdictResult:
        """Set the verdict, if it differs.

        :param context: the context of the task
        """
        sid = parse_sid("sid", self.sid)
        url = submissions.build_page_url(self.base_url, sid)
        publish_link(context, url)
        changed = self.hook.run(verdicts.set_user_verdict(sid, self.verdict))
        result = VerdictResult(sid=sid, verdict=self.verdict, changed=changed, url=url)
        emit_asset(context, self.hook, asset_uri(self.hook, "submission", sid), result)
        return result


class AssemblylineDeleteSubmissionOperator(ListInputOperator):
    """Deletes submissions with their results, and files of no other submission; ``DELETE /api/v4/submission/<sid>/``.

    A submission that is not completed is cancelled. A retry deletes the remaining ones.

    :param sids: id of a submission, or the result of a task that has one, or a list of them; either this or ``query``
    :param fail_on_empty: whether an empty list fails the task; default: False
    :param query: a Lucene query, such as ``metadata.campaign:"drill" AND times.completed:[* TO now-90d]``
    :param max_items: if there are more submissions, none is deleted; default: 100, at most 5,000
    :param confirm: must be true, because deleted submissions cannot be restored
    :param assemblyline_conn_id: the Airflow connection
    :return: `DeletionResult`
    :raises AirflowFailException: for invalid arguments, more submissions than ``max_items``, and submissions of other
        users, after all others are deleted
    """

    template_fields: Sequence[str] = (*ListInputOperator.template_fields, "sids", "query", "max_items", "confirm")
    template_fields_renderers: ClassVar[dict[str, str]] = {"sids": "json"}

    def __init__(
        self,
        *,
        sids: str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]] | None = None,
        query: str | None = None,
        max_items: int | str = 100,
        confirm: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sids, self.query, self.max_items, self.confirm = sids, query, max_items, confirm

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        super().validate()
        require_one_of({"sids": self.sids, "query": self.query})
        if self.query is not None and not str(self.query).strip():
            raise ValueError("query must not be empty; '*' matches all submissions")
        require_confirm(self.confirm, "deleted submissions cannot be restored")
        if self.query is None:
            self.check_not_empty({"sids": self.sids}, self._sids())
        parse_int("max_items", self.max_items, maximum=MAX_DELETIONS)

    def submit(self, context: Context) -> DeletionResult:
        """Delete the submissions.

        :param context: the context of the task
        """
        url = search.build_page_url(self.base_url, "submission", self.text("query") or "*")
        publish_link(context, url)
        outcome = self.hook.run(submissions.delete_many(self._select(parse_int("max_items", self.max_items))))
        deleted, absent = outcome["deleted"], outcome["absent"]
        result = DeletionResult(deleted=len(deleted), absent=len(absent), sids=deleted[:MAX_NAMED_SIDS], url=url)
        emit_asset(context, self.hook, asset_uri(self.hook, "submission"), result, len(deleted))
        return result

    def _select(self, max_items: int) -> list[str]:
        sids = list(dict.fromkeys(self._sids())) or self._search(max_items)
        if len(sids) > max_items:
            raise ValueError(f"there are more than {max_items} submissions to delete: raise max_items to delete all")
        return sids

    def _sids(self) -> list[str]:
        if isinstance(self.sids, str) and not self.sids.strip():  # a missing result; a list may be empty
            raise ValueError(f"sids must be the id of a submission or a list of ids, not {self.sids!r}")
        return parse_sids("sids", self.sids)

    def _search(self, max_items: int) -> list[str]:
        if self.query is None:
            return []
        found = self.hook.run(submissions.search(str(self.query), fields="sid", rows=max_items + 1))
        return [submission["sid"] for submission in found]
