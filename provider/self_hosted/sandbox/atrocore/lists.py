"""Lists of records: filters, order and pages.

Following pages need neither another scan nor another sort: they use the last result again, also if they begin behind an
id (``id greaterThan``, sorted by id). Without other conditions, such a page starts in the sorted ids.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import islice
from operator import itemgetter
from typing import Any

from self_hosted.sandbox.atrocore.access import Access
from self_hosted.sandbox.atrocore.attributes import flatten
from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.conditions import Condition, list_attributes, parse_conditions, to_list
from self_hosted.sandbox.atrocore.definitions.queue import QUEUE_ENTITIES
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.filters import Predicate, build_matcher, build_search
from self_hosted.sandbox.atrocore.lookups import list_candidates
from self_hosted.sandbox.atrocore.pages import Page
from self_hosted.sandbox.atrocore.rendering import Renderer, select_attributes
from self_hosted.sandbox.atrocore.schema import Entity
from self_hosted.sandbox.atrocore.state import Record, State
from self_hosted.sandbox.atrocore.versions import Version

RESTORE_SINCE: Version = (1, 6, 55)
ONLY_DELETED = "onlyDeleted"
"""A filter that records in the recycle bin pass."""

ID_RANGE = {"greaterThan": 0, "lessThan": 1}


def list_records(state: State, call: Call, entity: str, further_conditions: Sequence[Condition] = ()) -> dict[str, Any]:
    """Return a page of the records that the filter of a request selects.

    :param further_conditions: conditions beside those of the request
    :raises ApiError: if the user may not read the records or a filtered field, or a parameter is invalid
    """
    access = call.access
    access.check(entity, "read")
    conditions, schema = [*parse_conditions(call.query), *further_conditions], state.schema.entity(entity)
    if list_attributes(conditions) & access.denied_attributes(entity, "read"):
        raise ApiError(403)
    renderer = Renderer(state, entity, access, call.headers.get("language", ""))
    selected = select_attributes(schema, call.parameter("select"), state.is_new)
    page = Page.parse(state, call)
    found, total = _find(state, call, schema, conditions, page)
    if page.total_only:
        return {"total": total}
    deleted = {"deleted": True} if _wants_deleted(state, conditions) else {}
    rows = [
        {**renderer.render_listed(record, selected), **flatten(state, call, entity, record), **deleted}
        for record in found
    ]
    return {"list": rows} if page.collection_only else {"total": total, "list": rows}


def _find(
    state: State, call: Call, schema: Entity, conditions: list[Condition], page: Page
) -> tuple[list[Record], int]:
    """Return the records of a page, and the number of all."""
    entity = schema.name
    sort_field, text = call.parameter("sortBy"), call.parameter("q") or call.parameter("textFilter")
    descending = call.parameter("asc", "true") != "true"
    ranges = [one for one in conditions if _is_id_range(one)] if sort_field == "id" else []
    others = [one for one in conditions if one not in ranges]
    if ranges and not others and not text:
        return _find_by_id(state, entity, ranges, page, descending=descending)
    key = (entity, repr(others), sort_field, descending, text)
    version = state.index.versions[entity]
    last_key, last_version, found = state.index.last_list
    if (last_key, last_version) != (key, version) or entity in QUEUE_ENTITIES:
        matches = build_matcher(state, entity, others)
        found = _scan(state, entity, others, matches, build_search(schema, text) if text else None)
        if sort_field in schema.columns:
            found.sort(key=lambda record: get_sort_key(record.get(sort_field)), reverse=descending)
        state.index.last_list = (key, version, found)
    if ranges:
        found = _select_range(found, ranges, descending=descending)
    return page.slice(found), len(found)


def _select_range(records: list[Record], ranges: list[Condition], *, descending: bool) -> list[Record]:
    """Return the records of a list sorted by id whose ids are in the ranges."""
    after, before = _get_bounds(ranges)
    ascending = records[::-1] if descending else records
    start = 0 if after is None else bisect_right(ascending, after, key=itemgetter("id"))
    end = len(ascending) if before is None else bisect_left(ascending, before, key=itemgetter("id"))
    selected = ascending[start:end]
    return selected[::-1] if descending else selected


def _get_bounds(ranges: list[Condition]) -> tuple[str | None, str | None]:
    bounds: dict[str, list[str]] = {"greaterThan": [], "lessThan": []}
    for condition in ranges:
        bounds[condition["type"]].append(str(condition.get("value")))
    return max(bounds["greaterThan"], default=None), min(bounds["lessThan"], default=None)


def _scan(
    state: State, entity: str, conditions: list[Condition], matches: Predicate, search: Predicate | None
) -> list[Record]:
    candidates = list_candidates(state, entity, conditions) if conditions else state.records[entity].values()
    deleted = _wants_deleted(state, conditions)
    found = [record for record in candidates if record["deleted"] is deleted and matches(record)]
    return [record for record in found if search(record)] if search else found


def _wants_deleted(state: State, conditions: list[Condition]) -> bool:
    """Return whether a list contains the softly deleted records, instead of the others."""
    filters = (condition.get("value") for condition in conditions if condition.get("type") == "bool")
    return state.core >= RESTORE_SINCE and any(ONLY_DELETED in to_list(names) for names in filters)


def _is_id_range(condition: Condition) -> bool:
    return condition.get("type") in ID_RANGE and condition.get("attribute") == "id"


def _find_by_id(
    state: State, entity: str, conditions: list[Condition], page: Page, *, descending: bool
) -> tuple[list[Record], int]:
    after, before = _get_bounds(conditions)
    records = state.records[entity]
    ids = state.index.get_sorted_ids(entity).select(after, before, descending=descending)
    existing = (record for one in ids if (record := records.get(one)) and not record["deleted"])
    end = None if page.size is None else page.offset + page.size
    found = list(islice(existing, page.offset, end))
    if page.collection_only:
        return found, 0
    if state.index.count_deleted(entity) == 0:
        return found, len(ids)
    return found, page.offset + len(found) + sum(1 for _ in existing)


def get_sort_key(value: Any) -> tuple[int, Any]:
    """Return a key that sorts numbers before text, and null last, as PostgreSQL does."""
    if value is None:
        return (2, "")
    return (0, value) if isinstance(value, int | float) else (1, str(value))


def search_globally(state: State, access: Access, text: str, size: int) -> list[dict[str, Any]]:
    """Return short forms of the records of all entities that contain a text."""
    found = []
    for entity in ("Category", "Product", "Brand", "Channel", "Classification"):
        if entity in state.schema.definitions and access.rights(entity)["read"] != "no":
            schema = state.schema.entity(entity)
            search = build_search(schema, text)
            tree = ("parentId", "parentName") if state.is_new and "parentId" in schema.attributes else ()
            found += [
                {"id": record["id"], "name": record.get("name"), **dict.fromkeys(tree), "_scope": entity}
                for record in state.records[entity].values()
                if not record["deleted"] and search(record)
            ]
    return found[:size]
