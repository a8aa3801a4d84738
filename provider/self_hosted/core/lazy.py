"""Modules that are imported when they are first used.

Airflow parses every DAG file again and again, and for that needs the operators, but nothing of what they do.
"""

from __future__ import annotations

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec
from types import ModuleType


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
