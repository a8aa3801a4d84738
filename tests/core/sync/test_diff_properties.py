"""A comparison finds the same as a model in memory, however the target returns its records."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings, strategies as st

from self_hosted.core.sync.target import Capacity, Page, Stored
from tests.core.sync.comparing import compared
from tests.core.sync.toy_server import ToyServer
from tests.core.sync.toy_targets import TableTarget

KEYS = [f"k-{letter}" for letter in "abcdefghijkl"]  # none is near another
VALUES = st.fixed_dictionaries({}, optional={"name": st.sampled_from(["x", "y", None]), "price": st.integers(0, 2)})
TABLES = st.dictionaries(st.sampled_from(KEYS), VALUES)
OPTIONS = st.fixed_dictionaries({
    "mode": st.sampled_from(["upsert", "create", "update", "mirror"]),
    "on_missing": st.sampled_from(["ignore", "deactivate", "delete"]),
})


class ShuffledTarget(TableTarget):
    """Lists its records in any order, and some of them twice."""

    def __init__(self, order, factor):
        super().__init__(Capacity(keys_per_lookup=3, listing_factor=factor))
        self._order = order

    def page(self, schema, cursor):
        records = yield from self.find(schema, [])
        position = cursor or 0
        shown = [records[index % len(records)] for index in self._order[position : position + 4]] if records else []
        rest = records if position + 4 >= len(self._order) else []  # all records, at last
        return Page([*shown, *rest], position + 4 if position + 4 < len(self._order) else None)

    def _find(self, schema, keys, refs):
        if keys:
            return (yield from super()._find(schema, keys, refs))
        found = list[Stored]()
        for start in range(0, len(KEYS), 3):
            found += yield from super()._find(schema, KEYS[start : start + 3], [])
        return found


def expect(rows, records, mode, on_missing):
    """Return the changes that a dictionary of rows and one of records call for."""
    expected = dict[str, Any]()
    for key, row in rows.items():
        if key not in records and mode != "update":
            expected[key] = ("create", {}, row)
        elif key in records and mode != "create":
            new = {name: value for name, value in row.items() if records[key].get(name) != value}
            if new:
                expected[key] = ("update", {name: records[key].get(name) for name in new}, new)
    if mode == "mirror" and on_missing != "ignore":
        blank = {"name": None, "price": None, "tags": None}
        expected |= {key: (on_missing, {**blank, **records[key]}, {}) for key in records.keys() - rows.keys()}
    return expected


@given(
    rows=TABLES,
    records=TABLES,
    order=st.lists(st.integers(0, 20), max_size=20),
    options=OPTIONS,
    factor=st.sampled_from([0, float("inf")]),
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_changes_are_those_of_a_model(rows, records, order, options, factor):
    server = ToyServer()
    for key, values in records.items():
        server.put(key, **values)
    with compared(server, rows, ShuffledTarget(order, factor), **options) as result:
        found = {change.key: (change.do, dict(change.old), dict(change.new)) for change in result.changes}
        assert found == expect(rows, records, **options)
        assert len(found) == len(result.changes)
        counts = result.counts
        assert counts.total == sum((counts.create, counts.update, counts.unchanged, counts.skipped))
        stages = [change.stage for change in result.changes]
        assert stages == sorted(stages)
        assert result.settled == []
