"""Ids and names are checked before anything is sent: a missing result must not become a request to another endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from self_hosted.atrocore.api import (
    export_jobs,
    feed_jobs,
    identifiers,
    import_jobs,
    jobs,
    metadata,
    pages,
    permissions,
    records,
)
from self_hosted.atrocore.api.feed_jobs import FeedRun
from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator
from self_hosted.atrocore.sensors import AtrocoreExportJobSensor, AtrocoreImportJobSensor, AtrocoreJobSensor
from self_hosted.atrocore.sync.target import AtrocoreTarget
from tests.atrocore.conftest import products, reply, run_by_hand

NO_IDS: list[Any] = ["", " ", "None", None, " a", "a ", "a\x00", "a\n", "x" * 5000, True, 1.5, [], {}]
NO_SEGMENTS = ["a/b", "a\\b", "a?b", "a#b", ".", ".."]
NO_ENTITIES: list[Any] = [*NO_IDS, *NO_SEGMENTS, "product", "upsert", "userSession", "entityMassDelete", "Product/1"]
TIME = "2026-06-01 12:30:00"

# the flow with an id in one of its arguments, and the name of the argument in the error
ID_ARGUMENTS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "get": (lambda value: records.get("Product", value), "record_id"),
    "create": (lambda value: records.create("Product", {"id": value}), "the id in values"),
    "update": (lambda value: records.update("Product", value, {"name": "a"}), "record_id"),
    "delete": (lambda value: records.delete("Product", value), "record_id"),
    "upsert": (lambda value: records.upsert("Product", [{"id": "1"}, {"id": value}]), r"the id in payloads\[1\]"),
    "find jobs": (lambda value: jobs.find(["j", value]), "job_ids"),
    "observe jobs": (lambda value: jobs.observe([value]), "job_ids"),
    "find imports": (lambda value: import_jobs.find(["i", value]), "keys"),
    "find runs": (lambda value: import_jobs.find([FeedRun(value, TIME)]), "feed_id"),
    "find exports": (lambda value: export_jobs.find([value]), "keys"),
    "import baseline": (import_jobs.get_baseline, "feed_id"),
    "export baseline": (export_jobs.get_baseline, "feed_id"),
    "counters": (import_jobs.get_counters, "job_id"),
    "cancel": (export_jobs.cancel, "job_id"),
}
ENTITY_ARGUMENTS: dict[str, Callable[[Any], Any]] = {
    "list": records.list_all,
    "find": lambda entity: records.find(entity, "number", ["A"]),
    "get": lambda entity: records.get(entity, "1"),
    "create": lambda entity: records.create(entity, {}),
    "update": lambda entity: records.update(entity, "1", {}),
    "delete": lambda entity: records.delete(entity, "1"),
    "upsert": lambda entity: records.upsert(entity, [{}]),
    "delete many": lambda entity: records.delete_many(entity, ["1"]),
    "restore many": lambda entity: records.restore_many(entity, ["1"]),
    "metadata": metadata.get,
    "permissions": permissions.get,
    "count": lambda entity: pages.count(entity, []),
}
VALUE_ARGUMENTS: dict[str, Callable[[Any], Any]] = {
    "find": lambda value: records.find("Product", "number", ["A", value]),
    "delete many": lambda value: records.delete_many("Product", ["A", value]),
    "restore many": lambda value: records.restore_many("Product", ["A", value]),
}
FIELD_ARGUMENTS: dict[str, Callable[[Any], Any]] = {
    "field": lambda name: records.find("Product", name, ["A"]),
    "select": lambda name: records.list_all("Product", select=["name", name]),
    "the attribute in where": lambda name: records.list_all("Product", [{"type": "isNull", "attribute": name}]),
}


def assert_rejected(flow: Any, argument: str) -> None:
    """The flow raises a ValueError that names the argument, and sends nothing."""
    with pytest.raises(ValueError, match=rf"^{argument} must be") as error:
        next(flow)
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize("value", [*NO_IDS, *NO_SEGMENTS], ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("name", ID_ARGUMENTS)
def test_an_id_that_is_none_is_rejected_by_every_flow(name: str, value: Any) -> None:
    flow, argument = ID_ARGUMENTS[name]
    assert_rejected(flow(value), argument)


@pytest.mark.parametrize("entity", NO_ENTITIES, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("name", ENTITY_ARGUMENTS)
def test_a_name_that_is_no_entity_is_rejected_by_every_flow(name: str, entity: Any) -> None:
    assert_rejected(ENTITY_ARGUMENTS[name](entity), "entity")


@pytest.mark.parametrize("value", ["", " ", "None", None, "a\x00", "x" * 5000, 1.5], ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("name", VALUE_ARGUMENTS)
def test_a_missing_value_finds_no_records(name: str, value: Any) -> None:
    assert_rejected(VALUE_ARGUMENTS[name](value), "values" if name == "find" else "record_ids")


@pytest.mark.parametrize("name", ["", " ", "None", None, "a,b", "a[b]", "a\x00", "x" * 5000], ids=repr)
@pytest.mark.parametrize("argument", FIELD_ARGUMENTS)
def test_a_name_that_is_no_field_is_rejected(argument: str, name: Any) -> None:
    assert_rejected(FIELD_ARGUMENTS[argument](name), argument)


def test_one_text_is_no_list() -> None:
    assert_rejected(jobs.find("abc"), "job_ids")
    assert_rejected(import_jobs.find("abc"), "keys")
    assert_rejected(records.find("Product", "number", "abc"), "values")
    assert_rejected(records.list_all("Product", select="abc"), "select")
    assert_rejected(records.list_all("Product", "abc"), "where")  # type: ignore[arg-type]


@pytest.mark.parametrize("after", ["", "None", None, "2026-06-01", "2026-06-01T12:30:00", "2026-06-01T12:30:00Z"])
def test_a_baseline_that_cannot_be_compared_is_rejected(after: Any) -> None:
    assert_rejected(import_jobs.find([FeedRun("f", after)]), "after")


def test_numbers_and_keys_with_blanks_are_valid() -> None:
    assert run_by_hand(records.get("Product", 7), reply(200, {"id": "7"}))[0][0].path == "/api/Product/7"  # type: ignore[arg-type]
    requests, _ = run_by_hand(records.find("Product", "number", [" W-1", "W-1 "]), reply(200, {"list": []}))
    assert requests[0].query["where[0][value][]"] == [" W-1", "W-1 "]


@pytest.mark.parametrize(
    ("conditions", "problem"),
    [
        ([{"type": "equals", "attribute": "number", "value": None}], "the value of 'equals' is None; use 'isNull'"),
        ([{"type": "in", "attribute": "number", "value": ["a", None]}], "the value of 'in' is None"),
        ([{"type": "or", "value": {"type": "isNull"}}], "the value of 'or' must be a list of conditions"),
        ([{"type": "not"}], "the value of 'not' must be a list of conditions"),
        ([{"type": ["equals"]}], "is not a type of condition"),
        (["equals"], "is not a type of condition"),
        ([None], "is not a type of condition"),
    ],
)
def test_a_filter_that_would_lose_a_condition_is_rejected(conditions: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        next(records.list_all("Product", conditions))


# operators and sensors


@pytest.mark.parametrize("entity", NO_ENTITIES, ids=lambda value: repr(value)[:20])
def test_a_target_of_no_entity_is_rejected(entity: Any) -> None:
    with pytest.raises(ValueError, match="entity must be the name of an entity"):
        AtrocoreTarget(entity, "number")


@pytest.mark.parametrize("key", ["", " ", "None", None, "A\x00B", "x" * 5000], ids=lambda value: repr(value)[:20])
def test_a_row_without_a_usable_key_fails_and_is_never_sent(served: Any, sync: Any, key: Any) -> None:
    result = sync([{"number": "A", "name": "a"}, {"number": key, "name": "b"}], fail_on="never")
    assert (result["created"], result["failed"]) == (1, 1)
    assert (result["problems"][0]["result"], result["problems"][0]["row"]) == ("failed", 2)
    assert list(products(served)) == ["A"]


@pytest.mark.parametrize("record_id", ["../a", "a/b", "a?b", ".."])
def test_a_row_whose_id_is_no_id_fails_and_is_never_sent(served: Any, sync: Any, dialect: str, record_id: str) -> None:
    rows = [{"id": record_id, "name": "a", "code": "a"}, {"id": "good", "name": "b", "code": "b"}]
    result = sync(rows, entity="Brand", key_field="id", fail_on="never")
    assert (result["created"], result["failed"]) == (1, 1)
    assert result["problems"][0]["message"].startswith("id must be an id")
    assert [brand["id"] for brand in AtrocoreHook().list_records("Brand")] == ["good"]


@pytest.mark.parametrize("value", ["", " ", "None", None, "a\x00", "x" * 5000, *NO_SEGMENTS])
@pytest.mark.parametrize(
    ("sensor", "argument", "others"),
    [
        (AtrocoreJobSensor, "job_id", {}),
        (AtrocoreImportJobSensor, "job_id", {}),
        (AtrocoreImportJobSensor, "feed_id", {"after": TIME}),
        (AtrocoreExportJobSensor, "job_id", {}),
        (AtrocoreExportJobSensor, "feed_id", {"after": TIME}),
    ],
)
def test_an_id_that_is_none_is_rejected_by_every_sensor(sensor: Any, argument: str, others: Any, value: Any) -> None:
    with pytest.raises(ValueError, match=argument):
        sensor(task_id="wait", **{argument: value}, **others).validate()


@pytest.mark.parametrize("entity", ["", "None ", "product", "Product/1", "None\x00", "X" * 5000])
def test_an_entity_that_is_none_is_rejected_by_the_operator(entity: str) -> None:
    with pytest.raises(ValueError, match="entity must be the name of an entity"):
        AtrocoreSyncProductsOperator(task_id="sync", source=[], entity=entity).validate()


@pytest.mark.usefixtures("hook")
def test_a_missing_result_in_place_of_a_field_is_rejected_by_the_operator() -> None:
    with pytest.raises(ValueError, match=r"key_field must be the name of a field, .*not 'None'"):
        AtrocoreSyncProductsOperator(task_id="sync", source=[], key_field="None").validate()


def test_ids_of_a_response_are_checked_before_they_are_used_in_a_path() -> None:
    assert [identifiers.is_record_id(value) for value in ("a1", "../a", "", None, 7)] == [
        True,
        False,
        False,
        False,
        True,
    ]
    assert identifiers.is_timestamp(feed_jobs.BASELINE_WITHOUT_JOBS)
