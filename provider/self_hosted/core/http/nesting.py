"""How deeply JSON is nested: code that handles a document recursively fails at about 1,000 levels."""

from __future__ import annotations

from typing import Any

CONTAINERS = frozenset({dict, list})


def is_deeper(value: Any, levels: int) -> bool:
    """Return whether a JSON value is nested more deeply; without recursion.

    :param value: a parsed JSON document
    :param levels: the number of levels of lists and objects
    """
    containers = [value]
    for _ in range(levels):
        containers = [
            child
            for parent in containers
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) in CONTAINERS
        ]
        if not containers:
            return False
    return True
