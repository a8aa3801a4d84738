"""Attributes, lists of options, and before 2.0 the attribute values of products."""

from __future__ import annotations

from self_hosted.sandbox.atrocore.definitions.common import CREATION, PEOPLE_LINKS, code_field, name_field
from self_hosted.sandbox.atrocore.definitions.definition import Definition
from self_hosted.sandbox.atrocore.fields import make_field
from self_hosted.sandbox.atrocore.versions import V2, V2_3

ATTRIBUTE = Definition(
    (
        name_field(),
        code_field(),
        make_field("type", "varchar", until=V2_3, default="text"),
        make_field("type", "varchar", since=V2_3, required=True),
        make_field("systemName", "varchar", since=V2_3, required=True),
        make_field("attributePanel", "link", since=V2_3, required=True),
        make_field("entity", "link", since=V2_3, required=True),
        make_field("attributeGroup", "link"),
        make_field("isMultilang", "bool", default=False),
        make_field("isRequired", "bool", since=V2, default=False),
        make_field("isReadOnly", "bool", since=V2, default=False),
        make_field("isProtected", "bool", since=V2, default=False),
        make_field("options", "array", since=V2_3),
        make_field("measure", "link"),
        make_field("extensibleEnum", "link", until=V2_3),
        make_field("description", "text"),
        *CREATION,
    ),
    {
        **PEOPLE_LINKS,
        "measure": {"type": "belongsTo", "entity": "Measure"},
        "extensibleEnum": {"type": "belongsTo", "entity": "ExtensibleEnum"},
    },
)
EXTENSIBLE_ENUM = Definition(
    (name_field(), code_field(), *CREATION),
    {
        **PEOPLE_LINKS,
        "extensibleEnumOptions": {
            "type": "hasMany",
            "relationName": "extensibleEnumExtensibleEnumOption",
            "foreign": "extensibleEnums",
            "entity": "ExtensibleEnumOption",
        },
    },
    until=V2_3,
)
EXTENSIBLE_ENUM_OPTION = Definition(
    (
        name_field(),
        make_field("code", "varchar", trim=True),
        make_field("extensibleEnum", "link"),
        make_field("extensibleEnums", "linkMultiple"),
        make_field("sortOrder", "int"),
        *CREATION,
    ),
    {
        **PEOPLE_LINKS,
        "extensibleEnum": {"type": "belongsTo", "entity": "ExtensibleEnum"},
        "extensibleEnums": {
            "type": "hasMany",
            "relationName": "extensibleEnumExtensibleEnumOption",
            "foreign": "extensibleEnumOptions",
            "entity": "ExtensibleEnum",
        },
    },
    until=V2_3,
)
PRODUCT_ATTRIBUTE_VALUE = Definition(
    (
        make_field("product", "link", required=True),
        make_field("attribute", "link", required=True),
        make_field("language", "varchar", default="main"),
        make_field("channel", "link"),
        make_field("value", "text"),
        make_field("valueUnit", "link"),
        make_field("isRequired", "bool", default=False),
        make_field("isVariantSpecificAttribute", "bool", default=False),
        make_field("sortOrder", "int"),
        *CREATION,
    ),
    {
        **PEOPLE_LINKS,
        "product": {"type": "belongsTo", "foreign": "productAttributeValues", "entity": "Product"},
        "attribute": {"type": "belongsTo", "entity": "Attribute"},
        "channel": {"type": "belongsTo", "entity": "Channel"},
        "valueUnit": {"type": "belongsTo", "entity": "Unit"},
    },
    until=V2,
)
