"""Files, their folders and public links, and the files of products."""

from __future__ import annotations

from self_hosted.sandbox.atrocore.definitions.common import CREATION, PEOPLE_LINKS
from self_hosted.sandbox.atrocore.definitions.definition import Definition, View
from self_hosted.sandbox.atrocore.fields import make_field
from self_hosted.sandbox.atrocore.versions import V2_3

FILE = Definition(
    (
        make_field("name", "varchar", required=True),
        make_field("description", "text"),
        make_field("hidden", "bool", until=V2_3, default=False),
        make_field("tags", "multiEnum"),
        *(make_field(name, "varchar", readOnly=True) for name in ("mimeType", "hash", "path", "thumbnailsPath")),
        make_field("fileSize", "int", readOnly=True),
        make_field("fileMtime", "datetime", readOnly=True),
        *(make_field(name, "float", since=V2_3, readOnly=True, measureId="length") for name in ("width", "height")),
        *(make_field(name, "varchar", since=V2_3, readOnly=True) for name in ("colorSpace", "scanId")),
        *CREATION,
        make_field("storage", "link"),
        make_field("folder", "link"),
        make_field("type", "link"),
        *(make_field(name, "link", since=V2_3) for name in ("importFeed", "importJob", "exportFeed", "exportJob")),
    ),
    {
        **PEOPLE_LINKS,
        "folder": {"type": "belongsTo", "entity": "Folder"},
        "type": {"type": "belongsTo", "entity": "FileType"},
        "products": {"type": "hasMany", "relationName": "productFile", "foreign": "files", "entity": "Product"},
    },
    views=(
        View(
            until=V2_3,
            created_constants={
                "hasOpen": False,
                "folderPath": [],
                "ProductFile__isMainImage": False,
                "ProductFile__channel": "",
                "CategoryFile__isMainImage": False,
            },
        ),
        View(
            since=V2_3,
            created=("modifiedByName", "widthUnitId", "heightUnitId"),
            created_constants={"hasOpen": False, "folderPath": [], "extensionCorrected": False},
        ),
    ),
)
FOLDER = Definition(
    (
        make_field("name", "varchar", required=True),
        make_field("code", "varchar", unique=True),
        make_field("storage", "link"),
        make_field("parents", "linkMultiple"),
        *CREATION,
    ),
    {
        **PEOPLE_LINKS,
        "parents": {"type": "hasMany", "relationName": "folderHierarchy", "foreign": "children", "entity": "Folder"},
        "children": {"type": "hasMany", "relationName": "folderHierarchy", "foreign": "parents", "entity": "Folder"},
    },
)
SHARING = Definition(
    (
        make_field("name", "varchar"),
        make_field("active", "bool", default=True),
        make_field("file", "link"),
        *CREATION,
    ),
    {**PEOPLE_LINKS, "file": {"type": "belongsTo", "entity": "File"}},
)
PRODUCT_FILE = Definition(
    (
        make_field("product", "link", required=True),
        make_field("file", "link", required=True),
        make_field("isMainImage", "bool", default=False),
        make_field("channel", "varchar", until=V2_3, default=""),
        make_field("sortOrder", "int"),
        *CREATION,
    ),
    {
        **PEOPLE_LINKS,
        "product": {"type": "belongsTo", "entity": "Product"},
        "file": {"type": "belongsTo", "entity": "File"},
    },
    unique=[("productId", "fileId")],
)
