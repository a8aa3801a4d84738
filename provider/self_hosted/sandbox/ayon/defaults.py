"""Attributes, access groups and built-in anatomy of a fresh server: fewer entries than AYON has, in the same format."""

from __future__ import annotations

import copy
from typing import Any

WORK_SCOPE = "project folder task"
MEDIA_SCOPE = "project folder version representation task"
EVERY_SCOPE = "project folder task product version representation workfile"

# name: type, scope, default
ATTRIBUTES: dict[str, tuple[str, str, Any]] = {
    "priority": ("string", WORK_SCOPE, "normal"),
    "fps": ("float", MEDIA_SCOPE, 25.0),
    "resolutionWidth": ("integer", MEDIA_SCOPE, 1920),
    "resolutionHeight": ("integer", MEDIA_SCOPE, 1080),
    "pixelAspect": ("float", MEDIA_SCOPE, 1.0),
    "clipIn": ("integer", MEDIA_SCOPE, 1),
    "clipOut": ("integer", MEDIA_SCOPE, 1),
    "frameStart": ("integer", MEDIA_SCOPE, 1001),
    "frameEnd": ("integer", MEDIA_SCOPE, 1001),
    "handleStart": ("integer", MEDIA_SCOPE, 0),
    "handleEnd": ("integer", MEDIA_SCOPE, 0),
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
    "startDate": ("datetime", WORK_SCOPE, None),
    "endDate": ("datetime", WORK_SCOPE, None),
    "description": ("string", EVERY_SCOPE, None),
    "entityListCategory": ("string", "list", None),
}

ACCESS_GROUPS = ["artist", "freelancer", "supervisor"]

TYPE_DEFAULTS = {"shortName": "", "color": "#cccccc"}
# default fields of the entries of an anatomy's lists
ENTRY_DEFAULTS: dict[str, dict[str, Any]] = {
    "roots": {"windows": "C:/projects", "linux": "/mnt/share/projects", "darwin": "/Volumes/projects"},
    "folder_types": {**TYPE_DEFAULTS, "icon": "folder"},
    "task_types": {**TYPE_DEFAULTS, "icon": "task_alt"},
    "link_types": {"color": "#3f67de", "style": "solid"},
    "statuses": {**TYPE_DEFAULTS, "state": "in_progress", "icon": "task_alt", "scope": ["folder", "task", "version"]},
    "tags": {"color": "#cacaca"},
}
LIST_DEFAULTS: dict[str, list[dict[str, Any]]] = {
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
OBJECT_DEFAULTS: dict[str, dict[str, Any]] = {
    "entity_naming": {"capitalization": "lower", "separator": "_"},
    "templates": {"version_padding": 3, "frame_padding": 4, "work": [], "publish": []},
    "product_base_types": {"default": {"color": "#cccccc", "icon": "deployed_code"}, "definitions": []},
}


def complete_anatomy(given: dict[str, Any]) -> dict[str, Any]:
    """Return an anatomy with defaults for missing parts, fields of entries, and attributes."""
    lists = {
        key: [_complete_entry(key, entry) for entry in given.get(key, default)]
        for key, default in LIST_DEFAULTS.items()
    }
    objects = {key: {**copy.deepcopy(default), **given.get(key, {})} for key, default in OBJECT_DEFAULTS.items()}
    attributes = {name: default for name, (_, scope, default) in ATTRIBUTES.items() if "project" in scope}
    return {**objects, **lists, "attributes": {**attributes, **given.get("attributes", {})}}


def _complete_entry(key: str, given: dict[str, Any]) -> dict[str, Any]:
    original_name = {"original_name": given["name"]} if "name" in given and key != "roots" else {}
    return {**ENTRY_DEFAULTS[key], **original_name, **given}


def build_attribute(
    name: str, kind: str, scope: list[str], default: Any = None, builtin: bool = True
) -> dict[str, Any]:
    """Return an attribute in the format of the API."""
    data = {"type": kind, "title": name.capitalize(), "default": default, "inherit": True}
    return {"name": name, "position": 0, "scope": scope, "data": data, "builtin": builtin}
