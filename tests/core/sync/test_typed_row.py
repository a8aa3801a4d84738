"""One row as values of the target: each fault fails this row, by name."""

from __future__ import annotations

from decimal import Decimal

import pytest

from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.preflight import Findings
from self_hosted.core.sync.snapshot import RawRow
from self_hosted.core.sync.target import Field
from self_hosted.core.sync.typed_row import MAX_REMEMBERED, CellReader, RowTyper
from self_hosted.core.sync.values import InvalidCellError
from tests.core.sync.typing_cases import KEY, make_field, make_schema


def typer(*fields):
    return RowTyper(make_schema(*fields), KEY, Findings())


def raw(cells, problems=None):
    return RawRow(1, 2, cells, problems or {})


class TestCells:
    CLEARED = make_field("name", spec={"empty": "clear"})

    def test_values_are_converted(self):
        row = typer(make_field("name"), make_field("count", "integer")).convert(
            raw({"sku": "A", "name": "x", "count": "5", "other": "y"})
        )
        assert row == ("A", {"name": "x", "count": 5}, [])

    @pytest.mark.parametrize("cells", [{}, {"name": None}, {"name": ""}])
    def test_an_empty_or_absent_cell_keeps_the_value(self, cells):
        assert typer(make_field("name")).convert(raw({"sku": "A", **cells})).values == {}

    def test_an_empty_cell_can_clear_the_value_but_an_absent_one_keeps_it(self):
        assert typer(self.CLEARED).convert(raw({"sku": "A", "name": None})).values == {"name": None}
        assert typer(self.CLEARED).convert(raw({"sku": "A"})).values == {}

    @pytest.mark.parametrize("cell", [None, " "])
    def test_an_empty_boolean_follows_the_same_rule(self, cell):
        for empty, values in (("keep", {}), ("clear", {"on": None})):
            field = make_field("on", "boolean", {"empty": empty})
            assert typer(field).convert(raw({"sku": "A", "on": cell})).values == values

    def test_a_required_field_is_not_cleared(self):
        field = make_field("name", spec={"empty": "clear"}, is_required=True)
        (error,) = typer(field).convert(raw({"sku": "A", "name": None})).errors
        assert str(error) == "name: None is empty; the field needs a value"

    def test_the_value_of_a_declaration_is_in_every_row(self):
        fields = typer(make_field("on", "boolean", {"column": None, "value": "yes"}))
        assert fields.convert(raw({"sku": "A", "on": "no"})).values == {"on": True}

    def test_a_declared_value_that_does_not_fit_is_refused_at_once(self):
        with pytest.raises(InvalidCellError, match="on: 'maybe' is not a boolean"):
            typer(make_field("on", "boolean", {"column": None, "value": "maybe"}))

    def test_a_declaration_without_column_and_value_sets_nothing(self):
        field = make_field("on", "boolean", {"column": None, "empty": "clear"})
        assert typer(field).convert(raw({"sku": "A", "on": "yes"})).values == {}

    def test_all_faults_of_a_row_are_found(self):
        fields = typer(make_field("a", "number"), make_field("b", "boolean"), make_field("c"))
        row = fields.convert(raw({"sku": "A", "a": "x", "b": "x", "c": "x"}))
        assert [error.field for error in row.errors] == ["a", "b"]
        assert row.values == {"c": "x"}
        assert fields.findings.count("error") == 2

    def test_an_unusable_cell_fails_its_row_like_the_text_that_shows_it(self):
        fields = typer(make_field("price", "number", {"column": "Preis"}), make_field("count", "integer"))
        cells = {"sku": "A", "Preis": "nan", "count": 5}
        of_float = fields.convert(raw(cells, {"Preis": "nan is no value; leave it empty"}))
        of_text = fields.convert(raw(cells))
        assert (of_float.key, of_float.values) == (of_text.key, of_text.values) == ("A", {"count": 5})
        texts = [[str(error) for error in row.errors] for row in (of_float, of_text)]
        assert texts == [["price: 'nan' is not a number; write it like 1234.5 or 1234,5"]] * 2

    def test_an_unusable_cell_of_a_text_field_fails_its_row_for_its_own_reason(self):
        fields = typer(make_field("name", spec={"column": "Name"}))
        row = fields.convert(raw({"sku": "A", "Name": r"b'\xff'"}, {"Name": "the bytes are not UTF-8; give a text"}))
        assert row.values == {}
        assert [str(each) for each in row.errors] == [
            r"""name: "b'\\xff'" cannot be used: the bytes are not UTF-8; give a text"""
        ]

    def test_an_unusable_cell_without_a_field_has_no_effect(self):
        row = typer(make_field("name")).convert(raw({"sku": "A", "_error": "nan"}, {"_error": "nan is no value"}))
        assert row == ("A", {}, [])

    def test_a_decimal_is_shown_by_its_digits(self):
        row = typer(make_field("count", "integer")).convert(raw({"sku": "A", "count": Decimal("7.50")}))
        assert [str(each) for each in row.errors] == ["count: 7.50 is not a whole number; the field has no decimals"]


class TestRemembered:
    def test_results_and_errors_are_remembered(self):
        reader = CellReader(make_field("n", "number"))
        assert reader.read("x") is reader.read("x")
        assert reader.read("5") == reader.read("5") == 5
        assert isinstance(reader.read("x"), InvalidCellError)

    def test_no_more_than_some_are_kept(self):
        reader = CellReader(make_field("n", "integer"))
        for number in range(MAX_REMEMBERED + 2):
            assert reader.read(str(number)) == number
        assert len(reader._results) == 2
        assert reader.read("7") == 7

    def test_long_texts_are_not_kept(self):
        reader = CellReader(make_field("n"))
        assert reader.read("x" * 1000) == "x" * 1000
        assert reader._results == {}


class TestKeys:
    @pytest.mark.parametrize(
        ("cell", "key"),
        [("A", "A"), (" A ", " A "), ("00123", "00123"), ("12345.0", "12345.0"), (12345, "12345"), (12345.0, "12345")],
    )
    def test_a_key_is_the_text_of_its_cell(self, cell, key):
        assert typer().convert(raw({"sku": cell})).key == key

    @pytest.mark.parametrize(
        ("cell", "key"), [("12345.00", "12345"), ("12.50", "12.50"), ("-7.0", "-7"), ("9007199254740993.5",) * 2]
    )
    def test_a_decimal_without_fraction_is_a_whole_number(self, cell, key):
        assert typer().convert(raw({"sku": Decimal(cell)})).key == key

    @pytest.mark.parametrize("cell", [None, "", " \u00a0", "None", True, ["A"], {"a": 1}])
    def test_a_row_without_a_key_fails(self, cell):
        row = typer().convert(raw({"sku": cell}))
        assert not row.key
        assert "is not a key; give every row a text or a whole number" in str(row.errors[0])

    def test_a_row_that_lacks_the_column_fails(self):
        assert "sku: None is not a key" in str(typer().convert(raw({})).errors[0])

    @pytest.mark.parametrize(
        ("cell", "message"),
        [
            ("A\tB", r"has a control character; remove U\+0009 at position 2"),
            ("A" * 513, "has more than 512 characters; it has 513"),
        ],
    )
    def test_a_key_that_no_server_keeps_fails(self, cell, message):
        (error,) = typer().convert(raw({"sku": cell})).errors
        assert message.replace("\\", "") in str(error)

    def test_the_longest_key_is_valid(self):
        assert typer().convert(raw({"sku": "A" * 512})).errors == []

    def test_the_limits_of_the_key_field_apply(self):
        key_field = make_field("sku", max_length=3)
        row = typer(key_field, make_field("name")).convert(raw({"sku": "ABCD", "name": "x"}))
        assert "sku: 'ABCD' has more than 3 characters" in str(row.errors[0])
        assert row.values == {"name": "x"}  # the key is no value

    def test_the_key_field_is_recognized_after_a_target_has_completed_its_declaration(self):
        row = typer(make_field("sku", "reference", {"by": "id"})).convert(raw({"sku": "A"}))
        assert (row.key, row.values) == ("A", {})

    def test_an_unusable_key_is_not_replaced_by_the_text_that_shows_it(self):
        row = typer().convert(
            raw({"sku": "nan"}, {"price": "inf is no value", "sku": "nan is no value; leave it empty"})
        )
        assert not row.key
        assert len(row.errors) == 1


class TestUnits:
    NUMBER = make_field("price", "number")
    UNIT = Field("priceUnit", "option", FieldSpec("price", kind="unit", value="EUR"))

    def test_a_number_has_its_unit(self):
        row = typer(self.NUMBER, self.UNIT).convert(raw({"sku": "A", "price": 5}))
        assert row.values == {"price": 5, "priceUnit": "EUR"}

    @pytest.mark.parametrize("cells", [{}, {"price": None}])
    def test_the_unit_of_a_number_that_keeps_its_value_stays(self, cells):
        assert typer(self.NUMBER, self.UNIT).convert(raw({"sku": "A", **cells})).values == {}

    def test_a_number_without_unit_may_follow_another_field(self):
        assert typer(make_field("name"), self.NUMBER).convert(raw({"sku": "A", "price": 5})).values == {"price": 5}
