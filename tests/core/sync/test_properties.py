"""Whatever happens: no row is lost, doubled, overwritten or misreported, and the next sync ends where it should.

Each example is a source, the records before, and what goes wrong. `SYNC_EXAMPLES` multiplies their number (make
sync-campaign); otherwise they are the same in each run.
"""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from self_hosted.core.sync.batches import ApplyOptions
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.record_diff import DiffOptions
from self_hosted.core.sync.target import Capacity, Field, Schema
from tests.core.sync.campaign import (
    Rows,
    Task,
    check_no_row_is_lost,
    check_no_twins,
    check_nothing_was_overwritten,
    check_reports,
    run_together,
)
from tests.core.sync.toy_server import Fault, Record, ToyServer
from tests.core.sync.toy_targets import TYPES, ApprovalTarget, TableTarget, TreeTarget

FACTOR = int(os.environ.get("SYNC_EXAMPLES", "0"))
KEYS = list("mbzakc")  # an order that contradicts the tree's
TARGETS = {"table": TableTarget, "tree": TreeTarget, "approval": ApprovalTarget}


def examples(count: int) -> settings:
    """Return the settings of a property: the same examples in each run, or a campaign with random ones."""
    return settings(
        max_examples=count * max(FACTOR, 1),
        derandomize=not FACTOR,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(autouse=True, scope="module")
def _without_log() -> Iterator[None]:
    """The lines of hundreds of syncs help nobody."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


# sources, records and policies

values = {"name": st.sampled_from([None, "x", "y", "a long name"]), "price": st.sampled_from([None, 1, 2])}
row = st.fixed_dictionaries({}, optional=values)
owns: Any = st.sampled_from(["always", "always", "on_create", "if_empty"])


class Case(NamedTuple):
    """Records, and a source."""

    kind: str
    server: ToyServer
    target: TableTarget
    schema: Schema
    rows: Rows
    options: DiffOptions


@st.composite
def cases(draw: st.DrawFn, kind: str) -> Case:
    server = ToyServer(
        lock=draw(st.sampled_from(["fields", "stamp"])), needs_approval=kind == "approval", is_tree=kind == "tree"
    )
    stored, rows = (
        draw(st.dictionaries(st.sampled_from(KEYS), row)),
        draw(st.dictionaries(st.sampled_from(KEYS), row, min_size=1)),
    )
    if kind == "tree":
        stored, rows = add_parents(draw, stored, {}), add_parents(draw, rows, stored)
    for key, fields in stored.items():
        server.put(key, **{"name": "x", **fields})
    for key in draw(st.sets(st.sampled_from(sorted(stored)))) if stored and kind == "table" else ():
        server.change(key, **draw(st.sampled_from([{"is_deleted": True}, {"is_active": False}])))
    names = ["name", "price", *(["parent"] if kind == "tree" else [])]
    own: dict[str, Any] = {name: "always" if name == "parent" else draw(owns) for name in names}
    specs = {name: FieldSpec(name, own=own[name]) for name in names}
    schema = Schema({name: Field(name, TYPES[name], specs[name], is_parent=name == "parent") for name in names})
    mode: Any = draw(st.sampled_from(["upsert", "create", "update", "mirror", "mirror"]))
    removals: list[Any] = ["ignore", "delete"] if kind == "tree" else ["ignore", "deactivate", "delete"]
    options = DiffOptions(
        mode=mode,
        on_missing=draw(st.sampled_from(removals)),
        on_deleted=draw(st.sampled_from(["restore", "respect", "report"])),
        key="key",
    )
    capacity = Capacity(batch_size=draw(st.sampled_from([1, 3, 20])), keys_per_lookup=2, lock=server.lock)
    return Case(kind, server, TARGETS[kind](capacity), schema, rows, options)


def add_parents(draw: st.DrawFn, rows: dict[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Give each row a parent that comes before it in KEYS, or none."""
    result = {}
    for key in sorted(rows, key=KEYS.index):
        before = [other for other in KEYS[: KEYS.index(key)] if other in rows]
        result[key] = {**rows[key], "parent": draw(st.sampled_from([None, *before]))}
    return result


def make_task(case: Case, **options: Any) -> Task:
    return Task(case.server, case.target, case.schema, case.rows, case.options, **options)


# what goes wrong


def put(key: str, name: str) -> Any:
    return lambda server: key in keys(server) and not server.get(key).is_deleted and server.put(key, name=name)


def add(key: str, name: str) -> Any:
    return lambda server: key not in keys(server) and server.put(key, name=name)


def remove(key: str) -> Any:
    """Delete a record that has no children."""

    def act(server: ToyServer) -> None:
        if key in keys(server) and key not in {each.values.get("parent") for each in server.records.values()}:
            server.remove(key)

    return act


def rename(key: str) -> Any:
    return lambda server: key in keys(server) and not server.is_tree and server.change(key, key=f"{key} renamed")


def keys(server: ToyServer) -> set[str]:
    """Return the keys of all records that exist: not those that wait for the approval of their creation."""
    return {record.key for record in server.records.values() if not record.is_request}


key = st.sampled_from(KEYS)
edits = st.one_of(
    st.builds(put, key, st.sampled_from(["edited", "x"])),
    st.builds(add, key, st.sampled_from(["added", "x"])),
    st.builds(remove, key),
    st.builds(rename, key),
)
edit_faults = edits.map(lambda act: Fault("", act=act))
lost = st.sampled_from([Fault("lost before"), Fault("lost after")])
late = st.sampled_from([Fault("late", seconds=seconds) for seconds in (0.5, 5.0, 40.0)])
other = st.sampled_from([Fault("unavailable"), Fault("kill before"), Fault("kill after")])


def faults(kind: str, *, with_edits: bool = True) -> Any:
    # a second request for an approval, after the first was accepted late, is the product's to find
    kinds = [lost, other, *([] if kind == "approval" else [late]), *([edit_faults] if with_edits else [])]
    return st.dictionaries(st.integers(0, 16), st.one_of(kinds), min_size=1, max_size=9)


@st.composite
def defects(draw: st.DrawFn, server: ToyServer) -> dict[str, Any]:
    """Records that the server rejects, fails on, or stores otherwise; and batches that are too large for it."""
    few = st.sets(st.sampled_from(KEYS), max_size=1)
    server.rejected, server.poison, server.clipped = draw(few), draw(few), draw(few)
    server.max_items = draw(st.sampled_from([None, None, 2]))
    return {name: getattr(server, name) for name in ("rejected", "poison", "clipped", "max_items")}  # to be shown


# what must hold


def expect(case: Case, before: Mapping[str, Record]) -> dict[str, Any]:
    """Return the values of all records in use after a sync that nothing disturbs, by the policy alone."""
    expected = {key: dict(each.values) for key, each in before.items() if not each.is_deleted and each.is_active}
    mode, removal = case.options.mode, case.options.on_missing
    for key, row in case.rows.items():
        record = before.get(key)
        if row.get("parent") not in {None, *expected}:  # the parent does not come into being: the row fails
            continue
        if record is None:
            is_taken = case.target.new_ref(key) in {each.ref for each in before.values()}
            expected |= {} if mode == "update" or is_taken else {key: dict(row)}
        elif record.is_deleted:
            if mode != "update" and case.options.on_deleted == "restore":
                expected[key] = merge(case.schema, record, row)
        elif record.is_active or (mode == "mirror" and (removal, case.options.on_deleted) == ("deactivate", "restore")):
            expected[key] = dict(record.values) if mode == "create" else merge(case.schema, record, row)
    if mode == "mirror" and removal != "ignore":
        # a renamed record that has the id of a row is the row's record, perhaps
        kept = {*case.rows, *needed(case, expected), *_list_renamed(case, before)}
        expected = {key: row for key, row in expected.items() if key in kept}
    return {key: {name: value for name, value in row.items() if value is not None} for key, row in expected.items()}


def _list_renamed(case: Case, before: Mapping[str, Record]) -> set[str]:
    refs = {case.target.new_ref(key) for key in case.rows}
    return {key for key, record in before.items() if key not in case.rows and record.ref in refs}


def merge(schema: Schema, record: Record, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a record that a row updates."""
    result = dict(record.values)
    for name, value in row.items():
        own = schema.fields[name].spec.own
        if own == "always" or (own == "if_empty" and result.get(name) in {None, ""}):
            result[name] = value
    return result


def needed(case: Case, records: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return the parents of records that stay: they are not removed."""
    found: set[str] = set()
    for key in case.rows:
        parent = records.get(key, {}).get("parent")
        while parent is not None and parent not in found:
            found.add(parent)
            parent = records.get(parent, {}).get("parent")
    return found


def stored(server: ToyServer) -> dict[str, Any]:
    """Return the values of all records in use that are not empty."""
    return {key: {name: each for name, each in row.items() if each is not None} for key, row in server.rows().items()}


def by_key(server: ToyServer) -> dict[str, Record]:
    return {record.key: record for record in server.records.values()}


def approve_all(server: ToyServer) -> None:
    for ticket in list(server.tickets):
        server.approve(ticket)


def settle(case: Case) -> None:
    """Let everything end well, and check that one more sync does what the policy says, and the next nothing."""
    server = case.server
    server.pass_time(1000)
    server.poison, server.rejected, server.clipped, server.max_items = set(), set(), set(), None
    approve_all(server)
    if any(" renamed" in key for key in by_key(server)):  # it may have the id of a row, as long as it exists
        make_task(case, name="first").run()
        approve_all(server)
    before = copy.deepcopy(by_key(server))
    first = make_task(case, name="quiet")
    first.run()
    approve_all(server)
    assert stored(server) == expect(case, before), first.results
    assert set(first.results.values()) <= {"created", "updated", "restored", "deactivated", "deleted", "pending"}
    second = make_task(case, name="again")
    second.run()
    assert second.changes == []


def check(task: Task, before: Mapping[str, Record]) -> None:
    check_no_twins(task.server)
    check_nothing_was_overwritten(task, task.server.history)
    check_reports(task, task.server.history, before)
    check_no_row_is_lost(task)


@pytest.mark.parametrize("kind", TARGETS)
@examples(40)
@given(data=st.data())
def test_after_one_sync_the_target_is_as_the_policy_says_and_the_second_plans_nothing(kind: str, data: Any):
    settle(data.draw(cases(kind)))


@examples(40)
@given(case=cases("approval"))
def test_a_declined_change_is_planned_again_and_an_open_one_is_not(case: Case):
    first = make_task(case)
    first.run()
    open_keys = {item["key"] for _, item in case.server.tickets.values()}
    second = make_task(case, name="second")
    second.run()
    assert second.changes == []
    owned = {name for name, field in case.schema.fields.items() if field.spec.own == "always"}
    # the others equal what is stored so far
    differing = {key for key, row in case.rows.items() if any(row.get(name) for name in owned)}
    if case.options.mode == "create":  # it leaves out records that exist in any way
        differing = set()
    assert {row.key for row in second.settled if row.verdict == "pending"} >= open_keys & differing
    for ticket in list(case.server.tickets):
        case.server.decline(ticket)
    third = make_task(case, name="third")
    third.run()
    assert third.changes == first.changes


@pytest.mark.parametrize("kind", TARGETS)
@examples(100)
@given(data=st.data())
def test_with_faults_kills_and_edits_nothing_is_lost_doubled_overwritten_or_misreported(kind: str, data: Any):
    case = data.draw(cases(kind))
    data.draw(defects(case.server))
    before = copy.deepcopy(by_key(case.server))
    verify = data.draw(st.sampled_from(["doubtful", "all"]))
    task = make_task(case, faults=data.draw(faults(kind)), apply_options=ApplyOptions(verify=verify))
    task.run()
    check(task, before)
    settle(case)


@pytest.mark.parametrize("kind", TARGETS)
@examples(70)
@given(data=st.data())
def test_a_stored_plan_is_applied_exactly_whatever_happens_meanwhile(kind: str, data: Any):
    case = data.draw(cases(kind))
    data.draw(defects(case.server))
    before = copy.deepcopy(by_key(case.server))
    with TemporaryDirectory() as folder:
        task = make_task(case, faults=data.draw(faults(kind)), plan_uri=str(Path(folder, "plan.jsonl")))
        task.run()
    check(task, before)
    settle(case)


@pytest.mark.parametrize("kind", ["table", "tree"])
@examples(70)
@given(data=st.data())
def test_two_syncs_of_the_same_rows_at_once_end_like_one(kind: str, data: Any):
    case = data.draw(cases(kind))
    before = copy.deepcopy(by_key(case.server))
    all_faults = [data.draw(faults(kind, with_edits=False)) for _ in range(2)]
    tasks = [make_task(case, name=name, faults=each) for name, each in zip("AB", all_faults, strict=True)]
    run_together(tasks, data.draw(st.lists(st.integers(0, 1), max_size=60)))
    check_no_twins(case.server)
    for task in tasks:
        check_reports(task, case.server.history, before)
        check_no_row_is_lost(task)
        assert not {"failed", "altered"} & set(task.results.values())
    settle(case)
