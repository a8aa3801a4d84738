"""The rejects file: the rows that were not carried out as planned, to be corrected and used as a source again.

CSV has no cells that a row does not have, and no types: for such sources use JSON Lines.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from self_hosted.core.http.logs import get_logger
from self_hosted.core.sync.numbers import COMMA, POINT
from self_hosted.core.sync.output_files import open_output
from self_hosted.core.sync.plan_file import Plan
from self_hosted.core.sync.report import Report
from self_hosted.core.sync.snapshot import Snapshot
from self_hosted.core.sync.target import Schema
from self_hosted.core.sync.texts import to_text
from self_hosted.core.tasks.storage import parse_optional_uri

log = get_logger(__name__)

ERROR_COLUMN = "_error"
ENDINGS = (".csv", ".jsonl")


def parse_rejects_uri(value: Any) -> str | None:
    """Return where the rejects file is written, or None if the argument is not set.

    :param value: path or URI that ends with .csv or .jsonl, or with one of them and .gz
    :raises ValueError: naming the argument
    """
    uri = parse_optional_uri("rejects_uri", value)
    if uri is not None and not uri.lower().removesuffix(".gz").endswith(ENDINGS):
        raise ValueError(f"rejects_uri must end with .csv or .jsonl, or one of them and .gz, not {uri!r}")
    return uri


def write_rejects(uri: str, report: Report, snapshot: Snapshot, schema: Schema) -> int:
    """Write the rejected rows with the reason in the column ``_error``, and return their number.

    :param uri: see `parse_rejects_uri`
    :param report: it knows the rejected rows
    :param snapshot: the rows
    :param schema: the fields, with the decimal marks that were decided
    """
    columns = [column for column in snapshot.columns if column != ERROR_COLUMN]  # that of a rejects file used again
    with_comma = {field.spec.column for field in schema.fields.values() if field.spec.decimal == COMMA}
    return _write(uri, columns, ((snapshot.row(row).cells, error) for row, error in report.rejects()), with_comma)


def write_rejected_changes(uri: str, report: Report, plan: Plan) -> int:
    """Write the rejected changes of a stored plan: keys and new values by field, and the reason; return their number.

    :param uri: see `parse_rejects_uri`
    :param report: it knows the rejected rows
    :param plan: the plan
    """
    key = plan.header.options["key"]
    columns = [key, *sorted({name for change in plan.changes() for name in change.new})]
    changes = ((change, error) for change in plan.changes() if (error := report.find_reject(change.row)) is not None)
    return _write(uri, columns, (({key: change.key, **change.new}, error) for change, error in changes))


def _write(
    uri: str,
    columns: Sequence[str],
    rows: Iterable[tuple[Mapping[str, Any], str]],
    with_comma: Collection[str | None] = (),
) -> int:
    """Write rows, and return their number.

    :param uri: see `parse_rejects_uri`
    :param columns: of the rows
    :param rows: the cells of each, and the reason
    :param with_comma: columns whose texts are read with a decimal comma, so that numbers are written with it
    """
    is_csv = uri.lower().removesuffix(".gz").endswith(".csv")
    number = 0
    with open_output(uri) as file:
        file.write(_to_csv([*columns, ERROR_COLUMN]) if is_csv else b"")
        for cells, error in rows:
            number += 1
            to_cell = _to_text if is_csv else _to_value
            row = {name: to_cell(cells[name], has_comma=name in with_comma) for name in columns if name in cells}
            row[ERROR_COLUMN] = error
            file.write(_to_csv([row.get(name, "") for name in [*columns, ERROR_COLUMN]]) if is_csv else _to_json(row))
    log.info("%d rejected rows written to %s", number, uri)
    return number


def _to_csv(cells: Sequence[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _to_json(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def _to_text(cell: Any, *, has_comma: bool) -> str:
    """Return the text that a source reads as the cell: of a whole number without ".0", so that a key stays the same."""
    if cell is None or isinstance(cell, str):
        return cell or ""
    if isinstance(cell, list | dict):
        return json.dumps(cell, ensure_ascii=False)
    return to_text(cell).replace(POINT, COMMA) if has_comma else to_text(cell)


def _to_value(cell: Any, *, has_comma: bool) -> Any:
    """Return the cell as JSON: a Decimal as a number; as text if a float would change it."""
    if not isinstance(cell, Decimal):
        return cell
    number = float(cell)
    return number if Decimal(repr(number)) == cell else _to_text(cell, has_comma=has_comma)
