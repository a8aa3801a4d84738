"""Findings: what is wrong with rows, before anything is sent. Memory does not grow with their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from self_hosted.core.http.logs import get_logger, shorten
from self_hosted.core.sync.comparison import is_empty
from self_hosted.core.sync.field_spec import Kind
from self_hosted.core.sync.target import FieldType, Row, Schema
from self_hosted.core.sync.texts import show

log = get_logger(__name__)

Level = Literal["error", "warning"]
SAMPLES_PER_KIND = 5
MAX_KINDS = 500
OTHER = "other findings"
TYPES_OF_KINDS: Mapping[Kind, tuple[FieldType, ...]] = {
    "number": ("number", "integer"),
    "boolean": ("boolean",),
    "date": ("date", "moment"),
    "moment": ("date", "moment"),
    "relation": ("reference", "references"),
    "file": ("file", "reference", "references"),
}
"""The types of fields that a declaration may be for; any for other kinds."""


class Finding(NamedTuple):
    """A cell that does not fit its field, or a key that does not identify one row.

    :param row: number of the row, from 1
    :param key: of the row; "" if it has none
    :param field: name of the field
    :param value: the cell
    :param message: what is wrong; after a semicolon, what would be right
    :param level: an "error" fails the row, a "warning" does not
    """

    row: int
    key: str
    field: str
    value: Any
    message: str
    level: Level = "error"

    def describe(self) -> str:
        """Return the finding as one line."""
        place = f"row {self.row} ({shorten(self.key)})" if self.key else f"row {self.row}"
        return f"{place}: {self.field}: {show(self.value)} {self.message}"


class FindingKind(NamedTuple):
    """Findings that differ in row and value only.

    :param level: of each
    :param field: of each
    :param message: what is wrong
    """

    level: Level
    field: str
    message: str


class Findings:
    """Counts findings by their kind, and keeps the first of each."""

    def __init__(self) -> None:
        self.counts: Counter[FindingKind] = Counter()
        self.samples: dict[FindingKind, list[Finding]] = {}

    def add(self, finding: Finding) -> None:
        """Add a finding.

        :param finding: the finding
        """
        kind = FindingKind(finding.level, finding.field, finding.message.partition(";")[0])
        if kind not in self.counts and len(self.counts) >= MAX_KINDS:
            kind = FindingKind(finding.level, "", OTHER)
        self.counts[kind] += 1
        samples = self.samples.setdefault(kind, [])
        if len(samples) < SAMPLES_PER_KIND:
            samples.append(finding._replace(value=_cut(finding.value)))

    def count(self, level: Level) -> int:
        """Return the number of findings.

        :param level: of these
        """
        return sum(count for kind, count in self.counts.items() if kind.level == level)

    def describe(self) -> Iterator[str]:
        """Yield one line per kind, the most frequent first, with its first finding."""
        for kind, count in self.counts.most_common():
            first = self.samples[kind][0].describe()
            yield first if count == 1 else f"{count} x {kind.field or kind.message}: {first}"

    def log(self) -> None:
        """Log all kinds as one warning each."""
        for line in self.describe():
            log.warning("%s", line)


def _cut(value: Any) -> Any:
    """Return a value that is not too large to be kept."""
    return value if value is None or isinstance(value, bool | int | float | Decimal) else shorten(value)


def check_declarations(schema: Schema) -> None:
    """Check that no field is declared as a kind that its type does not have; the type decides how it is read.

    :param schema: the fields
    :raises ValueError: naming the fields
    """
    wrong = [
        f"{field.spec.field} is declared as {field.spec.kind}, but has the type {field.type}"
        for field in schema.fields.values()
        if field.type not in TYPES_OF_KINDS.get(field.spec.kind, (field.type,))
    ]
    if wrong:
        raise ValueError(f"fields: {'; '.join(wrong)}")


def missing_required(schema: Schema, row: Row) -> list[str]:
    """Return the required fields that a new record would lack.

    :param schema: the fields
    :param row: the values of the new record, with its key
    """
    needed = [name for name, field in schema.fields.items() if field.is_required]
    return [name for name in (*needed, *schema.required) if is_empty(row.get(name))]
