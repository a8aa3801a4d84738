"""Rules about files: the same files in every product, docstrings, lengths, and nothing left behind."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.meta.source import Function, Module

MODULES = {"__init__", "connection", "errors", "hook", "sensors", "waits", "triggers"}
PACKAGES = {"api", "operators"}
OPTIONAL_PACKAGES = {"sync"}  # of a product whose records are synchronized by the engine in core/sync
MAX_LINES = 400  # a longer file has two subjects

# written in such a way that this file does not match itself
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:root)/|/home/\w+/|/Users/\w+/|C:\\+Users")
UNFINISHED_WORK = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b")


def list_product_file_violations(folder: Path) -> list[str]:
    """Return the files that a product lacks and those that it should not have.

    :param folder: the product's package
    """
    found = {path.stem for path in folder.glob("*.py")}
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    folders = {path.parent.name for path in folder.glob("*/*.py")}
    return [
        *(f"{folder.name} lacks the module {name}" for name in sorted(MODULES - found)),
        *(f"{folder.name} has the unexpected module {name}" for name in sorted(found - MODULES)),
        *(f"{folder.name} lacks the package {name}" for name in sorted(PACKAGES - packages)),
        *(
            f"{folder.name} has the unexpected package {name}"
            for name in sorted(folders - PACKAGES - OPTIONAL_PACKAGES)
        ),
    ]


def list_trigger_violations(modules: Iterable[Module]) -> list[str]:
    """Return what ``triggers.py`` defines apart from event triggers, and WaitSpecs outside of ``waits.py``."""
    violations = list[str]()
    for module in modules:
        kind = module.name.rpartition(".")[2]
        if kind == "triggers":
            others = [node.name for node in module.classes if "FeedTrigger" not in list_bases(node)]
            violations += [f"{module} defines {name}, which is no FeedTrigger" for name in others]
        if kind != "waits":
            violations += [f"{module} defines a WaitSpec in line {line}" for line in find_calls(module, "WaitSpec")]
    return violations


def list_waits_without_spec(modules: Iterable[Module]) -> list[str]:
    """Return the ``waits`` modules that define no WaitSpec."""
    waits = [module for module in modules if module.name.endswith(".waits")]
    return [f"{module} defines no WaitSpec" for module in waits if not find_calls(module, "WaitSpec")]


def list_bases(node: ast.ClassDef) -> set[str]:
    """Return the names of a class's bases."""
    return {ast.unparse(base).rpartition(".")[2] for base in node.bases}


def find_calls(module: Module, name: str) -> list[int]:
    """Return the lines in which a module calls something by its name, with or without that of its module."""
    calls = (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))
    return sorted(call.lineno for call in calls if ast.unparse(call.func).rpartition(".")[2] == name)


def list_reexports(modules: Iterable[Module]) -> list[str]:
    """Return the modules that import something."""
    return [f"{module} imports {', '.join(sorted(module.imports))}" for module in modules if module.imports]


def list_docstring_violations(modules: Iterable[Module]) -> list[str]:
    """Return the modules that are not empty and have no docstring."""
    return [f"{module} has no docstring" for module in modules if module.tree.body and not module.docstring]


def list_packages_without_paragraph(modules: Iterable[Module]) -> list[str]:
    """Return the packages whose docstring is not exactly one paragraph."""
    packages = [module for module in modules if module.is_package]
    return [
        f"{module} needs a docstring of one paragraph"
        for module in packages
        if not module.docstring or "\n\n" in module.docstring
    ]


def list_long_modules(modules: Iterable[Module], limit: int = MAX_LINES) -> list[str]:
    """Return the modules with more lines than allowed."""
    lengths = ((module, len(module.source.splitlines())) for module in modules)
    return [f"{module} has {length} lines, more than {limit}" for module, length in lengths if length > limit]


def find_lines(paths: Iterable[Path], pattern: re.Pattern[str]) -> Iterator[str]:
    """Yield all lines of text files that match a pattern, as "path:number: line"."""
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if pattern.search(line):
                yield f"{path}:{number}: {line.strip()[:100]}"


def list_undocumented_functions(modules: Iterable[Module]) -> list[str]:
    """Return the public functions without a docstring, and those that leave a parameter undescribed."""
    violations = list[str]()
    for module in modules:
        for name, function in module.functions:
            if "." in name:  # methods are described at their class
                continue
            if not ast.get_docstring(function):
                violations.append(f"{module}.{name} has no docstring")
            violations += [f"{module}.{name} does not describe {left}" for left in list_undescribed(function)]
    return violations


def list_undescribed(function: Function) -> list[str]:
    """Return the parameters without a ``:param x:`` line; the sentence of a function describes a single parameter."""
    arguments = function.args
    names = [found.arg for found in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    docstring = ast.get_docstring(function) or ""
    return [name for name in names if f":param {name}:" not in docstring] if len(names) > 1 else []
