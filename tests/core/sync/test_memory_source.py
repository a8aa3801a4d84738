"""Rows of Python code: lists, generators, results of tasks and of mapped tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from self_hosted.core.sync.readers.table import IncompleteSourceError
from tests.core.sync.read_source import read


class LazyResults(Sequence[Any]):
    """The results of a mapped task, as Airflow passes them: fetched one by one."""

    def __init__(self, results, ends_early=False):
        self.results, self.ends_early = results, ends_early

    def __len__(self):
        return len(self.results)

    def __getitem__(self, index):
        if self.ends_early and index == len(self.results) - 1:
            raise IndexError
        return self.results[index]


ROWS = [{"sku": "a", "price": 1}, {"sku": "b", "price": 2}]


@pytest.mark.parametrize(
    "source",
    [
        ROWS,
        tuple(ROWS),
        iter(ROWS),
        (row for row in ROWS),
        [ROWS[:1], ROWS[1:]],
        [[], ROWS],
        LazyResults(ROWS),
        LazyResults([ROWS[:1], ROWS[1:]]),
        LazyResults([LazyResults(ROWS)]),
        (iter(part) for part in (ROWS[:1], ROWS[1:])),
        "[{'sku': 'a', 'price': 1}, {'sku': 'b', 'price': 2}]",
        '[[{"sku": "a", "price": 1}], [{"sku": "b", "price": 2}]]',
    ],
)
def test_rows_of_tasks_and_of_mapped_tasks_are_read_in_their_order(source):
    found = read(source)
    assert found.columns == ("sku", "price")
    assert found.cells == ROWS
    assert [row.number for row in found.rows] == found.lines == [1, 2]
    assert found.sha256 is None


def test_rows_may_have_different_columns():
    rows = [{"sku": 1}, {"sku": 2, "b": None}, {"c": 3, "sku": 3}, {"c": 4, "b": "x", "sku": 4}, {}]
    found = read(rows)
    assert found.columns == ("sku", "b", "c")
    assert found.cells == rows


def test_a_column_named_id_is_a_column_like_any_other():
    assert read([{"id": "x", "sku": 1}]).cells == [{"id": "x", "sku": 1}]


def test_column_names_may_be_numbers():
    assert read([{"sku": 1, 2026: 5}]).cells == [{"sku": 1, "2026": 5}]


@pytest.mark.parametrize("source", [[], [[], []], iter(())])
def test_a_source_without_rows_is_empty(source):
    assert read(source).rows == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([{"sku": 1}, 5], "source: row 2 must be a dictionary, or a list of them, not 5"),
        ([None], "source: row 1 must be a dictionary"),
        (["sku"], "source: row 1 must be a dictionary, or a list of them, not 'sku'"),
        ([[{"sku": 1}, "x"]], "source: row 2 of result 1 must be a dictionary, not 'x'"),
        ([{"sku": 1, " sku": 2}], "source: row 1 of the rows has the column 'sku' twice"),
        ([{"sku": 1, "": 2}], "source: row 1 of the rows has the value '2' in a column without a name"),
        ([{"sku": 1, None: [3]}], "in a column without a name"),
        ([{"name": 1}], r"source: the rows has no column 'sku'. It has name"),
    ],
)
def test_malformed_rows_are_rejected(source, message):
    with pytest.raises(ValueError, match=message):
        read(source)


def test_a_column_without_a_name_may_have_no_cells():
    assert read([{"sku": 1, "": None}, {"sku": 2, None: ""}]).cells == [{"sku": 1}, {"sku": 2}]


def fail_after_a_row():
    yield {"sku": 1}
    raise ConnectionError("the source is gone")


def test_an_error_of_the_source_is_raised():
    with pytest.raises(ConnectionError, match="the source is gone"):
        read(fail_after_a_row())


def test_results_that_end_early_are_rejected():
    with pytest.raises(IncompleteSourceError, match="the rows changed while they were read: 2, then 1"):
        read(LazyResults(ROWS, ends_early=True))


def test_rows_with_data_as_names_of_columns_are_rejected():
    with pytest.raises(ValueError, match="the rows has more than 10000 columns; are its rows columns"):
        read({f"sku {number}": 1} for number in range(10_001))
