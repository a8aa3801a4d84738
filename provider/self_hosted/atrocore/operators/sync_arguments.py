"""The arguments of `AtrocoreSyncProductsOperator`, parsed once after templating."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from self_hosted.atrocore.operators.row_source import FieldMapping
from self_hosted.core.arguments import (
    parse_bool,
    parse_int,
    parse_object,
    parse_object_list,
    parse_optional_text,
    parse_text,
)
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.storage import parse_optional_uri, parse_uri

if TYPE_CHECKING:
    from self_hosted.atrocore.api import failure_threshold, identifiers
else:
    failure_threshold = lazy_import("self_hosted.atrocore.api.failure_threshold")
    identifiers = lazy_import("self_hosted.atrocore.api.identifiers")

MAX_BATCH_SIZE = 1000
FILE_ENDINGS = (".csv", ".jsonl")

Rows = str | Iterable[Mapping[str, Any]]


class SyncArguments(NamedTuple):
    """See `AtrocoreSyncProductsOperator`.

    :param rows: the rows, or the path or URI of their file
    :param key_field: name of the field
    :param entity: name of the entity
    :param field_mapping: columns and their fields
    :param dry_run: whether nothing is sent
    :param batch_size: records per request
    :param max_failed_share: the share of rows that may fail, from 0 to 1
    :param report_uri: path or URI of the report
    """

    rows: Rows
    key_field: str
    entity: str
    field_mapping: FieldMapping
    dry_run: bool
    batch_size: int
    max_failed_share: float
    report_uri: str | None

    @classmethod
    def parse(cls, operator: Any) -> SyncArguments:
        """Return the arguments. The rows are checked when they are read.

        :param operator: its attributes are the arguments, after templating
        :raises ValueError: naming the argument
        """
        return cls(
            rows=_parse_rows(operator.rows),
            key_field=identifiers.check_field("key_field", parse_text("key_field", operator.key_field)),
            entity=identifiers.check_entity(parse_text("entity", operator.entity)),
            field_mapping=_parse_mapping(operator.field_mapping),
            dry_run=parse_bool("dry_run", operator.plan_only),
            batch_size=parse_int("batch_size", operator.batch_size, maximum=MAX_BATCH_SIZE),
            max_failed_share=failure_threshold.parse(operator.fail_on),
            report_uri=parse_optional_uri("report_uri", operator.report_uri),
        )


def _parse_rows(rows: Any) -> Rows:
    if isinstance(rows, str) and rows.lstrip().startswith("["):
        return parse_object_list("rows", rows)
    if isinstance(rows, str | os.PathLike) or hasattr(rows, "protocol"):  # as `ObjectStoragePath` has
        if not str(rows).lower().endswith(FILE_ENDINGS):
            raise ValueError(f"rows must be the path or URI of a .csv or .jsonl file, not {rows!r}")
        return parse_uri("rows", rows)
    if isinstance(rows, Mapping) or not isinstance(rows, Iterable):
        raise ValueError(f"rows must be dictionaries, or the path or URI of a file, not one {type(rows).__name__}")
    return rows


def _parse_mapping(value: Any) -> FieldMapping:
    given = parse_object("field_mapping", value)
    mapping = {str(column): parse_optional_text(f"field_mapping: {column}", given[column]) for column in given}
    fields = [field for field in mapping.values() if field is not None]
    repeated = sorted({field for field in fields if fields.count(field) > 1})
    if repeated:
        raise ValueError(f"field_mapping: more than one column is mapped to {', '.join(repeated)}")
    return mapping
