"""Strict decoding of JSON bodies, with the words of Rudder's decoder: it names the field and what it expected."""

from __future__ import annotations

import json
from typing import Any

from self_hosted.sandbox.rudder.calls import Call, Truncated


class DecodingError(Exception):
    """A body that does not have the expected form. Its text is that of Rudder's decoder."""


def decode_object(call: Call, json_fields: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the fields of a request without null ones: those of its JSON body, else its parameters.

    :param call: the request
    :param json_fields: fields that a form contains as JSON
    :raises DecodingError: if the body is no JSON object
    """
    if call.body is None:
        return {name: _parse(value) if name in json_fields else value for name, value in call.params.items()}
    if isinstance(call.body, Truncated):
        raise DecodingError("Unexpected end of input")
    if not isinstance(call.body, dict):
        raise DecodingError(f"(expected '{{' got '{json.dumps(call.body)[0]}')")
    return {name: value for name, value in call.body.items() if value is not None}


def decode_text(path: str, value: Any) -> str:
    """Return a text.

    :param path: path of the value in the body
    :param value: the value
    :raises DecodingError: for anything else
    """
    if not isinstance(value, str):
        raise DecodingError(f"{path}(expected string)")
    return value


def decode_bool(path: str, value: Any, *, is_form: bool) -> bool:
    """Return a boolean; a form contains it as text.

    :param path: path of the value in the body
    :param value: the value
    :param is_form: whether it is from a form
    :raises DecodingError: for anything else
    """
    if is_form and value in {"true", "false"}:
        return bool(value == "true")
    if is_form or not isinstance(value, bool):
        raise DecodingError(f"{'' if is_form else path}(expected a Boolean)")
    return value


def decode_list(path: str, value: Any) -> list[Any]:
    """Return a list.

    :param path: path of the value in the body
    :param value: the value
    :raises DecodingError: for anything else
    """
    if not isinstance(value, list):
        raise DecodingError(f"{path}(expected '[' got '{json.dumps(value)[0]}')")
    return value


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise DecodingError(f"(expected '[' got '{text[:1]}')") from None
