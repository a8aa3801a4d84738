"""Lists are read page by page, by id: what others delete meanwhile does not shift the rest."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.atrocore.api import pages, records
from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Request
from tests.atrocore.conftest import delete_what_is_read, reply, run_by_hand

BRANDS = [{"id": f"b{number:03}", "name": f"Brand {number}", "code": f"{number % 2}"} for number in range(450)]
IS_ODD = {"type": "equals", "attribute": "code", "value": "1"}


def ids(start: int, stop: int) -> Any:
    return reply(200, {"list": [{"id": f"{number:03}"} for number in range(start, stop)]})


def last_condition(request: Request) -> dict[str, Any]:
    names = [name for name in request.query if name.startswith("where[")]
    last = max(name.split("]")[0] for name in names) if names else "where["
    return {name.removeprefix(last): request.query[name] for name in names if name.startswith(last)}


def test_each_page_begins_after_the_last_id_of_the_previous_one():
    requests, found = run_by_hand(
        records.list_all("Product", select=["number"]), ids(0, 200), ids(200, 400), ids(400, 403)
    )
    assert len(found) == 403
    assert all("offset" not in request.query for request in requests)
    assert [last_condition(request) for request in requests] == [
        {},
        {"][type]": "greaterThan", "][attribute]": "id", "][value]": "199"},
        {"][type]": "greaterThan", "][attribute]": "id", "][value]": "399"},
    ]
    assert {(request.query["sortBy"], request.query["asc"], request.query["maxSize"]) for request in requests} == {
        ("id", True, 200)
    }
    assert requests[0].query["select"] == "number"


def test_the_callers_conditions_hold_for_each_page():
    requests, _ = run_by_hand(records.list_all("Brand", [IS_ODD]), ids(0, 200), ids(200, 201))
    assert [request.query["where[0][attribute]"] for request in requests] == ["code", "code"]
    assert requests[1].query["where[1][value]"] == "199"


def test_records_that_are_deleted_while_a_list_is_read_do_not_hide_others(served, dialect, hook):
    served.seed({"records": {"Brand": BRANDS}})
    deleted: list[str] = []
    found = hook.run(delete_what_is_read(records.list_all("Brand", select=["code"]), 20, deleted))
    assert len(deleted) == 60
    assert [brand["id"] for brand in found] == [brand["id"] for brand in BRANDS]


def test_a_filtered_list_is_complete_and_contains_nothing_else(served, dialect, hook):
    served.seed({"records": {"Brand": BRANDS}})
    found = hook.list_records("Brand", [IS_ODD], ["code"])
    assert [brand["id"] for brand in found] == [brand["id"] for brand in BRANDS if brand["code"] == "1"]


def test_a_list_with_exactly_one_full_page_ends(served, hook):
    served.seed({"records": {"Brand": BRANDS[: pages.MAX_PAGE_SIZE]}})
    assert len(hook.list_records("Brand")) == pages.MAX_PAGE_SIZE


def test_a_server_that_ignores_the_condition_does_not_cause_an_endless_loop():
    with pytest.raises(ServerError, match=r"GET /api/Product: .*the page after id '199' contains this id"):
        run_by_hand(records.list_all("Product"), ids(0, 200), ids(0, 200))
    with pytest.raises(ServerError, match="the page after id '199' contains this id"):
        run_by_hand(records.list_all("Product"), ids(0, 200), ids(100, 300))
