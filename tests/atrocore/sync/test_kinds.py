"""Declarations that do not fit what they name, and what the server's definitions leave open."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.atrocore.api.metadata import Metadata
from self_hosted.atrocore.api.permissions import Permissions
from self_hosted.atrocore.sync import attribute_definitions, referenced_records
from self_hosted.atrocore.sync.declarations import bind_all
from self_hosted.atrocore.sync.schema import Entity
from self_hosted.core.sync.field_spec import FieldSpec
from tests.atrocore.conftest import reply, run_by_hand

TEXT = {"type": "varchar"}
ENTITIES = {
    "Attribute": {"fields": {"code": TEXT, "name": {**TEXT, "multilangLocale": "de_DE"}}},
    "ProductAttributeValue": {"fields": {"value": TEXT}},
    "Brand": {"fields": {"code": TEXT, "name": {**TEXT, "required": True}}},
    "Unit": {"fields": {"code": TEXT, "measure": {"type": "link", "required": True}}},
    "File": {"fields": {"name": TEXT}},
    "Malformed": {"fields": [], "links": 5},
    "Broken": "no object",
}
FIELDS: dict[str, dict[str, Any]] = {
    "sku": TEXT,
    "brand": {"type": "link"},
    "priceUnit": {"type": "link", "unitIdField": True},
    "image": {"type": "file"},
}
LINKS = {"brand": {"entity": "Brand"}, "priceUnit": {"entity": "Unit"}}


def bind(*declared, entity="Product", listed=(), entities=None):
    metadata = Metadata(entity, FIELDS, LINKS, entities=ENTITIES if entities is None else entities)
    flow = bind_all(Entity(metadata, Permissions(), "sku"), [FieldSpec("sku"), *declared])
    bindings = run_by_hand(flow, *([reply(200, {"list": list(listed)})] if listed else []))[1]
    return bindings, referenced_records.check_references(metadata, bindings)


def attribute(**values):
    return {"id": "a1", "code": "weight", "type": "float", **values}


WEIGHT = FieldSpec("weight", kind="attribute")


@pytest.mark.parametrize(
    ("declared", "options", "message"),
    [
        ([WEIGHT], {"entity": "Category"}, "only products have attributes on this server"),
        ([WEIGHT], {"entities": {}}, "the server has no attributes"),
        ([WEIGHT, FieldSpec("weight", kind="unit")], {"listed": [attribute()]}, "attribute weight has no unit"),
        ([FieldSpec("image", kind="file")], {"entities": {}}, "this server has no entity File"),
        ([FieldSpec("brand", missing="create", by="id")], {}, "missing='create' needs by, such as 'name', and not"),
        ([FieldSpec("priceUnit", missing="create")], {}, "cannot create records of Unit: they need measure"),
    ],
)
def test_declarations_that_cannot_work_are_rejected(declared, options, message):
    with pytest.raises(ValueError, match=message):
        bind(*declared, **options)


def test_new_referenced_records_need_their_required_texts():
    assert bind(FieldSpec("brand", missing="create"))[1] == {"Brand": ["name"]}


@pytest.mark.parametrize(
    ("values", "forbidden"),
    [
        ({"type": "link"}, "attributes of the type link cannot be written"),
        ({"type": ""}, "attributes of the type unknown cannot be written"),
        ({"isReadOnly": True}, "the attribute is read-only"),
        ({}, ""),
    ],
)
def test_values_that_cannot_be_written_are_forbidden(values, forbidden):
    bindings, _ = bind(WEIGHT, listed=[attribute(**values)])
    assert bindings[1].field.forbidden == forbidden


def test_attributes_of_other_entities_are_not_found():
    metadata = Metadata("Product", FIELDS, entities=ENTITIES)
    flow = attribute_definitions.find_attributes(metadata, ["weight"])
    other = reply(200, {"list": [attribute(entityId="Brand")]})
    with pytest.raises(ValueError, match="no attribute with the code 'weight'; similar codes are weight"):
        run_by_hand(flow, other, other)


def test_options_may_be_in_the_data_of_an_attribute():
    data = {"field": {"options": ["s", "m"]}}
    bindings, _ = bind(WEIGHT, listed=[attribute(type="enum", data=data)])
    assert bindings[1].field.options == {"s": "s", "m": "m"}
    assert bind(WEIGHT, listed=[attribute(type="extensibleEnum")])[0][1].field.options == {}


def test_malformed_definitions_of_other_entities_have_no_fields():
    metadata = Metadata("Product", entities=ENTITIES)
    assert [metadata.fields_of(name) for name in ("Malformed", "Broken", "Missing")] == [{}, {}, {}]
