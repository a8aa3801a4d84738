"""Records that the source lacks, in tables and in trees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.target import Capacity, Field, Schema
from tests.core.sync.comparing import BadRow, compared
from tests.core.sync.toy_server import ToyServer
from tests.core.sync.toy_targets import TableTarget, TreeTarget, make_schema

ALL = Capacity(keys_per_lookup=5, listing_factor=float("inf"))


@pytest.fixture
def server():
    server = ToyServer()
    for key in "abc":
        server.put(key, name=f"n{key}", price=1)
    return server


def row(key):
    return {"name": f"n{key}", "price": 1}


@pytest.mark.parametrize(
    ("mode", "on_missing", "actions"),
    [
        ("mirror", "ignore", []),
        ("mirror", "deactivate", [("deactivate", "b"), ("deactivate", "c")]),
        ("mirror", "delete", [("delete", "b"), ("delete", "c")]),
        ("upsert", "delete", []),
        ("update", "delete", []),
    ],
)
def test_the_options_decide_what_becomes_of_missing_records(server, mode, on_missing, actions):
    with compared(server, {"a": row("a")}, TableTarget(ALL), mode=mode, on_missing=on_missing) as result:
        assert (result.actions, result.counts.missing) == (actions, 2)
        assert (result.counts.deactivate, result.counts.delete) == (
            sum(do == "deactivate" for do, _ in actions),
            sum(do == "delete" for do, _ in actions),
        )


def test_a_removal_names_what_the_record_held(server):
    with compared(server, {"a": row("a"), "b": row("b")}, mode="mirror", on_missing="delete") as result:
        [change] = result.changes
        assert (change.new, change.old) == ({}, {"name": "nc", "price": 1, "tags": None})
        assert (change.ref, change.stamp, change.row) == ("id-c", "1", None)


def test_removals_come_last(server):
    rows = {"a": row("a"), "new": row("new"), "b": {"price": 2}}
    with compared(server, rows, mode="mirror", on_missing="delete") as result:
        assert result.actions == [("create", "new"), ("update", "b"), ("delete", "c")]
        assert [change.stage for change in result.changes] == [0, 0, 1]


def test_a_deactivated_record_is_not_deactivated_again(server):
    server.change("c", is_active=False)
    with compared(server, {"a": row("a")}, mode="mirror", on_missing="deactivate") as result:
        assert (result.actions, result.counts.missing) == ([("deactivate", "b")], 2)
    with compared(server, {"a": row("a")}, mode="mirror", on_missing="delete") as result:
        assert result.actions == [("delete", "b"), ("delete", "c")]


def test_deleted_records_are_not_missing(server):
    server.change("c", is_deleted=True)
    with compared(server, {"a": row("a")}, mode="mirror", on_missing="delete") as result:
        assert (result.actions, result.counts.missing, result.counts.records) == ([("delete", "b")], 1, 2)


def test_a_missing_record_that_waits_for_an_approval_stays(server):
    server.records["id-b"] = replace(server.get("b"), ticket="CR 5")
    with compared(server, {"a": row("a"), "c": row("c")}, mode="mirror", on_missing="delete") as result:
        assert result.actions == []
        [settled] = result.settled
        assert (settled.verdict, settled.key, settled.row, settled.ticket) == ("pending", "b", None, "CR 5")


@pytest.mark.parametrize("verdict", ["failed", "ambiguous", "skipped"])
def test_the_record_of_a_row_that_cannot_be_used_is_not_missing(server, verdict):
    rows = {"a": row("a"), "b": BadRow(verdict, "why")}
    with compared(server, rows, mode="mirror", on_missing="delete") as result:
        assert result.actions == [("delete", "c")]


def test_nothing_is_removed_if_a_row_has_no_key(server):
    rows = [("a", row("a")), ("", BadRow("failed", "nan")), ("", BadRow("failed", "inf"))]
    with compared(server, rows, mode="mirror", on_missing="delete") as result:
        assert (result.actions, result.counts.missing) == ([], 2)
        message = "none of 2 missing records is removed, because 2 rows have no usable key"
        assert [each.message for each in result.settled if each.row is None] == [message]


def test_rows_without_a_key_do_not_matter_if_nothing_is_missing(server):
    rows = [*((key, row(key)) for key in "abc"), ("", BadRow("failed", "nan"))]
    with compared(server, rows, mode="mirror", on_missing="delete") as result:
        assert (result.actions, result.verdicts) == ([], [("failed", "")])


# trees


@pytest.fixture
def tree():
    server = ToyServer(is_tree=True)
    for key, parent in {"a": None, "z": "a", "m": "z", "other": None}.items():
        server.put(key, name="n", parent=parent)
    return server


def mirrored(server, rows, target=None, schema=None, on_missing="delete"):
    schema = schema or make_schema("name", "parent")
    return compared(server, rows, target or TreeTarget(ALL), schema, mode="mirror", on_missing=on_missing)


def test_children_are_removed_before_their_parents(tree):
    with mirrored(tree, {"other": {"name": "n", "parent": None}}) as result:
        assert [(change.key, change.stage, change.parent) for change in result.changes] == [
            *(("m", 0, "z"), ("z", 1, "a"), ("a", 2, None))
        ]


def test_a_record_moves_before_its_former_parent_is_removed(tree):
    with mirrored(tree, {"other": {"name": "n"}, "m": {"parent": "other"}}) as result:
        assert result.actions == [("update", "m"), ("delete", "z"), ("delete", "a")]
        stages = [change.stage for change in result.changes]
        assert stages == sorted(stages)
        assert len({*stages}) == 3


@pytest.mark.parametrize("values", [{"name": "n", "parent": "z"}, {"name": "x"}, {}], ids=["same", "kept", "empty"])
def test_a_record_that_holds_a_row_stays_with_all_above(tree, values):
    with mirrored(tree, {"m": values}) as result:
        assert ("delete", "other") in result.actions
        assert {key for do, key in result.actions if do == "delete"} == {"other"}
        assert [(each.verdict, each.key) for each in result.settled] == [("skipped", "a"), ("skipped", "z")]
        assert result.settled[0].message == "it is missing in the source, but holds records that stay"


def test_a_record_below_which_a_row_is_created_stays(tree):
    with mirrored(tree, {"new": {"name": "n", "parent": "a"}}) as result:
        assert result.actions == [("create", "new"), ("delete", "m"), ("delete", "other"), ("delete", "z")]


def test_a_record_that_holds_one_that_waits_for_an_approval_stays(tree):
    tree.records["id-m"] = replace(tree.get("m"), ticket="CR 5")
    with mirrored(tree, {"other": {"name": "n"}}) as result:
        assert (result.actions, result.verdicts) == (
            [],
            [("skipped", "a"), ("pending", "m"), ("skipped", "z")],
        )


def test_a_record_that_holds_one_with_a_near_key_stays(tree):
    tree.put("OTHER", name="n", parent="z")
    with mirrored(tree, {"other": {"name": "n"}}) as result:
        assert result.actions == [("delete", "m")]


def test_deactivation_leaves_out_no_parents(tree):
    with mirrored(tree, {"m": {"name": "n"}}, on_missing="deactivate") as result:
        assert result.actions == [("deactivate", "z"), ("deactivate", "a"), ("deactivate", "other")]


class ReferringTarget(TableTarget):
    """A tree whose field "parent" holds the id of the parent."""


REFERRING = Schema({
    "name": Field("name", "text", FieldSpec("name")),
    "parent": Field("parent", "reference", FieldSpec("parent"), is_parent=True, is_self_reference=True),
})


def test_a_tree_by_references_is_removed_from_its_leaves_up(tree):
    for key, parent in {"z": "id-a", "m": "id-z"}.items():
        tree.put(key, parent=parent)
    with mirrored(tree, {"other": {"name": "n", "parent": None}}, ReferringTarget(ALL), REFERRING) as result:
        assert [(change.key, change.parent) for change in result.changes] == [("m", "z"), ("z", "a"), ("a", None)]
    with mirrored(tree, {"other": {"name": "n", "parent": "id-z"}}, ReferringTarget(ALL), REFERRING) as result:
        assert (result.actions, result.verdicts) == (
            [("update", "other"), ("delete", "m")],
            [("skipped", "a"), ("skipped", "z")],
        )


def test_records_in_a_cycle_are_removed_all_the_same(tree):
    for key, parent in {"a": "m", "z": "a", "m": "z"}.items():
        tree.put(key, parent=parent)
    with mirrored(tree, {"other": {"name": "n"}}) as result:
        assert {key for do, key in result.actions if do == "delete"} == {"a", "z", "m"}


@pytest.mark.parametrize("removal", ["deactivate", "delete"])
def test_a_removal_that_the_user_may_not_carry_out_ends_the_sync(server, removal):
    schema = replace(make_schema("name", "price"), forbidden={removal: "the role lacks it"})
    comparison = compared(server, {"a": row("a")}, schema=schema, mode="mirror", on_missing=removal)
    with pytest.raises(ValueError, match=f"on_missing='{removal}' is not possible: the role lacks it"), comparison:
        pytest.fail("it was compared")


@pytest.mark.parametrize("removal", ["deactivate", "delete"])
def test_a_record_with_the_id_of_a_row_stays_although_it_was_renamed(server, removal):
    server.change("b", key="renamed")
    rows = {"a": row("a"), "b": row("b")}
    with compared(server, rows, TableTarget(ALL), mode="mirror", on_missing=removal) as result:
        assert result.actions == [(removal, "c")]
        assert result.verdicts == [("ambiguous", "b")]
