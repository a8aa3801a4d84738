"""One row against its record: ownership of fields, relations, permissions, approvals and activity."""

from __future__ import annotations

import pytest

from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.record_diff import DiffOptions, RecordDiff
from self_hosted.core.sync.target import Field, Schema, Stored, Target


class Product(Target):
    """Like `toy_targets`, without a server; the default comparison of values."""

    activity_field = "is_on"


def make_diff(*fields, required=(), forbidden_actions=None, **options):
    schema = Schema({field.name: field for field in fields}, required, forbidden_actions or {})
    return RecordDiff(Product(), schema, DiffOptions(**{"key": "sku", **options}))


def make_field(name="name", type_="text", forbidden="", is_required=False, label="", **spec):
    return Field(name, type_, FieldSpec(name, **spec), label, forbidden, is_required)


def stored(is_deleted=False, is_active=True, ticket=None, **values):
    return Stored("k", "id-k", values, "7", is_deleted, ticket=ticket, is_active=is_active)


@pytest.mark.parametrize(
    ("own", "old", "new", "is_written"),
    [
        ("always", "a", "b", True),
        ("always", "a", None, True),
        ("on_create", "a", "b", False),
        ("on_create", None, "b", False),
        ("if_empty", "a", "b", False),
        ("if_empty", None, "b", True),
        ("if_empty", "", "b", True),
        ("if_empty", None, None, False),
        ("if_empty", "a", None, False),
    ],
)
def test_own_decides_whether_a_field_of_an_existing_record_is_written(own, old, new, is_written):
    decision = make_diff(make_field(own=own)).compare({"name": new}, stored(name=old))
    assert (decision.fields if decision else {}) == ({"name": (old, new)} if is_written else {})


@pytest.mark.parametrize("own", ["always", "on_create", "if_empty"])
def test_a_new_record_gets_all_fields(own):
    assert make_diff(make_field(own=own)).create("k", {"name": "b"}).do == "create"


@pytest.mark.parametrize(
    ("wanted", "old", "new"),
    [
        (["b"], ["a"], ["a", "b"]),
        (["b"], None, ["b"]),
        (["b"], [], ["b"]),
        (["b"], ["a", "b"], None),
        (None, ["a"], None),
        (None, None, None),
        (["c", "a"], ["a"], ["a", "c"]),
    ],
)
def test_a_relation_in_mode_add_keeps_other_records(wanted, old, new):
    diff = make_diff(make_field("tags", "references", kind="relation", mode="add"))
    decision = diff.compare({"tags": wanted}, stored(tags=old))
    assert (decision.fields if decision else None) == ({"tags": (old, new)} if new else None)


def test_a_relation_in_mode_replace_loses_other_records():
    decision = make_diff(make_field("tags", "references")).compare({"tags": ["b"]}, stored(tags=["a", "b"]))
    assert decision.fields == {"tags": (["a", "b"], ["b"])}


@pytest.mark.parametrize(
    ("type_", "wanted", "old"),
    [("references", ["a", "b"], ["b", "a"]), ("number", 1, 1.0), ("text", None, ""), ("object", {"a": 1}, {"a": 1})],
)
def test_the_target_decides_which_values_are_the_same(type_, wanted, old):
    assert make_diff(make_field("x", type_)).compare({"x": wanted}, stored(x=old)) is None


@pytest.mark.parametrize(("wanted", "old"), [(True, 1), ([True], [1]), ({"a": 1}, {"a": True}), (0, False), (0, None)])
def test_values_that_are_equal_in_python_only_differ(wanted, old):
    assert make_diff(make_field("x", "object")).compare({"x": wanted}, stored(x=old)).fields == {"x": (old, wanted)}


def test_a_value_that_the_record_lacks_is_written():
    assert make_diff(make_field()).compare({"name": "b"}, stored()).fields == {"name": (None, "b")}


def test_a_row_that_would_change_a_forbidden_field_is_not_sent():
    diff = make_diff(make_field(), make_field("price", forbidden="the role has no right", label="Price"))
    decision = diff.compare({"name": "b", "price": "2"}, stored(name="a", price="1"))
    assert (decision.do, decision.verdict, decision.field, decision.value) == (None, "forbidden", "price", "2")
    assert decision.message == "Price may not be written: the role has no right"
    assert diff.compare({"name": "b", "price": "1"}, stored(name="a", price="1")).do == "update"


def test_a_new_record_with_a_forbidden_field_is_not_sent():
    diff = make_diff(make_field("price", forbidden="the role has no right"))
    assert diff.create("k", {"price": "2"}).verdict == "forbidden"
    assert diff.create("k", {"price": None}).do == "create"


def test_a_record_that_waits_for_an_approval_is_pending():
    decision = make_diff(make_field()).compare({"name": "b"}, stored(name="a", ticket="CR 12"))
    assert (decision.verdict, decision.ticket) == ("pending", "CR 12")
    assert decision.message == "CR 12 has to be approved in the product first"


def test_a_record_that_is_as_wanted_is_unchanged_in_spite_of_a_ticket():
    assert make_diff(make_field()).compare({"name": "a"}, stored(name="a", ticket="CR 12")) is None


def test_a_new_record_without_a_required_value_fails():
    fields = make_field("sku", is_required=True), make_field(is_required=True)
    decision = make_diff(*fields, required=["unit"]).create("k", {"name": None})
    assert (decision.verdict, decision.message, decision.field) == ("failed", "a new record needs name, unit", "name")
    assert make_diff(*fields).create("k", {"name": "a"}).do == "create"


@pytest.mark.parametrize(
    ("mode", "on_missing", "on_deleted", "row", "do"),
    [
        ("mirror", "deactivate", "restore", {"name": "a"}, "restore"),
        ("mirror", "deactivate", "respect", {"name": "a"}, None),
        ("mirror", "delete", "restore", {"name": "a"}, None),
        ("upsert", "deactivate", "restore", {"name": "a"}, None),
        ("mirror", "deactivate", "restore", {"name": "a", "is_on": False}, None),
        ("upsert", "ignore", "restore", {"name": "b"}, "update"),
    ],
)
def test_a_deactivated_record_comes_back_if_the_sync_deactivates(mode, on_missing, on_deleted, row, do):
    diff = make_diff(
        make_field(), make_field("is_on", "boolean"), mode=mode, on_missing=on_missing, on_deleted=on_deleted
    )
    decision = diff.compare(row, stored(is_active=False, name="a", is_on=False))
    assert (decision and decision.do) == do


@pytest.mark.parametrize("state", [{"is_deleted": True}, {"is_active": False}])
def test_a_restored_record_gets_its_values(state):
    diff = make_diff(make_field(), mode="mirror", on_missing="deactivate")
    decision = diff.compare({"name": "b"}, stored(name="a", **state))
    assert (decision.do, decision.fields) == ("restore", {"name": ("a", "b")})


@pytest.mark.parametrize("state", [{"is_deleted": True}, {"is_active": False}])
def test_a_record_that_waits_for_an_approval_is_not_restored(state):
    diff = make_diff(make_field(), mode="mirror", on_missing="deactivate")
    assert diff.compare({"name": "a"}, stored(name="a", ticket="CR 1", **state)).verdict == "pending"


def test_a_deleted_record_that_is_respected_names_its_id():
    decision = make_diff(make_field(), on_deleted="respect").compare({}, stored(is_deleted=True))
    assert (decision.verdict, decision.message) == ("skipped", "its record id-k is deleted")
    decision = make_diff(make_field(), on_deleted="report").compare({}, stored(is_deleted=True))
    message = "its record id-k is deleted: restore it, or choose another on_deleted"
    assert (decision.verdict, decision.message) == ("failed", message)


@pytest.mark.parametrize("action", ["create", "update", "restore"])
def test_an_action_that_the_user_may_not_carry_out_is_forbidden(action):
    difference = make_diff(make_field(), forbidden_actions={action: "the role lacks it"})
    decisions = {
        "create": difference.create("k", {"name": "b"}),
        "update": difference.compare({"name": "b"}, stored(name="a")),
        "restore": difference.compare({"name": "b"}, stored(name="a", is_deleted=True)),
    }
    forbidden = {name: decision.message for name, decision in decisions.items() if decision.verdict == "forbidden"}
    assert forbidden == {action: f"no {action}: the role lacks it"}
    assert difference.compare({"name": "a"}, stored(name="a")) is None
