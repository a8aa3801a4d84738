"""Saving the state of a sandbox to a file, and loading it after a restart."""

from __future__ import annotations

import pickle  # noqa: S403 only files that the sandbox has written are read
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def save_state(file: Path, objects: Mapping[str, object]) -> None:
    """Write the public attributes of objects. The file is replaced at once, so that it is never incomplete.

    :param file: path of the file
    :param objects: name to object
    """
    new = file.with_name(f"{file.name}.new")
    new.write_bytes(pickle.dumps({name: _public_attributes(instance) for name, instance in objects.items()}))
    new.replace(file)


def load_state(file: Path, objects: Mapping[str, object]) -> None:
    """Set the attributes of objects from the file, if it exists.

    :param file: path of a file that `save_state` has written
    :param objects: name to object, with the same names
    """
    if file.exists():
        state = pickle.loads(file.read_bytes())  # noqa: S301 see the import
        for name, instance in objects.items():
            vars(instance).update(state[name])


def _public_attributes(instance: object) -> dict[str, Any]:
    return {name: value for name, value in vars(instance).items() if not name.startswith("_")}
