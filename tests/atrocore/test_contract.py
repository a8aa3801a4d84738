"""Behaviour of the fake server and of real servers, for workers and triggers, in all three dialects."""

from __future__ import annotations

import os
import uuid

import pytest

from self_hosted.atrocore.api import export_jobs, feed_jobs, import_jobs, jobs, pages, records, session
from self_hosted.atrocore.api.feed_jobs import FeedRun
from self_hosted.atrocore.api.record_ids import deterministic_id
from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator
from self_hosted.atrocore.waits import (
    cancel_export,
    explain_stalled_exports,
    explain_stalled_imports,
    explain_stalled_jobs,
    refresh_exports,
    refresh_imports,
    refresh_jobs,
)
from self_hosted.core.http.errors import InvalidRequestError, NotFoundError
from self_hosted.core.wait.observation import MISSING
from tests.atrocore.conftest import DIALECTS, counts, delete_what_is_read
from tests.context import context

LIVE_DIALECT = os.environ.get("LIVE_DIALECT", DIALECTS[0])
LIVE_KEY = os.environ.get("LIVE_KEY", "number")
"""The real server's dialect, and the field that identifies its products: "sku" before core 2.0.28."""


def is_live(request) -> bool:
    return bool(request.node.callspec.params["server"] == "live")


def create_hook(request, server) -> AtrocoreHook:
    """Return a hook for the server, which has the dialect of the fixture's parameter."""
    live = is_live(request)
    if live and request.param != LIVE_DIALECT:
        pytest.skip(f"the dialect of the real server is {LIVE_DIALECT} (LIVE_DIALECT)")
    if not live:
        request.getfixturevalue("served").seed({"dialect": request.param})
    return AtrocoreHook(server)


@pytest.fixture(params=DIALECTS)
def hook(request, server) -> AtrocoreHook:
    return create_hook(request, server)


@pytest.fixture(params=["2.3", "1.x-2.2"])
def hook_with_queue(request, server) -> AtrocoreHook:
    """Return a hook for a server that has a queue of background jobs."""
    return create_hook(request, server)


@pytest.fixture
def key_field(hook, request) -> str:
    if is_live(request):
        return LIVE_KEY
    return "sku" if request.node.callspec.params["hook"] == "espo" else "number"


@pytest.fixture
def products(hook, key_field):
    """Three new products with unique keys, by key; deleted after the test."""
    keys = [f"T-{uuid.uuid4().hex[:10]}" for _ in range(3)]
    status = "status" if key_field == "number" else "productStatus"
    yield {key: {key_field: key, "name": f"Thing & Söhne {key}", "price": 1.5, status: "draft"} for key in keys}
    for key in keys:
        hook.delete_record("Product", deterministic_id("Product", key))


def test_the_session_names_the_user(hook, run_flow):
    assert run_flow(hook, session.get())["user"]["userName"]


def test_the_test_button_names_the_dialect(hook):
    accepted, message = hook.test_connection()
    assert accepted
    assert "API dialect" in message


@pytest.fixture
def sync(hook, key_field):
    """Return a function that syncs products, and returns what became of the rows."""

    def run(products):
        rows = list(products.values())
        operator = AtrocoreSyncProductsOperator(
            task_id="sync", source=rows, key_field=key_field, atrocore_conn_id=hook.conn_id
        )
        return counts(operator.execute(context(operator)))

    return run


def test_after_a_sync_all_rows_are_unchanged(sync, products):
    assert sync(products) == {"created": 3}
    assert sync(products) == {"unchanged": 3}


def test_only_what_differs_is_changed(hook, sync, products):
    sync(products)
    first, *others = products
    changed = {**products, first: {**products[first], "price": "2.25"}}
    before = {key: hook.get_record("Product", deterministic_id("Product", key)) for key in others}
    assert sync(changed) == {"updated": 1, "unchanged": 2}
    assert hook.get_record("Product", deterministic_id("Product", first))["price"] == pytest.approx(2.25)
    assert {key: hook.get_record("Product", deterministic_id("Product", key)) for key in others} == before


def test_a_deleted_product_is_restored_with_the_same_id(hook, sync, products):
    first = next(iter(products))
    row, record_id = {first: products[first]}, deterministic_id("Product", first)
    sync(row)
    hook.delete_record("Product", record_id)
    with pytest.raises(NotFoundError):
        hook.get_record("Product", record_id)
    assert sync(row) == {"created": 1}
    assert hook.get_record("Product", record_id)["name"] == products[first]["name"]


def test_an_id_cannot_be_posted_twice(hook, run_flow, key_field, products):
    first = next(iter(products))
    values = {**products[first], "id": deterministic_id("Product", first)}
    run_flow(hook, records.create("Product", values))
    with pytest.raises(InvalidRequestError):
        run_flow(hook, records.create("Product", values))


def test_an_update_without_effect_is_a_success(hook, run_flow, key_field, products):
    first = next(iter(products))
    record_id = deterministic_id("Product", first)
    run_flow(hook, records.create("Product", {**products[first], "id": record_id}))
    assert not run_flow(hook, records.update("Product", record_id, {"name": products[first]["name"]}))
    assert run_flow(hook, records.update("Product", record_id, {"name": "Another"}))


def test_records_are_found_by_many_keys(hook, run_flow, key_field, products):
    for key, values in products.items():
        hook.create_record("Product", {**values, "id": deterministic_id("Product", key)})
    keys = [*products, *(f"none such {number} äöü" for number in range(150))]
    found = run_flow(hook, records.find("Product", key_field, keys, ["name"]))
    assert {key: [record["name"] for record in of_key] for key, of_key in found.items()} == {
        key: [row["name"]] for key, row in products.items()
    }


def test_a_list_is_complete_although_others_delete_what_was_read(hook, run_flow, key_field, products, monkeypatch):
    for key, values in products.items():
        hook.create_record("Product", {**values, "id": deterministic_id("Product", key)})
    monkeypatch.setattr(pages, "MAX_PAGE_SIZE", 1)
    deleted: list[str] = []
    condition = {"type": "in", "attribute": key_field, "value": list(products)}
    found = run_flow(hook, delete_what_is_read(records.list_all("Product", [condition], [key_field]), 1, deleted))
    assert sorted(product[key_field] for product in found) == sorted(products)
    assert [product["id"] for product in found] == deleted


# background jobs


def test_missing_jobs_are_left_out(hook_with_queue, run_flow):
    run = FeedRun("nosuch", "2020-01-01 00:00:00")
    assert run_flow(hook_with_queue, jobs.find(["nosuch"])) == {}
    assert run_flow(hook_with_queue, import_jobs.find(["nosuch", run])) == {}
    assert run_flow(hook_with_queue, export_jobs.find(["nosuch", run])) == {}


def test_waits_observe_missing_jobs(hook_with_queue, run_flow):
    for refresh in (refresh_jobs, refresh_imports, refresh_exports):
        assert run_flow(hook_with_queue, refresh(["nosuch"])) == {"nosuch": MISSING}
    for explain in (explain_stalled_jobs, explain_stalled_imports, explain_stalled_exports):
        assert run_flow(hook_with_queue, explain(["nosuch"])) == {}
    run_flow(hook_with_queue, cancel_export("nosuch"))


def test_all_states_of_jobs_are_known(hook_with_queue, run_flow):
    sample = [job["id"] for job in run_flow(hook_with_queue, records.list_all("Job", select=["status"]))[:50]]
    known = {*jobs.UNFINISHED_STATES, jobs.SUCCESS, "Failed", "Canceled"}
    assert {job["status"] for job in run_flow(hook_with_queue, jobs.find(sample)).values()} <= known


@pytest.mark.parametrize("get_baseline", [import_jobs.get_baseline, export_jobs.get_baseline])
def test_the_baseline_of_a_feed_without_jobs_is_in_1970(hook_with_queue, run_flow, get_baseline, monkeypatch):
    monkeypatch.setattr(feed_jobs, "TIMESTAMP_RESOLUTION_SECONDS", 0)
    assert run_flow(hook_with_queue, get_baseline("nosuch")) == "1970-01-01 00:00:00"


def test_counters_of_a_missing_import_are_not_found(hook_with_queue, run_flow):
    with pytest.raises(NotFoundError):
        run_flow(hook_with_queue, import_jobs.get_counters("nosuch"))


def test_a_missing_export_cannot_be_cancelled(hook_with_queue, run_flow):
    with pytest.raises(NotFoundError):
        run_flow(hook_with_queue, export_jobs.cancel("nosuch"))


def test_the_check_of_background_processing_has_a_result(hook_with_queue, run_flow):
    assert run_flow(hook_with_queue, jobs.check_background_processing()) in {True, False, None}


def test_feeds_that_create_export_jobs_are_ids(hook_with_queue, run_flow):
    assert all(
        isinstance(feed_id, str) for feed_id in run_flow(hook_with_queue, export_jobs.list_feeds_creating_jobs())
    )
