"""The decimal mark of a column is decided over all its rows, or the sync is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from self_hosted.core.sync.decimal_marks import decide_marks
from self_hosted.core.sync.workspace import Workspace
from tests.core.sync.typing_cases import KEY, make_field, make_schema, snap

PRICE, WEIGHT = make_field("price", "number"), make_field("weight", "integer")


def decide(rows, *fields):
    with Workspace() as workspace:
        snapshot = snap(workspace, [{"sku": str(number), **row} for number, row in enumerate(rows)])
        schema = decide_marks(snapshot, make_schema(*fields), KEY)
        return {name: field.spec.decimal for name, field in schema.fields.items()}


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["1.234", "4,5"], ","),
        (["1,234", "4.5"], "."),
        (["1.234", "1.234.567"], ","),
        (["1,234", "0.123"], "."),
        (["1.234", "0,123"], ","),
        (["1.234", "1234.567"], "."),
        (["1.234", "1.234,50"], ","),
        (["5", "7", None, "x,y", "1'234"], "."),
        (["9" * 400 + ",5", "1.234", "1,5"], ","),
        ([5, 4.5, True], "."),
    ],
)
def test_one_row_decides_for_the_column(texts, mark):
    assert decide([{"price": text} for text in texts], PRICE) == {"price": mark}


def test_both_marks_are_refused_with_their_rows():
    message = (
        r"decimal: price '4\.5' \(row 3\) and price '4,5' \(row 2\) have different decimal marks; correct them, or give"
    )
    with pytest.raises(ValueError, match=message):
        decide([{"price": "1.234"}, {"price": "4,5"}, {"price": "4.5"}, {"price": "7.5"}], PRICE)


def test_an_undecidable_column_is_refused():
    with pytest.raises(ValueError, match=r"decimal: price '1\.234' \(row 2\) is ambiguous; give decimal: '\.' or ','"):
        decide([{"price": "7"}, {"price": "1.234"}, {"price": "2.345"}], PRICE)


@pytest.mark.parametrize(("weight", "mark"), [("4,5", ","), ("4.5", ".")])
def test_an_undecidable_column_follows_the_others(weight, mark):
    rows = [{"price": "1.234", "weight": weight}]
    assert decide(rows, PRICE, WEIGHT) == {"price": mark, "weight": mark}


def test_an_undecidable_column_is_refused_if_the_others_differ():
    rows = [{"price": "1.234", "weight": "4,5", "length": "4.5"}]
    with pytest.raises(ValueError, match="is ambiguous"):
        decide(rows, PRICE, WEIGHT, make_field("length", "number"))


def test_a_given_mark_is_kept_and_guides_the_others():
    given = make_field("weight", "number", {"decimal": ","})
    assert decide([{"price": "1.234", "weight": "1"}], PRICE, given) == {"price": ",", "weight": ","}


def test_decimals_of_a_database_say_nothing_about_texts():
    assert decide([{"price": Decimal("1.234")}, {"price": "4,5"}], PRICE) == {"price": ","}


def test_fields_that_are_no_numbers_or_have_no_column_are_left_out():
    constant = make_field("weight", "number", {"column": None, "value": "1.234"})
    assert decide([{"price": "1.234"}], make_field("price"), constant) == {"price": "", "weight": ""}


def test_two_fields_of_one_column_have_the_same_mark():
    same = make_field("weight", "number", {"column": "price"})
    assert decide([{"price": "4,5"}], PRICE, same) == {"price": ",", "weight": ","}


def test_the_key_field_is_no_number():
    key = make_field("sku", "integer")
    with Workspace() as workspace:
        snapshot = snap(workspace, [{"sku": "1.234"}])
        assert decide_marks(snapshot, make_schema(key), KEY).fields == {"sku": key}
