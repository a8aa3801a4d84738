"""Near keys: spellings that people take for one key."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, strategies as st

from self_hosted.core.sync.near_keys import KeyOfRow, find_near, fold, hash_folded, list_near_groups
from self_hosted.core.sync.typing_rows import CREATE, INDEXES
from self_hosted.core.sync.workspace import Workspace


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("W-1", "w-1"),
        ("W-1", "W-1 "),
        ("W-1", " W-1"),
        ("W 1", "W\u00a01"),
        ("W 1", "W1"),
        ("W-1", "W\u20131"),
        ("W-1", "W\u20111"),
        ("Stra\u00dfe", "STRASSE"),
        ("\u00e9", "e\u0301"),
        ("W-1", "\uff37\uff0d\uff11"),
        ("W-1", "W-\u00ad1"),
        ("W-1", "W-\u200b1"),
        ("12345", "12345.0"),
        ("12345", "12345,00"),
        ("00123", "123"),
        ("0", "000"),
        ("x\u00b2", "x2"),
    ],
)
def test_near_keys(one, other):
    assert fold(one) == fold(other)
    assert hash_folded(one) == hash_folded(other)


@pytest.mark.parametrize(
    ("one", "other"), [("1.10", "1.1"), ("W-1", "W-2"), ("1.01", "1.1"), ("A", "\u00c4"), ("0", ""), ("12300", "123")]
)
def test_different_keys(one, other):
    assert fold(one) != fold(other)


@given(st.text())
def test_any_text_can_be_folded(key):
    assert -(2**63) <= hash_folded(key) < 2**63


@given(st.text(alphabet=st.characters(max_codepoint=0x24F)), st.sampled_from(["NFC", "NFD", "NFKC"]))
def test_case_blanks_and_unicode_forms_make_no_difference(key, form):
    assert fold(unicodedata.normalize(form, f" {key.upper()}\u00a0")) == fold(key.upper())
    assert fold(key.upper()) == fold(key.upper().swapcase())


@given(st.text(alphabet=st.characters(max_codepoint=0x24F)))
def test_folding_is_stable(key):
    assert fold(fold(key)) == fold(key)


@given(st.text(alphabet="abcXYZ019.,- #", max_size=8))
def test_the_fast_way_for_plain_keys_has_the_same_result(key):
    assert fold(key) == fold(f"{key}\u200b")


@pytest.fixture
def rows():
    with Workspace() as workspace:
        workspace.connection.execute(CREATE)

        def insert(*keys, verdicts=None):
            for number, key in enumerate(keys, 1):
                row = (number, key, number + 1, hash_folded(key) if key else None, (verdicts or {}).get(number))
                workspace.connection.execute(
                    "INSERT INTO rows (n, key, line, fold, verdict) VALUES (?, ?, ?, ?, ?)", row
                )
            for index in INDEXES:
                workspace.connection.execute(index)
            return workspace.connection

        yield insert


def test_groups_of_near_keys_are_found(rows):
    connection = rows("W-1", "A", "w-1 ", "B", "00123", "123", "b\u00df", "W\u20131")
    groups = sorted(list_near_groups(connection))
    assert groups == [
        [KeyOfRow(1, 2, "W-1"), KeyOfRow(3, 4, "w-1 "), KeyOfRow(8, 9, "W\u20131")],
        [KeyOfRow(5, 6, "00123"), KeyOfRow(6, 7, "123")],
    ]


def test_equal_keys_and_rows_without_a_key_are_no_group(rows):
    assert list(list_near_groups(rows("A", "A", "", ""))) == []


def test_skipped_rows_do_not_count(rows):
    assert list(list_near_groups(rows("A", "a", verdicts={2: "skipped"}))) == []


def test_keys_with_the_same_hash_and_another_text_are_no_group(rows):
    connection = rows("A", "B")
    connection.execute("UPDATE rows SET fold = 1")
    assert list(list_near_groups(connection)) == []


def test_rows_near_a_key_of_the_target_are_found(rows):
    connection = rows("W-1", "w-1 ", "B")
    assert find_near(connection, "W-1") == [KeyOfRow(2, 3, "w-1 ")]
    assert find_near(connection, " W-1") == [KeyOfRow(1, 2, "W-1"), KeyOfRow(2, 3, "w-1 ")]
    assert find_near(connection, "C") == []


def test_a_row_whose_hash_is_equal_by_chance_is_not_near(rows):
    connection = rows("A", "B")
    connection.execute("UPDATE rows SET fold = ?", (hash_folded("C"),))
    assert find_near(connection, "C") == []
