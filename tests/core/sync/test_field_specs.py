"""Declarations of fields: every form that a DAG author or a template may write."""

from __future__ import annotations

import json

import pytest

from self_hosted.core.sync.field_options import OPTIONS, PARSERS, FieldDefaults, parse_defaults
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.field_specs import columns_of, key_columns, parse_fields, parse_key_name, specs_for_columns
from self_hosted.core.sync.fields import Attribute, Boolean, Date, File, Moment, Number, Relation, Text

SKU = FieldSpec("sku", column="sku")


class TestForms:
    @pytest.mark.parametrize(
        "fields",
        [
            {"Name": "name", "internal": None, "other": ""},
            '{"Name": "name", "internal": null}',
            "{'Name': 'name'}",
            [{"field": "name", "column": "Name"}],
            {"Name": {"field": "name"}},
            {"Name": {"field": "name", "column": "Name", "own": "", "value": "None"}},
        ],
    )
    def test_a_column_is_mapped_to_a_field(self, fields):
        assert parse_fields(fields, "sku") == [SKU, FieldSpec("name", column="Name")]

    @pytest.mark.parametrize("fields", [["name"], '["name"]', [Text("name")], json.dumps([Text("name")])])
    def test_the_column_is_the_name_of_the_field_by_default(self, fields):
        (_, name) = parse_fields(fields, "sku") or []
        assert (name.field, name.column) == ("name", "name")

    def test_every_kind_of_declaration_is_parsed(self):
        specs = parse_fields(
            [
                Text("name", locale="de_DE", own="on_create"),
                Number("price", decimal=",", unit_column="Currency", column="Preis", empty="clear"),
                Boolean("isActive", value=True),
                Date("since", format="%d.%m.%Y"),
                Moment("at", time_zone="Europe/Berlin", format="%d.%m.%Y %H:%M"),
                Relation("categories", by="name", mode="add", missing="create", separator=" "),
                Attribute("colour", unit="mm", locale="de_DE"),
                File("mainImage"),
                {"field": "status", "separator": ","},
            ],
            "sku",
        )
        assert specs == [
            SKU,
            FieldSpec("name", "text", "name", locale="de_DE", own="on_create"),
            FieldSpec("price", "number", "Preis", decimal=",", empty="clear"),
            FieldSpec("price", "unit", "Currency", empty="clear"),
            FieldSpec("isActive", "boolean", value=True),
            FieldSpec("since", "date", "since", date_format="%d.%m.%Y"),
            FieldSpec("at", "moment", "at", date_format="%d.%m.%Y %H:%M", time_zone="Europe/Berlin"),
            FieldSpec("categories", "relation", "categories", by="name", mode="add", missing="create", separator=" "),
            FieldSpec("colour", "attribute", "colour", locale="de_DE"),
            FieldSpec("colour", "unit", value="mm", locale="de_DE"),
            FieldSpec("mainImage", "file", "mainImage"),
            FieldSpec("status", column="status", separator=","),
        ]

    @pytest.mark.parametrize("fields", [None, "", "None"])
    def test_without_fields_the_columns_are_the_fields(self, fields):
        assert parse_fields(fields, "sku") is None
        assert specs_for_columns(["name", "sku"], "sku") == [SKU, FieldSpec("name", column="name")]

    def test_the_column_of_the_key_field_may_have_another_name(self):
        expected = [FieldSpec("sku", column="Artikel"), FieldSpec("name", column="name")]
        assert specs_for_columns(["name", "Artikel"], {"Artikel": "sku"}) == expected
        assert parse_fields(["name"], '{"Artikel": "sku"}') == expected
        assert parse_fields({"name": "name", "Artikel": "sku"}, "sku") == expected

    def test_the_key_field_comes_first_and_keeps_its_declaration(self):
        specs = parse_fields([Text("name"), Text("sku", column="Artikel")], "sku") or []
        assert specs[0] == FieldSpec("sku", "text", "Artikel")
        assert len(specs) == 2

    def test_a_translation_is_not_the_key_field(self):
        specs = parse_fields([Text("sku", locale="de_DE", column="de")], "sku") or []
        assert specs[0] == SKU
        assert len(specs) == 2

    def test_defaults_apply_unless_the_declaration_says_otherwise(self):
        defaults = FieldDefaults("if_empty", "clear", ",", "%d.%m.%Y")
        key, name, price, since = parse_fields(
            ["name", Number("price", decimal=".", own="always"), Date("since", format="%Y/%m/%d", empty="keep")],
            "sku",
            defaults,
        ) or [SKU]
        assert name == FieldSpec(
            "name", column="name", own="if_empty", empty="clear", decimal=",", date_format="%d.%m.%Y"
        )
        assert (price.decimal, price.own) == (".", "always")
        assert (since.date_format, since.empty) == ("%Y/%m/%d", "keep")
        assert key.own == "if_empty"

    def test_the_name_of_the_key_field(self):
        assert parse_key_name("sku") == parse_key_name({"Artikel": "sku"}) == "sku"

    def test_the_columns_that_the_source_must_have(self):
        specs = parse_fields([Number("price", unit="EUR"), Boolean("isActive", value=False), "sku"], "sku") or []
        assert columns_of(specs) == ["sku", "price"]
        assert key_columns("sku") == ["sku"]
        assert key_columns({"Artikel": "sku"}) == ["Artikel"]


class TestErrors:
    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            (5, "fields must be {'column': 'field'} or a list of declarations, not 5"),
            ("text", "fields must be"),
            ([5], "fields: 5 must be the name of a field or a declaration, such as Text"),
            ({"a": 5}, "fields: 5 must be"),
            ([{"type": "text"}], "fields: field must be the name of a field, not None"),
            ([" "], "fields: field must be the name of a field, not ' '"),
            ([{"field": "a", "type": "texts"}], "fields: a: type must be one of auto, text, number"),
            ([Text("a", local="de_DE")], "fields: a has the unknown option 'local'; valid: locale"),
            ([Boolean("a", xyz=1)], "'xyz'; valid: type, field, column, value, own, empty"),
            ([Text("a", decimal=",")], "fields: a has the unknown option 'decimal'"),
            ([Number("a", decimal=";")], r"fields: a: decimal must be one of \., ,, not ';'"),
            ([Text("a", own="never")], "fields: a: own must be one of always, on_create, if_empty"),
            ([Text("a", empty="null")], "fields: a: empty must be one of keep, clear"),
            ([Text("a", column=1.5)], "fields: a: column must be a text"),
            ([Date("a", format="dd.mm.yyyy")], "fields: a: format must name day, month and year"),
            ([Moment("a", time_zone="Berlin")], "fields: a: time_zone must be a time zone, such as 'Europe/Berlin'"),
            ([Relation("a", mode="union")], "fields: a: mode must be one of replace, add"),  # type: ignore[arg-type]
            ([Relation("a", missing="skip")], "fields: a: missing must be one of fail, create"),  # type: ignore[arg-type]
            ([Text("a", column="b", value="c")], "fields: a: give column or value, not both"),
            ([Number("a", unit="mm", unit_column="b")], "fields: a: give unit_column or unit, not both"),
            ({"b": {"field": "a", "column": "c"}}, "fields: b is declared with another column, 'c'"),
            (["a", "a"], "fields: more than one declaration writes into a"),
            ({"a": "name", "b": "name"}, "more than one declaration writes into name"),
            ([Text("a", locale="de_DE"), Text("a", locale="de_DE", column="b")], "more than one"),
            ([Text("sku", value="a")], "fields: sku is the key field; give it a column"),
        ],
    )
    def test_an_invalid_declaration_is_named(self, fields, message):
        with pytest.raises(ValueError, match=message):
            parse_fields(fields, "sku")

    def test_a_field_a_translation_and_an_attribute_of_one_name_are_different(self):
        specs = parse_fields(["a", Text("a", locale="de_DE"), Attribute("a"), Attribute("a", locale="de_DE")], "sku")
        assert len(specs or []) == 5

    @pytest.mark.parametrize("key", [None, "", " ", 5, {}, {"a": "b", "c": "d"}, ["sku"], {"a": 5}])
    def test_an_invalid_key_field_is_refused(self, key):
        with pytest.raises(ValueError, match="key_field must be"):
            parse_fields(None, key)

    def test_key_field_and_fields_must_agree(self):
        with pytest.raises(ValueError, match="key_field names the column 'A' for sku, but fields names 'B'"):
            parse_fields({"B": "sku"}, {"A": "sku"})

    def test_two_columns_for_the_key_field_are_refused(self):
        with pytest.raises(ValueError, match="more than one declaration writes into sku"):
            specs_for_columns(["Artikel", "sku"], {"Artikel": "sku"})


class TestDefaults:
    def test_arguments_of_the_operator(self):
        assert parse_defaults() == parse_defaults("", "None", "", "") == FieldDefaults()
        assert parse_defaults("on_create", "clear", ",", "%d.%m.%Y") == FieldDefaults(
            "on_create", "clear", ",", "%d.%m.%Y"
        )

    @pytest.mark.parametrize(
        ("argument", "value"), [("own", "x"), ("empty", "x"), ("decimal", "comma"), ("date_format", "dd.mm.yyyy")]
    )
    def test_an_invalid_one_is_named(self, argument, value):
        with pytest.raises(ValueError, match=f"^{argument} must"):
            parse_defaults(**{argument: value})


def test_every_option_has_a_parser():
    assert {name for names in OPTIONS.values() for name in names} <= set(PARSERS)
