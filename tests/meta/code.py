"""What the meta tests look at: files, modules and their imports, classes and functions."""

from __future__ import annotations

import ast
import inspect
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "provider" / "self_hosted"
PRODUCTS = ("assemblyline", "ayon", "rudder", "atrocore")


@dataclass(frozen=True)
class Module:
    """A module of the provider, read but not imported.

    :param path: of its file
    """

    path: Path

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Its dotted name."""
        parts = self.path.relative_to(PACKAGE.parent).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def part(self) -> str:
        """Which part of the provider it belongs to: core, a product, sandbox; else its own name."""
        return self.name.split(".")[1] if "." in self.name else ""

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.path.read_text())

    @property
    def imports(self) -> set[str]:
        """All that it imports, wherever in the file, as full names."""
        return set(_imported(ast.walk(self.tree)))

    @property
    def imports_at_once(self) -> set[str]:
        """All that it imports when it is imported."""
        return set(_imported(iter(self.tree.body)))

    @property
    def functions(self) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        """Its public functions, and the public methods of its public classes, with their names."""
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_public(node.name):
                yield node.name, node
            if isinstance(node, ast.ClassDef) and _is_public(node.name):
                for member in node.body:
                    if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and _is_public(member.name):
                        yield f"{node.name}.{member.name}", member


def _imported(nodes: Iterator[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_public(name: str) -> bool:
    return not name.startswith("_")


def modules(folder: Path = PACKAGE) -> list[Module]:
    """All modules below a folder of the provider."""
    return [Module(path) for path in sorted(folder.rglob("*.py"))]


def is_in(name: str, *packages: str) -> bool:
    """Whether a full name is one of these packages or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def texts() -> Iterator[Path]:
    """Every text file of the project; what begins with a dot and what is built is left out, `.ci` excepted."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name == ".ci" or not (name.startswith(".") or name in {"__pycache__", "build", "dist", "node_modules"})
        ]
        for name in files:
            if not name.startswith(".") and Path(name).suffix in {
                ".py",
                ".md",
                ".toml",
                ".txt",
                ".sh",
                ".yml",
                ".yaml",
                ".json",
                "",
            }:
                yield Path(folder) / name


def classes(product: str, module: str, base: type) -> list[type[Any]]:
    """The public classes of a product's module that derive from a base, defined in that product."""
    imported = import_module(f"self_hosted.{product}.{module}")
    found = [getattr(imported, name) for name in dir(imported)]
    ours = f"self_hosted.{product}."
    return [
        one
        for one in found
        if inspect.isclass(one)
        and issubclass(one, base)
        and one.__module__.startswith(ours)
        and _is_public(one.__name__)
    ]


def own_parameters(function: Any) -> list[inspect.Parameter]:
    """The parameters of a function or method, without self and what is passed on."""
    skipped = {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
    parameters = inspect.signature(function).parameters.values()
    return [one for one in parameters if one.name not in {"self", "cls"} and one.kind not in skipped]
