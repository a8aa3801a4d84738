"""Read the project's source: parsed modules, text files, and the public classes of a product."""

from __future__ import annotations

import ast
import inspect
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "provider" / "self_hosted"
TITLES = {"assemblyline": "Assemblyline", "ayon": "AYON", "rudder": "Rudder", "atrocore": "AtroCore"}
PRODUCTS = tuple(TITLES)
TEXT_SUFFIXES = {".py", ".pyi", ".md", ".toml", ".txt", ".sh", ".yml", ".yaml", ".json", ""}
BUILT_FOLDERS = {"__pycache__", "build", "dist", "node_modules"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
OWN_PATH = re.compile(rf"self_hosted\.(?:{'|'.join(('core', 'sandbox', *PRODUCTS))})(?:\.\w+)*")
"""A text that names something of the provider, as `import_string` and `lazy_import` take it."""


@dataclass(frozen=True)
class Module:
    """A module, parsed but not imported.

    :param name: its dotted name; that of a package names the folder
    :param source: its text
    :param is_package: whether it is the ``__init__`` of a package
    """

    name: str
    source: str
    is_package: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def part(self) -> str:
        """The part of the provider that it belongs to: core, a product, sandbox; otherwise its own name."""
        return self.name.split(".")[1] if "." in self.name else ""

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.source)

    @cached_property
    def imports(self) -> frozenset[str]:
        """The full names of everything that it imports, anywhere in the file and also under TYPE_CHECKING."""
        return frozenset(self._list_imports(ast.walk(self.tree)))

    @cached_property
    def top_level_imports(self) -> frozenset[str]:
        """The full names of everything that is imported along with it."""
        return frozenset(self._list_imports(self.tree.body))

    @cached_property
    def references(self) -> frozenset[str]:
        """Its imports, and the names of our own modules in texts, which are imported when they are used."""
        texts = (node.value for node in ast.walk(self.tree) if isinstance(node, ast.Constant))
        return self.imports | {text for text in texts if isinstance(text, str) and OWN_PATH.fullmatch(text)}

    @property
    def docstring(self) -> str:
        """Its docstring, or an empty text."""
        return ast.get_docstring(self.tree) or ""

    @property
    def classes(self) -> list[ast.ClassDef]:
        """Its public classes."""
        return [node for node in self.tree.body if isinstance(node, ast.ClassDef) and is_public(node.name)]

    @property
    def functions(self) -> Iterator[tuple[str, Function]]:
        """Its public functions, and the public methods of its public classes, with their names."""
        yield from _list_functions(self.tree.body)
        for node in self.classes:
            yield from ((f"{node.name}.{name}", method) for name, method in _list_functions(node.body))

    def _list_imports(self, nodes: Iterable[ast.AST]) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            if isinstance(node, ast.ImportFrom):
                source = self._resolve(node)
                yield from (f"{source}.{alias.name}" for alias in node.names)

    def _resolve(self, node: ast.ImportFrom) -> str:
        """Return the full name of the module that a statement imports from."""
        parents = self.name.split(".")
        kept = parents[: len(parents) - node.level + self.is_package] if node.level else []
        return ".".join([*kept, *([node.module] if node.module else [])])


def _list_functions(body: Iterable[ast.stmt]) -> Iterator[tuple[str, Function]]:
    return ((node.name, node) for node in body if isinstance(node, Function) and is_public(node.name))


def is_public(name: str) -> bool:
    """Return whether a name has no leading underscore."""
    return not name.startswith("_")


def is_within(name: str, *packages: str) -> bool:
    """Return whether a full name is one of these packages or part of one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def read_modules(folder: Path) -> tuple[Module, ...]:
    """Return all modules of a package.

    :param folder: the folder of the package
    """
    return tuple(_read_module(path, folder.parent) for path in sorted(folder.rglob("*.py")))


def _read_module(path: Path, base: Path) -> Module:
    parts = path.relative_to(base).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    return Module(".".join(parts[:-1] if is_package else parts), path.read_text(encoding="utf-8"), is_package)


@cache
def provider_modules() -> tuple[Module, ...]:
    """Return all modules of the provider; each is read and parsed once for all rules."""
    return read_modules(PACKAGE)


def list_text_files(root: Path = ROOT) -> Iterator[Path]:
    """Yield every text file below a folder, without hidden and built ones; ``.ci`` is included."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name == ".ci" or not _is_left_out(name))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix in TEXT_SUFFIXES:
                yield Path(folder) / name


def _is_left_out(folder: str) -> bool:
    return folder.startswith(".") or folder in BUILT_FOLDERS


def find_classes(product: str, module: str, base: type) -> list[type[Any]]:
    """Return the public classes of a product's module that derive from a base and are defined in that product.

    :param product: such as "rudder"
    :param module: such as "operators"
    :param base: the base class
    """
    imported = import_module(f"self_hosted.{product}.{module}")
    members = [getattr(imported, name) for name in dir(imported) if is_public(name)]
    return [member for member in members if inspect.isclass(member) and _is_defined_in(member, product, base)]


def _is_defined_in(member: type, product: str, base: type) -> bool:
    return issubclass(member, base) and is_within(member.__module__, f"self_hosted.{product}")


def list_parameters(function: Any) -> list[inspect.Parameter]:
    """Return the parameters of a function or method, without self and without those that are only passed on."""
    passed_on = {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
    parameters = inspect.signature(function).parameters.values()
    return [found for found in parameters if found.name not in {"self", "cls"} and found.kind not in passed_on]


def list_arguments(task_class: type[Any], package: str = "") -> list[inspect.Parameter]:
    """Return the constructor arguments of a class and of its bases in a package; the class's own come first.

    :param task_class: an operator or sensor
    :param package: dotted name; default: the product of the class
    """
    package = package or ".".join(task_class.__module__.split(".")[:2])
    found: dict[str, inspect.Parameter] = {}
    for base in task_class.__mro__:
        if is_within(base.__module__, package) and "__init__" in vars(base):
            for parameter in list_parameters(vars(base)["__init__"]):
                found.setdefault(parameter.name, parameter)
    return list(found.values())


def assert_none(violations: Iterable[str]) -> None:
    """Fail with a message that names every violation of a rule."""
    found = list(violations)
    assert not found, "\n".join([f"{len(found)} violations:", *found])
