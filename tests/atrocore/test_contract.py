"""What holds on the sandbox and on a real server, for workers and triggers, in all three dialects."""

from __future__ import annotations

import uuid

import pytest

from self_hosted.atrocore import api
from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.triggers import (
    cancel_exports,
    look_at_exports,
    look_at_imports,
    look_at_jobs,
    stalled_exports,
    stalled_imports,
    stalled_jobs,
)
from self_hosted.core.errors import Invalid, NotFound
from self_hosted.core.question import GONE
from tests.atrocore.conftest import DIALECTS


def speaking(request, server) -> AtrocoreHook:
    """A hook on the server, which speaks the dialect that the fixture is parametrised with."""
    live = request.node.callspec.params["server"] == "live"
    if live and request.param != DIALECTS[0]:
        pytest.skip("a real server speaks one dialect only")
    if not live:
        request.getfixturevalue("served").seed({"dialect": request.param})
    return AtrocoreHook(server)


@pytest.fixture(params=DIALECTS)
def hook(request, server) -> AtrocoreHook:
    return speaking(request, server)


@pytest.fixture(params=["2.3", "1.x-2.2"])
def queue(request, server) -> AtrocoreHook:
    """One that has a queue of background jobs."""
    return speaking(request, server)


@pytest.fixture
def key_field(hook, request) -> str:
    return "sku" if request.node.callspec.params["hook"] == "espo" else "number"


@pytest.fixture
def products(hook, key_field):
    """Three products to be, with keys of their own; deleted afterwards."""
    keys = [f"T-{uuid.uuid4().hex[:10]}" for _ in range(3)]
    status = "status" if key_field == "number" else "productStatus"
    yield {key: {key_field: key, "name": f"Thing & Söhne {key}", "price": 1.5, status: "draft"} for key in keys}
    for key in keys:
        hook.delete_record("Product", api.own_id("Product", key))


def test_somebody_is_signed_in(hook, ask):
    assert ask(hook, api.session())["user"]["userName"]


def test_the_test_button_says_as_whom_where_and_how(hook):
    accepted, words = hook.test_connection()
    assert accepted
    assert "which speaks the dialect" in words


def test_what_was_planned_and_applied_is_unchanged_the_next_time(hook, ask, key_field, products):
    schema = ask(hook, api.schema("Product"))
    plan = ask(hook, api.planned("Product", key_field, products, schema))
    assert [change.wanted for change in plan.changes] == ["created"] * 3

    outcomes = ask(hook, api.applied("Product", plan.changes))
    assert [outcome.result for outcome in outcomes] == ["created"] * 3

    again = ask(hook, api.planned("Product", key_field, products, schema))
    assert [outcome.result for outcome in again.foreseen()] == ["unchanged"] * 3


def test_only_the_changed_field_is_sent(hook, ask, key_field, products):
    ask(hook, api.applied("Product", ask(hook, api.planned("Product", key_field, products, None)).changes))
    first = next(iter(products))

    plan = ask(hook, api.planned("Product", key_field, {first: {**products[first], "price": "2.25"}}, None))
    assert [dict(change.values) for change in plan.changes] == [{"price": "2.25"}]

    plan = ask(hook, api.planned("Product", key_field, {first: {**products[first], "price": 2.25}}, None))
    assert [outcome.result for outcome in ask(hook, api.applied("Product", plan.changes))] == ["updated"]
    assert ask(hook, api.record("Product", api.own_id("Product", first)))["price"] == pytest.approx(2.25)


def test_a_deleted_product_comes_back_under_the_same_id(hook, ask, key_field, products):
    first = next(iter(products))
    row = {first: products[first]}
    ask(hook, api.applied("Product", ask(hook, api.planned("Product", key_field, row, None)).changes))
    ask(hook, api.delete_record("Product", api.own_id("Product", first)))
    with pytest.raises(NotFound):
        ask(hook, api.record("Product", api.own_id("Product", first)))

    plan = ask(hook, api.planned("Product", key_field, row, None))
    assert [outcome.result for outcome in ask(hook, api.applied("Product", plan.changes))] == ["created"]
    assert ask(hook, api.record("Product", api.own_id("Product", first)))["name"] == products[first]["name"]


def test_the_same_id_cannot_be_posted_twice(hook, ask, key_field, products):
    first = next(iter(products))
    values = {**products[first], "id": api.own_id("Product", first)}
    ask(hook, api.create_record("Product", values))
    with pytest.raises(Invalid):
        ask(hook, api.create_record("Product", values))


def test_an_update_that_changes_nothing_is_a_success(hook, ask, key_field, products):
    first = next(iter(products))
    record_id = api.own_id("Product", first)
    ask(hook, api.create_record("Product", {**products[first], "id": record_id}))
    assert not ask(hook, api.update_record("Product", record_id, {"name": products[first]["name"]}))
    assert ask(hook, api.update_record("Product", record_id, {"name": "Another"}))


def test_many_keys_are_looked_up_in_few_requests(hook, ask, key_field, products):
    ask(hook, api.applied("Product", ask(hook, api.planned("Product", key_field, products, None)).changes))
    keys = [*products, *(f"none such {number} äöü" for number in range(150))]
    found = ask(hook, api.records_by("Product", key_field, keys, ["name"]))
    assert {key: [record["name"] for record in records] for key, records in found.items()} == {
        key: [row["name"]] for key, row in products.items()
    }


# background jobs


def test_jobs_that_are_not_there_are_not_in_the_answer(queue, ask):
    run = api.run_key("nosuch", "2020-01-01 00:00:00")
    assert ask(queue, api.jobs(["nosuch"])) == {}
    assert ask(queue, api.import_jobs(["nosuch", run])) == {}
    assert ask(queue, api.export_jobs(["nosuch", run])) == {}


def test_all_questions_are_answered_for_what_is_not_there(queue, ask):
    for look in (look_at_jobs, look_at_imports, look_at_exports):
        assert ask(queue, look(["nosuch"])) == {"nosuch": GONE}
    for stalled in (stalled_jobs, stalled_imports, stalled_exports):
        assert ask(queue, stalled(["nosuch"])) == {}
    ask(queue, cancel_exports("nosuch"))


def test_the_jobs_of_the_queue_have_states_that_are_known(queue, ask):
    some = [job["id"] for job in ask(queue, api.records("Job", select=["status"]))[:50]]
    known = {*api.UNDER_WAY, api.SUCCESS, "Failed", "Canceled"}
    assert {job["status"] for job in ask(queue, api.jobs(some)).values()} <= known


@pytest.mark.parametrize("baseline", [api.import_baseline, api.export_baseline])
def test_a_feed_without_jobs_has_a_baseline_long_ago(queue, ask, baseline, monkeypatch):
    monkeypatch.setattr("self_hosted.atrocore.api.baselines.ONE_SECOND", 0)
    assert ask(queue, baseline("nosuch")) == "1970-01-01 00:00:00"


def test_counters_of_an_import_that_is_not_there_are_not_found(queue, ask):
    with pytest.raises(NotFound):
        ask(queue, api.import_counters("nosuch"))


def test_an_export_that_is_not_there_cannot_be_cancelled(queue, ask):
    with pytest.raises(NotFound):
        ask(queue, api.cancel_export_job("nosuch"))


def test_whether_the_queue_is_served_is_told_or_not_known(queue, ask):
    assert ask(queue, api.background_processing_runs()) in {True, False, None}


def test_feeds_that_are_about_to_export_are_ids(queue, ask):
    assert all(isinstance(feed_id, str) for feed_id in ask(queue, api.feeds_about_to_export()))
