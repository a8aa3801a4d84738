"""Entries of the badlist and the safelist: enable, disable and remove them.

One class serves both lists: they differ only in the attribution, which the badlist has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypedDict

from self_hosted.assemblyline.operators import references
from self_hosted.assemblyline.operators.list_input import ListInputOperator
from self_hosted.core.arguments import parse_bool, parse_object, parse_str_list, require_confirm
from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.operator import publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.lists import lists, schema, updates
else:
    lists = lazy_import("self_hosted.assemblyline.api.lists.lists")
    schema = lazy_import("self_hosted.assemblyline.api.lists.schema")
    updates = lazy_import("self_hosted.assemblyline.api.lists.updates")

log = get_logger(__name__)

MAX_NAMED_IDS = 100  # in a result


class EnabledEntries(TypedDict):
    """The result of enabling or disabling entries.

    :param list_name: badlist or safelist
    :param enabled: whether the entries have effect now
    :param changed: how many changed
    :param unchanged: how many did not
    :param url: page of the entry, or of the list
    """

    list_name: str
    enabled: bool
    changed: int
    unchanged: int
    url: str


class RemovedEntries(TypedDict):
    """The result of removing entries.

    :param list_name: badlist or safelist
    :param removed: how many were removed
    :param absent: how many did not exist
    :param kept: ids of those that other sources keep on the list, at most 100
    :param url: page of the entry, or of the list
    """

    list_name: str
    removed: int
    absent: int
    kept: list[str]
    url: str


class Subject(NamedTuple):
    """A file or a tag.

    :param entry: its entry, without sources
    :param classification: of the tag in the report that it comes from
    """

    entry: dict[str, Any]
    classification: str | None = None


class ListOperator(ListInputOperator):
    """Changes entries of a list.

    :param list_name: "badlist" or "safelist"
    :param hashes: hashes of files
    :param tags: types and values
    :param entries: the report of a submission, or its IOCs
    """

    template_fields: Sequence[str] = (*ListInputOperator.template_fields, "list_name", "hashes", "tags", "entries")
    template_fields_renderers: ClassVar[dict[str, str]] = {"hashes": "json", "tags": "json", "entries": "json"}

    def __init__(
        self,
        *,
        list_name: str,
        hashes: Sequence[str] | Mapping[str, Any] | str | None = None,
        tags: Mapping[str, Sequence[str] | str] | str | None = None,
        entries: Sequence[Mapping[str, Any]] | Mapping[str, Any] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.list_name, self.hashes, self.tags, self.entries = list_name, hashes, tags, entries

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        super().validate()
        schema.check_list_name("list_name", self.list_name)
        selections = {"hashes": self.hashes, "tags": self.tags, "entries": self.entries}
        self.check_not_empty(selections, self.subjects())

    def subjects(self) -> list[Subject]:
        """Return all files and tags."""
        tags = parse_object("tags", self.tags)
        return [
            *(Subject(schema.build_file_entry(hash_)) for hash_ in references.parse_hashes("hashes", self.hashes)),
            *(
                Subject(schema.build_tag_entry(tag_type, value))
                for tag_type, values in tags.items()
                for value in parse_str_list(f"tags {tag_type}", values)
            ),
            *map(_parse_row, self._rows()),
        ]

    def _rows(self) -> list[Any]:
        report = references.parse_result("entries", self.entries)
        if report is None or "iocs" not in report:
            return references.list_rows("entries", self.entries)
        total = sum(report.get("ioc_counts", {}).values())
        if total > len(report["iocs"]):
            log.warning("The report lists %d of %d IOCs: raise its max_values", len(report["iocs"]), total)
        return list(report["iocs"])

    def entry_ids(self) -> list[str]:
        """Return the ids of the entries; duplicates are left out."""
        return list(dict.fromkeys(schema.compute_id(subject.entry) for subject in self.subjects()))

    def publish_page(self, context: Context) -> str:
        """Publish the page of the only entry, or else of the list, and return its URL.

        :param context: the context of the task
        """
        ids = self.entry_ids()
        url = lists.build_page_url(self.base_url, self.list_name, ids[0] if len(ids) == 1 else "")
        publish_link(context, url)
        return url

    def emit_list(self, context: Context, result: Mapping[str, Any], changed: int) -> None:
        """Emit the only entry, or else the list, as an asset.

        :param context: the context of the task
        :param result: of the task
        :param changed: how many entries were changed
        """
        ids = self.entry_ids()
        segments = (self.list_name, *(ids if len(ids) == 1 else ()))
        emit_asset(context, self.hook, asset_uri(self.hook, *segments), result, changed)


class AssemblylineEnableListEntryOperator(ListOperator):
    """Enables or disables entries of the badlist or the safelist; ``PUT /api/v4/badlist/enable/<id>/``.

    A disabled entry stays on the list, with its sources and reasons, and has no effect.

    :param list_name: "badlist" or "safelist"
    :param hashes: hashes of files: SHA-256, SHA-1, MD5 or TLSH, or a list of them, or a result with hashes
    :param tags: types and values, such as ``{"network.static.domain": ["evil.example"]}``
    :param entries: the report of a submission, or its ``iocs``: a list of ``{type, value}``
    :param fail_on_empty: whether it fails the task if nothing is selected; default: False
    :param enabled: whether the entries have effect; default: True
    :param assemblyline_conn_id: the Airflow connection
    :return: `EnabledEntries`
    :raises AirflowFailException: for invalid arguments, and an entry that does not exist
    """

    template_fields: Sequence[str] = (*ListOperator.template_fields, "enabled")

    def __init__(self, *, enabled: bool | str = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.enabled = enabled

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        super().validate()
        parse_bool("enabled", self.enabled)

    def submit(self, context: Context) -> EnabledEntries:
        """Change the entries that differ.

        :param context: the context of the task
        """
        url, enabled = self.publish_page(context), parse_bool("enabled", self.enabled)
        changes = [self.hook.run(updates.set_enabled(self.list_name, id_, enabled)) for id_ in self.entry_ids()]
        result = EnabledEntries(
            list_name=self.list_name,
            enabled=enabled,
            changed=changes.count(True),
            unchanged=changes.count(False),
            url=url,
        )
        self.emit_list(context, result, result["changed"])
        return result


class AssemblylineRemoveFromListOperator(ListOperator):
    """Removes files and tags from the badlist or the safelist; ``DELETE /api/v4/badlist/<id>/``.

    Without the role signature_manage, only the user's own source is removed: an entry with other sources is kept, and
    reported.

    :param list_name: "badlist" or "safelist"
    :param hashes: hashes of files: SHA-256, SHA-1, MD5 or TLSH, or a list of them, or a result with hashes
    :param tags: types and values, such as ``{"network.static.domain": ["evil.example"]}``
    :param entries: the report of a submission, or its ``iocs``: a list of ``{type, value}``
    :param fail_on_empty: whether it fails the task if nothing is selected; default: False
    :param confirm: must be true, because removed sources and reasons cannot be restored
    :param assemblyline_conn_id: the Airflow connection
    :return: `RemovedEntries`
    :raises AirflowFailException: for invalid arguments
    """

    template_fields: Sequence[str] = (*ListOperator.template_fields, "confirm")

    def __init__(self, *, confirm: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.confirm = confirm

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        super().validate()
        require_confirm(self.confirm, "removed sources and reasons cannot be restored")

    def submit(self, context: Context) -> RemovedEntries:
        """Remove the entries.

        :param context: the context of the task
        """
        url = self.publish_page(context)
        outcomes = {id_: self.hook.run(lists.remove(self.list_name, id_)) for id_ in self.entry_ids()}
        kept = [id_ for id_, outcome in outcomes.items() if outcome == "kept"]
        counts = list(outcomes.values())
        result = RemovedEntries(
            list_name=self.list_name,
            removed=counts.count("removed"),
            absent=counts.count("absent"),
            kept=kept[:MAX_NAMED_IDS],
            url=url,
        )
        self.emit_list(context, result, result["removed"])
        return result


def _parse_row(row: Any) -> Subject:
    if isinstance(row, Mapping) and {"type", "value"} <= set(row):
        return Subject(schema.build_tag_entry(row["type"], row["value"]), row.get("classification") or None)
    if isinstance(row, Mapping) and {"sha256", "hash"} & set(row):
        return Subject(schema.build_file_entry(*references.parse_hashes("entries", row)))
    raise ValueError(f"entries must be a report or a list of IOCs, each with type and value, not {row!r:.80}")
