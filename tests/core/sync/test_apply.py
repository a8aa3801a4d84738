"""Changes are applied in their order: a small batch first, parents before children, nothing on a broken server."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest

from self_hosted.core.http.errors import PermissionDeniedError, ServerError, UnavailableError
from self_hosted.core.http.flow import Flow
from self_hosted.core.sync.apply import apply
from self_hosted.core.sync.batches import ApplyOptions
from self_hosted.core.sync.report import Report
from self_hosted.core.sync.target import Capacity, Change, Outcome, Schema
from tests.core.sync.applying import Applying
from tests.core.sync.toy_server import Fault, Killed, ToyServer
from tests.core.sync.toy_targets import TableTarget, TreeTarget


def make_rows(count: int, name: str = "a") -> dict[str, dict[str, Any]]:
    return {f"K{number:03}": {"name": name} for number in range(count)}


def large() -> TableTarget:
    return TableTarget(Capacity(batch_size=50, keys_per_lookup=50, lock="fields"))


# batches


def test_the_first_batch_is_small():
    applying = Applying(target=large())
    applying.sync(make_rows(100), batch_size=40)
    assert [len(keys) for keys in applying.server.writes] == [10, 40, 40, 10]


def test_a_target_may_allow_smaller_batches():
    applying = Applying()
    applying.sync(make_rows(10), batch_size=40)
    assert [len(keys) for keys in applying.server.writes] == [4, 4, 2]


def test_a_batch_holds_one_action():
    applying = Applying(target=large())
    applying.server.put("A", name="old")
    applying.server.put("M", name="missing")
    applying.apply(applying.plan({"A": {"name": "new"}, "B": {"name": "b"}}, "delete"))
    assert applying.server.writes == [["B"], ["A"], ["M"]]


@pytest.mark.parametrize(("mixes_stages", "writes"), [(False, [["Z"], ["A"]]), (True, [["Z", "A"]])])
def test_a_batch_holds_one_stage_unless_the_target_allows_more(mixes_stages: bool, writes: list[list[str]]):
    capacity = Capacity(50, 50, mixes_stages=mixes_stages, lock="fields")
    applying = Applying(ToyServer(is_tree=True), TreeTarget(capacity))
    applying.sync({"A": {"name": "a", "parent": "Z"}, "Z": {"name": "z"}})
    assert applying.server.writes == writes


def test_nothing_is_sent_without_changes():
    applying = Applying()
    assert applying.apply([]) == {}
    assert applying.server.requests == []


def test_changes_are_read_while_they_are_applied():
    """Two batches at most are held."""
    applying = Applying()
    pulled: list[int] = []

    def changes() -> Any:
        for number in range(40):
            pulled.append(len(applying.server.history))
            yield Change("create", f"K{number}", f"id-K{number}", {"name": "a"})

    apply(
        applying.client.run,
        applying.target,
        applying.schema,
        changes(),
        ApplyOptions(),
        Report(sqlite3.connect(":memory:")),
    )
    assert all(number - done <= 2 * 4 for number, done in enumerate(pulled))


def test_progress_and_end_are_logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("self_hosted.core.sync.apply.SECONDS_BETWEEN_LINES", 0.0)
    applying = Applying()
    with caplog.at_level(logging.INFO):
        applying.sync(make_rows(6))
    lines = ["toy table: so far 4 created", "toy table: all changes are applied: 6 created"]
    assert caplog.messages == lines


# a broken server


@pytest.mark.parametrize("count", [2, 10])
def test_a_server_that_fails_on_the_first_batch_gets_nothing_more(count: int):
    applying = Applying(ToyServer(poison={f"K{number:03}" for number in range(99)}), large())
    with pytest.raises(ServerError):
        applying.sync(make_rows(40 if count == 10 else count))
    assert {key for keys in applying.server.writes for key in keys} == set(make_rows(count))
    assert applying.results() == {}


def test_a_plan_of_one_change_that_the_server_fails_on_is_a_failed_row():
    applying = Applying(ToyServer(poison={"K000"}))
    assert applying.sync(make_rows(1)) == {"K000": "failed"}


def test_a_server_that_fails_on_three_batches_in_a_row_gets_nothing_more():
    rows = make_rows(40)
    applying = Applying(ToyServer(poison=set(list(rows)[8:])))
    with pytest.raises(ServerError):
        applying.sync(rows)
    assert list(applying.results().values()) == ["created"] * 8 + ["failed"] * 8


def test_a_success_in_between_counts_from_the_start_again():
    rows = make_rows(40)
    good = {0, 9, 17, 21, 29, 37}
    applying = Applying(ToyServer(poison={key for number, key in enumerate(rows) if number not in good}))
    results = applying.sync(rows)
    assert [number for number, result in enumerate(results.values()) if result == "created"] == sorted(good)


class ItemErrors(TableTarget):
    """Each item fails, such as during an outage of the database, or a request is not permitted."""

    is_final = False
    error: Exception | None = None

    def write(self, schema: Schema, batch: Sequence[Change]) -> Flow[Sequence[Outcome]]:
        if self.error:
            raise self.error
        return [Outcome(change.key, "failed", "no database", is_final=self.is_final) for change in batch]
        yield


def test_items_that_fail_because_of_an_outage_end_the_sync_like_an_error():
    applying = Applying(target=ItemErrors())
    with pytest.raises(ServerError, match="no database"):
        applying.sync(make_rows(4))


def test_a_missing_permission_ends_the_sync():
    applying = Applying(target=ItemErrors())
    applying.target.error = PermissionDeniedError("no")  # type: ignore[attr-defined]
    with pytest.raises(PermissionDeniedError):
        applying.sync(make_rows(4))


def test_rejected_items_are_no_sign_of_a_broken_server():
    rows = make_rows(20)
    applying = Applying(ToyServer(rejected=set(rows)))
    assert set(applying.sync(rows).values()) == {"failed"}
    assert len(applying.server.writes) == 5


def test_an_unavailable_server_ends_the_try_and_the_next_one_continues():
    applying = Applying()
    rows = make_rows(12)
    applying.client.faults = {2: Fault("unavailable")}
    with pytest.raises(UnavailableError):
        applying.sync(rows)
    assert applying.results() == dict.fromkeys(list(rows)[:4], "created")
    assert applying.sync(rows, is_retry=True) == dict.fromkeys(list(rows)[4:], "created")


def test_a_worker_that_is_killed_does_not_keep_its_next_try_from_the_same_plan():
    applying = Applying()
    rows = make_rows(12)
    changes = applying.plan(rows)
    applying.client.faults = {2: Fault("kill after")}
    with pytest.raises(Killed):
        applying.apply(changes)
    results = applying.apply(changes, is_retry=True)
    assert list(results.values()) == ["unchanged"] * 8 + ["created"] * 4
    assert len(applying.server.history) == 12


# families


TREE = {"m": {"name": "m"}, "a": {"name": "a", "parent": "m"}, "z": {"name": "z", "parent": "a"}, "b": {"name": "b"}}


def tree(**faults: Any) -> Applying:
    return Applying(ToyServer(is_tree=True, **faults), TreeTarget())


def test_parents_are_created_before_their_children():
    applying = tree()
    assert applying.sync(TREE) == dict.fromkeys("mazb", "created")
    assert applying.plan(TREE) == []


def test_children_of_a_parent_that_failed_are_skipped():
    applying = tree(rejected={"m"})
    assert applying.sync(TREE) == {"m": "failed", "b": "created", "a": "skipped", "z": "skipped"}
    assert applying.line("a")["message"] == "the parent 'm': failed"
    assert applying.line("z")["message"] == "the parent 'a': skipped"


def test_children_of_a_parent_whose_failure_may_pass_are_tried_again_with_it():
    applying = tree(poison={"m"})
    applying.sync(TREE)
    assert applying.line("z")["is_final"] is False


def test_children_of_a_parent_that_waits_for_an_approval_are_skipped():
    applying = tree(needs_approval=True)
    assert applying.sync(TREE) == {"m": "pending", "b": "pending", "a": "skipped", "z": "skipped"}


def test_a_child_that_exists_needs_only_that_its_parent_exists():
    applying = tree()
    applying.sync(TREE)
    applying.server.rejected = {"m"}
    rows = {key: {**row, "name": "new"} for key, row in TREE.items()} | {"n": {"name": "n", "parent": "m"}}
    changes = sorted(applying.plan(rows), key=lambda change: (change.stage, change.do))
    results = applying.apply(changes)
    assert results == {"m": "failed", "b": "updated", "n": "skipped", "a": "updated", "z": "updated"}


def test_a_record_is_not_moved_below_a_parent_that_could_not_be_created():
    applying = tree()
    applying.sync(TREE)
    applying.server.rejected = {"new"}
    rows = {**TREE, "new": {"name": "n"}, "z": {"name": "z", "parent": "new"}}
    assert applying.sync(rows) == {"new": "failed", "z": "skipped"}
    assert applying.server.rows() == TREE


def test_a_parent_is_not_deleted_if_a_child_stays():
    applying = tree()
    applying.sync(TREE)
    changes = applying.plan({"b": TREE["b"]}, "delete")
    applying.server.put("z", name="edited")
    assert applying.apply(changes) == {"z": "conflict", "a": "skipped", "m": "skipped"}
    assert applying.line("m")["message"] == "the child 'a': skipped"
    assert set(applying.server.rows()) == set("mazb")


def test_a_parent_is_not_deleted_if_a_child_could_not_move_to_another_one():
    applying = tree()
    applying.sync(TREE)
    applying.server.rejected = {"z"}
    moved = {"m": TREE["m"], "b": TREE["b"], "z": {"name": "z", "parent": "b"}}
    assert applying.apply(applying.plan(moved, "delete")) == {"z": "failed", "a": "skipped"}
    assert applying.line("a")["message"] == "the child 'z': failed"
    assert set(applying.server.rows()) == set("mazb")


def test_children_are_deleted_before_their_parents():
    applying = tree()
    applying.sync(TREE)
    assert applying.apply(applying.plan({"b": TREE["b"]}, "delete")) == dict.fromkeys("zam", "deleted")


def test_parents_are_deactivated_whether_or_not_a_child_stays():
    applying = tree()
    applying.sync(TREE)
    changes = applying.plan({"b": TREE["b"]}, "deactivate")
    applying.server.put("z", name="edited")
    assert applying.apply(changes) == {"z": "conflict", "a": "deactivated", "m": "deactivated"}
