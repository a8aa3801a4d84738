"""Duplicate and near keys of a source: which row counts is not guessed."""

from __future__ import annotations

import logging

import pytest

from self_hosted.core.sync.duplicate_keys import check_keys
from self_hosted.core.sync.workspace import Workspace
from tests.core.sync.typing_cases import make_field, make_schema, read_rows, type_source

SCHEMA = make_schema(make_field("price", "number"))


@pytest.fixture
def check():
    with Workspace() as workspace:

        def check(*keys, on_duplicate_key="fail", prices=None):
            rows = [{"sku": key, "price": (prices or {}).get(number)} for number, key in enumerate(keys, 1)]
            typed = type_source(workspace, SCHEMA, rows)
            check_keys(typed.snapshot, workspace, on_duplicate_key)
            return {row["n"]: (row["verdict"], row["problem"]) for row in read_rows(workspace) if row["verdict"]}

        yield check


def test_different_keys_have_no_verdict(check):
    assert check("A", "B", "1.1", "1.10") == {}


def test_duplicate_keys_fail_the_sync(check):
    with pytest.raises(
        ValueError,
        match=r"2 keys are in several rows; correct them, or set on_duplicate_key: "
        r"'A' \(2 rows, rows 1 to 3\), 'B' \(3 rows, rows 2 to 5\)",
    ):
        check("A", "B", "A", "B", "B")


def test_only_the_first_duplicates_are_shown(check):
    with pytest.raises(ValueError, match="30 keys are in several rows") as caught:
        check(*[f"K{number:02}" for number in range(30)] * 2)
    assert str(caught.value).count("2 rows") == 20


def test_duplicates_can_be_left_out(check, caplog):
    caplog.set_level(logging.WARNING)
    problem = "2 rows have this key, the first in row 1"
    assert check("A", "B", "A", on_duplicate_key="skip") == {1: ("ambiguous", problem), 3: ("ambiguous", problem)}
    assert "1 keys are in several rows (on_duplicate_key is 'skip'): 'A' (2 rows, rows 1 to 3)" in caplog.text


def test_the_first_row_can_count(check):
    problem = "an earlier row has this key, and counts: row 1"
    assert check("A", "B", "A", "A", on_duplicate_key="first") == {3: ("skipped", problem), 4: ("skipped", problem)}


def test_the_last_row_can_count(check):
    problem = "a later row has this key, and counts: row 4"
    assert check("A", "B", "A", "A", on_duplicate_key="last") == {1: ("skipped", problem), 3: ("skipped", problem)}


def test_a_failing_row_makes_the_other_one_ambiguous(check):
    verdicts = check("A", "A", on_duplicate_key="skip", prices={1: "x"})
    assert [verdicts[number][0] for number in (1, 2)] == ["failed", "ambiguous"]


def test_rows_without_a_key_are_no_duplicates(check):
    assert {verdict for verdict, _ in check(None, None, float("nan"), float("nan")).values()} == {"failed"}


def test_near_keys_are_not_sent(check, caplog):
    caplog.set_level(logging.WARNING)
    verdicts = check("W-1", "A", "w-1 ", "12345", 12345.5, "012345")
    assert verdicts == {
        1: ("ambiguous", "the key 'W-1' is near 'w-1 ' (row 3); correct one of them"),
        3: ("ambiguous", "the key 'w-1 ' is near 'W-1' (row 1); correct one of them"),
        4: ("ambiguous", "the key '12345' is near '012345' (row 6); correct one of them"),
        6: ("ambiguous", "the key '012345' is near '12345' (row 4); correct one of them"),
    }
    assert "4 rows have keys that are near others, and are not sent" in caplog.text
    assert "'W-1' (row 1), 'w-1 ' (row 3)" in caplog.text


def test_a_failing_row_keeps_its_own_problem(check):
    verdicts = check("A", "a", prices={1: "x"})
    assert [verdicts[number][0] for number in (1, 2)] == ["failed", "ambiguous"]


def test_of_many_near_keys_some_are_shown(check, caplog):
    caplog.set_level(logging.WARNING)
    verdicts = check(*(f"K{' ' * number}{group}" for group in range(25) for number in range(6)))
    assert len(verdicts) == 150
    assert verdicts[1][1].endswith("'K   0' (row 4) and 2 more; correct one of them")
    assert caplog.messages[-1].count(" and 3 more") == 20


def test_a_duplicate_is_near_the_other_spellings_only(check):
    verdicts = check("A", "A", "a", "A", on_duplicate_key="last")
    assert verdicts[3][1] == "the key 'a' is near 'A' (row 4); correct one of them"
    assert verdicts[4][1] == "the key 'A' is near 'a' (row 3); correct one of them"


def test_a_skipped_duplicate_is_near_to_nothing(check):
    verdicts = check("A", "b", "A", on_duplicate_key="first")
    assert list(verdicts) == [3]
