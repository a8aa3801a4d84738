"""Parts of Lucene queries.

https://www.elastic.co/guide/en/elasticsearch/reference/current/query-dsl-query-string-query.html
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime


def quote(text: str) -> str:
    r"""Return any text as one phrase of a query.

    >>> print(quote('a "b"'))
    "a \"b\""

    :param text: any
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def quote_any(values: Sequence[str]) -> str:
    """Return the part of a query that matches any of several values.

    >>> print(quote_any(["a", "b"]))
    ("a" OR "b")

    :param values: one or more
    """
    return f"({' OR '.join(map(quote, values))})"


def since(field: str, start: datetime) -> str:
    """Return the query for a time or later.

    :param field: name of a date field
    :param start: a time with a time zone
    """
    return f"{field}:[{format_timestamp(start)} TO *]"


def format_timestamp(timestamp: datetime) -> str:
    """Return a timestamp in the server's format.

    >>> format_timestamp(datetime(2027, 1, 31, 12, tzinfo=UTC))
    '2027-01-31T12:00:00.000000Z'

    :param timestamp: a time with a time zone
    """
    return f"{timestamp.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
