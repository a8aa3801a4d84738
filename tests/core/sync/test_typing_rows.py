"""The typed rows of a source in the workspace."""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from self_hosted.core.sync import typing_rows
from self_hosted.core.sync.near_keys import hash_folded
from self_hosted.core.sync.workspace import Workspace
from tests.core.sync.typing_cases import NamingTarget, make_field, make_schema, read_rows, type_source

SCHEMA = make_schema(make_field("name"), make_field("price", "number"))


@pytest.fixture
def workspace():
    with Workspace() as opened:
        yield opened


def fingerprint(rows, schema=SCHEMA):
    with Workspace() as opened:
        return type_source(opened, schema, rows).source.fingerprint


class TestTable:
    def test_each_row_is_stored_with_its_key_and_values(self, workspace):
        typed = type_source(workspace, SCHEMA, [{"sku": "a/b", "price": "4,5", "name": "ä"}, {"sku": "B", "name": ""}])
        first, second = read_rows(workspace)
        assert first == {
            "n": 1,
            "key": "a/b",
            "line": 1,
            "row": {"name": "ä", "price": 4.5},
            "ref": "new-a/b",
            "parent": "a",
            "stage": None,
            "fold": hash_folded("a/b"),
            "verdict": None,
            "problem": None,
            "seen": 0,
        }
        assert (second["key"], second["row"], second["parent"]) == ("B", {}, None)
        assert typed.source.total == 2
        assert typed.source.schema.fields["price"].spec.decimal == ","

    def test_values_are_written_with_sorted_names(self, workspace):
        type_source(workspace, make_schema(make_field("b"), make_field("a")), [{"sku": "A", "b": "1", "a": "ä"}])
        assert workspace.connection.execute("SELECT row FROM rows").fetchone()[0] == '{"a":"ä","b":"1"}'

    def test_a_faulty_row_fails_by_itself(self, workspace):
        typed = type_source(
            workspace, SCHEMA, [{"sku": "A", "price": "x"}, {"sku": "B", "price": 1}, {"sku": None, "price": 2}]
        )
        assert [(row["key"], row["verdict"], row["problem"]) for row in read_rows(workspace)] == [
            ("A", "failed", "price: 'x' is not a number; write it like 1234.5"),
            ("B", None, None),
            ("", "failed", "sku: None is not a key; give every row a text or a whole number"),
        ]
        assert typed.findings.count("error") == 2

    def test_a_row_without_a_key_has_neither_id_nor_near_keys(self, workspace):
        type_source(workspace, SCHEMA, [{"sku": None}])
        (row,) = read_rows(workspace)
        assert (row["key"], row["ref"], row["fold"], row["parent"]) == ("", None, None, None)

    def test_keys_that_are_not_numbers_fail_their_rows_only(self, workspace):
        type_source(workspace, SCHEMA, [{"sku": float("nan")}, {"sku": float("nan")}, {"sku": 12345.0}, {"sku": "A"}])
        assert [(row["key"], row["verdict"]) for row in read_rows(workspace)] == [
            ("", "failed"),
            ("", "failed"),
            ("12345", None),
            ("A", None),
        ]

    def test_keys_of_a_database_are_written_without_decimals(self, workspace):
        type_source(workspace, SCHEMA, [{"sku": Decimal("12345.00"), "price": Decimal("1.234")}])
        (row,) = read_rows(workspace)
        assert (row["key"], row["row"]) == ("12345", {"price": 1.234})

    def test_more_rows_than_one_insert_are_stored(self, workspace, monkeypatch):
        monkeypatch.setattr(typing_rows, "ROWS_PER_INSERT", 2)
        type_source(workspace, SCHEMA, [{"sku": str(number)} for number in range(5)])
        assert [row["key"] for row in read_rows(workspace)] == ["0", "1", "2", "3", "4"]

    def test_keys_folded_keys_and_ids_are_indexed(self, workspace):
        type_source(workspace, SCHEMA, [{"sku": "A"}])
        for column in ("key", "fold", "ref"):
            (plan,) = workspace.connection.execute(f"EXPLAIN QUERY PLAN SELECT n FROM rows WHERE {column} = 'A'")
            assert f"rows_by_{column}" in plan[-1]

    def test_a_server_that_chooses_ids_is_no_problem(self, workspace):
        type_source(workspace, SCHEMA, [{"sku": "A"}], NamingTarget(chooses_ids=True))
        assert read_rows(workspace)[0]["ref"] is None

    @pytest.mark.parametrize("spec", [{"kind": "boolean"}, {"column": None, "value": "x"}])
    def test_a_declaration_that_does_not_fit_fails_the_sync(self, workspace, spec):
        with pytest.raises(ValueError, match=r"price: 'x' is not a number|price is declared as boolean"):
            type_source(workspace, make_schema(make_field("price", "number", spec)), [{"sku": "A"}])


class TestLog:
    def test_columns_without_a_field_are_named_once(self, workspace, caplog, monkeypatch):
        monkeypatch.setattr(typing_rows, "SECONDS_BETWEEN_LINES", 0)
        caplog.set_level(logging.INFO)
        type_source(workspace, SCHEMA, [{"sku": "A", "name": "x", "b": 1, "c": 2}, {"sku": "B", "b": 1}])
        assert caplog.text.count("Columns without a field, which are not sent: b, c") == 1
        assert "2 rows are typed, 0 of them fail" in caplog.text
        assert "2 of 2 rows are typed" in caplog.text  # the progress

    def test_without_such_columns_nothing_is_said(self, workspace, caplog):
        caplog.set_level(logging.INFO)
        type_source(workspace, SCHEMA, [{"sku": "A", "name": "x", "price": "x"}])
        assert "Columns without a field" not in caplog.text
        assert "1 rows are typed, 1 of them fail" in caplog.text


ROWS = st.lists(
    st.fixed_dictionaries({"sku": st.text(max_size=3), "name": st.text(max_size=3)}), min_size=1, max_size=5
)


class TestFingerprint:
    @given(ROWS, st.randoms(use_true_random=False))
    def test_it_does_not_depend_on_the_order(self, rows, random):
        assert fingerprint(rows) == fingerprint(random.sample(rows, len(rows)))

    def test_it_does_not_depend_on_the_notation(self):
        text = [{"sku": "1", "price": "1.234,50", "name": "7"}, {"sku": "2", "price": "5,00", "name": None}]
        typed = [{"sku": 1.0, "price": 1234.5, "name": 7}, {"sku": 2, "price": Decimal("5.00")}]
        assert fingerprint(text) == fingerprint(typed)

    @pytest.mark.parametrize(
        "rows",
        [
            [{"sku": "A", "name": "y"}],
            [{"sku": "B", "name": "x"}],
            [{"sku": "A", "name": "x"}, {"sku": "A", "name": "x"}],
            [{"sku": "A", "name": "x", "price": "x"}],
            [{"sku": "A"}],
            [],
        ],
    )
    def test_it_depends_on_every_row_and_value(self, rows):
        assert fingerprint(rows) != fingerprint([{"sku": "A", "name": "x"}])

    def test_it_has_128_bits(self):
        assert len(fingerprint([{"sku": "A"}])) == len(fingerprint([])) == 32
