"""Extra request headers of a connection, such as those that an access proxy before the server requires.

The whole field is a secret: Cloudflare Access, Google IAP, oauth2-proxy and others authenticate programs by a header.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from typing import Any

from self_hosted.core.connection.form import HEADERS_FIELD, ConnectionForm

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of RFC 9110
VALUE = re.compile(r"[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?")
SEVERAL = re.compile(r"[A-Za-z]-[A-Za-z-]{1,60}: ")  # in a value: a second header, whose line break a form has removed
RESERVED_NAMES = frozenset(
    {"accept-encoding", "connection", "content-length", "content-type", "expect", "host", "keep-alive"}
    | {"proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
EXAMPLE = 'a JSON object such as {"CF-Access-Client-Id": "...", "CF-Access-Client-Secret": "..."}'


def parse_headers(text: str | None, form: ConnectionForm) -> dict[str, str]:
    """Return the headers of the field. No error shows a value.

    :param text: a JSON object, or lines such as "Name: value"
    :param form: the form of the connection, with the headers that the product's sign-in uses
    :raises ValueError: if the text is neither, or a header is invalid, reserved, or given twice
    """
    headers: dict[str, str] = {}
    for name, value in _split(text.strip()) if text else ():
        _check(name, value, form)
        if name.lower() in map(str.lower, headers):
            raise ValueError(f"{HEADERS_FIELD} contains the header {name} twice")
        headers[name] = value
    return headers


def list_secrets(headers: dict[str, str]) -> list[str]:
    """Return the values, and their tokens without a word such as "Bearer" before them.

    :param headers: names and values
    """
    return list(dict.fromkeys(secret for value in headers.values() for secret in (value, value.rpartition(" ")[2])))


def _split(text: str) -> Iterable[tuple[str, str]]:
    return _split_json(text) if text.startswith(("{", "[", '"')) else _split_lines(text)


def _split_json(text: str) -> Iterable[tuple[str, str]]:
    try:
        pairs: Any = json.loads(text, object_pairs_hook=list)  # a dictionary would hide a name that is given twice
    except ValueError:
        pairs = None
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        raise ValueError(f"{HEADERS_FIELD} must be {EXAMPLE}")
    for name, value in pairs:
        if not isinstance(value, str):
            raise ValueError(f"{HEADERS_FIELD}: the value of {name!r} must be a text")
        yield name.strip(), value.strip()


def _split_lines(text: str) -> Iterable[tuple[str, str]]:
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, value = line.partition(":")
        if not colon or SEVERAL.search(value):
            raise ValueError(f"{HEADERS_FIELD} must be {EXAMPLE}, or one line per header: Name: value")
        yield name.strip(), value.strip()


def _check(name: str, value: str, form: ConnectionForm) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(f"{HEADERS_FIELD} has a header whose name is invalid; use letters, digits and dashes")
    if not VALUE.fullmatch(value):
        problem = "contains an invalid character, such as a line break" if value else "is empty"
        raise ValueError(f"{HEADERS_FIELD}: the value of {name} {problem}")
    if name.lower() in RESERVED_NAMES:
        raise ValueError(f"{HEADERS_FIELD} must not contain {name}: each request sets it itself")
    if _is_in(name, form.own_headers):
        raise ValueError(f"{HEADERS_FIELD} must not contain {name}: the sign-in to {form.hook_name} uses it")


def _is_in(name: str, names: Collection[str]) -> bool:
    return name.lower() in {other.lower() for other in names}
