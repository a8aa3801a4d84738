"""What can be asked of a product is described, typed and tested."""

from __future__ import annotations

import ast
import inspect
from typing import Any

import pytest

from self_hosted.core.hook import ProductHook
from tests.meta.code import PRODUCTS, ROOT, Module, classes, modules, own_parameters


def published_flows() -> list[tuple[str, str, Any]]:
    """Product, name and flow of everything that hooks publish."""
    return [
        (product, name, inspect.unwrap(member))
        for product in PRODUCTS
        for hook in classes(product, "hook", ProductHook)
        for name, member in vars(hook).items()
        if inspect.isgeneratorfunction(inspect.unwrap(member)) and hasattr(member, "__wrapped__")
    ]


every_flow = pytest.mark.parametrize(("product", "name", "flow"), published_flows())


def left_out(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The parameters that a docstring does not describe; a function of one is told by its sentence."""
    arguments = function.args
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    words = ast.get_docstring(function) or ""
    return [name for name in names if f":param {name}:" not in words] if len(names) > 1 else []


def test_every_product_publishes_flows():
    assert {product for product, _, _ in published_flows()} == set(PRODUCTS)


@every_flow
def test_a_flow_is_published_under_its_own_name(product, name, flow):
    assert name == flow.__name__
    assert flow.__module__.startswith(f"self_hosted.{product}.api")


@every_flow
def test_a_flow_is_described_with_all_its_parameters(product, name, flow):
    words = inspect.getdoc(flow) or ""
    assert words
    assert [one.name for one in own_parameters(flow) if f":param {one.name}:" not in words] == []


@every_flow
def test_a_flow_is_typed(product, name, flow):
    assert [one.name for one in own_parameters(flow) if one.annotation is inspect.Parameter.empty] == []
    assert str(inspect.signature(flow).return_annotation).startswith("Flow[")


@every_flow
def test_a_flow_is_tested(product, name, flow):
    tests = "\n".join(path.read_text() for path in (ROOT / "tests" / product).glob("*.py"))
    operators = "\n".join(module.path.read_text() for module in modules() if module.part == product)
    used_by_what_is_tested = operators.count(f"{name}(") > 1
    assert f"{name}(" in tests or used_by_what_is_tested


@pytest.mark.parametrize("module", [one for one in modules() if one.part in {"core", *PRODUCTS}], ids=str)
def test_public_functions_are_described_with_all_their_parameters(module: Module):
    functions = {name: function for name, function in module.functions if "." not in name}
    assert [name for name, function in functions.items() if not ast.get_docstring(function)] == []
    assert {name: left_out(function) for name, function in functions.items() if left_out(function)} == {}
