"""Canonical values: cells by the type of their field, and comparison with what a server returns."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from self_hosted.core.sync.conversions import BOOLEANS
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.target import Field, FieldType
from self_hosted.core.sync.values import InvalidCellError, canonical, convert

NO_VALUES: tuple[Any, ...] = (None, "", [], {})
COLOURS = {"red": "red", "Rot": "red", "blue": "blue", "Blau": "blue", "GREEN": "g1", "green": "g2"}


def field(type: FieldType, spec: dict[str, Any] | None = None, **options: Any) -> Field:
    return Field("field", type, FieldSpec("field", column="field", **(spec or {})), **options)


class TestConvert:
    @pytest.mark.parametrize(
        ("type", "cell", "value"),
        [
            ("text", "a", "a"),
            ("text", " ", " "),
            ("text", "a\nb\tc\r\n", "a\nb\tc\r\n"),
            ("text", 12345, "12345"),
            ("text", 12345.0, "12345"),
            ("text", 4.5, "4.5"),
            ("text", Decimal("12.50"), "12.50"),
            ("text", Decimal("12.00"), "12"),
            ("text", True, "true"),
            ("number", "1.234,50", 1234.5),
            ("number", 5.0, 5),
            ("number", Decimal("12.50"), 12.5),
            ("options", Decimal("5.0"), ["5"]),
            ("integer", "12.0", 12),
            ("integer", 12, 12),
            ("boolean", " Ja ", True),
            ("boolean", False, False),
            ("boolean", 1.0, True),
            ("boolean", 0, False),
            ("date", "2026-03-01", "2026-03-01"),
            ("moment", "2026-03-01 14:30", "2026-03-01T14:30:00Z"),
            ("option", "any", "any"),
            ("option", 5, "5"),
            ("options", "b|a | b||", ["a", "b"]),
            ("options", ["b", None, "a", ""], ["a", "b"]),
            ("options", '["b", "a"]', ["a", "b"]),
            ("options", "[a|b", ["[a", "b"]),
            ("options", 5, ["5"]),
            ("reference", " A ", " A "),
            ("references", "C-2|C-1", ["C-1", "C-2"]),
            ("references", 12345.0, ["12345"]),
            ("list", "b|a|b", ["b", "a", "b"]),
            ("list", [2.0, "a", {"b": [1.0]}], [2, "a", {"b": [1]}]),
            ("object", '{"b": 1.0, "a": [2.5]}', {"a": [2.5], "b": 1}),
            ("object", {"a": True}, {"a": True}),
            ("file", "s3://bucket/a.jpg", "s3://bucket/a.jpg"),
        ],
    )
    def test_a_cell_becomes_a_value_of_the_type(self, type, cell, value):
        converted = convert(field(type), cell)
        assert json.dumps(converted, sort_keys=True) == json.dumps(value, sort_keys=True)

    @pytest.mark.parametrize("type", ["text", "number", "boolean", "moment", "option", "references", "list", "object"])
    @pytest.mark.parametrize("cell", NO_VALUES)
    def test_an_empty_cell_is_no_value(self, type, cell):
        assert convert(field(type), cell) is None

    @pytest.mark.parametrize("type", ["number", "integer", "boolean", "date", "moment", "option", "options", "list"])
    def test_a_blank_cell_is_no_value_unless_the_field_is_a_text(self, type):
        assert convert(field(type), " \u00a0") is None

    @pytest.mark.parametrize("type", ["options", "references", "list"])
    def test_a_cell_with_separators_only_is_no_value(self, type):
        assert convert(field(type), " | ") is None

    @pytest.mark.parametrize(
        ("type", "cell", "message"),
        [
            ("number", "abc", "'abc' is not a number; write it like 1234.5 or 1234,5"),
            ("number", "1.234", "'1.234' is ambiguous; give decimal"),
            ("number", True, "True is not a number"),
            ("number", [1], r"\[1\] is not a number"),
            ("integer", "4.5", "'4.5' is not a whole number"),
            (
                "boolean",
                "x",
                "'x' is not a boolean; valid: true, 1, yes, on, ja, wahr, false, 0, no, off, nein, falsch",
            ),
            ("boolean", 2, "2 is not a boolean"),
            ("boolean", [True], "is not a boolean"),
            ("date", "01.03.2026", "is not a date; write it like 2026-03-01, or give date_format, such as %d.%m.%Y"),
            ("date", 46082, "46082 is not a date; give it as text, or format the column as date"),
            ("moment", 46082.5, "46082.5 is not a moment"),
            ("text", "a\0b", r"has a control character; remove U\+0000 at position 2"),
            ("text", "a\x80", r"remove U\+0080"),
            ("text", "a\ud800", r"remove U\+D800"),
            ("text", ["a"], r"is not a text; a list cannot be stored there"),
            ("text", {"a": 1}, r"is not a text; an object cannot be stored there"),
            ("text", float("nan"), "nan is not a finite number"),
            ("list", ["a\0"], "has a control character"),
            ("list", '["a", NaN]', "is not a finite number"),
            ("option", "a\0", "has a control character"),
            ("references", [["a"]], "is not a text"),
            ("object", '{"a": "\\ud800"}', "is not valid Unicode"),
            ("object", '{"\\udfff": 1}', "is not valid Unicode"),
            ("list", '[["\\ud800"]]', "is not valid Unicode"),
            ("object", "a", "is not an object; write it as JSON"),
            ("object", "[1]", "is not an object"),
            ("object", "{broken", "is not an object"),
        ],
    )
    def test_a_cell_that_does_not_fit_is_refused_with_field_and_value(self, type, cell, message):
        with pytest.raises(InvalidCellError, match=f"^field: .*{message}"):
            convert(field(type), cell)

    def test_the_error_holds_its_parts(self):
        with pytest.raises(InvalidCellError) as caught:
            convert(field("number"), "abc" * 100)
        error = caught.value
        assert (error.field, error.value) == ("field", "abc" * 100)
        assert error.message.startswith("is not a number")
        assert len(str(error)) < 150

    @given(st.text())
    def test_no_text_breaks_a_conversion(self, cell):
        for type in ("number", "integer", "boolean", "date", "moment", "options", "references", "list", "object"):
            with contextlib.suppress(InvalidCellError):
                json.dumps(convert(field(type), cell), allow_nan=False)

    @pytest.mark.parametrize(("levels", "message"), [(60, "is nested too deeply"), (100_000, "is not an object")])
    def test_json_that_is_nested_too_deeply_is_refused(self, levels, message):
        deep = "[" * levels + "]" * levels
        with pytest.raises(InvalidCellError, match=message):
            convert(field("object"), f'{{"a": {deep}}}')


class TestLimits:
    def test_a_text_that_is_too_long_is_refused(self):
        assert convert(field("text", max_length=3), "äöü") == "äöü"
        with pytest.raises(InvalidCellError, match="has more than 3 characters; it has 4"):
            convert(field("text", max_length=3), "äöüß")

    def test_a_text_must_match_the_pattern_as_a_whole(self):
        limited = field("text", pattern="[A-Z]{2}")
        assert convert(limited, "AB") == "AB"
        with pytest.raises(InvalidCellError, match="does not match the pattern"):
            convert(limited, "ABC")

    def test_a_pattern_in_another_dialect_is_left_to_the_server(self):
        assert convert(field("text", pattern=r"\p{L}(?<"), "abc") == "abc"

    @pytest.mark.parametrize(("cell", "message"), [("-1", "is less than 0, the minimum"), (11, "is more than 10")])
    def test_a_number_outside_the_limits_is_refused(self, cell, message):
        with pytest.raises(InvalidCellError, match=message):
            convert(field("number", minimum=0, maximum=10), cell)

    @pytest.mark.parametrize(
        "pattern", ["(a+)+$", "(a|a)*$", "(a{1,9}){9}$", "a*a*a*a*$", "(?:a?){30}a{30}$", "(" * 200]
    )
    def test_a_pattern_that_could_take_for_ever_is_left_to_the_server(self, pattern):
        assert convert(field("text", pattern=pattern), "a" * 200 + "!") == "a" * 200 + "!"

    def test_the_pattern_of_a_long_text_is_left_to_the_server(self):
        assert convert(field("text", pattern="a*b*"), "x" * 100_000) == "x" * 100_000

    def test_a_limit_is_shown_with_all_its_digits(self):
        with pytest.raises(InvalidCellError, match="is more than 2147483647, the maximum"):
            convert(field("integer", maximum=2147483647), 3_000_000_000)

    @pytest.mark.parametrize("cell", [0, 10, "5"])
    def test_the_limits_are_valid(self, cell):
        assert convert(field("number", minimum=0, maximum=10), cell) == int(cell)


class TestOptions:
    @pytest.mark.parametrize(
        ("cell", "value"),
        [("red", "red"), ("Rot", "red"), ("ROT", "red"), (" blau ", "blue"), ("green", "g2"), ("GREEN", "g1")],
    )
    def test_an_option_is_found_by_code_or_label(self, cell, value):
        assert convert(field("option", options=COLOURS), cell) == value

    def test_several_options_are_sorted_codes(self):
        assert convert(field("options", options=COLOURS), "Rot|blue|RED") == ["blue", "red"]

    def test_a_spelling_that_fits_several_options_is_refused(self):
        with pytest.raises(InvalidCellError, match="is ambiguous; write it exactly as one of 'g1', 'g2'"):
            convert(field("option", options=COLOURS), "Green")

    def test_an_unknown_option_is_refused_with_similar_ones(self):
        with pytest.raises(InvalidCellError, match="'Rott' is not an option; similar: 'Rot'"):
            convert(field("option", options=COLOURS), "Rott")

    def test_an_unknown_option_is_refused_with_the_valid_ones(self):
        with pytest.raises(InvalidCellError, match=r"valid: 'red', 'Rot', 'blue', 'Blau', 'GREEN', 'green'$"):
            convert(field("option", options=COLOURS), "xyz123")

    def test_only_the_first_of_many_options_are_shown(self):
        many = {f"{number:03}": str(number) for number in range(50)}
        with pytest.raises(InvalidCellError, match=r"valid: '000', .*'009' and 40 more$"):
            convert(field("option", options=many), "xyz")


class TestStored:
    @pytest.mark.parametrize(
        ("type", "stored", "value"),
        [
            *((type, empty, None) for type in ("text", "number", "options") for empty in NO_VALUES),
            ("text", 5, "5"),
            ("number", "12.50", 12.5),
            ("number", "0", 0),
            ("number", 5.0, 5),
            ("integer", "9007199254740993", 9007199254740993),
            ("number", "12,5", "12,5"),
            ("number", True, True),
            ("boolean", "0", False),
            ("boolean", "1", True),
            ("boolean", 0, False),
            ("boolean", "maybe", "maybe"),
            ("moment", "2026-03-01 01:00:00", "2026-03-01T01:00:00Z"),
            ("moment", "2026-03-01T01:00:00+02:00", "2026-02-28T23:00:00Z"),
            ("moment", "0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00+05:00"),
            ("moment", "0000-00-00 00:00:00", "0000-00-00 00:00:00"),
            ("date", "2026-03-01 00:00:00", "2026-03-01"),
            ("option", 5, "5"),
            ("options", ["b", "a", "b"], ["a", "b"]),
            ("options", '["b", "a"]', ["a", "b"]),
            ("options", "b", ["b"]),
            ("options", "[]", None),
            ("references", ["2", "1"], ["1", "2"]),
            ("reference", "id", "id"),
            ("list", '["b", 1.0]', ["b", 1]),
            ("list", ["b", "a"], ["b", "a"]),
            ("object", '{"a": 1}', {"a": 1}),
            ("object", [1], [1]),
            ("file", "id", "id"),
        ],
    )
    def test_what_a_server_returns_gets_the_canonical_form(self, type, stored, value):
        assert json.dumps(canonical(field(type), stored)) == json.dumps(value)

    @given(st.integers(min_value=-(10**30), max_value=10**30))
    def test_whole_numbers_are_exact_as_text_and_as_json(self, number):
        assert canonical(field("integer"), str(number)) == canonical(field("integer"), number) == number


def test_every_text_of_a_boolean_is_read_in_any_case():
    for text, value in BOOLEANS.items():
        assert convert(field("boolean"), text.upper()) is value
