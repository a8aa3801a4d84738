"""What a fresh server holds: attributes, the built-in anatomy, access groups. Small, but right in shape."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any

WORK = "project folder task"
MEDIA = "project folder version representation task"
EVERYWHERE = "project folder task product version representation workfile"

# name: type, scope, default
ATTRIBUTES: dict[str, tuple[str, str, Any]] = {
    "priority": ("string", WORK, "normal"),
    "fps": ("float", MEDIA, 25.0),
    "resolutionWidth": ("integer", MEDIA, 1920),
    "resolutionHeight": ("integer", MEDIA, 1080),
    "pixelAspect": ("float", MEDIA, 1.0),
    "clipIn": ("integer", MEDIA, 1),
    "clipOut": ("integer", MEDIA, 1),
    "frameStart": ("integer", MEDIA, 1001),
    "frameEnd": ("integer", MEDIA, 1001),
    "handleStart": ("integer", MEDIA, 0),
    "handleEnd": ("integer", MEDIA, 0),
    "fullName": ("string", "user", None),
    "email": ("string", "user", None),
    "avatarUrl": ("string", "user", None),
    "developerMode": ("boolean", "user", None),
    "productGroup": ("string", "product", None),
    "intent": ("string", "version", None),
    "machine": ("string", "version", None),
    "source": ("string", "version", None),
    "comment": ("string", "version", None),
    "site": ("string", "version", None),
    "families": ("list_of_strings", "version", None),
    "colorSpace": ("string", "version", None),
    "path": ("string", "representation", None),
    "template": ("string", "representation", None),
    "extension": ("string", "representation workfile", None),
    "startDate": ("datetime", WORK, None),
    "endDate": ("datetime", WORK, None),
    "description": ("string", EVERYWHERE, None),
    "entityListCategory": ("string", "list", None),
}

ACCESS_GROUPS = ["artist", "freelancer", "supervisor"]

TYPE = {"shortName": "", "color": "#cccccc"}
# what an entry of an anatomy's list is completed with
ENTRIES: dict[str, dict[str, Any]] = {
    "roots": {"windows": "C:/projects", "linux": "/mnt/share/projects", "darwin": "/Volumes/projects"},
    "folder_types": {**TYPE, "icon": "folder"},
    "task_types": {**TYPE, "icon": "task_alt"},
    "link_types": {"color": "#3f67de", "style": "solid"},
    "statuses": {**TYPE, "state": "in_progress", "icon": "task_alt", "scope": ["folder", "task", "version"]},
    "tags": {"color": "#cacaca"},
}
LISTS: dict[str, list[dict[str, Any]]] = {
    "roots": [{"name": "work"}],
    "folder_types": [{"name": "Folder"}, {"name": "Asset"}, {"name": "Sequence"}, {"name": "Shot"}],
    "task_types": [{"name": "Generic"}, {"name": "Modeling"}, {"name": "Animation"}, {"name": "Compositing"}],
    "link_types": [{"link_type": "reference", "input_type": "version", "output_type": "version"}],
    "statuses": [
        {"name": "Not ready", "shortName": "NRD", "state": "not_started"},
        {"name": "In progress", "shortName": "PRG"},
        {"name": "Approved", "shortName": "APP", "state": "done"},
    ],
    "tags": [{"name": "important", "color": "#ff2450"}],
}
OBJECTS: dict[str, dict[str, Any]] = {
    "entity_naming": {"capitalization": "lower", "separator": "_"},
    "templates": {"version_padding": 3, "frame_padding": 4, "work": [], "publish": []},
    "product_base_types": {"default": {"color": "#cccccc", "icon": "deployed_code"}, "definitions": []},
}


def anatomy(given: dict[str, Any]) -> dict[str, Any]:
    """An anatomy, completed with defaults: its parts, the entries of its lists, its attributes."""
    lists = {key: [_entry(key, one) for one in given.get(key, default)] for key, default in LISTS.items()}
    objects = {key: {**copy.deepcopy(default), **given.get(key, {})} for key, default in OBJECTS.items()}
    standard = {name: default for name, (_, scope, default) in ATTRIBUTES.items() if "project" in scope}
    return {**objects, **lists, "attributes": {**standard, **given.get("attributes", {})}}


def _entry(key: str, given: dict[str, Any]) -> dict[str, Any]:
    name = {"original_name": given["name"]} if "name" in given and key != "roots" else {}
    return {**ENTRIES[key], **name, **given}


def attribute(name: str, kind: str, scope: list[str], default: Any = None, builtin: bool = True) -> dict[str, Any]:
    """An attribute as the server lists it."""
    data = {"type": kind, "title": name.capitalize(), "default": default, "inherit": True}
    return {"name": name, "position": 0, "scope": scope, "data": data, "builtin": builtin}


def wrong_value(kind: str, value: Any) -> str | None:
    """What is wrong about an attribute's value, in the words of the server's validation, or None."""
    try:
        if value is not None:
            _READERS[kind](value)
    except (TypeError, ValueError):
        return "invalid datetime format" if kind == "datetime" else f"value is not a valid {kind}"
    return None


def _moment(value: str) -> datetime:
    if "T" not in value:  # a date alone is none
        raise ValueError(value)
    return datetime.fromisoformat(value)


_READERS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "float": float,
    "boolean": bool,
    "datetime": _moment,
    "list_of_strings": list,
}
