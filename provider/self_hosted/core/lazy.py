"""Modules that are imported when they, or something that they define, are first used.

Airflow parses every DAG file again and again, and for that needs the operators, but nothing of what they do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import LazyLoader, find_spec, module_from_spec
from types import ModuleType
from typing import Any


def when_used(name: str) -> ModuleType:
    """A module that is imported when something in it is used for the first time.

    https://docs.python.org/3/library/importlib.html#implementing-lazy-imports

    :param name: such as "self_hosted.rudder.api"
    :raises ModuleNotFoundError: at once when there is no such module
    """
    if name in sys.modules:
        return sys.modules[name]
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"there is no module {name}", name=name)
    spec.loader = LazyLoader(spec.loader)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def published_by(
    package: str, places: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The ``__getattr__`` and ``__dir__`` of a package that publishes what its modules define.

    https://peps.python.org/pep-0562/

    :param package: its name
    :param places: the names that each module defines, by the name of the module
    """
    modules = {name: f"{package}.{module}" for module, names in places.items() for name in names}
    vars(sys.modules[package])["__all__"] = sorted(modules)  # what `help` and ``import *`` show

    def attribute(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(modules[name]), name)

    return attribute, lambda: sorted(modules)
