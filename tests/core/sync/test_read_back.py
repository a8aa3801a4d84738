"""A response that contradicts the plan is no success: the record decides, field by field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from self_hosted.core.http.flow import Flow
from self_hosted.core.sync.target import Change, Outcome, Result, Schema
from tests.core.sync.applying import Applying
from tests.core.sync.toy_server import Fault, ToyServer
from tests.core.sync.toy_targets import ApprovalTarget, TableTarget

NEW = {"A": {"name": "new", "price": 1}}


class Claiming(TableTarget):
    """A target whose server claims a result, after it has (or has not) stored something.

    :param result: what it claims
    :param store: what is stored in place of the change
    :param details: further parts of the outcome
    """

    def __init__(
        self, server: ToyServer, result: Result, store: Callable[[], Any] = lambda: None, **details: Any
    ) -> None:
        super().__init__()
        self.server, self.result, self.store, self.details = server, result, store, details
        self.batches: list[list[Change]] = []

    def write(self, schema: Schema, batch: Sequence[Change]) -> Flow[Sequence[Outcome]]:
        self.batches.append(list(batch))
        self.store()
        return [Outcome(change.key, self.result, **self.details) for change in batch]
        yield


def apply(existing: dict[str, Any] | None, result: Result, stored: dict[str, Any] | None, **options: Any) -> Applying:
    """Apply NEW to a server that stores some values and claims a result."""
    server = ToyServer()
    if existing is not None:
        server.put("A", **existing)
    details = options.pop("details", {})
    target = Claiming(server, result, lambda: stored is not None and server.put("A", **stored), **details)
    applying = Applying(server, target)
    applying.apply(applying.plan(NEW), **options)
    return applying


OLD, WANTED, ALTERED, OTHER = (
    {"name": "old", "price": 0},
    NEW["A"],
    {"name": "ne", "price": 1},
    {"name": "x", "price": 2},
)


@pytest.mark.parametrize(
    ("existing", "claimed", "stored", "result"),
    [
        (None, "created", WANTED, "created"),
        (None, "created", None, "failed"),
        (None, "created", ALTERED, "altered"),
        (None, "updated", WANTED, "conflict"),
        (None, "updated", ALTERED, "altered"),
        (None, "unchanged", WANTED, "unchanged"),
        (None, "unchanged", ALTERED, "conflict"),
        (None, "unchanged", None, "failed"),
        (None, "failed", WANTED, "unchanged"),
        (None, "failed", None, "failed"),
        (None, "failed", OTHER, "conflict"),
        (None, "conflict", WANTED, "unchanged"),
        (None, "conflict", OTHER, "conflict"),
        (None, "conflict", None, "conflict"),
        (None, "altered", WANTED, "created"),
        (None, "altered", ALTERED, "altered"),
        (None, "skipped", None, "skipped"),
        (None, "pending", None, "failed"),
        (OLD, "updated", WANTED, "updated"),
        (OLD, "updated", None, "failed"),
        (OLD, "updated", {"price": 1}, "altered"),
        (OLD, "updated", ALTERED, "altered"),
        (OLD, "updated", OTHER, "altered"),
        (OLD, "created", WANTED, "conflict"),
        (OLD, "unchanged", WANTED, "unchanged"),
        (OLD, "unchanged", None, "failed"),
        (OLD, "unchanged", OTHER, "conflict"),
        (OLD, "failed", WANTED, "unchanged"),
        (OLD, "failed", None, "failed"),
        (OLD, "failed", OTHER, "conflict"),
        (OLD, "conflict", WANTED, "unchanged"),
        (OLD, "conflict", None, "conflict"),
        (OLD, "conflict", OTHER, "conflict"),
        (OLD, "deleted", None, "failed"),
    ],
)
def test_the_record_decides(existing: Any, claimed: Result, stored: Any, result: Result):
    assert apply(existing, claimed, stored).results() == {"A": result}


def test_what_is_stored_otherwise_is_reported_by_field():
    applying = apply(OLD, "updated", {"name": "ne", "price": 1})
    assert applying.line("A")["altered"] == {"name": ["new", "ne"]}
    assert applying.report.problems[0]["altered"] == {"name": ["new", "ne"]}


def test_an_item_that_fails_after_it_was_stored_is_a_success():
    applying = apply(OLD, "failed", WANTED, details={"is_final": False, "message": "error in line 366"})
    assert applying.results() == {"A": "updated"}


def test_values_that_were_not_stored_are_reported_with_the_servers_words():
    applying = apply(None, "failed", None, details={"message": "the colour is unknown"})
    assert applying.line("A")["message"] == "the colour is unknown"
    assert "nothing was stored" in apply(OLD, "updated", None).line("A")["message"]


def test_a_record_that_is_changed_in_the_place_of_another_is_a_failure():
    applying = apply(OLD, "updated", WANTED, details={"ref": "id-B"})
    assert applying.line("A")["message"] == "the server changed the record id-B in its place"


@pytest.mark.parametrize("existing", [None, OLD])
def test_it_is_a_failure_even_if_that_record_now_has_the_key(existing: Any):
    applying = apply(existing, "failed", WANTED, details={"ref": "id-B", "message": "changed B instead"})
    assert applying.line("A") == {**applying.line("A"), "result": "failed", "message": "changed B instead"}


@pytest.mark.parametrize(("on_conflict", "result", "writes"), [("report", "conflict", 1), ("skip", "skipped", 1)])
def test_a_conflict_is_reported_or_skipped(on_conflict: str, result: str, writes: int):
    applying = apply(OLD, "conflict", OTHER, on_conflict=on_conflict)
    assert applying.results() == {"A": result}
    assert isinstance(applying.target, Claiming)
    assert len(applying.target.batches) == writes


def test_a_conflict_is_overwritten_once():
    applying = apply(OLD, "conflict", OTHER, on_conflict="overwrite")
    assert applying.results() == {"A": "conflict"}
    assert isinstance(applying.target, Claiming)
    [first], [second] = applying.target.batches
    assert (second.old, second.new, second.stamp) == (OTHER, WANTED, "2")
    assert first.old == OLD


def test_a_record_that_only_has_another_version_is_sent_once_more():
    applying = Applying(ToyServer(lock="stamp"), fields=("name",))
    applying.server.put("A", name="old")
    changes = applying.plan({"A": {"name": "new"}})
    applying.server.put("A", price=7)
    assert applying.apply(changes) == {"A": "updated"}
    assert applying.server.rows() == {"A": {"name": "new", "price": 7}}


def test_a_record_that_was_created_meanwhile_is_overwritten_only_if_wanted():
    for on_conflict, expected in (("report", "x"), ("skip", "x"), ("overwrite", "new")):
        applying = Applying()
        changes = applying.plan(NEW)
        applying.server.put("A", **OTHER)
        applying.apply(changes, on_conflict=on_conflict)
        assert applying.server.rows()["A"]["name"] == expected


def test_a_create_that_updates_is_an_update_if_overwriting_is_wanted():
    assert apply(None, "updated", WANTED, on_conflict="overwrite").results() == {"A": "created"}


@pytest.mark.parametrize("do", ["delete", "deactivate"])
def test_a_removal_that_did_not_happen_is_a_failure(do: str):
    server = ToyServer()
    server.put("A", **OLD)
    target = Claiming(server, "deleted" if do == "delete" else "deactivated")
    applying = Applying(server, target)
    assert applying.apply(applying.plan({}, do), verify="all") == {"A": "failed"}


def test_a_record_that_stays_deleted_is_not_restored():
    server = ToyServer()
    server.put("A", **OLD)
    server.change("A", is_deleted=True)
    applying = Applying(server, Claiming(server, "restored"))
    assert applying.sync(NEW) == {"A": "failed"}


@pytest.mark.parametrize("edit", ["remove", "rename", "delete softly"])
def test_a_record_that_is_gone_after_it_was_updated_is_a_conflict(edit: str):
    server = ToyServer()
    server.put("A", **OLD)

    def act(_: ToyServer) -> None:
        if edit == "remove":
            server.remove("A")
        else:
            server.change("A", **({"key": "B"} if edit == "rename" else {"is_deleted": True}))

    applying = Applying(server)
    applying.client.faults = {1: Fault("", act=act)}
    assert applying.sync(NEW) == {"A": "conflict"}
    assert "reported as updated, but the record" in applying.line("A")["message"]


def test_a_new_record_that_is_gone_is_tried_again():
    applying = apply(None, "created", None)
    assert applying.line("A")["message"] == "reported as created, but there is no such record"
    assert applying.report.are_failures_final is False


@pytest.mark.parametrize("claimed", ["deleted", "failed"])
def test_a_record_that_is_gone_is_deleted(claimed: Result):
    server = ToyServer()
    server.put("A", **OLD)
    applying = Applying(server, Claiming(server, claimed, lambda: server.remove("A")))
    assert applying.apply(applying.plan({}, "delete")) == {"A": "deleted" if claimed == "deleted" else "unchanged"}


# which successes are read back


def test_the_first_and_the_last_batch_are_read_back():
    applying = Applying()
    applying.sync({f"K{number:02}": {"name": "a"} for number in range(16)})
    paths = [request.path for request in applying.server.requests[1:]]
    assert paths == ["/write", "/find", "/write", "/write", "/write", "/find"]


def test_all_batches_are_read_back_if_wanted():
    applying = Applying()
    applying.sync({f"K{number:02}": {"name": "a"} for number in range(16)}, verify="all")
    assert [request.path for request in applying.server.requests[1:]] == ["/write", "/find"] * 4


def test_a_server_that_stored_other_values_is_read_back_from_then_on():
    applying = Applying(ToyServer(clipped={"K01", "K09"}))
    results = applying.sync({f"K{number:02}": {"name": "a long name"} for number in range(16)})
    assert [key for key, result in results.items() if result == "altered"] == ["K01", "K09"]


def test_a_change_that_waits_for_an_approval_is_not_read_back():
    applying = Applying(ToyServer(needs_approval=True), ApprovalTarget())
    applying.server.put("A", **OLD)
    assert applying.sync(NEW) == {"A": "pending"}
    assert [request.path for request in applying.server.requests] == ["/list", "/write"]
    assert applying.line("A")["ticket"] in applying.server.tickets


@pytest.mark.parametrize("existing", [None, OLD])
def test_a_request_for_approval_whose_response_is_lost_is_made_once(existing: Any):
    applying = Applying(ToyServer(needs_approval=True), ApprovalTarget())
    if existing:
        applying.server.put("A", **existing)
    applying.client.faults = {0: Fault("lost after")}
    assert applying.sync(NEW) == {"A": "pending"}
    assert len(applying.server.tickets) == 1
    assert applying.line("A")["ticket"] in applying.server.tickets
    assert applying.plan(NEW) == []


def test_a_refused_item_whose_record_waits_for_an_approval_is_pending():
    server = ToyServer(needs_approval=True)
    applying = Applying(server, ApprovalTarget())
    server.put("A", **OLD)
    changes = applying.plan(NEW)
    Applying(server, ApprovalTarget()).sync(NEW)
    [ticket] = server.tickets
    applying.target = Claiming(server, "failed")
    assert applying.apply(changes) == {"A": "pending"}
    assert applying.line("A")["ticket"] == ticket
