"""Types, limits and options of declared fields, from the server's metadata."""

from __future__ import annotations

import re

import pytest

from self_hosted.atrocore.sync.target import AtrocoreTarget
from self_hosted.atrocore.sync.types import to_pattern
from self_hosted.core.sync.field_spec import FieldSpec
from tests.atrocore.conftest import reply, run_by_hand
from tests.atrocore.sync.samples import ADMIN, describe, metadata, specs


def field_of(declared, **options):
    _, schema = describe(declared, **options)
    return list(schema.fields.values())[-1]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("name", "text"),
        ("longDescription", "text"),
        ("price", "number"),  # the OpenAPI document before 2.3 calls it a string
        ("sortOrder", "integer"),
        ("isActive", "boolean"),
        ("productStatus", "option"),
        ("taskStatus", "options"),
        ("releasedAt", "moment"),
        ("madeOn", "date"),
        ("data", "object"),
        ("brand", "reference"),
        ("categories", "references"),
        ("colour", "reference"),
    ],
)
def test_types_come_from_the_metadata(name, expected):
    assert field_of(name).type == expected


def test_the_key_is_a_field_that_rows_need_not_repeat():
    _, schema = describe("name")
    assert list(schema.fields) == ["sku", "name"]
    assert not schema.fields["sku"].is_required


def test_a_required_field_that_is_the_key_is_not_required_of_rows():
    _, schema = describe(key="name")
    assert not schema.fields["name"].is_required
    assert schema.required == ("nameDeDe",)


def test_fields_are_described_with_two_requests():
    target = AtrocoreTarget("Product", "sku")
    requests, _ = run_by_hand(target.describe(specs()), reply(200, metadata()), reply(200, ADMIN))
    assert [request.path for request in requests] == ["/api/metadata", "/api/userSession"]


def test_limits_are_read():
    assert (field_of("quantity").minimum, field_of("quantity").maximum) == (0, None)
    assert (field_of("sortOrder").minimum, field_of("sortOrder").maximum) == (-(2**31), 2**31 - 1)
    assert (field_of("name").max_length, field_of("ean").max_length) == (255, 14)
    assert field_of("longDescription").max_length is None


def test_a_pattern_of_php_is_converted():
    pattern = str(field_of("ean").pattern)
    assert re.fullmatch(pattern, "4006381333931")
    assert not re.fullmatch(pattern, "12")


@pytest.mark.parametrize(
    ("pattern", "valid", "invalid"),
    [("/a[b-d]/i", "xAC", "x"), ("^a$", "a", "ab"), ("/^x.+/u", "xy", "x"), ("b", "abc", "ac")],
)
def test_patterns_are_searched_for(pattern, valid, invalid):
    converted = str(to_pattern(pattern))
    assert re.fullmatch(converted, valid)
    assert not re.fullmatch(converted, invalid)


@pytest.mark.parametrize("pattern", [None, "", 3, "/(?<name/", "/\\p{L}/u"])
def test_a_pattern_that_python_cannot_read_is_left_to_the_server(pattern):
    assert to_pattern(pattern) is None


def test_options_may_be_spelled_by_value_or_id():
    assert field_of("productStatus").options == {"draft": "draft", "ready": "ready", "ready_id": "ready"}
    assert field_of("tag").options == {}


def test_a_new_record_needs_the_fields_that_the_server_does_not_fill_in():
    _, schema = describe("price")
    assert schema.required == ("name", "nameDeDe")  # neither productStatus, which has a default, nor ownerUser
    assert describe("name", FieldSpec("name", locale="de_DE"))[1].required == ()
    assert field_of("name").is_required
    assert not field_of("productStatus").is_required


@pytest.mark.parametrize("name", ["brand", "brandId"])
def test_a_relation_has_the_name_of_its_ids(name):
    field = field_of(name)
    assert (field.name, field.collection) == ("brandId", "Brand")


def test_ids_are_references_by_id_and_relations_by_their_field():
    assert field_of("brandId").spec.by == "id"
    assert field_of("brand").spec.by == "code"
    assert field_of(FieldSpec("brandId", kind="relation", by="code")).spec.by == "code"


@pytest.mark.parametrize(
    ("name", "entity"),
    [("priceUnitId", "Unit"), ("parentId", "Product"), ("mainImageId", "File"), ("categoriesIds", "Category")],
)
def test_fields_that_the_openapi_document_lacks_can_be_written(name, entity):
    field = field_of(name)
    assert (field.name, field.forbidden, field.collection) == (name, "", entity)


def test_list_options_are_records():
    assert field_of("colour").collection == "ExtensibleEnumOption"


def test_a_parent_named_by_the_key_may_be_a_row_of_the_same_source():
    field = field_of(FieldSpec("parent", by="sku"))
    assert (field.is_parent, field.is_self_reference) == (True, True)
    field = field_of(FieldSpec("parent", by="mpn"))
    assert (field.is_parent, field.is_self_reference) == (True, False)


# names


def test_a_language_has_a_field_of_its_own():
    assert field_of(FieldSpec("name", locale="de_DE")).name == "nameDeDe"
    assert field_of(FieldSpec("name", locale="de-de")).name == "nameDeDe"


@pytest.mark.parametrize("locale", ["en_US", "fr_FR"])
def test_the_main_language_and_an_unknown_one_are_refused_with_the_valid_ones(locale):
    with pytest.raises(ValueError, match=rf"name: .*'{locale}'; further languages are de_DE\. Without a locale"):
        describe(FieldSpec("name", locale=locale))


def test_a_field_of_one_language_has_no_others():
    with pytest.raises(ValueError, match=r"mpn: .*further languages are none"):
        describe(FieldSpec("mpn", locale="de_DE"))


def test_an_unknown_field_with_a_language_is_named_as_unknown():
    with pytest.raises(ValueError, match="no field 'nmae'; similar fields are name"):
        describe(FieldSpec("nmae", locale="de_DE"))


def test_an_unknown_field_is_refused_with_similar_ones():
    with pytest.raises(ValueError, match="Product has no field 'pirce'; similar fields are price, "):
        describe("pirce")


def test_an_unknown_entity_is_refused_with_similar_ones():
    target = AtrocoreTarget("Prodcut", "sku")
    with pytest.raises(ValueError, match="the server has no 'Prodcut'; similar entities are Product, "):
        run_by_hand(target.describe(specs()), reply(200, metadata()))


def test_two_declarations_of_one_field_are_refused():
    with pytest.raises(ValueError, match="'brand' and 'brandId' are both brandId"):
        describe("brand", "brandId")


def test_a_column_named_id_never_replaces_the_id_of_a_record():
    with pytest.raises(ValueError, match="records keep their id; match by it with the key 'id'"):
        describe("id")


def test_records_can_be_matched_by_id():
    target, schema = describe("name", key="id")
    assert list(schema.fields) == ["id", "name"]
    assert target.new_ref("my-id") == "my-id"


def test_a_plain_field_is_no_relation():
    with pytest.raises(ValueError, match="mpn is no relation; its type is varchar"):
        describe(FieldSpec("mpn", kind="relation"))


def test_new_ids_stay_those_of_earlier_releases():
    target, _ = describe()
    assert target.new_ref("A") == "ee9c1c396945591f8058738a"  # other ids would create every record again
    assert target.new_ref("A", "Brand") != target.new_ref("A")
