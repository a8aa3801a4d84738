"""Lazy imports: a module, or a name in it, is imported when it is first used.

Airflow parses every DAG file again and again. Parsing needs the operators, but none of the code that they run.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any


def import_string(path: str) -> Any:
    """Import and return the object that a dotted path names.

    :param path: ``package.module.name``
    :raises ImportError: if the module does not exist
    :raises AttributeError: if the module does not define the name
    """
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


class LazyModule(ModuleType):
    """Stands for a module that is imported when one of its attributes is first used.

    `importlib.util.LazyLoader` is not used: before Python 3.12, a thread may see the module while another executes it.
    """

    def __getattr__(self, name: str) -> Any:
        # the import system waits for a module that another thread is executing
        return getattr(import_module(self.__name__), name)


def lazy_import(name: str) -> ModuleType:
    """Return a module that is imported when one of its attributes is first used. Threads may share it.

    Nothing is looked up here, because DAG files are parsed often; a test imports all modules that are named so.

    :param name: dotted name, such as "self_hosted.rudder.api.rules"
    """
    return LazyModule(name)


def lazy_exports(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package that re-exports names of its modules lazily.

    The names come from the stub beside the package's file, which type checkers read, too: a new name is one line there.

    https://peps.python.org/pep-0562/

    :param package: ``__name__`` of the package
    :param file: ``__file__`` of the package; ``__init__.pyi`` beside it holds lines of ``from .module import Name``
    """
    stub = Path(file).with_suffix(".pyi").read_text(encoding="utf-8")
    origins = {
        name.asname or name.name: (f"{package}.{statement.module}", name.name)
        for statement in ast.parse(stub).body
        if isinstance(statement, ast.ImportFrom)
        for name in statement.names
    }
    vars(sys.modules[package])["__all__"] = sorted(origins)  # for `help` and ``import *``

    def attribute(name: str) -> Any:
        if name not in origins:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, original = origins[name]
        return getattr(import_module(module), original)

    return attribute, lambda: sorted(origins)
