"""Whole tasks against a toy server, with retries, faults, kills, edits and other syncs; and what must hold then."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.sync import diff
from self_hosted.core.sync.apply import apply
from self_hosted.core.sync.batches import ApplyOptions
from self_hosted.core.sync.journal import Journal
from self_hosted.core.sync.plan_file import open_plan, write_plan
from self_hosted.core.sync.plan_header import PlanHeader
from self_hosted.core.sync.plan_lines import Settled
from self_hosted.core.sync.record_diff import DiffOptions
from self_hosted.core.sync.reference_names import ReferenceNames
from self_hosted.core.sync.report import Report
from self_hosted.core.sync.target import Change, Schema
from self_hosted.core.sync.workspace import Workspace
from tests.core.sync.comparing import put_rows
from tests.core.sync.toy_server import Client, Event, Fault, Killed, Record, ToyServer
from tests.core.sync.toy_targets import TableTarget

Rows = Mapping[str, Mapping[str, Any]]
MAX_TRIES = 40
PERSON = "person"


@dataclass
class Try:
    """One try of a task.

    :param name: its name in the server's history
    :param planned_at: length of the history when its plan was complete
    :param changes: its plan
    :param lines: the outcomes that it reported
    :param is_complete: whether it was neither killed nor ended by an error
    """

    name: str
    planned_at: int
    changes: Sequence[Change]
    lines: list[dict[str, Any]] = field(default_factory=list)
    is_complete: bool = False

    @property
    def results(self) -> dict[str, str]:
        """The results, by key."""
        return {line["key"]: line["result"] for line in self.lines}


@dataclass
class Task:
    """A sync task: it is tried again until it ends.

    :param server: the product
    :param target: its records
    :param schema: the fields
    :param rows: the source
    :param options: what it changes
    :param apply_options: how
    :param faults: by the number of the request
    :param name: its name in the server's history
    :param plan_uri: where its plan is stored; None = it compares again on each try
    :param wait_for_turn: see `Client`
    """

    server: ToyServer
    target: TableTarget
    schema: Schema
    rows: Rows
    options: DiffOptions
    apply_options: ApplyOptions = field(default_factory=ApplyOptions)
    faults: dict[int, Fault] = field(default_factory=dict)
    name: str = "sync"
    plan_uri: str | None = None
    wait_for_turn: Callable[[], None] = lambda: None
    tries: list[Try] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    calls: int = 0
    planned_at: int = 0
    is_final: bool = False

    def run(self) -> None:
        """Try until no failure may pass, or only the server itself is the cause."""
        for number in range(MAX_TRIES):
            client = Client(self.server, f"{self.name}#{number}", self.faults, self.wait_for_turn, self.calls)
            try:
                self._try(client, is_retry=number > 0)
            except (SelfHostedError, Killed):
                self.is_final = False
            self.calls = client.calls
            if self.is_final or (self.calls > max(self.faults, default=0) and number > 3):
                return

    @property
    def results(self) -> dict[str, str]:
        """The results of the last try, by key."""
        return self.tries[-1].results

    def _try(self, client: Client, *, is_retry: bool) -> None:
        with Workspace() as workspace:
            report = Report(workspace.connection)
            if self.plan_uri is None:
                self._compare(client, workspace)
                self._apply(client, report, is_retry=is_retry)
            else:
                self._apply_stored(client, workspace, report, self.plan_uri, is_retry=is_retry)

    def _compare(self, client: Client, workspace: Workspace) -> None:
        ReferenceNames(workspace, self.schema)
        put_rows(workspace, self.target, list(self.rows.items()))
        diff.compare(client.run, self.target, self.schema, workspace, self.options)
        self.changes, self.settled = list(diff.changes(workspace)), list(diff.settled(workspace))
        self.planned_at = len(self.server.history)

    def _apply_stored(
        self, client: Client, workspace: Workspace, report: Report, plan_uri: str, *, is_retry: bool
    ) -> None:
        if not Path(plan_uri).exists():
            self._compare(client, workspace)
            header = PlanHeader(self.target.name, None, self.options.mode, [])
            write_plan(plan_uri, header, self.changes, self.settled)
        with open_plan(plan_uri) as plan:
            self.changes = list(plan.changes())
            journal = Journal(plan_uri, plan.info.sha256, workspace.connection, interval=0.0)
            self._apply(client, report, journal, is_retry=is_retry)

    def _apply(self, client: Client, report: Report, journal: Journal | None = None, *, is_retry: bool) -> None:
        current = Try(client.name, self.planned_at, self.changes)
        self.tries.append(current)
        options = self.apply_options._replace(is_retry=is_retry, looks_first=self.plan_uri is not None)
        try:
            apply(client.run, self.target, self.schema, self.changes, options, report, journal)
        finally:
            current.lines = [json.loads(line) for line in report.lines()]
        self.is_final, current.is_complete = report.are_failures_final, True


def run_together(tasks: Sequence[Task], schedule: Sequence[int]) -> None:
    """Run tasks in turns, a request each, in a given order.

    :param tasks: the tasks
    :param schedule: the numbers of the tasks, in the order of their turns
    """
    baton = _Baton(len(tasks), schedule)
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            tasks[number].wait_for_turn = lambda: baton.wait(number)
            baton.wait(number)
            tasks[number].run()
        except BaseException as error:  # of the test itself
            errors.append(error)
        finally:
            baton.leave(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]


class _Baton:
    """One task works at a time."""

    def __init__(self, count: int, schedule: Sequence[int]) -> None:
        self._schedule = iter(schedule)
        self._running = set(range(count))
        self._condition = threading.Condition()
        self._current = next(self._schedule, 0)

    def wait(self, number: int) -> None:
        with self._condition:
            if self._current == number:
                self._pass_on()
            assert self._condition.wait_for(lambda: self._current == number, 60)

    def leave(self, number: int) -> None:
        with self._condition:
            self._running.discard(number)
            self._pass_on()

    def _pass_on(self) -> None:
        following = next(self._schedule, None)
        if following not in self._running and self._running:
            following = min(self._running)
        self._current = -1 if following is None else following
        self._condition.notify_all()


# what must hold


def check_no_twins(server: ToyServer) -> None:
    """No record exists twice, and no change waits for two approvals."""
    keys = [record.key for record in server.records.values()]
    assert len(keys) == len(set(keys)), f"twins: {sorted(keys)}"
    refs = [item["ref"] for _, item in server.tickets.values()]
    assert len(refs) == len(set(refs)), f"two requests: {sorted(refs)}"


def check_nothing_was_overwritten(task: Task, history: Sequence[Event]) -> None:
    """What somebody else wrote after a try had compared is not overwritten by it."""
    planned_at = {each.name: each.planned_at for each in task.tries}
    for number, event in enumerate(history):
        if event.by in planned_at:
            later = [each for each in history[planned_at[event.by] : number] if not each.by.startswith(task.name)]
            if event.do == "create" and any(
                _repeats(event, each, task) for each in history[planned_at[event.by] : number]
            ):
                continue
            for name in _changed(event):
                touched = [each for each in later if _is_same_record(each, event) and name in _changed(each)]
                assert not touched, f"{event} overwrites {touched}"


def check_reports(task: Task, history: Sequence[Event], before: Mapping[str, Record]) -> None:
    """Each outcome of each try is what the server's history says."""
    for number, each in enumerate(task.tries):
        changes = {(change.key, change.do): change for change in each.changes}
        later = {other.name for other in task.tries[number + 1 :]}  # a retry may carry out what has failed
        for line in each.lines:
            change = changes[line["key"], line["do"]]
            seen = [event for event in history if _key(event) == line["key"]]
            if line["result"] == "failed":
                seen = [event for event in seen if event.by not in later]
            fits = CHECKS[line["result"]](task, change, line, seen, before)
            assert fits, f"{line} of {each.name} does not fit {seen}"


def check_no_row_is_lost(task: Task) -> None:
    """Each change has one outcome at most; in a try that was not interrupted, exactly one."""
    for each in task.tries:
        keys = [(line["key"], line["do"]) for line in each.lines]
        assert len(keys) == len(set(keys))
        assert not each.is_complete or {(change.key, change.do) for change in each.changes} == set(keys)


def _repeats(event: Event, earlier: Event, task: Task) -> bool:
    """Return whether a task creates a record again that vanished after it had created it: that looks like a loss."""
    return earlier.do == "create" and earlier.by.startswith(task.name) and _is_same_record(earlier, event)


def _changed(event: Event) -> set[str]:
    """Return the names of the fields that an event changed; a removal changes all."""
    before = dict(event.before.values) if event.before else {}
    if event.after is None:
        return {*before, "exists"}
    after = event.after.values
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    return changed | ({"exists"} if event.before is None else set())


def _is_same_record(one: Event, other: Event) -> bool:
    refs = [{record.ref for record in (event.before, event.after) if record} for event in (one, other)]
    return bool(refs[0] & refs[1])


def _key(event: Event) -> str:
    record = event.after or event.before
    return record.key if record else ""


Seen = Sequence[Event]
Before = Mapping[str, Record]
Line = Mapping[str, Any]


def _is_done(*actions: str) -> Callable[[Task, Change, Line, Seen, Before], bool]:
    """Somebody has done it. After a write failed, it is not known who: another sync, or a person with the same wish."""

    def check(task: Task, change: Change, line: Line, seen: Seen, before: Before) -> bool:
        server = task.server
        is_clear = not (task.faults.keys() - _edits(task) or server.poison or server.max_items)
        # only the changes that were read back are known to be stored as they were sent
        is_exact = change.key not in server.clipped or task.apply_options.verify == "all"
        return any(
            event.do in actions
            and not (is_clear and event.by == PERSON)
            and (not is_exact or _has(task, change, event.after))
            for event in seen
        )

    return check


def _has(task: Task, change: Change, record: Record | None) -> bool:
    """Return whether a record has the wanted values; a field that is filled once is left alone."""
    if_empty = {name for name, each in task.schema.fields.items() if each.spec.own == "if_empty"}
    return record is None or all(
        record.values.get(name) == value for name, value in change.new.items() if name not in if_empty
    )


def _edits(task: Task) -> set[int]:
    return {number for number, fault in task.faults.items() if not fault.kind}


def _was_as_wanted(task: Task, change: Change, line: Line, seen: Seen, before: Before) -> bool:
    records = [before.get(change.key), *(event.after for event in seen)]
    if change.do == "delete":
        return not records[0] or any(record is None or record.is_deleted for record in records)
    if change.do == "deactivate":
        return any(record is not None and not record.is_active for record in records)
    return any(record is not None and _has(task, change, record) for record in records)


def _may_conflict(task: Task, change: Change, line: Line, seen: Seen, before: Before) -> bool:
    """Somebody else has changed the record, or the one that has its id; or the server stores it otherwise."""
    others = [event for event in task.server.history if not event.by.startswith(task.name)]
    record = {change.ref, change.key}
    touched = any(
        {each.ref, each.key} & record for event in others for each in (event.before, event.after) if each is not None
    )
    return touched or change.key in task.server.clipped or "deleted record" in line["message"]


def _has_failed(task: Task, change: Change, line: Line, seen: Seen, before: Before) -> bool:
    """A failure that another attempt repeats has no effect, or none that somebody else has left."""
    own = [number for number, event in enumerate(seen) if event.by.startswith(task.name) and event.do == change.do]
    is_undone = bool(own) and any(event.by == PERSON for event in seen[own[0] :])
    return "is_final" in line or not own or is_undone or change.key in task.server.clipped


def _is_altered(task: Task, change: Change, line: Line, seen: Seen, before: Before) -> bool:
    others = [event for event in seen if not event.by.startswith(task.name)]
    return bool(others) or change.key in task.server.clipped


def _waits(task: Task, change: Change, line: Line, seen: Seen, before: Before) -> bool:
    return line["ticket"] in task.server.all_tickets


def _is_skipped(task: Task, change: Change, line: Line, seen: Seen, before: Before) -> bool:
    bad = {"failed", "conflict", "pending", "skipped"}
    if change.do == "delete":
        changes = [other for each in task.tries for other in each.changes]
        # those that are deleted before it, and those that were to move to another parent
        children = {each.key for each in changes if change.key in {each.parent, each.old.get("parent")}}
        return any(each.results.get(child) in bad for each in task.tries for child in children)
    return any(each.results.get(change.parent or "") in bad for each in task.tries) or _may_conflict(
        task, change, {"message": ""}, seen, before
    )


CHECKS: Mapping[str, Callable[[Task, Change, Line, Seen, Before], bool]] = {
    "created": _is_done("create"),
    "updated": _is_done("update", "create", "restore"),
    "restored": _is_done("restore"),
    "deactivated": _is_done("deactivate"),
    "deleted": _is_done("delete"),
    "unchanged": _was_as_wanted,
    "conflict": _may_conflict,
    "failed": _has_failed,
    "altered": _is_altered,
    "pending": _waits,
    "skipped": _is_skipped,
}
