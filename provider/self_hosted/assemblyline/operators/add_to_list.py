"""Add files and tags to the badlist or the safelist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from self_hosted.assemblyline.operators.lists import MAX_NAMED_IDS, ListOperator
from self_hosted.core.arguments import is_set, parse_int, parse_object, parse_str_list
from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.back_link import BackLinkingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.lists import additions, schema
else:
    additions = lazy_import("self_hosted.assemblyline.api.lists.additions")
    schema = lazy_import("self_hosted.assemblyline.api.lists.schema")


log = get_logger(__name__)


class AddedEntries(TypedDict):
    """The result of adding entries.

    :param list_name: badlist or safelist
    :param added: how many are new
    :param updated: how many existed with other sources or reasons
    :param unchanged: how many existed as they are
    :param disabled: ids of those that a user has disabled, at most 100
    :param url: page of the entry, or of the list
    """

    list_name: str
    added: int
    updated: int
    unchanged: int
    disabled: list[str]
    url: str


class AssemblylineAddToListOperator(BackLinkingOperator, ListOperator):
    """Adds files and tags to the badlist or the safelist; ``PUT /api/v4/badlist/add_update_many/``.

    An entry that exists with the same source and reason does not change, so that a retry adds nothing twice; other
    sources of an entry are kept. An entry that a user has disabled stays disabled, and is reported.

    :param list_name: "badlist" or "safelist"
    :param reason: why; a text or a list of texts. The task is another one (``back_link``)
    :param hashes: hashes of files: SHA-256, SHA-1, MD5 or (badlist only) TLSH, or a list of them, or a result
        with hashes
    :param tags: types and values, such as ``{"network.static.domain": ["evil.example"]}``
    :param entries: the report of a submission, or its ``iocs``: a list of ``{type, value, classification}``
    :param fail_on_empty: whether it fails the task if nothing is selected; default: False
    :param source: name of an external source; default: the user
    :param classification: of the source's statement; default: that of the IOC, or else the lowest
    :param attribution: for the badlist: ``{"family": ["EMOTET"], "actor": [...], ...}``
    :param dtl: days until the entries expire, counted from this run; default: never, also for entries that would expire
    :param assemblyline_conn_id: the Airflow connection
    :return: `AddedEntries`
    :raises AirflowFailException: for invalid arguments, unknown tag types, and a source with the name of a user
    """

    template_fields: Sequence[str] = (
        *ListOperator.template_fields,
        *BackLinkingOperator.template_fields,
        "reason",
        "source",
        "classification",
        "attribution",
        "dtl",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **ListOperator.template_fields_renderers,
        "attribution": "json",
        "reason": "json",
    }

    def __init__(
        self,
        *,
        reason: Sequence[str] | str,
        source: str | None = None,
        classification: str | None = None,
        attribution: Mapping[str, Sequence[str] | str] | str | None = None,
        dtl: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.reason, self.source, self.classification = reason, source, classification
        self.attribution, self.dtl = attribution, dtl

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        super().validate()
        if not parse_str_list("reason", self.reason):
            raise ValueError("reason is missing: set why the entries are on the list")
        placeholder = {"name": "-", "type": "user", "reason": ["-"]}
        for entry in self._entries(placeholder):
            schema.parse(self.list_name, entry)

    def submit(self, context: Context) -> AddedEntries:
        """Add the entries that differ.

        :param context: the context of the task
        """
        url = self.publish_page(context)
        entries = self._entries(self._source()) if self.subjects() else []
        outcome = self.hook.run(additions.add_many(self.list_name, entries))
        if outcome["disabled"]:
            log.warning("%d entries are disabled, and stay so", len(outcome["disabled"]))
        result = AddedEntries(
            list_name=self.list_name,
            added=len(outcome["added"]),
            updated=len(outcome["updated"]),
            unchanged=len(outcome["unchanged"]),
            disabled=outcome["disabled"][:MAX_NAMED_IDS],
            url=url,
        )
        self.emit_list(context, result, result["added"] + result["updated"])
        return result

    def _source(self) -> dict[str, Any]:
        origin = [self.origin.describe_task()] if self.origin else []
        reasons = [*parse_str_list("reason", self.reason), *origin]
        name, classification = self.text("source"), self.text("classification")
        if not name:
            return self.hook.run(additions.get_own_source(reasons, classification))
        source: dict[str, Any] = {"name": name, "type": "external", "reason": reasons}
        return {**source, "classification": classification} if classification else source

    def _entries(self, source: Mapping[str, Any]) -> list[dict[str, Any]]:
        common: dict[str, Any] = {}
        if is_set(self.dtl):
            common["dtl"] = parse_int("dtl", self.dtl)
        attribution = parse_object("attribution", self.attribution)
        if attribution:
            common["attribution"] = {
                kind: parse_str_list(f"attribution {kind}", names) for kind, names in attribution.items()
            }
        return [
            {**subject.entry, **common, "sources": [_classify(source, subject.classification)]}
            for subject in self.subjects()
        ]


def _classify(source: Mapping[str, Any], classification: str | None) -> dict[str, Any]:
    """Return a source with the classification of an IOC, unless it has its own: a list must not disclose an IOC."""
    return {"classification": classification, **source} if classification else {**source}
