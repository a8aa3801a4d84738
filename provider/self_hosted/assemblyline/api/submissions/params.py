"""The types of the server's ``params``: it converts others without a word, such as a text to a list of its letters."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from self_hosted.core.arguments import parse_bool, parse_int, parse_object, parse_str_list

MAX_PRIORITY = 1500


class Param(NamedTuple):
    """The type of a param.

    :param description: noun with its article
    :param types: the types of its values in Python
    :param parse: returns a value that a template rendered; takes the name of the argument and the value
    """

    description: str
    types: tuple[type, ...]
    parse: Callable[[str, Any], Any]


def check(argument: str, params: Any) -> None:
    """Check the types of params that are sent as they are. None is the server's default.

    :param argument: name of the argument
    :param params: by name; all names are known
    :raises ValueError: naming the param
    """
    for name, value in params.items():
        param = PARAMS[name]
        if value is not None and not _has_type(value, param.types):
            raise ValueError(f"{argument}: {name} must be {param.description}, not {value!r:.100}")
        if value is not None:
            param.parse(f"{argument}: {name}", value)


def parse(argument: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return params whose values may be texts of templates, in the types that the server expects.

    :param argument: name of the argument
    :param params: by name; unknown ones are returned unchanged
    :raises ValueError: naming the param
    """
    return {
        name: PARAMS[name].parse(f"{argument}: {name}", value) if name in PARAMS and value is not None else value
        for name, value in params.items()
    }


def _has_type(value: Any, types: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in types
    items = value if isinstance(value, list | tuple) else ()
    return isinstance(value, types) and all(isinstance(item, str) for item in items)


def _parse_text(argument: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{argument} must be a text, not {value!r:.100}")
    return value


def _parse_count(argument: str, value: Any) -> int:
    return parse_int(argument, value, minimum=0)


def _parse_priority(argument: str, value: Any) -> int:
    return parse_int(argument, value, maximum=MAX_PRIORITY)


def _parse_json_text(argument: str, value: Any) -> str:
    """Return the text of a JSON object; the server would store an object as Python writes it."""
    return json.dumps(parse_object(argument, value))


def _parse_services(argument: str, value: Any) -> dict[str, Any]:
    return {name: parse_str_list(f"{argument}.{name}", names) for name, names in parse_object(argument, value).items()}


def _parse_service_params(argument: str, value: Any) -> dict[str, Any]:
    return {name: parse_object(f"{argument}.{name}", params) for name, params in parse_object(argument, value).items()}


_BOOL = Param("true or false", (bool,), parse_bool)
_TEXT = Param("a text", (str,), _parse_text)
_LIST = Param("a list of texts", (list, tuple), parse_str_list)
_COUNT = Param("a number, 0 or more", (int,), _parse_count)

# ``psid`` is left out: it marks submissions that the server made from others
PARAMS: Mapping[str, Param] = {
    "auto_archive": _BOOL,
    "classification": _TEXT,
    "deep_scan": _BOOL,
    "default_external_sources": _LIST,
    "delete_after_archive": _BOOL,
    "description": _TEXT,
    "filetype_override": _TEXT,
    "generate_alert": _BOOL,
    "groups": _LIST,
    "ignore_cache": _BOOL,
    "ignore_filtering": _BOOL,
    "ignore_recursion_prevention": _BOOL,
    "ignore_size": _BOOL,
    "initial_data": Param("the text of a JSON object", (str,), _parse_json_text),
    "malicious": _BOOL,
    "max_extracted": _COUNT,
    "max_supplementary": _COUNT,
    "never_drop": _BOOL,
    "priority": Param(f"a number from 1 to {MAX_PRIORITY}", (int,), _parse_priority),
    "service_spec": Param("a dictionary of dictionaries", (dict,), _parse_service_params),
    "services": Param("a dictionary of lists", (dict,), _parse_services),
    "trace": _BOOL,
    "ttl": _COUNT,
    "type": _TEXT,
    "use_archive_alternate_dtl": _BOOL,
}
"""The params that the server knows, and the types of their values."""
