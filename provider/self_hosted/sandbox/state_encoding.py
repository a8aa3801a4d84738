"""The state of fake servers as JSON, without loss of types and of references to the same object.

The JSON is a list of all objects that are not scalars of JSON: ``[[type, content], ...]``. An object refers to another
by ``{"ref": index}``. Types are those of `_CONTENTS`, and the classes of the sandbox as "module:class".
"""

from __future__ import annotations

import dataclasses
import math
from base64 import b64decode, b64encode
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from random import Random
from typing import Any

PACKAGE = "self_hosted.sandbox."
Entry = list[Any]  # type and content


class StateEncoder:
    """Encodes values, and collects their objects in ``entries``."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._indexes: dict[int, int] = {}  # by id of the object
        self._kept: list[object] = []  # temporary objects, whose ids must not be used again

    def encode(self, value: Any) -> Any:
        """Return a value as JSON: a scalar or a reference.

        :raises TypeError: if a value has a type that cannot be saved
        """
        if value is None or type(value) in {bool, int, str} or (type(value) is float and math.isfinite(value)):
            return value
        if id(value) not in self._indexes:
            self._indexes[id(value)] = len(self.entries)
            self._kept.append(value)
            self.entries.append(entry := [])
            entry += self._describe(value)
        return {"ref": self._indexes[id(value)]}

    def _describe(self, value: Any) -> Entry:
        name = type(value).__name__
        if type(value) in _SEQUENCES:
            return [name, [self.encode(item) for item in value]]
        if type(value) in _MAPPINGS:
            return [name, [[self.encode(key), self.encode(item)] for key, item in value.items()]]
        if type(value) in _CONTENTS:
            return [name, self.encode(_CONTENTS[type(value)](value))]
        return self._describe_instance(value)

    def _describe_instance(self, value: Any) -> Entry:
        cls = type(value)
        if not cls.__module__.startswith(PACKAGE):
            raise TypeError(f"the state cannot contain values of type {cls.__module__}.{cls.__qualname__}")
        attributes = value._asdict() if _is_named_tuple(cls) else vars(value)
        if dataclasses.is_dataclass(cls):  # whose other attributes are derived from its fields
            attributes = {field.name: attributes[field.name] for field in dataclasses.fields(cls)}
        return [f"{cls.__module__}:{cls.__qualname__}", {name: self.encode(item) for name, item in attributes.items()}]


_SEQUENCES: dict[type, Callable[[list[Any]], Any]] = {kind: kind for kind in (list, tuple, set, frozenset)}
_MAPPINGS: dict[type, Callable[[], Any]] = {dict: dict, Counter: Counter, defaultdict: lambda: defaultdict(dict)}
_CONTENTS: dict[type, Callable[[Any], Any]] = {
    bytes: lambda value: b64encode(value).decode(),
    float: repr,  # not finite
    datetime: datetime.isoformat,
    Random: Random.getstate,  # noqa: S311 not used for secrets
}


class StateDecoder:
    """Decodes the values that a `StateEncoder` has encoded.

    :param entries: the objects
    """

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self._decoded: dict[int, Any] = {}

    def decode(self, value: Any) -> Any:
        """Return a value.

        :raises ValueError: if a value has an unknown type or other attributes than its class
        """
        if not isinstance(value, dict):
            return value
        index = value["ref"]
        if index not in self._decoded:
            self._build(index, *self.entries[index])
        return self._decoded[index]

    def _build(self, index: int, name: str, content: Any) -> None:
        if name in _READERS:
            self._decoded[index] = _READERS[name](self.decode(content))
        elif name in {"list", "set"}:
            self._fill_sequence(index, name, content)
        elif name in {"tuple", "frozenset"}:
            items = [self.decode(item) for item in content]
            self._decoded[index] = tuple(items) if name == "tuple" else frozenset(items)
        elif name in _NAMED_MAPPINGS:
            mapping = self._decoded[index] = _NAMED_MAPPINGS[name]()
            mapping.update({self.decode(key): self.decode(item) for key, item in content})
        else:
            self._build_instance(index, find_class(name), content)

    def _fill_sequence(self, index: int, name: str, content: list[Any]) -> None:
        # an object is known before its content is decoded, because it may contain itself
        target: Any = [] if name == "list" else set()
        self._decoded[index] = target
        add = target.append if name == "list" else target.add
        for item in content:
            add(self.decode(item))

    def _build_instance(self, index: int, cls: type, content: dict[str, Any]) -> None:
        if _is_named_tuple(cls):
            self._decoded[index] = cls(**{name: self.decode(item) for name, item in content.items()})
            return
        instance: Any = object.__new__(cls)
        self._decoded[index] = instance
        if dataclasses.is_dataclass(cls) and content.keys() != {field.name for field in dataclasses.fields(cls)}:
            raise ValueError(f"other attributes than {cls.__name__}")
        vars(instance).update({name: self.decode(item) for name, item in content.items()})


_NAMED_MAPPINGS = {kind.__name__: create for kind, create in _MAPPINGS.items()}


def _read_random(state: Any) -> Random:
    generator = Random()  # noqa: S311 not used for secrets
    generator.setstate(state)
    return generator


_READERS: dict[str, Callable[[Any], Any]] = {
    "bytes": b64decode,
    "float": float,
    "datetime": datetime.fromisoformat,
    "Random": _read_random,
}


def find_class(name: str) -> type:
    """Return a class of the sandbox.

    :param name: module and class
    :raises ValueError: if it is not a class of the sandbox
    """
    module, _, qualified_name = name.partition(":")
    if not module.startswith(PACKAGE):
        raise ValueError(f"{name} is not a class of the sandbox")
    found = getattr(import_module(module), qualified_name)
    if not isinstance(found, type) or found.__module__ != module:
        raise ValueError(f"{name} is not a class of the sandbox")
    return found


def _is_named_tuple(cls: type) -> bool:
    return issubclass(cls, tuple) and hasattr(cls, "_fields")
