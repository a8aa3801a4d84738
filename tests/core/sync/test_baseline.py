"""A change of an older plan is compared with the record before it is sent: the old values are the baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from self_hosted.core.sync.baseline import Baseline
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.target import Change, Field, Schema, Stored
from tests.core.sync.applying import Applying
from tests.core.sync.toy_server import ToyServer
from tests.core.sync.toy_targets import TableTarget, make_schema

OLD, NEW = {"name": "old", "price": 1}, {"name": "new", "price": 2}
Edit = Callable[[ToyServer], Any]


def delete_softly(server: ToyServer) -> None:
    server.change("A", is_deleted=True)


def restore(server: ToyServer) -> None:
    server.change("A", is_deleted=False)


def deactivate(server: ToyServer) -> None:
    server.change("A", is_active=False)


def put(**values: Any) -> Edit:
    return lambda server: server.put("A", **values)


def rename(server: ToyServer) -> None:
    server.change("A", key="B")


def request(server: ToyServer) -> None:
    server.change("A", ticket="T1")


def nothing(server: ToyServer) -> None: ...


def remove(server: ToyServer) -> None:
    server.remove("A")


def with_deleted(edit: Edit) -> Edit:
    def both(server: ToyServer) -> None:
        edit(server)
        delete_softly(server)

    return both


def make_change(do: Any) -> Change:
    """Return a change of the record A, whose values were OLD."""
    values = {"create": (NEW, {}), "update": (NEW, OLD), "restore": (NEW, OLD)}.get(do, ({}, OLD))
    return Change(do, "A", "id-A", *values, stamp="1", row=1)


@pytest.mark.parametrize(
    ("do", "edit", "result", "message"),
    [
        ("create", remove, "created", ""),
        ("create", put(**NEW), "unchanged", ""),
        ("create", nothing, "conflict", "a record with other values has this key"),
        ("create", delete_softly, "conflict", "a deleted record has this key"),
        ("create", rename, "conflict", "its id is taken by the record with the key 'B'"),
        ("create", request, "pending", "waits for an approval"),
        ("update", nothing, "updated", ""),
        ("update", put(**NEW), "unchanged", ""),
        ("update", put(name="new"), "updated", ""),
        ("update", put(tags="other"), "updated", ""),
        ("update", put(name="x"), "conflict", 'the record was changed meanwhile: name "old" -> "x"'),
        ("update", put(name="new", price=3), "conflict", "the record was changed meanwhile: price 1 -> 3"),
        ("update", remove, "conflict", "the record was deleted meanwhile"),
        ("update", delete_softly, "conflict", "the record was deleted meanwhile"),
        ("update", rename, "conflict", "the record has the key 'B' now"),
        ("update", request, "pending", "waits for an approval"),
        ("restore", delete_softly, "restored", ""),
        ("restore", with_deleted(put(name="x")), "conflict", 'the record was changed meanwhile: name "old" -> "x"'),
        ("restore", remove, "conflict", "the record was deleted for good"),
        ("restore", put(**NEW), "unchanged", ""),
        ("restore", nothing, "conflict", "the record was restored meanwhile, with other values"),
        ("restore", deactivate, "restored", ""),
        ("deactivate", nothing, "deactivated", ""),
        ("deactivate", deactivate, "unchanged", ""),
        ("deactivate", put(name="x"), "conflict", 'the record was changed meanwhile: name "old" -> "x"'),
        ("deactivate", rename, "conflict", "the record has the key 'B' now"),
        ("deactivate", remove, "conflict", "the record was deleted meanwhile"),
        ("deactivate", delete_softly, "conflict", "the record was deleted meanwhile"),
        ("delete", nothing, "deleted", ""),
        ("delete", remove, "unchanged", ""),
        ("delete", delete_softly, "unchanged", ""),
        ("delete", put(name="x"), "conflict", 'the record was changed meanwhile: name "old" -> "x"'),
        ("delete", rename, "conflict", "the record has the key 'B' now"),
        ("delete", request, "pending", "waits for an approval"),
    ],
)
def test_the_record_decides_what_becomes_of_an_older_plan(do: Any, edit: Edit, result: str, message: str):
    applying = Applying()
    applying.server.put("A", **OLD)
    edit(applying.server)
    assert applying.apply([make_change(do)], looks_first=True) == {"A": result}
    assert applying.line("A").get("message", "") == message


@pytest.mark.parametrize(
    ("do", "edit", "result"),
    [
        ("create", nothing, "updated"),
        ("create", delete_softly, "conflict"),
        ("create", rename, "conflict"),
        ("update", put(name="x"), "updated"),
        ("update", remove, "conflict"),
        ("update", rename, "conflict"),
        ("restore", nothing, "updated"),
        ("delete", put(name="x"), "conflict"),
        ("deactivate", put(name="x"), "conflict"),
    ],
)
def test_values_are_overwritten_if_wanted_but_nothing_else(do: Any, edit: Edit, result: str):
    applying = Applying()
    applying.server.put("A", **OLD)
    edit(applying.server)
    assert applying.apply([make_change(do)], looks_first=True, on_conflict="overwrite") == {"A": result}


def test_several_records_with_the_key_of_a_new_one_are_a_conflict():
    baseline = Baseline(TableTarget(), make_schema("name"))
    found = baseline.compare(make_change("create"), [Stored("A", "1", {}), Stored("A", "2", {})])
    assert (found.state, found.message) == ("conflict", "2 records have this key")


def test_only_what_still_differs_is_sent_with_the_stored_version():
    applying = Applying(fields=("name", "price"))
    applying.server.put("A", **OLD)
    applying.server.put("A", name="new")
    [found] = applying.client.run(Baseline(applying.target, applying.schema).read([make_change("update")]))
    assert found.change == replace(make_change("update"), new={"price": 2}, old={"price": 1}, stamp="2")


def with_own(own: Any) -> Schema:
    return Schema({"name": Field("name", "text", FieldSpec("name", own=own)), **make_schema("price").fields})


@pytest.mark.parametrize(("stored", "state"), [("filled", "done"), ("", "open"), (None, "open")])
def test_a_field_that_is_only_filled_if_empty_is_no_conflict_once_it_is_filled(stored: Any, state: str):
    baseline = Baseline(TableTarget(), with_own("if_empty"))
    change = Change("update", "A", "1", {"name": "new"}, {"name": stored if state == "open" else None})
    assert baseline.compare(change, [Stored("A", "1", {"name": stored})]).state == state


@pytest.mark.parametrize(
    ("own", "sent"), [("always", ["name", "price"]), ("on_create", ["price"]), ("if_empty", ["price"])]
)
def test_overwriting_spares_fields_that_the_sync_does_not_own(own: Any, sent: list[str]):
    baseline = Baseline(TableTarget(), with_own(own))
    found = baseline.compare(Change("create", "A", "1", NEW), [Stored("A", "1", OLD)])
    change = baseline.replan(found)
    assert change is not None
    assert sorted(change.new) == sent
    assert (change.do, change.old) == ("update", {name: OLD[name] for name in sent})


def test_there_is_nothing_to_overwrite_if_only_spared_fields_differ():
    baseline = Baseline(TableTarget(), with_own("on_create"))
    found = baseline.compare(Change("create", "A", "1", NEW), [Stored("A", "1", {"name": "x", "price": 2})])
    assert baseline.replan(found) is None


def test_fields_that_the_schema_does_not_have_are_compared_as_they_are():
    baseline = Baseline(TableTarget(), Schema({}))
    change = Change("update", "A", "1", {"name": "new"}, {"name": "old"})
    states = [baseline.compare(change, [Stored("A", "1", {"name": name})]).state for name in ("new", "old", "x")]
    assert states == ["done", "open", "conflict"]


def test_many_records_are_read_in_parts():
    applying = Applying()
    applying.target.capacity = applying.target.capacity._replace(keys_per_lookup=2, batch_size=5)
    applying.sync({key: {"name": "a"} for key in "ABCDE"})
    applying.sync({key: {"name": "b"} for key in "ABCDE"}, looks_first=True)
    looks = [request.json for request in applying.server.requests if request.path == "/find"]
    assert [len(look["keys"] or look["refs"]) for look in looks] == [2, 2, 1] * 3
