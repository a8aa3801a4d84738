"""Declarations of fields: which column of the source goes into which field of the product, and how it is read.

A declaration is a dictionary, so that Airflow renders templates in it and JSON files can hold it: ``Number("price",
decimal=",")`` is ``{"type": "number", "field": "price", "decimal": ","}``. A plain ``{"column": "field"}`` is enough
where the target's own types say everything.
"""

from __future__ import annotations

from typing import Any, Literal

Own = Literal["always", "on_create", "if_empty"]
"""When a field is written: always, only in new records, or only where the stored field is empty."""

Empty = Literal["keep", "clear"]
"""What an empty cell means: the field keeps its value, or it is emptied."""


class Declaration(dict[str, Any]):
    """The base of all declarations.

    :param field: the product's name of the field
    :param column: the column of the source; default: the name of the field
    :param value: the value of every row, in place of a column
    :param own: see `Own`; default: the argument of the operator
    :param empty: see `Empty`; default: the argument of the operator
    :param options: further options of the kind of field
    """

    type: str = "auto"

    def __init__(
        self,
        field: str,
        *,
        column: str | None = None,
        value: Any = None,
        own: str | None = None,
        empty: str | None = None,
        **options: Any,
    ) -> None:
        given = {"column": column, "value": value, "own": own, "empty": empty, **options}
        super().__init__(
            type=self.type, field=field, **{name: option for name, option in given.items() if option is not None}
        )


class Text(Declaration):
    """A text.

    :param locale: the language of a multilingual field, such as "de_DE"; default: the main language
    """

    type = "text"

    def __init__(self, field: str, *, locale: str | None = None, **options: Any) -> None:
        super().__init__(field, locale=locale, **options)


class Number(Declaration):
    """A number.

    :param decimal: the decimal mark, "." or ","; default: decided from all values of the column
    :param unit: the unit of all values, by its name, such as "EUR"
    :param unit_column: the column that holds each row's unit
    """

    type = "number"

    def __init__(
        self,
        field: str,
        *,
        decimal: str | None = None,
        unit: str | None = None,
        unit_column: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(field, decimal=decimal, unit=unit, unit_column=unit_column, **options)


class Boolean(Declaration):
    """A switch."""

    type = "boolean"


class Date(Declaration):
    """A date without a time.

    :param format: such as "%d.%m.%Y"; default: the argument ``date_format``, else ISO 8601
    """

    type = "date"

    def __init__(self, field: str, *, format: str | None = None, **options: Any) -> None:
        super().__init__(field, format=format, **options)


class Moment(Declaration):
    """A date with a time.

    :param time_zone: the zone of values without an offset, such as "Europe/Berlin"; default: UTC
    :param format: such as "%d.%m.%Y %H:%M"; default: the argument ``date_format``, else ISO 8601
    """

    type = "moment"

    def __init__(
        self,
        field: str,
        *,
        time_zone: str | None = None,
        format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(field, time_zone=time_zone, format=format, **options)


class Relation(Declaration):
    """One or more records of another entity.

    :param by: the field of the other entity that the values of the source name; default: "code"
    :param mode: "replace" (default): the record is related to exactly these; "add": others stay
    :param missing: "fail" (default): a row that names an unknown record fails; "create": the record is created
    :param separator: between several values in one cell; default: "|"
    """

    type = "relation"

    def __init__(
        self,
        field: str,
        *,
        by: str | None = None,
        mode: Literal["replace", "add"] | None = None,
        missing: Literal["fail", "create"] | None = None,
        separator: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(field, by=by, mode=mode, missing=missing, separator=separator, **options)


class Attribute(Declaration):
    """A value of an attribute, which the product's users define themselves.

    :param field: the attribute's code
    :param locale: the language of a multilingual attribute
    :param decimal: see `Number`
    :param unit: see `Number`
    :param unit_column: see `Number`
    :param separator: see `Relation`
    """

    type = "attribute"

    def __init__(
        self,
        field: str,
        *,
        locale: str | None = None,
        decimal: str | None = None,
        unit: str | None = None,
        unit_column: str | None = None,
        separator: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            field,
            locale=locale,
            decimal=decimal,
            unit=unit,
            unit_column=unit_column,
            separator=separator,
            **options,
        )


class File(Declaration):
    """A file: the column holds its path or URI."""

    type = "file"
