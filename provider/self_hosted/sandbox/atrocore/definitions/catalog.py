"""The entities around products: brands, categories, channels, classifications, associations."""

from __future__ import annotations

from self_hosted.sandbox.atrocore.definitions.common import (
    CREATION,
    PEOPLE_LINKS,
    TEAMS_LINK,
    active_field,
    code_field,
    name_field,
    people_fields,
)
from self_hosted.sandbox.atrocore.definitions.definition import Definition, View
from self_hosted.sandbox.atrocore.fields import make_field
from self_hosted.sandbox.atrocore.versions import V2, V2_3

BRAND = Definition(
    (name_field(), code_field(), active_field(), *CREATION, *people_fields(required=True)),
    {**PEOPLE_LINKS, "products": {"type": "hasMany", "foreign": "brand", "entity": "Product"}},
)
CATEGORY = Definition(
    (
        name_field(),
        make_field("description", "text", isMultilang=True),
        make_field("code", "varchar", trim=True),
        active_field(),
        make_field("sortOrder", "int", default=None),
        *CREATION,
        *people_fields(until=None),
        make_field("mainImage", "file", notStorable=True, readOnly=True),
        make_field("parent", "link", notStorable=True),
        make_field("parents", "linkMultiple"),
        make_field("teams", "linkMultiple"),
        make_field("files", "linkMultiple", until=V2),
        make_field("catalogs", "linkMultiple", until=V2),
        make_field("products", "linkMultiple", until=V2),
        make_field("channels", "linkMultiple", until=V2),
    ),
    {
        **PEOPLE_LINKS,
        "teams": TEAMS_LINK,
        "parent": {"type": "belongsTo", "entity": "Category"},
        "parents": {
            "type": "hasMany",
            "relationName": "categoryHierarchy",
            "foreign": "children",
            "entity": "Category",
        },
        "children": {
            "type": "hasMany",
            "relationName": "categoryHierarchy",
            "foreign": "parents",
            "entity": "Category",
        },
        "files": {"type": "hasMany", "relationName": "categoryFile", "entity": "File"},
        "products": {
            "type": "hasMany",
            "relationName": "productCategory",
            "foreign": "categories",
            "entity": "Product",
        },
        "catalogs": {"type": "hasMany", "relationName": "catalogCategory", "entity": "Catalog"},
        "channels": {"type": "hasMany", "relationName": "categoryChannel", "entity": "Channel"},
    },
    {"type": "Hierarchy", "entity": True},
)
CHANNEL = Definition(
    (
        name_field(),
        code_field(),
        make_field("type", "enum", until=V2, options=["general", "specific"], optionsIds=["general", "specific"]),
        active_field(),
        *CREATION,
        *people_fields(),
    ),
    {
        **PEOPLE_LINKS,
        "products": {
            "type": "hasMany",
            "relationName": "productChannel",
            "foreign": "channels",
            "entity": "Product",
        },
    },
)
CLASSIFICATION = Definition(
    (
        name_field(),
        make_field("code", "varchar", trim=True),
        make_field("release", "varchar", until=V2, trim=True),
        make_field("type", "varchar", since=V2_3, required=True),
        make_field("entity", "link", since=V2_3),
        active_field(),
        *CREATION,
        *people_fields(),
    ),
    {
        **PEOPLE_LINKS,
        "products": {
            "type": "hasMany",
            "relationName": "productClassification",
            "foreign": "classifications",
            "entity": "Product",
        },
    },
)
ASSOCIATION = Definition(
    (
        name_field(),
        code_field(),
        make_field("entity", "link", since=V2_3),
        active_field(),
        *CREATION,
        *people_fields(),
        make_field("ownerUser", "link", since=V2_3, required=True),
    ),
    PEOPLE_LINKS,
)
ASSOCIATED_PRODUCT = Definition(
    (
        make_field("mainProduct", "link", required=True, until=V2),
        make_field("relatedProduct", "link", required=True, until=V2),
        make_field("associatingItem", "link", required=True, since=V2),
        make_field("associatedItem", "link", since=V2),
        make_field("association", "link", required=True),
        make_field("sortOrder", "int"),
        *CREATION,
    ),
    {
        **PEOPLE_LINKS,
        "mainProduct": {"type": "belongsTo", "foreign": "associatedMainProducts", "entity": "Product"},
        "relatedProduct": {"type": "belongsTo", "entity": "Product"},
        "associatingItem": {"type": "belongsTo", "entity": "Product"},
        "associatedItem": {"type": "belongsTo", "entity": "Product"},
        "association": {"type": "belongsTo", "entity": "Association"},
    },
    unique=[("mainProductId", "relatedProductId", "associationId")],
    views=(View(created=("modifiedByName",)),),
)
