"""Declarations of fields, parsed: `fields.Declaration` or JSON becomes a `FieldSpec`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from self_hosted.core.sync.fields import Empty, Own

Kind = Literal["auto", "text", "number", "boolean", "date", "moment", "relation", "attribute", "file", "unit"]


@dataclass(frozen=True)
class FieldSpec:
    """One declaration.

    :param field: the product's name of the field
    :param kind: "auto" if the target's type of the field decides; "unit" for the unit of a `fields.Number`, whose
        ``field`` is the number's field
    :param column: the column of the source; None if ``value`` is the value of every row
    :param value: see ``column``
    :param own: see `fields.Own`
    :param empty: see `fields.Empty`
    :param locale: the language of a multilingual field; "" = the main language
    :param decimal: the decimal mark; "" = decided from all values of the column
    :param date_format: of dates and moments; "" = ISO 8601
    :param time_zone: of moments without an offset
    :param by: the field that the values of a relation name
    :param mode: whether a relation's other records stay
    :param missing: what becomes of unknown records of a relation
    :param separator: between several values in one cell
    """

    field: str
    kind: Kind = "auto"
    column: str | None = None
    value: Any = None
    own: Own = "always"
    empty: Empty = "keep"
    locale: str = ""
    decimal: str = ""
    date_format: str = ""
    time_zone: str = "UTC"
    by: str = "code"
    mode: Literal["replace", "add"] = "replace"
    missing: Literal["fail", "create"] = "fail"
    separator: str = "|"
