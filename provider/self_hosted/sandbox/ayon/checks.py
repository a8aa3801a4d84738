"""What the API checks before anything else, answered by 400 with a list of what is wrong."""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.requests import Request

from self_hosted.sandbox.ayon import defaults
from self_hosted.sandbox.ayon.answers import malformed
from self_hosted.sandbox.ayon.studio import Record, Studio

KINDS: dict[str, tuple[type, str]] = {
    "name": (str, "str type expected"),
    "code": (str, "str type expected"),
    "label": (str, "str type expected"),
    "color": (str, "str type expected"),
    "library": (bool, "value could not be parsed to a boolean"),
    "anatomy": (dict, "value is not a valid dict"),
    "attrib": (dict, "value is not a valid dict"),
    "data": (dict, "value is not a valid dict"),
}
FORMS = {
    "color": re.compile(r"#([0-9a-fA-F]{3}){1,2}"),
    "code": re.compile(r"[a-zA-Z0-9_]*"),
    "label": re.compile(r"[^';]*"),
}


async def checked_body(request: Request, studio: Studio, required: tuple[str, ...] = ()) -> Record:
    """The body of a request about a project, its names in camelCase, unless something is wrong with it."""
    try:
        given = json.loads(await request.body())
    except ValueError:
        raise malformed(request, {"body": "Expecting value"}) from None
    body = {_camel(key): value for key, value in given.items()}
    problems = {field: "field required" for field in required if body.get(field) is None}
    problems |= {key: words for key, (kind, words) in KINDS.items() if not isinstance(body.get(key) or kind(), kind)}
    # a creation checks code and label only when it is too late for a good answer
    forms = {key: form for key, form in FORMS.items() if key == "color" or not required}
    for key, form in forms.items():
        if isinstance(body.get(key), str) and not form.fullmatch(body[key]):
            problems[key] = f'string does not match regex "^{form.pattern}$"'
    problems = problems or _wrong_parts(studio, body)
    if problems:
        raise malformed(request, problems)
    return body


def _wrong_parts(studio: Studio, body: Record) -> dict[str, str]:
    anatomy = body.get("anatomy") or {}
    return {
        **{f"anatomy.{key}": words for key, words in wrong_anatomy(anatomy).items()},
        **wrong_attributes(studio, anatomy.get("attributes", {}), "anatomy.attributes"),
        **wrong_attributes(studio, body.get("attrib") or {}, "attrib"),
    }


def wrong_anatomy(anatomy: Record) -> dict[str, str]:
    """Lists that are none, and entries without a name."""
    problems = {}
    for key in defaults.LISTS:
        entries = anatomy.get(key, [])
        if not isinstance(entries, list):
            problems[key] = "value is not a valid list"
        elif key != "link_types":
            nameless = (index for index, one in enumerate(entries) if "name" not in one)
            problems |= {f"{key}.{index}.name": "field required" for index in nameless}
    return problems


def wrong_attributes(studio: Studio, values: dict[str, Any], place: str) -> dict[str, str]:
    """Values of the wrong type; unknown attributes are ignored."""
    kinds = {one["name"]: one["data"]["type"] for one in studio.attributes_in_force}
    problems = {name: defaults.wrong_value(kinds[name], value) for name, value in values.items() if name in kinds}
    return {f"{place}.{name}": words for name, words in problems.items() if words}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))
