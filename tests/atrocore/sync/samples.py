"""Replies of real servers, cut to what the tests use, and targets that were described with them."""

from __future__ import annotations

from typing import Any

from self_hosted.atrocore.sync.target import AtrocoreTarget
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.target import Schema
from tests.atrocore.conftest import reply, run_by_hand

FIELDS: dict[str, Any] = {
    "id": {"type": "varchar", "emDisabled": True},
    "sku": {"type": "varchar", "trim": True, "massUpdateDisabled": True},
    "name": {"type": "varchar", "required": True, "isMultilang": True, "lingualFields": ["nameDeDe"]},
    "nameDeDe": {"type": "varchar", "required": True, "multilangField": "name", "multilangLocale": "de_DE"},
    "longDescription": {"type": "wysiwyg", "isMultilang": True, "lingualFields": ["longDescriptionDeDe"]},
    "longDescriptionDeDe": {"type": "wysiwyg", "multilangField": "longDescription", "multilangLocale": "de_DE"},
    "price": {"type": "float", "measureId": "currency", "labelField": "unitPrice"},
    "priceUnit": {"type": "link", "measureId": "currency", "unitIdField": True, "mainField": "price"},
    "unitPrice": {"type": "varchar", "notStorable": True, "mainField": "price"},
    "quantity": {"type": "float", "min": 0, "default": 0},
    "sortOrder": {"type": "int", "default": None},
    "isActive": {"notNull": True, "type": "bool", "default": False},
    "productStatus": {
        "type": "enum",
        "required": True,
        "options": ["draft", "ready"],
        "optionsIds": ["draft", "ready_id"],
        "default": "draft",
    },
    "status": {"type": "enum", "options": ["a", "b"], "isMultilang": True},
    "statusDeDe": {"type": "enum", "multilangField": "status", "multilangLocale": "de_DE", "notStorable": True},
    "taskStatus": {"type": "multiEnum", "options": ["mar", "tech"], "optionsIds": ["mar", "tech"]},
    "tag": {"type": "multiEnum", "optionColors": [], "default": []},
    "brand": {"type": "link"},
    "parent": {"type": "link", "notStorable": True, "entity": "Product"},
    "categories": {"type": "linkMultiple", "noLoad": True},
    "mainImage": {"type": "file", "notStorable": True, "readOnly": True},
    "ownerUser": {"type": "link", "required": True},
    "createdAt": {"type": "datetime", "readOnly": True},
    "releasedAt": {"type": "datetime"},
    "madeOn": {"type": "date"},
    "ean": {"type": "varchar", "pattern": r"/^(\d{8}|\d{12,14})$/", "maxLength": 14},
    "mpn": {"type": "varchar", "trim": True},
    "data": {"type": "jsonObject"},
    "colour": {"type": "extensibleEnum", "extensibleEnumId": "ee1"},
    "image": {"readOnly": True},
    "range": {"type": "rangeFloat"},
}
LINKS: dict[str, Any] = {
    "brand": {"type": "belongsTo", "foreign": "products", "entity": "Brand"},
    "priceUnit": {"type": "belongsTo", "entity": "Unit"},
    "categories": {"type": "hasMany", "relationName": "productCategory", "entity": "Category"},
    "ownerUser": {"type": "belongsTo", "entity": "User"},
}
ADMIN: dict[str, Any] = {"user": {"userName": "admin", "isAdmin": True}, "acl": {"table": {}, "fieldTable": {}}}


def metadata(**changes: Any) -> dict[str, Any]:
    """Return the response with the metadata; ``changes`` replace or add fields of products."""
    product = {"fields": {**FIELDS, **changes}, "links": LINKS}
    return {"entityDefs": {"Product": product, "Brand": {"fields": {"code": {"type": "varchar"}}, "links": []}}}


def specs(*declared: str | FieldSpec, key: str = "sku") -> list[FieldSpec]:
    """Return declarations: those of the names, behind that of the key."""
    return [FieldSpec(each) if isinstance(each, str) else each for each in (key, *declared)]


def describe(
    *declared: str | FieldSpec, key: str = "sku", session: Any = None, **options: Any
) -> tuple[AtrocoreTarget, Schema]:
    """Return a target of products and its schema."""
    target = AtrocoreTarget("Product", key, "https://pim.example.com", **options)
    replies = reply(200, metadata()), reply(200, session or ADMIN)
    _, schema = run_by_hand(target.describe(specs(*declared, key=key)), *replies)
    return target, schema
