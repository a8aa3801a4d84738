"""The settings of signature sources, checked: the server drops unknown ones and converts values without a word."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from self_hosted.core.arguments import parse_bool, parse_choice, parse_int, parse_object, parse_object_list

NAME = re.compile(r"\w+", re.ASCII)
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+|[\w.-]+@[\w.-]+:\S+", re.ASCII)
FETCH_METHODS = ("GET", "POST", "GIT")


def check_name(argument: str, name: Any) -> None:
    """Check the name of a new source; the server removes all other characters from it.

    :param argument: name of the argument
    :param name: its value
    :raises ValueError: naming the argument
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"{argument} must consist of letters, digits and '_', not {name!r:.100}")


def parse(settings: Any) -> dict[str, Any]:
    """Return settings as they are sent.

    :param settings: see `sources.set_source`; texts of templates are converted
    :raises ValueError: naming the setting. No error shows a value: it may be a secret
    """
    if not isinstance(settings, Mapping):
        raise ValueError(f"settings must be a dictionary, not {type(settings).__name__}")
    unknown = sorted(map(str, set(settings) - set(_PARSERS)))
    if unknown:
        raise ValueError(f"settings: unknown {', '.join(unknown)}; valid are {', '.join(sorted(_PARSERS))}")
    return {name: _PARSERS[name](f"settings: {name}", value) for name, value in settings.items()}


def _parse_text(argument: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{argument} must be a text, not {type(value).__name__}")
    return value


def _parse_key(argument: str, value: Any) -> str:
    text = _parse_text(argument, value)
    return f"{text}\n" if text and not text.endswith("\n") else text  # as the server stores it


def _parse_uri(argument: str, value: Any) -> str:
    text = _parse_text(argument, value)
    if not URI.fullmatch(text):
        raise ValueError(f"{argument} must start like https://example.com or git@example.com:, without blanks")
    return text


def _parse_pattern(argument: str, value: Any) -> str:
    text = _parse_text(argument, value)
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{argument} must be a regular expression: {error}") from None
    return text


def _parse_headers(argument: str, value: Any) -> list[dict[str, Any]]:
    headers = parse_object_list(argument, value)
    for header in headers:
        if set(header) != {"name", "value"} or not all(isinstance(part, str) for part in header.values()):
            raise ValueError(f'{argument} must be a list of {{"name": ..., "value": ...}} with texts')
    return headers


def _parse_fetch_method(argument: str, value: Any) -> str:
    return parse_choice(argument, value, FETCH_METHODS)


_PARSERS: Mapping[str, Callable[[str, Any], Any]] = {
    "ca_cert": _parse_text,
    "configuration": parse_object,
    "data": _parse_text,
    "default_classification": _parse_text,
    "enabled": parse_bool,
    "fetch_method": _parse_fetch_method,
    "git_branch": _parse_text,
    "headers": _parse_headers,
    "ignore_cache": parse_bool,
    "override_classification": parse_bool,
    "password": _parse_text,
    "pattern": _parse_pattern,
    "private_key": _parse_key,
    "proxy": _parse_text,
    "ssl_ignore_errors": parse_bool,
    "sync": parse_bool,
    "update_interval": parse_int,
    "uri": _parse_uri,
    "use_managed_identity": parse_bool,
    "username": _parse_text,
}
