"""Parsed requests and results of handlers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from self_hosted.sandbox.rudder.errors import InvalidJsonError
from self_hosted.sandbox.rudder.state import Account

METHODS_WITH_BODY = {"PUT", "POST", "DELETE"}


class Truncated:
    """A JSON body that ends too early, or is empty."""


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of the API.

    :param path: path below ``/api/{version}``
    :param action: name of the endpoint in envelopes
    :param since: the first API version
    :param name: name of the endpoint in errors about a missing right, if it differs
    """

    method: str
    path: str
    action: str
    since: int = 0
    name: str = ""


@dataclass
class Call:
    """A request that passed authentication and authorization.

    :param version: API version
    :param path: path parameters
    :param params: query or form parameters, the only place where Rudder reads ``reason`` and the like
    :param body: JSON body; None if the request has none or another content type
    """

    account: Account
    version: int
    path: Mapping[str, Any]
    params: Mapping[str, str]
    body: Any


@dataclass
class Result:
    """A successful result.

    :param data: content of the envelope
    :param id: id for the envelope
    :param action: action for the envelope, instead of the endpoint's own
    """

    data: Any
    id: str | None = None
    action: str | None = None


Handler = Callable[[Call], Result]


async def read_parameters(request: Request) -> tuple[dict[str, str], Any]:
    """Return parameters and JSON body, selected by the content type.

    :raises InvalidJsonError: if a body with a JSON content type is not JSON, although it does not end too early
    """
    pairs = list(request.query_params.multi_items())
    body, content_type = None, request.headers.get("content-type", "")
    if request.method in METHODS_WITH_BODY:
        raw = await request.body()
        if "json" in content_type and (raw or request.method != "DELETE"):
            body = _parse_json(raw.decode("utf-8", "replace"))
        elif "x-www-form-urlencoded" in content_type:
            pairs += parse_qsl(raw.decode(), keep_blank_values=True)
    return dict(reversed(pairs)), body  # the first value of a name wins


def _parse_json(text: str) -> Any:
    """Return the first JSON value. Rudder ignores a second one behind it, but nothing else."""
    try:
        value, end = json.JSONDecoder().raw_decode(text.strip())
    except json.JSONDecodeError as error:
        is_truncated = error.pos >= len(text.strip()) or error.msg.startswith("Unterminated")
        if is_truncated:
            return Truncated()
        raise InvalidJsonError from None
    if text.strip()[end:].lstrip()[:1] not in {"", "{", "["}:
        raise InvalidJsonError
    return value
