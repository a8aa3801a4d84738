"""The order of changes in trees: parents first, whatever their names; rows without a parent are not sent."""

from __future__ import annotations

import pytest

from self_hosted.core.sync.target import Capacity
from tests.core.sync.comparing import BadRow, compared
from tests.core.sync.toy_server import ToyServer
from tests.core.sync.toy_targets import TreeTarget, make_schema

SCHEMA = make_schema("name", "parent")
LISTING = Capacity(keys_per_lookup=5, listing_factor=float("inf"))
LOOKUP = Capacity(keys_per_lookup=5, listing_factor=0)


@pytest.fixture
def server():
    return ToyServer(is_tree=True)


@pytest.fixture(params=["listing", "look-up"])
def target(request):
    return TreeTarget(LISTING if request.param == "listing" else LOOKUP)


def tree(server, rows, target, **options):
    return compared(server, rows, target, SCHEMA, **options)


def under(parent, name="n"):
    return {"name": name, "parent": parent}


def places(result):
    return [(change.key, change.stage, change.parent) for change in result.changes]


def test_parents_are_created_before_their_children(server, target):
    rows = {"a": under("b"), "b": under("z"), "c": under("b"), "z": under(None)}
    with tree(server, rows, target) as result:
        assert places(result) == [("z", 0, None), ("b", 1, "z"), ("a", 2, "b"), ("c", 2, "b")]


def test_a_child_of_a_record_that_exists_needs_no_other_change(server, target):
    server.put("z", name="n", parent=None)
    with tree(server, {"a": under("z"), "z": under(None)}, target) as result:
        assert places(result) == [("a", 1, None)]


def test_a_record_moves_after_its_new_parent_is_created(server, target):
    server.put("a", name="n", parent=None)
    with tree(server, {"a": under("new"), "new": under(None)}, target) as result:
        assert places(result) == [("new", 0, None), ("a", 1, "new")]
        assert result.actions == [("create", "new"), ("update", "a")]


def test_a_parent_and_its_child_can_swap_places(server, target):
    server.put("a", name="n", parent=None)
    server.put("b", name="n", parent="a")
    with tree(server, {"a": under("b"), "b": under(None)}, target) as result:
        assert places(result) == [("b", 0, None), ("a", 1, "b")]


@pytest.mark.parametrize("exists", [False, True])
def test_rows_in_a_cycle_fail(server, target, exists):
    for key in ("a", "b", "c", "below") if exists else ():
        server.put(key, name="n", parent=None)
    rows = {
        "a": under("b"),
        "b": under("c"),
        "c": under("a"),
        "below": under("a"),
        "self": under("self"),
        "x": under(None),
    }
    with tree(server, rows, target) as result:
        assert result.actions == [("create", "x")]
        assert result.verdicts == [("failed", key) for key in ("a", "b", "c", "below", "self")]
        assert result.settled[0].message == "the parents of this row, from 'b' up, form a cycle"
        assert {"failed": 5, "create": 1}.items() <= result.numbers.items()


def test_a_row_whose_parent_does_not_exist_fails_with_all_below(server, target):
    rows = {"a": under("nowhere"), "b": under("a"), "c": under("b"), "x": under(None)}
    with tree(server, rows, target) as result:
        assert result.actions == [("create", "x")]
        assert [(each.verdict, each.key, each.message) for each in result.settled] == [
            ("failed", "a", "its parent 'nowhere' does not exist: add a row for it"),
            ("skipped", "b", "its parent 'a' is not created"),
            ("skipped", "c", "its parent 'b' is not created"),
        ]


def test_a_parent_that_is_no_row_may_exist_in_the_target(server, target):
    server.put("there", name="n", parent=None)
    with tree(server, {"a": under("there"), "b": under("a")}, target) as result:
        assert places(result) == [("a", 0, None), ("b", 1, "a")]


def test_parents_that_were_listed_are_not_looked_up(server):
    server.put("there", name="n", parent=None)
    with tree(server, {"a": under("there"), "b": under("nowhere")}, TreeTarget(LISTING)):
        assert [each.json["keys"] for each in server.requests if each.path == "/find"] == [["nowhere"]]


def test_a_deleted_parent_does_not_count(server, target):
    server.put("there", name="n", parent=None)
    server.change("there", is_deleted=True)
    with tree(server, {"a": under("there")}, target) as result:
        assert (result.actions, result.verdicts) == ([], [("failed", "a")])


@pytest.mark.parametrize("problem", [BadRow("failed", "no number"), BadRow("ambiguous", "two rows")])
def test_children_of_a_row_that_is_not_created_are_skipped(server, target, problem):
    with tree(server, {"a": under("bad"), "bad": problem}, target) as result:
        assert (result.actions, result.verdicts) == ([], [("skipped", "a"), (problem.verdict, "bad")])


def test_children_of_a_row_that_failed_are_created_if_its_record_exists(server, target):
    server.put("bad", name="n", parent=None)
    with tree(server, {"a": under("bad"), "bad": BadRow("failed", "no number")}, target) as result:
        assert result.actions == [("create", "a")]


@pytest.mark.parametrize(("on_deleted", "actions"), [("restore", [("restore", "z"), ("create", "a")]), ("respect", [])])
def test_children_of_a_deleted_record_follow_it(server, target, on_deleted, actions):
    server.put("z", name="n", parent=None)
    server.change("z", is_deleted=True)
    with tree(server, {"a": under("z"), "z": under(None)}, target, on_deleted=on_deleted) as result:
        assert result.actions == actions


def test_a_record_does_not_move_below_a_row_that_the_mode_leaves_out(server, target):
    server.put("a", name="n", parent=None)
    with tree(server, {"a": under("new"), "new": under(None)}, target, mode="update") as result:
        assert (result.actions, result.verdicts) == ([], [("skipped", "a")])
        assert result.counts.skipped == 2
