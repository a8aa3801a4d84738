"""Lazy imports look nothing up while a DAG is parsed, so these tests import all modules that are named in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests.meta.source import assert_none, provider_modules

pytestmark = pytest.mark.meta


def list_lazy_imports(tree: ast.AST) -> Iterator[str]:
    """Yield the names of the modules that a module imports lazily."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "lazy_import":
            yield ast.literal_eval(node.args[0])


def test_every_lazily_imported_module_exists():
    names = {name for module in provider_modules() for name in list_lazy_imports(module.tree)}
    assert "self_hosted.rudder.api.rules" in names
    assert_none(name for name in sorted(names) if find_spec(name) is None)


def test_the_name_of_a_lazily_imported_module_is_found():
    assert list(list_lazy_imports(ast.parse("rules = lazy_import('a.b')"))) == ["a.b"]
