"""The entity Product."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from self_hosted.sandbox.atrocore.definitions.common import (
    CREATION,
    PEOPLE_LINKS,
    TEAMS_LINK,
    name_field,
    people_fields,
)
from self_hosted.sandbox.atrocore.definitions.definition import Definition, View
from self_hosted.sandbox.atrocore.fields import make_field
from self_hosted.sandbox.atrocore.versions import NUMBER_SINCE, V2, V2_3

STATUSES: Mapping[str, Any] = {
    "options": ["draft", "prepared", "reviewed", "notReady", "ready"],
    "optionColors": ["00BFFF", "004DFF", "800080", "FF0000", "00FF00"],
    "default": "draft",
}
STATUS_IDS = {"prohibitedEmptyValue": True, "optionsIds": STATUSES["options"]}
TASKS = ["mar", "tech", "ass", "img", "cat", "ch", "pr"]
NUMBER = {"trim": True, "index": True, "massUpdateDisabled": True, "inheritanceDisabled": True}
NUMBER_REQUIRED_SINCE = (2, 2, 23)
EAN_PATTERN = r"^(\d{8}|\d{12,14})$"
HIDDEN = {"layoutDetailDisabled": True, "layoutListDisabled": True, "massUpdateDisabled": True, "importDisabled": True}
IMAGE = {
    "previewSize": "medium",
    "notStorable": True,
    "readOnly": True,
    "massUpdateDisabled": True,
    "filterDisabled": True,
    "emHidden": True,
}

FIELDS = (
    name_field(),
    make_field("sku", "varchar", until=NUMBER_SINCE, label="SKU", trim=True, massUpdateDisabled=True),
    make_field("number", "varchar", NUMBER, since=NUMBER_SINCE, until=NUMBER_REQUIRED_SINCE),
    make_field("number", "varchar", NUMBER, since=NUMBER_REQUIRED_SINCE, required=True),
    make_field("productStatus", "enum", {**STATUSES, **STATUS_IDS}, until=V2, required=True),
    make_field("status", "enum", STATUSES, since=V2, required=True),
    make_field("description", "text", since=V2, trim=True, isMultilang=True),
    make_field("longDescription", "wysiwyg", trim=True, isMultilang=True),
    make_field("sortOrder", "int", default=None, massUpdateDisabled=True, filterDisabled=True),
    make_field("price", "float", until=V2_3, measureId="currency", labelField="unitPrice"),
    make_field("price", "float", since=V2_3, measureId="currency", labelField="combinedPrice"),
    make_field("isActive", "bool", notNull=True, default=False),
    make_field("quantity", "float", min=0, default=0),
    make_field("customsNumber", "varchar", since=V2, trim=True),
    make_field("ean", "varchar", until=V2_3, trim=True, pattern=f"/{EAN_PATTERN}/"),
    make_field("ean", "varchar", since=V2_3, trim=True, index=True, pattern=EAN_PATTERN),
    make_field("mpn", "varchar", until=V2_3, trim=True),
    make_field("mpn", "varchar", since=V2_3, trim=True, index=True, inheritanceDisabled=True),
    make_field("note", "text", since=V2),
    make_field("rrp", "float", until=V2, min=0, default=0),
    make_field("rrp", "float", since=V2, min=0, default=0, measureId="currency", labelField="combinedRrp"),
    make_field("tag", "multiEnum", until=V2_3, optionColors=[], audited=True, default=[]),
    make_field("tag", "multiEnum", since=V2_3, optionColors=[], default=[]),
    make_field(
        "taskStatus",
        "multiEnum",
        until=V2,
        label="Task status",
        optionColors=[],
        options=TASKS,
        optionsIds=TASKS,
        default=[],
    ),
    make_field("data", "jsonObject", HIDDEN, until=V2_3),
    make_field("data", "jsonObject", HIDDEN, since=V2_3, exportDisabled=True),
    *CREATION,
    *people_fields(until=None),
    make_field("image", "link"),
    make_field("brand", "link", until=V2_3, view="pim:views/product/fields/brand"),
    make_field("brand", "link", since=V2_3),
    make_field("mainImage", "file", IMAGE, until=V2_3),
    make_field("mainImage", "file", IMAGE, since=V2_3, view="pim:views/fields/main-image"),
    make_field("tax", "link", until=V2),
    make_field("productSerie", "link", until=V2),
    make_field("catalog", "link", until=V2),
    make_field("productGroup", "link", since=V2),
    make_field("countryOfOrigin", "link", since=V2),
    make_field("defaultSupplier", "link", since=V2),
    make_field("parent", "link", notStorable=True),
    make_field("parents", "linkMultiple"),
    make_field("teams", "linkMultiple"),
    make_field("classifications", "linkMultiple"),
    make_field("contents", "linkMultiple", until=V2),
    make_field("followers", "linkMultiple", until=V2),
    make_field("categories", "linkMultiple", until=V2_3, layoutDetailDisabled=True, noLoad=True),
    make_field("categories", "linkMultiple", since=V2_3),
    make_field("channels", "linkMultiple", until=V2_3, noLoad=True),
    make_field("channels", "linkMultiple", since=V2_3),
    make_field("variantSpecificAttributes", "linkMultiple", since=V2_3),
)
LINKS: Mapping[str, Mapping[str, Any]] = {
    **PEOPLE_LINKS,
    "teams": TEAMS_LINK,
    "brand": {"type": "belongsTo", "foreign": "products", "entity": "Brand"},
    "image": {"type": "belongsTo", "entity": "File"},
    "mainImage": {"type": "belongsTo", "entity": "File"},
    "countryOfOrigin": {"type": "belongsTo", "entity": "Country"},
    "defaultSupplier": {"type": "belongsTo", "entity": "Account"},
    "parent": {"type": "belongsTo", "entity": "Product"},
    "parents": {"type": "hasMany", "relationName": "productHierarchy", "foreign": "children", "entity": "Product"},
    "children": {"type": "hasMany", "relationName": "productHierarchy", "foreign": "parents", "entity": "Product"},
    "categories": {
        "type": "hasMany",
        "relationName": "productCategory",
        "foreign": "products",
        "entity": "Category",
        "audited": False,
    },
    "channels": {"type": "hasMany", "relationName": "productChannel", "foreign": "products", "entity": "Channel"},
    "classifications": {
        "type": "hasMany",
        "relationName": "productClassification",
        "foreign": "products",
        "entity": "Classification",
    },
    "contents": {"type": "hasMany", "relationName": "productContent", "foreign": "products", "entity": "Content"},
    "followers": {"type": "hasMany", "relationName": "userFollowedRecord", "entity": "User"},
    "files": {"type": "hasMany", "relationName": "productFile", "foreign": "products", "entity": "File"},
    "associatedMainProducts": {"type": "hasMany", "foreign": "mainProduct", "entity": "AssociatedProduct"},
    "productAttributeValues": {"type": "hasMany", "foreign": "product", "entity": "ProductAttributeValue"},
    "variantSpecificAttributes": {"type": "hasMany", "entity": "Attribute", "relationName": "variantSpecificAttribute"},
}
NOT_INHERITED = {"isInheritAssignedUser": False, "isInheritOwnerUser": False, "isInheritTeams": False}
HIERARCHY = {"hasChildren": False}
OLD_HIERARCHY = {**HIERARCHY, "hierarchyRoute": []}
RELATION_VALUES = {
    "ProductFile__isMainImage": False,
    "ProductFile__channel": "",
    "ProductHierarchy__mainChild": False,
    "ProductChannel__isActive": False,
    "ProductCategory__mainCategory": False,
}
IMAGE_ATTRIBUTES = ("mainImageId", "mainImageName")
PARENTS = ("parentsIds", "parentsNames")
UNLOADED = (*PARENTS, "teamsIds", "teamsNames", "contentsIds", "contentsNames", "followersIds", "followersNames")
ROUTES: Mapping[str, Any] = {"routes": [], "routesNames": []}
NEW_HIERARCHY = {"isRoot": True, **HIERARCHY, "inheritedFields": [], **ROUTES}
LOADED = ("channels", "variantSpecificAttributes", "categories", "teams", "classifications", "parents")

PRODUCT = Definition(
    FIELDS,
    LINKS,
    {"type": "Hierarchy", "entity": True},
    views=(
        View(
            until=V2,
            created=(
                "modifiedByName",
                "assignedUserName",
                *PARENTS,
                *IMAGE_ATTRIBUTES,
                "mainImagePathsData",
                "parentId",
            ),
            created_constants={
                **NOT_INHERITED,
                "isRoot": False,
                **OLD_HIERARCHY,
                **RELATION_VALUES,
                "isFollowed": True,
            },
            read_constants={
                **NOT_INHERITED,
                "isRoot": True,
                **OLD_HIERARCHY,
                "inheritedFields": [],
                "isFollowed": True,
            },
            hidden=("parentName",),
            not_updated=(*UNLOADED, "isFollowed"),
            listed=("data", "createdById", *PARENTS, *IMAGE_ATTRIBUTES, "assignedUserId", "parentId"),
        ),
        View(
            since=V2,
            created=(
                "modifiedByName",
                *(f"{name}{suffix}" for name in LOADED for suffix in ("Ids", "Names")),
                *IMAGE_ATTRIBUTES,
                "mainImagePathsData",
                "parentId",
                "parentName",
                "priceUnitId",
                "rrpUnitId",
            ),
            created_constants={**NOT_INHERITED, **NEW_HIERARCHY},
            read_constants={**NOT_INHERITED, **NEW_HIERARCHY},
            listed=(
                *("sortOrder", "data", "routes", "routesNames", "isRoot", "hasChildren", "createdById"),
                *IMAGE_ATTRIBUTES,
                "assignedUserId",
                "parentId",
                "parentName",
            ),
        ),
    ),
)
