"""Signatures that are given by their ids or found by a query: set their status, delete them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.core.arguments import (
    parse_bool,
    parse_choice,
    parse_id_list,
    parse_int,
    require_confirm,
    require_one_of,
)
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.operator import publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.search import checks
    from self_hosted.assemblyline.api.signatures import signatures, statuses
else:
    checks = lazy_import("self_hosted.assemblyline.api.search.checks")
    signatures = lazy_import("self_hosted.assemblyline.api.signatures.signatures")
    statuses = lazy_import("self_hosted.assemblyline.api.signatures.statuses")

MAX_NAMED_IDS = 100  # in a result


class SetStatuses(TypedDict):
    """The result of setting the status of signatures.

    :param status: their status
    :param changed: how many had another one
    :param unchanged: how many had it
    :param ids: those that changed, at most 100
    :param url: page of the signature, or of the list
    """

    status: str
    changed: int
    unchanged: int
    ids: list[str]
    url: str


class DeletedSignatures(TypedDict):
    """The result of deleting signatures.

    :param deleted: how many were deleted
    :param absent: how many did not exist
    :param ids: those that were deleted, at most 100
    :param url: page that lists signatures
    """

    deleted: int
    absent: int
    ids: list[str]
    url: str


class SignatureSelectionOperator(AssemblylineOperator):
    """Changes signatures that are given by their ids or found by a query.

    :param signature_ids: id of a signature, or a list of ids
    :param query: a Lucene query
    :param max_items: how many signatures are allowed
    :param allow_match_all: whether the query may match all signatures
    """

    template_fields: Sequence[str] = (
        *AssemblylineOperator.template_fields,
        "signature_ids",
        "query",
        "max_items",
        "allow_match_all",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"signature_ids": "json"}

    def __init__(
        self,
        *,
        signature_ids: Sequence[str] | str | None = None,
        query: str | None = None,
        max_items: int | str = 100,
        allow_match_all: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.signature_ids, self.query = signature_ids, query
        self.max_items, self.allow_match_all = max_items, allow_match_all

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        max_items, allows_all = self._max_items(), parse_bool("allow_match_all", self.allow_match_all)
        if require_one_of({"signature_ids": self.signature_ids, "query": self.query}) == "query":
            checks.check_query("query", self._query)
            if checks.matches_all(str(self._query), "id") and not allows_all:
                raise ValueError(
                    f"query {self.query!r} matches all signatures; to allow this, set allow_match_all=True"
                )
        elif len(self._given_ids()) > max_items:
            raise ValueError(f"signature_ids: there are more than max_items ({max_items})")

    def select(self) -> list[str]:
        """Return the ids of the signatures.

        :raises ValueError: if there are more than ``max_items``
        """
        if self._query is None:
            return self._given_ids()
        return self.hook.run(signatures.list_ids(self._query, self._max_items()))

    def publish_page(self, context: Context) -> str:
        """Publish the page of the only signature, or else of the list, and return its URL.

        :param context: the context of the task
        """
        ids = self._given_ids() if self._query is None else []
        url = signatures.build_list_url(self.base_url, self._query or "*")
        if len(ids) == 1:
            url = signatures.build_page_url(self.base_url, ids[0])
        publish_link(context, url)
        return url

    @property
    def _query(self) -> str | None:
        return self.text("query")

    def _given_ids(self) -> list[str]:
        if isinstance(self.signature_ids, str) and not self.signature_ids.strip():  # a missing result
            raise ValueError(f"signature_ids must be an id or a list of ids, not {self.signature_ids!r}")
        return [
            signatures.check_id("signature_ids", each)
            for each in dict.fromkeys(parse_id_list("signature_ids", self.signature_ids, "a signature"))
        ]

    def _max_items(self) -> int:
        return parse_int("max_items", self.max_items, maximum=signatures.MAX_ITEMS)


class AssemblylineSetSignatureStatusOperator(SignatureSelectionOperator):
    """Sets the status of signatures; ``GET /api/v4/signature/change_status/<id>/<status>/``.

    All signatures are checked before the first one changes. DEPLOYED, NOISY and DISABLED rules are in use, and cannot
    become STAGING or TESTING again; an INVALID rule can only become one of these.

    :param signature_ids: id of a signature (``<type>_<source>_<own id>``), or a list of ids; either this or ``query``
    :param query: a Lucene query, such as ``source:"own" AND status:STAGING``
    :param status: DEPLOYED, NOISY, DISABLED, STAGING or TESTING
    :param max_items: if there are more signatures, none changes; default: 100, at most 10,000
    :param allow_match_all: must be true for a query that matches all signatures, such as "*"; default: False
    :param assemblyline_conn_id: the Airflow connection
    :return: `SetStatuses`
    :raises AirflowFailException: for invalid arguments, an unknown signature, a status that cannot follow the present
        one, and more signatures than ``max_items``
    """

    template_fields: Sequence[str] = (*SignatureSelectionOperator.template_fields, "status")

    def __init__(self, *, status: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.status = status

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        parse_choice("status", self.status, statuses.STATUSES)
        super().validate()

    def submit(self, context: Context) -> SetStatuses:
        """Change the signatures that have another status.

        :param context: the context of the task
        """
        url = self.publish_page(context)
        outcome = self.hook.run(statuses.set_statuses(self.select(), self.status))
        changed = outcome["changed"]
        result = SetStatuses(
            status=self.status,
            changed=len(changed),
            unchanged=len(outcome["unchanged"]),
            ids=changed[:MAX_NAMED_IDS],
            url=url,
        )
        emit_asset(context, self.hook, asset_uri(self.hook, "signature"), result, len(changed))
        return result


class AssemblylineDeleteSignaturesOperator(SignatureSelectionOperator):
    """Deletes signatures; ``DELETE /api/v4/signature/<id>/``.

    A signature that its source still holds comes back with the next fetch: set it to DISABLED instead. A retry deletes
    the remaining ones.

    :param signature_ids: id of a signature (``<type>_<source>_<own id>``), or a list of ids; either this or ``query``
    :param query: a Lucene query, such as ``source:"old" AND status:DISABLED``
    :param confirm: must be true, because deleted signatures and their statistics cannot be restored
    :param max_items: if there are more signatures, none is deleted; default: 100, at most 10,000
    :param allow_match_all: must be true for a query that matches all signatures, such as "*"; default: False
    :param assemblyline_conn_id: the Airflow connection
    :return: `DeletedSignatures`
    :raises AirflowFailException: for invalid arguments, and more signatures than ``max_items``
    """

    template_fields: Sequence[str] = (*SignatureSelectionOperator.template_fields, "confirm")

    def __init__(self, *, confirm: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.confirm = confirm

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        require_confirm(self.confirm, "deleted signatures and their statistics cannot be restored")
        super().validate()

    def submit(self, context: Context) -> DeletedSignatures:
        """Delete the signatures.

        :param context: the context of the task
        """
        url = self.publish_page(context)
        outcomes = {id_: self.hook.run(signatures.delete(id_)) for id_ in self.select()}
        deleted = [id_ for id_, outcome in outcomes.items() if outcome == "deleted"]
        absent = len(outcomes) - len(deleted)
        result = DeletedSignatures(deleted=len(deleted), absent=absent, ids=deleted[:MAX_NAMED_IDS], url=url)
        emit_asset(context, self.hook, asset_uri(self.hook, "signature"), result, len(deleted))
        return result
