"""The comparison of rows with the records of a flat table."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow
from self_hosted.core.http.redact import strip_control_characters
from self_hosted.core.sync import diff
from self_hosted.core.sync.target import Capacity, Change, Page, Target
from tests.core.sync.comparing import BadRow, compared
from tests.core.sync.toy_server import Record, ToyServer
from tests.core.sync.toy_targets import TableTarget

LISTING = Capacity(keys_per_lookup=5, listing_factor=float("inf"))
LOOKUP = Capacity(keys_per_lookup=5, listing_factor=0)


@pytest.fixture
def server():
    """Ten records, on two pages: k0 to k9, with their number as price."""
    server = ToyServer()
    for number in range(10):
        server.put(f"k{number}", name=f"n{number}", price=number)
    return server


@pytest.fixture(params=["listing", "look-up"])
def target(request):
    return TableTarget(LISTING if request.param == "listing" else LOOKUP)


def row(number, **values):
    return {"name": f"n{number}", "price": number, **values}


def test_each_row_is_created_updated_or_unchanged(server, target):
    rows = {"k1": row(1), "k2": row(2, price=99), "new": row(0), "k8": row(8, name="other")}
    with compared(server, rows, target) as result:
        assert result.actions == [("create", "new"), ("update", "k2"), ("update", "k8")]
        assert [(change.old, change.new, change.row) for change in result.changes] == [
            ({}, row(0), 3),
            ({"price": 2}, {"price": 99}, 2),
            ({"name": "n8"}, {"name": "other"}, 4),
        ]
        assert [(change.ref, change.stamp) for change in result.changes] == [
            *(("id-new", None), ("id-k2", "1"), ("id-k8", "1"))
        ]
        assert {"create": 1, "update": 2, "unchanged": 1}.items() <= result.numbers.items()
        assert result.settled == []


def test_the_target_is_listed_if_it_is_small(server):
    with compared(server, {f"k{number}": row(number) for number in range(3)}) as result:
        assert [request.path for request in server.requests] == ["/count", "/list", "/list"]
        assert (result.numbers, result.counts.records) == ({"unchanged": 3, "missing": 7}, 10)


def test_keys_are_looked_up_if_the_target_is_large(server):
    with compared(server, {"k1": row(1)}) as result:
        assert [request.path for request in server.requests] == ["/count", "/find"]
        assert (result.numbers, result.counts.records) == ({"unchanged": 1}, 1)


def test_keys_are_looked_up_in_batches(server):
    rows = {f"k{number}": row(number) for number in range(12)}
    with compared(server, rows, TableTarget(LOOKUP)) as result:
        assert [len(request.json["keys"]) for request in server.requests if request.path == "/find"] == [5, 5, 2]
        assert result.numbers == {"unchanged": 10, "create": 2}


class UncountedTarget(TableTarget):
    def count(self) -> Flow[int | None]:
        return None
        yield


def test_keys_are_looked_up_if_the_target_does_not_say_its_size(server):
    with compared(server, {"k1": row(1)}, UncountedTarget()):
        assert [request.path for request in server.requests] == ["/find"]


def test_a_target_can_always_be_listed(server):
    with compared(server, {"k1": row(1)}, UncountedTarget(LISTING)):
        assert [request.path for request in server.requests] == ["/list", "/list"]


def test_a_mirror_is_always_listed(server):
    with compared(server, {"k1": row(1)}, mode="mirror") as result:
        assert result.numbers == {"unchanged": 1, "missing": 9}
        assert "/find" not in {request.path for request in server.requests}


@pytest.mark.parametrize(
    ("mode", "actions", "skipped"),
    [
        ("upsert", [("create", "new"), ("update", "k1")], 0),
        ("create", [("create", "new")], 2),
        ("update", [("update", "k1")], 1),
        ("mirror", [("create", "new"), ("update", "k1")], 0),
    ],
)
def test_the_mode_decides_what_is_changed(server, target, mode, actions, skipped):
    with compared(server, {"k1": row(1, price=5), "k2": row(2), "new": row(0)}, target, mode=mode) as result:
        assert (result.actions, result.counts.skipped, result.settled) == (actions, skipped, [])
        assert result.counts.unchanged == (0 if mode == "create" else 1)


def test_a_field_that_a_row_lacks_keeps_its_value(server, target):
    with compared(server, {"k1": {"price": 1}, "k2": {}}, target) as result:
        assert result.counts.unchanged == 2


def test_values_that_become_empty_are_counted(server, target):
    rows = {"k1": {"name": None, "price": None}, "k2": {"name": ""}, "k3": {"tags": None}, "new": {"name": None}}
    with compared(server, rows, target) as result:
        assert result.counts.emptied == 3
        assert result.changes[1].new == {"name": None, "price": None}


def test_rows_that_failed_before_are_settled_as_they_are(server, target):
    rows = {"k1": BadRow("failed", "no number"), "new": BadRow("ambiguous", "two rows"), "k2": row(2)}
    with compared(server, rows, target) as result:
        assert [(each.verdict, each.key, each.row, each.message) for each in result.settled] == [
            *(("failed", "k1", 1, "no number"), ("ambiguous", "new", 2, "two rows"))
        ]
        assert result.actions == []
        assert {"failed": 1, "ambiguous": 1, "unchanged": 1}.items() <= result.numbers.items()


def test_the_row_of_a_duplicate_key_that_counts_is_compared(server, target):
    rows = [("k1", BadRow("skipped", "a later row counts")), ("k1", row(1, price=7))]
    with compared(server, rows, target) as result:
        assert (result.actions, result.verdicts) == ([("update", "k1")], [("skipped", "k1")])


def test_changes_are_the_same_for_rows_in_any_order(server, target):
    rows = {"k1": row(1, price=9), "a": row(0), "k0": row(0, price=9), "b": row(0)}
    with compared(server, rows, target) as one, compared(server, dict(reversed(rows.items())), target) as other:
        assert one.actions == other.actions == [("create", "a"), ("create", "b"), ("update", "k0"), ("update", "k1")]


# doubles and other traps


def test_a_key_that_two_records_have_is_ambiguous(server, target):
    server.records["x"] = Record("x", "k1", row(1))
    with compared(server, {"k1": row(1, price=9), "k2": row(2)}, target) as result:
        assert (result.actions, result.verdicts) == ([], [("ambiguous", "k1")])
        assert result.settled[0].message == "2 records have this key (id-k1, x): keep one"


def test_a_deleted_record_with_the_key_of_another_one_does_not_count(server, target):
    server.records["a"] = Record("a", "k1", row(1, price=0), is_deleted=True)
    with compared(server, {"k1": row(1), "k2": row(2, price=0)}, target) as result:
        assert (result.actions, result.verdicts) == ([("update", "k2")], [])


class RepeatingTarget(TableTarget):
    """Lists a page twice; the records change in between."""

    def __init__(self, server, **values):
        super().__init__(LISTING)
        self._server, self._values = server, values

    def page(self, schema, cursor) -> Flow[Page]:
        page = yield from super().page(schema, cursor)
        if cursor is None and self._values:
            self._server.put("k1", **self._values)
            self._values = {}
            return Page(page.records, "")
        return page


@pytest.mark.parametrize(("price", "actions"), [(5, []), (6, [("update", "k1")])])
def test_a_record_that_is_listed_twice_is_compared_as_it_is_now(server, price, actions):
    rows = {"k1": row(1, price=5), "k2": row(2), "k3": row(3, price=7)}
    with compared(server, rows, RepeatingTarget(server, price=price)) as result:
        assert result.actions == [*actions, ("update", "k3")]
        assert result.verdicts == []
        assert (result.counts.unchanged, result.counts.missing) == (2 - len(actions), 7)


def test_a_record_that_is_listed_and_then_deleted_is_created(server):
    class VanishingTarget(RepeatingTarget):
        def find(self, schema, keys):
            server.records.pop("id-k1", None)
            return (yield from super().find(schema, keys))

    with compared(server, {"k1": row(1)}, VanishingTarget(server, price=3)) as result:
        assert result.actions == [("create", "k1")]


def test_a_record_that_gets_the_key_of_a_row_while_the_target_is_listed_is_not_removed(server):
    class RenamingTarget(TableTarget):
        def page(self, schema, cursor):
            page = yield from super().page(schema, cursor)
            if cursor is None:
                renamed = replace(page.records[0], key="new", values=row(0))
                return Page([*page.records, renamed], page.cursor)
            return page

    rows = {f"k{number}": row(number) for number in range(1, 10)} | {"new": row(0)}
    with compared(server, rows, RenamingTarget(LISTING), mode="mirror", on_missing="delete") as result:
        assert (result.actions, result.numbers) == ([], {"unchanged": 10})


def test_an_id_that_a_record_with_another_key_has_is_not_used(server, target):
    server.records["id-new"] = Record("id-new", "foreign", row(0))
    with compared(server, {"new": row(0), "k1": row(1)}, target) as result:
        assert (result.actions, result.verdicts) == ([], [("ambiguous", "new")])
        message = "the id id-new of its new record belongs to the record 'foreign': correct the key of one of them"
        assert result.settled[0].message == message


def test_a_row_whose_record_has_another_id_is_compared_with_it(server, target):
    server.records["id-new"] = Record("id-new", "foreign", row(0))
    server.records["x"] = Record("x", "new", row(0))
    with compared(server, {"new": row(0, price=5)}, target) as result:
        assert [(change.do, change.ref) for change in result.changes] == [("update", "x")]


@pytest.mark.parametrize("near", ["NEW ", "n\u00adew", "\uff4eew"])
def test_a_row_is_not_created_if_a_record_has_a_key_that_looks_the_same(server, near):
    server.put(near, name="x")
    with compared(server, {"new": row(0)}, TableTarget(LISTING), mode="mirror", on_missing="delete") as result:
        assert near not in {change.key for change in result.changes}
        assert result.verdicts == [("ambiguous", "new")]
        ref = strip_control_characters(f"id-{near}")
        assert result.settled[0].message == f"the key 'new' looks like {near!r} of the record {ref}: use one spelling"
        assert result.counts.missing == 10


def test_a_record_whose_key_looks_like_that_of_another_record_is_reported_and_stays(server):
    server.put("K1", name="x")
    server.put("BAD", name="x")
    rows = {"k1": row(1, price=7), "bad": BadRow("failed", "no number")}
    with compared(server, rows, TableTarget(LISTING), mode="mirror", on_missing="delete") as result:
        assert ("update", "k1") in result.actions
        assert not {"K1", "BAD"} & {change.key for change in result.changes}
        assert [(each.verdict, each.key, each.row) for each in result.settled] == [
            *(("failed", "bad", 2), ("ambiguous", "BAD", None), ("ambiguous", "K1", None))
        ]


def test_a_look_up_that_ignores_case_finds_the_near_key(server):
    class CaselessTarget(TableTarget):
        def find(self, schema, keys):
            return (yield from super().find(schema, [*keys[:1], keys[0].upper()]))

    server.put("NEW", name="x")
    with compared(server, {"new": row(0)}, CaselessTarget(LOOKUP)) as result:
        assert result.verdicts == [("ambiguous", "new")]


# deleted records, and those outside of the scope


@pytest.mark.parametrize(
    ("mode", "on_deleted", "actions", "verdicts", "skipped"),
    [
        ("upsert", "restore", [("restore", "k1")], [], 0),
        ("create", "restore", [("restore", "k1")], [], 0),
        ("update", "restore", [], [], 1),
        ("upsert", "respect", [], [("skipped", "k1")], 1),
        ("upsert", "report", [], [("failed", "k1")], 0),
    ],
)
def test_a_deleted_record_is_restored_left_or_reported(server, target, mode, on_deleted, actions, verdicts, skipped):
    server.change("k1", is_deleted=True)
    with compared(server, {"k1": row(1, price=5)}, target, mode=mode, on_deleted=on_deleted) as result:
        assert (result.actions, result.verdicts, result.counts.skipped) == (actions, verdicts, skipped)
        assert [(change.old, change.new) for change in result.changes] == [({"price": 1}, {"price": 5})] * len(actions)


def test_a_deleted_record_without_changes_is_restored(server, target):
    server.change("k1", is_deleted=True)
    with compared(server, {"k1": row(1)}, target) as result:
        assert [(change.do, change.new) for change in result.changes] == [("restore", {})]


class ScopedTarget(TableTarget):
    """Lists only records with a price below 5; look-ups find all."""

    scope = "price below 5"

    def page(self, schema, cursor):
        page = yield from super().page(schema, cursor)
        return page._replace(records=[record for record in page.records if record.values["price"] < 5])


def test_a_record_outside_the_scope_is_not_created_a_second_time(server):
    with compared(server, {"k1": row(1), "k8": row(8, name="x"), "new": row(0)}, ScopedTarget(LISTING)) as result:
        assert result.actions == [("create", "new"), ("update", "k8")]
        assert [request.json["keys"] for request in server.requests if request.path == "/find"] == [["k8", "new"]]
        assert result.counts.records == 5


def test_deleted_records_that_are_not_listed_are_looked_up_if_they_are_respected(server):
    class HidingTarget(TableTarget):
        def page(self, schema, cursor):
            page = yield from super().page(schema, cursor)
            return page._replace(records=[record for record in page.records if not record.is_deleted])

    server.change("k1", is_deleted=True)
    target = HidingTarget(replace_capacity(lists_deleted=True))
    with compared(server, {"k1": row(1)}, target, on_deleted="respect") as result:
        assert (result.actions, result.verdicts) == ([], [("skipped", "k1")])


def replace_capacity(**changes):
    return LISTING._replace(**changes)


def test_a_record_with_a_malformed_key_does_not_end_the_sync(server, target):
    server.records["id\ud800"] = Record("id\ud800", "k1\ud800", row(1))
    with compared(server, {"k1": row(1)}, target, mode="mirror") as result:
        assert (result.counts.unchanged, result.counts.missing) == (1, 10)


class NumberingTarget(TableTarget):
    """Its server chooses the ids of new records."""

    def find(self, schema, keys):
        return (yield from self._find(schema, keys, []))

    new_ref = Target.new_ref


@pytest.mark.parametrize("capacity", [LISTING, LOOKUP])
def test_a_server_may_choose_the_ids_of_new_records(server, capacity):
    with compared(server, {"new": row(0), "k1": row(1)}, NumberingTarget(capacity)) as result:
        assert [(change.key, change.ref) for change in result.changes] == [("new", None)]


def test_records_that_rows_refer_to_are_created_first(server, target):
    created = {"field": "color", "value": "red", "ref": "id-red", "is_new": 1, "is_used": 1}
    with compared(server, {"a": row(0), "k1": row(1, price=7)}, target) as result:
        values = (*created.values(), "Color", "code")
        result.workspace.connection.execute("INSERT INTO refs VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        first, *others = diff.changes(result.workspace)
        assert first == Change("create", "red", "id-red", {"code": "red"}, collection="Color")
        assert others == result.changes
        assert next(diff.changes(result.workspace, {"number": 2, "total": 3})) == first


def test_a_target_with_other_spellings_only_gets_no_twins(target, server):
    for number in range(30):
        server.put(f"ART{number}", name="n")
    rows = {f"art{number}": {"name": "n"} for number in range(30)}
    with compared(server, rows, TableTarget(LISTING), mode="mirror", on_missing="delete") as result:
        assert {do for do, _ in result.actions} == {"delete"}
        assert result.numbers == {"delete": 10, "missing": 10, "ambiguous": 30}


def test_progress_is_logged(server, target, caplog, monkeypatch):
    monkeypatch.setattr("self_hosted.core.sync.target_reader.SECONDS_BETWEEN_LINES", 0.0)
    with caplog.at_level(logging.INFO), compared(server, {"k1": row(1)}, target):
        pass
    assert "records of toy table are compared" in caplog.text


class EndlessTarget(TableTarget):
    """A target whose list goes on behind its last page.

    :param cursors: of the pages
    """

    def __init__(self, cursors) -> None:
        super().__init__(LISTING)
        self.cursors = iter(cursors)

    def page(self, schema, cursor):
        page = yield from super().page(schema, None)
        return page._replace(cursor=next(self.cursors))


def test_a_list_that_begins_again_is_an_error(server):
    target, message = (
        EndlessTarget(["1", "2", "1"]),
        "the list of toy table has no end: it begins again after 21 records",
    )
    with pytest.raises(ServerError, match=message), compared(server, {"k1": row(1)}, target):
        pass


def test_a_list_that_is_much_longer_than_counted_is_an_error(server, monkeypatch):
    monkeypatch.setattr("self_hosted.core.sync.target_reader.MANY_RECORDS", 10)
    target, message = EndlessTarget(map(str, range(100))), "it has more records than 10, the number that the server has"
    with pytest.raises(ServerError, match=message), compared(server, {"k1": row(1)}, target):
        pass
