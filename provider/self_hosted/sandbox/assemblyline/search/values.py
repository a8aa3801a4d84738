"""Comparison of values by the type of their field, as Elasticsearch does it."""

from __future__ import annotations

import re
from typing import Any

from self_hosted.sandbox.assemblyline.dates import parse_date
from self_hosted.sandbox.assemblyline.search.fields import NUMBER_TYPES


class QueryError(Exception):
    """The query has a syntax error, or a value that does not have the type of its field."""


def convert_value(value: Any, field_type: str) -> Any:
    """Return a value of a document or of a query in a form that can be compared.

    :param value: the value
    :param field_type: type of the field
    :raises QueryError: if the value does not have the type
    """
    try:
        if field_type in NUMBER_TYPES:
            return float(value)
        if field_type == "date":
            return parse_date(str(value))
    except ValueError:
        raise QueryError from None
    return str(value).lower() if field_type == "boolean" else str(value)


def split_words(value: Any) -> list[str]:
    """Return the words of a text in lower case."""
    return re.findall(r"\w+", str(value).lower())


def list_searchable_texts(value: Any, field_type: str) -> list[str]:
    """Return the texts that wildcards and regular expressions are matched with: a text field also has its words."""
    return [str(value), *split_words(value)] if field_type == "text" else [str(value)]
