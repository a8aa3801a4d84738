"""Saving the state of a sandbox to a file, and loading it after a restart."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from self_hosted.sandbox.state_encoding import PACKAGE, StateDecoder, StateEncoder

VERSION = 1
"""Version of the file's format."""

logger = logging.getLogger(__name__)


def save_state(file: Path, objects: Mapping[str, object]) -> None:
    """Write the public attributes of objects as JSON. The file is replaced at once, so that it is never incomplete.

    :param file: path of the file
    :param objects: name to object
    :raises TypeError: if an attribute has a type that cannot be saved
    """
    encoder = StateEncoder()
    state = {name: encoder.encode(_public_attributes(instance)) for name, instance in objects.items()}
    new = file.with_name(f"{file.name}.new")
    with new.open("w", encoding="utf-8") as target:
        json.dump({"version": VERSION, "state": state, "objects": encoder.entries}, target)
        target.flush()
        os.fsync(target.fileno())
    new.replace(file)


def load_state(file: Path, objects: Mapping[str, object]) -> None:
    """Set the attributes of objects from the file, if it exists.

    The objects remain unchanged, and a warning is logged, if the file is damaged, or if another version of the sandbox
    has written it. The file is then renamed, because `save_state` would replace it.

    :param file: path of a file that `save_state` has written
    :param objects: name to object, with the same names
    """
    if not file.exists():
        return
    try:
        state = _read_state(file, objects)
    # a damaged file can have any content, and an old one any attributes
    except (ValueError, LookupError, TypeError, AttributeError, ImportError, RecursionError) as error:
        unusable = file.replace(file.with_name(f"{file.name}.unusable"))
        reason = f"{type(error).__name__}: {error}"
        logger.warning("The state file is damaged or outdated; starting afresh, it is now %s (%s).", unusable, reason)
        return
    for name, instance in objects.items():
        vars(instance).update(state[name])


def _read_state(file: Path, objects: Mapping[str, object]) -> dict[str, dict[str, Any]]:
    content = json.loads(file.read_bytes())
    if content["version"] != VERSION:
        raise ValueError(f"version {content['version']} instead of {VERSION}")
    decoder = StateDecoder(content["objects"])
    state = {name: decoder.decode(content["state"][name]) for name in objects}
    for name, instance in objects.items():
        _check_attributes(name, state[name], _public_attributes(instance))
    return state


def _check_attributes(path: str, loaded: Mapping[str, Any], current: Mapping[str, Any]) -> None:
    """Raise ValueError if a loaded object has other attributes or types than the current one."""
    if loaded.keys() != current.keys():
        names = ", ".join(sorted(loaded.keys() ^ current.keys()))
        raise ValueError(f"{path} differs in {names}")
    for name, value in current.items():
        if type(value).__module__.startswith(PACKAGE):
            if type(loaded[name]) is not type(value):
                raise ValueError(f"{path}.{name} has another type")
            _check_attributes(f"{path}.{name}", _stored_attributes(loaded[name]), _stored_attributes(value))


def _stored_attributes(instance: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = vars(instance)
    if not dataclasses.is_dataclass(instance):
        return attributes
    # the other attributes of a dataclass are derived from its fields
    return {field.name: attributes[field.name] for field in dataclasses.fields(instance)}


def _public_attributes(instance: object) -> dict[str, Any]:
    return {name: value for name, value in vars(instance).items() if not name.startswith("_")}
