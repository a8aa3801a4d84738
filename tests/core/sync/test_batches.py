"""One batch: one effect of each change, and its true outcome, whatever becomes of the responses."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from self_hosted.core.http.errors import (
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    OutcomeUnknownError,
    PermissionDeniedError,
    SelfHostedError,
    ServerError,
    UnavailableError,
)
from self_hosted.core.http.flow import Flow
from self_hosted.core.sync.target import Capacity, Change, Field, Outcome, Schema
from tests.core.sync.applying import Applying
from tests.core.sync.toy_server import Fault, Killed, ToyServer
from tests.core.sync.toy_targets import TableTarget

ROWS = {key: {"name": f"name {key}", "price": 1} for key in "ABCD"}


class Answering(TableTarget):
    """A target whose writes are answered as a test says: an error is raised, an outcome takes the place of the answer.

    :param answers: one for each write; None = the server's own
    """

    def __init__(self, *answers: Any) -> None:
        super().__init__()
        self.answers: Iterator[Any] = iter(answers)

    def write(self, schema: Schema, batch: Sequence[Change]) -> Flow[Sequence[Outcome]]:
        answer = next(self.answers, None)
        if isinstance(answer, SelfHostedError):
            raise answer
        outcomes = yield from super().write(schema, batch)
        return outcomes if answer is None else answer


def names(server: ToyServer) -> dict[str, Any]:
    return {key: row["name"] for key, row in server.rows().items()}


def creates(server: ToyServer) -> list[str]:
    return [event.after.key for event in server.history if event.do == "create" and event.after]


# lost responses


@pytest.mark.parametrize("kind", ["lost after", "lost before", "late"])
def test_a_write_whose_response_is_lost_is_done_once(kind: str):
    applying = Applying()
    applying.client.faults = {0: Fault(kind, seconds=3.0)}
    assert applying.sync(ROWS) == dict.fromkeys("ABCD", "created")
    assert applying.server.rows() == ROWS
    assert creates(applying.server) == list("ABCD")


def test_a_batch_that_took_effect_is_not_sent_again():
    applying = Applying()
    applying.client.faults = {0: Fault("lost after")}
    applying.sync(ROWS)
    assert len(applying.server.writes) == 1
    assert applying.server.clock == 0


def test_a_server_that_is_still_working_is_awaited():
    applying = Applying()
    applying.client.faults = {0: Fault("late", seconds=6.0)}
    applying.sync(ROWS)
    assert len(applying.server.writes) == 1
    assert applying.server.clock == 7


def test_a_write_that_takes_effect_after_it_was_sent_again_is_done_once():
    applying = Applying()
    applying.client.faults = {0: Fault("late", seconds=16.0), 10: Fault("lost before")}
    assert applying.sync(ROWS) == dict.fromkeys("ABCD", "created")
    assert creates(applying.server) == list("ABCD")


def test_a_server_that_makes_progress_is_awaited_longer():
    applying = Applying()
    server = applying.server

    def work(*, first: str) -> Any:
        return lambda _: [server.put(key, **ROWS[key]) for key in first]

    # the reads of the first 15 seconds end with request 5
    applying.client.faults = {
        0: Fault("lost before"),
        4: Fault("", act=work(first="AB")),
        8: Fault("", act=work(first="CD")),
    }
    assert applying.sync(ROWS) == dict.fromkeys("ABCD", "created")
    assert server.writes == []
    assert 15 < server.clock < 30


def test_a_large_batch_that_times_out_is_sent_in_halves():
    applying = Applying(ToyServer(max_items=1))
    assert applying.sync(ROWS) == dict.fromkeys("ABCD", "created")
    assert [len(keys) for keys in applying.server.writes] == [4, 2, 1, 1, 2, 1, 1]


def test_later_batches_are_smaller_until_some_have_succeeded():
    applying = Applying()
    applying.client.faults = {0: Fault("lost after")}
    rows = {f"K{number:02}": {"name": "a"} for number in range(40)}
    applying.sync(rows)
    sizes = [len(keys) for keys in applying.server.writes]
    assert (sizes[0], sizes[2], max(sizes[9:])) == (4, 2, 4)  # the second was already formed


def test_the_record_that_makes_its_batch_fail_is_found():
    applying = Applying(ToyServer(poison={"C"}))
    results = applying.sync(ROWS)
    assert results == {"A": "created", "B": "created", "C": "failed", "D": "created"}
    assert applying.line("C")["message"] == "POST /write: rejected without a reason (HTTP 500)"
    assert applying.report.are_failures_final is False


def test_a_server_that_answers_with_500_has_finished_and_is_not_awaited():
    broken = OutcomeUnknownError("SQLSTATE", status=500)
    applying = Applying(target=Answering(broken, broken))
    assert applying.sync(ROWS) == dict.fromkeys("ABCD", "created")
    assert [len(keys) for keys in applying.server.writes] == [1, 1, 2]
    assert applying.server.clock == 0


def test_a_server_that_stored_a_part_before_it_answered_with_500_does_not_store_it_twice():
    class Breaking(TableTarget):
        def write(self, schema: Schema, batch: Sequence[Change]) -> Flow[Sequence[Outcome]]:
            if len(batch) == 4:
                yield from super().write(schema, batch[:2])
                raise OutcomeUnknownError("SQLSTATE", status=500)
            return (yield from super().write(schema, batch))

    applying = Applying(target=Breaking())
    assert applying.sync(ROWS) == dict.fromkeys("ABCD", "created")
    assert creates(applying.server) == list("ABCD")
    assert applying.server.clock == 0


def test_a_single_change_without_a_response_is_sent_twice():
    applying = Applying()
    applying.client.faults = dict.fromkeys(range(99), Fault("lost before"))
    assert applying.sync({"A": {"name": "a"}}) == {"A": "failed"}
    assert applying.client.calls == 2 + 2 * 5
    assert applying.report.are_failures_final is False


def test_a_create_whose_response_is_lost_does_not_adopt_the_record_of_somebody_else():
    applying = Applying()
    other = Fault("lost before", act=lambda server: server.put("A", name="other"))
    applying.client.faults = {0: other}
    assert applying.sync({"A": {"name": "a"}}) == {"A": "conflict"}
    assert names(applying.server) == {"A": "other"}


def test_an_edit_after_a_lost_response_is_not_overwritten():
    applying = Applying(ToyServer(lock=None))
    applying.server.put("A", name="old")
    applying.client.faults = {0: Fault("lost before"), 1: Fault("", act=lambda server: server.put("A", name="edited"))}
    assert applying.sync({"A": {"name": "new"}}) == {"A": "conflict"}
    assert names(applying.server) == {"A": "edited"}


def test_a_loss_is_logged(caplog: pytest.LogCaptureFixture):
    applying = Applying()
    applying.client.faults = {0: Fault("lost after")}
    with caplog.at_level(logging.WARNING):
        applying.sync(ROWS)
    assert caplog.messages == ["toy table: a write of 4 changes failed, 4 of them need no other: lost"]


# errors


@pytest.mark.parametrize("error", [UnavailableError("busy"), AuthenticationError("no")])
def test_an_error_that_no_record_causes_is_raised(error: SelfHostedError):
    applying = Applying(target=Answering(error))
    with pytest.raises(type(error)):
        applying.sync(ROWS)
    assert applying.results() == {}


def test_what_was_done_before_such_an_error_is_reported():
    applying = Applying(target=Answering(OutcomeUnknownError("lost"), None, UnavailableError("busy")))
    with pytest.raises(UnavailableError):
        applying.sync(ROWS)
    assert applying.results() == {"A": "created", "B": "created"}


@pytest.mark.parametrize(
    ("error", "is_final"),
    [
        (InvalidRequestError("bad"), True),
        (PermissionDeniedError("no"), True),
        (ServerError("oops"), False),
    ],
)
def test_a_single_change_that_is_refused_has_failed(error: SelfHostedError, is_final: bool):
    applying = Applying(target=Answering(error))
    assert applying.sync({"A": {"name": "a"}}) == {"A": "failed"}
    assert applying.report.are_failures_final is is_final


def test_a_create_that_ends_with_500_but_stores_the_record_is_created():
    applying = Applying()

    def store(server: ToyServer) -> None:
        server.put("A", name="a")

    applying.target = Answering(ServerError("oops"))
    applying.client.faults = {0: Fault("", act=store)}
    assert applying.sync({"A": {"name": "a"}}) == {"A": "created"}


def test_a_conflict_of_a_single_request_is_compared_like_that_of_an_item():
    applying = Applying(target=Answering(ConflictError("changed"), None))
    applying.server.put("A", name="old")
    assert applying.sync({"A": {"name": "new"}}) == {"A": "updated"}


def test_a_conflict_of_a_whole_batch_is_isolated():
    applying = Applying(target=Answering(ConflictError("changed")))
    assert applying.sync(ROWS) == dict.fromkeys("ABCD", "created")
    assert [len(keys) for keys in applying.server.writes] == [2, 2]


def test_too_few_outcomes_are_no_outcomes():
    applying = Applying(target=Answering([Outcome("A", "created")]))
    assert applying.sync(ROWS) == dict.fromkeys("ABCD", "created")
    assert len(applying.server.writes) == 1


# two syncs, and a killed worker


def test_two_syncs_that_create_the_same_records_both_succeed():
    applying, other = Applying(), Applying()
    other.server = applying.server
    other.client.server = applying.server
    changes = applying.plan(ROWS)
    assert other.apply(changes) == dict.fromkeys("ABCD", "created")
    assert applying.apply(changes) == dict.fromkeys("ABCD", "unchanged")
    assert creates(applying.server) == list("ABCD")


def test_a_retry_waits_for_the_write_of_the_killed_worker():
    applying = Applying()
    changes = applying.plan(ROWS)
    applying.client.faults = {0: Fault("late", seconds=1.0), 1: Fault("kill before")}
    with pytest.raises(Killed):
        applying.apply(changes)
    # the records appear after the retry has looked for them
    applying.client.faults = {3: Fault("", act=lambda server: server.pass_time(1.0))}
    assert applying.apply(changes, is_retry=True) == dict.fromkeys("ABCD", "unchanged")
    assert creates(applying.server) == list("ABCD")


def test_a_retry_waits_once_for_refused_items():
    applying = Applying(ToyServer(rejected=set("ABCDEFGH")))
    rows = {key: {"name": "a"} for key in "ABCDEFGH"}
    assert applying.sync(rows, is_retry=True) == dict.fromkeys("ABCDEFGH", "failed")
    assert applying.server.clock == 15


def test_a_refused_item_is_not_sent_again():
    applying = Applying(ToyServer(rejected={"B"}))
    assert applying.sync(ROWS) == {"A": "created", "B": "failed", "C": "created", "D": "created"}
    assert len(applying.server.writes) == 1
    assert applying.line("B")["message"] == "rejected"
    assert applying.report.are_failures_final
    assert applying.server.clock == 0


# reading first


def test_nothing_is_read_before_writes_that_a_lock_protects():
    applying = Applying()
    applying.server.put("A", name="old")
    applying.sync(ROWS)
    assert [request.path for request in applying.server.requests] == ["/list", "/write", "/find", "/write", "/find"]


@pytest.mark.parametrize("do", ["deactivate", "delete"])
def test_a_record_is_read_right_before_it_is_removed(do: str):
    applying = Applying()
    applying.server.put("A", name="old")
    changes = applying.plan({}, do)
    applying.server.put("A", name="edited")
    assert applying.apply(changes, on_conflict="overwrite") == {"A": "conflict"}
    assert names(applying.server) == {"A": "edited"}
    assert applying.server.writes == []


def test_a_record_is_read_first_if_nothing_locks_it():
    applying = Applying(ToyServer(lock=None), TableTarget(Capacity(4, 5)))
    applying.server.put("A", name="old")
    changes = applying.plan({"A": {"name": "new"}})
    applying.server.put("A", name="edited")
    assert applying.apply(changes) == {"A": "conflict"}
    assert applying.server.writes == []


class Referring(TableTarget):
    """Creates records of another entity, which it finds by their code."""

    def resolve(self, field: Field, values: Sequence[str]) -> Flow[dict[str, str]]:
        found = yield from self._find(self.schema, values, [])
        return {record.key: record.ref for record in found}

    schema = Schema({})


@pytest.mark.parametrize("kind", ["lost after", "lost before"])
def test_a_referenced_record_is_created_once(kind: str):
    applying = Applying(target=Referring())
    applying.schema = Schema({
        "brand": Field("brand", "reference", applying.schema.fields["name"].spec, collection="Brand")
    })
    change = Change("create", "acme", "id-Brandacme", {"code": "acme"}, collection="Brand", row=1)
    applying.client.faults = {0: Fault(kind)}
    assert applying.apply([change]) == {"acme": "created"}
    assert creates(applying.server) == ["acme"]
