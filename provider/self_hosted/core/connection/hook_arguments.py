"""Arguments of hook methods: a value of the wrong type is one clear sentence, before anything is sent.

The types are the annotations of the flow. Only the value itself is checked, not the items of a list or dictionary: that
takes a few microseconds, whatever the size. Flows check what is in it.
"""

from __future__ import annotations

import collections.abc
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import typing_extensions


class Kind(NamedTuple):
    """The values that an annotation allows.

    :param description: noun with its article
    :param accepts: whether it allows a value
    """

    description: str
    accepts: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence | collections.abc.Set) and not isinstance(value, str | bytes)


def _is_dictionary(value: Any) -> bool:
    return type(value) is dict or isinstance(value, Mapping)  # the second takes longer


def _is_iterable(value: Any) -> bool:
    return isinstance(value, collections.abc.Iterable) and not isinstance(value, str | bytes | Mapping)


ANYTHING = Kind("anything", lambda _: True)
_LIST, _DICTIONARY = Kind("a list", _is_list), Kind("a dictionary", _is_dictionary)
_KINDS: Mapping[Any, Kind] = {
    Any: ANYTHING,
    object: ANYTHING,
    str: Kind("a text", lambda value: isinstance(value, str)),
    int: Kind("a whole number", _is_int),
    float: Kind("a number", _is_number),
    bool: Kind("true or false", lambda value: isinstance(value, bool)),
    types.NoneType: Kind("None", lambda value: value is None),
    list: _LIST,
    tuple: _LIST,
    Sequence: _LIST,
    collections.abc.Collection: Kind("a list", _is_iterable),
    collections.abc.Iterable: Kind("a list", _is_iterable),
    dict: _DICTIONARY,
    Mapping: _DICTIONARY,
    collections.abc.Callable: Kind("a function", callable),
}


def build_check(function: Callable[..., Any]) -> Callable[[Sequence[Any], Mapping[str, Any]], None]:
    """Return the check of positional and keyword arguments. It raises ValueError, and names the argument.

    :param function: annotated, such as ``rules.get``
    """
    hints = typing.get_type_hints(function)
    parameters = inspect.signature(function).parameters.values()
    kinds = {found.name: find_kind(hints[found.name]) for found in parameters if found.name in hints}
    names = [found.name for found in parameters if found.kind is not found.KEYWORD_ONLY]

    def check(positional: Sequence[Any], keywords: Mapping[str, Any]) -> None:
        for name, value in (*zip(names, positional, strict=False), *keywords.items()):
            kind = kinds.get(name)
            if kind and not kind.accepts(value):
                raise ValueError(f"{name} must be {kind.description}, not {type(value).__name__}")

    return check


def find_kind(hint: Any) -> Kind:
    """Return the values that an annotation allows; an unknown one allows any.

    :param hint: such as ``str | None``
    """
    origin = typing.get_origin(hint) or hint
    if origin in {typing.Union, types.UnionType}:
        return _join([find_kind(part) for part in typing.get_args(hint)])
    if origin is typing.Literal:
        options = typing.get_args(hint)
        return Kind(f"one of {', '.join(map(str, options))}", lambda value: isinstance(value, str) and value in options)
    if typing_extensions.is_typeddict(origin):
        return _DICTIONARY
    if origin in _KINDS:
        return _KINDS[origin]
    if inspect.isclass(origin):
        return Kind(f"a {origin.__name__}", lambda value: isinstance(value, origin))
    return ANYTHING


def _join(kinds: Sequence[Kind]) -> Kind:
    descriptions = dict.fromkeys(kind.description for kind in kinds)
    return Kind(" or ".join(descriptions), lambda value: any(kind.accepts(value) for kind in kinds))
