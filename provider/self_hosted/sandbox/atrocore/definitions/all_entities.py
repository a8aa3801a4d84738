"""All entities of all core versions, by name."""

from __future__ import annotations

from self_hosted.sandbox.atrocore.definitions.attributes import (
    ATTRIBUTE,
    EXTENSIBLE_ENUM,
    EXTENSIBLE_ENUM_OPTION,
    PRODUCT_ATTRIBUTE_VALUE,
)
from self_hosted.sandbox.atrocore.definitions.automation import ACTION, SCHEDULED_JOB
from self_hosted.sandbox.atrocore.definitions.catalog import (
    ASSOCIATED_PRODUCT,
    ASSOCIATION,
    BRAND,
    CATEGORY,
    CHANNEL,
    CLASSIFICATION,
)
from self_hosted.sandbox.atrocore.definitions.definition import Definition
from self_hosted.sandbox.atrocore.definitions.feeds import (
    EXPORT_CONFIGURATOR_ITEM,
    EXPORT_FEED,
    EXPORT_JOB,
    IMPORT_CONFIGURATOR_ITEM,
    IMPORT_FEED,
    IMPORT_JOB,
    IMPORT_JOB_LOG,
)
from self_hosted.sandbox.atrocore.definitions.files import FILE, FOLDER, PRODUCT_FILE, SHARING
from self_hosted.sandbox.atrocore.definitions.product import PRODUCT
from self_hosted.sandbox.atrocore.definitions.queue import JOB, QUEUE_ITEM
from self_hosted.sandbox.atrocore.definitions.units import LOCALE, MEASURE, UNIT
from self_hosted.sandbox.atrocore.definitions.users import ROLE, TEAM, USER

DEFINITIONS: dict[str, Definition] = {
    "Product": PRODUCT,
    "Brand": BRAND,
    "Category": CATEGORY,
    "Channel": CHANNEL,
    "Classification": CLASSIFICATION,
    "Association": ASSOCIATION,
    "AssociatedProduct": ASSOCIATED_PRODUCT,
    "Attribute": ATTRIBUTE,
    "ExtensibleEnum": EXTENSIBLE_ENUM,
    "ExtensibleEnumOption": EXTENSIBLE_ENUM_OPTION,
    "ProductAttributeValue": PRODUCT_ATTRIBUTE_VALUE,
    "File": FILE,
    "Folder": FOLDER,
    "Sharing": SHARING,
    "ProductFile": PRODUCT_FILE,
    "Measure": MEASURE,
    "Unit": UNIT,
    "Locale": LOCALE,
    "User": USER,
    "Role": ROLE,
    "Team": TEAM,
    "Job": JOB,
    "QueueItem": QUEUE_ITEM,
    "ImportJob": IMPORT_JOB,
    "ExportJob": EXPORT_JOB,
    "ImportJobLog": IMPORT_JOB_LOG,
    "ImportFeed": IMPORT_FEED,
    "ImportConfiguratorItem": IMPORT_CONFIGURATOR_ITEM,
    "ExportFeed": EXPORT_FEED,
    "ExportConfiguratorItem": EXPORT_CONFIGURATOR_ITEM,
    "ScheduledJob": SCHEDULED_JOB,
    "Action": ACTION,
}
