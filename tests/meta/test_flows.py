"""The methods of the hooks: each is a flow of the product's API, described, typed and tested."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from self_hosted.core.connection.hook import SelfHostedHook
from tests.meta.source import PRODUCTS, ROOT, assert_none, find_classes, list_parameters, provider_modules

pytestmark = pytest.mark.meta


class HookMethod(NamedTuple):
    """A method of a hook that runs a flow.

    :param product: its product
    :param name: its name
    :param flow: the function of the API that it runs
    """

    product: str
    name: str
    flow: Any

    def __str__(self) -> str:
        return f"{self.product}.{self.name}"

    @property
    def calls(self) -> tuple[str, str]:
        """The beginnings of its calls: on the hook, and as a function of its module."""
        return f".{self.name}(", f"{self.flow.__module__.rpartition('.')[2]}.{self.flow.__name__}("


def list_hook_methods() -> list[HookMethod]:
    return [
        HookMethod(product, name, inspect.unwrap(member))
        for product in PRODUCTS
        for hook in find_classes(product, "hook", SelfHostedHook)
        for name, member in vars(hook).items()
        if inspect.isgeneratorfunction(inspect.unwrap(member)) and hasattr(member, "__wrapped__")
    ]


METHODS = list_hook_methods()


def list_untyped(flow: Any) -> Iterator[str]:
    """Yield the parameters without annotation, and "return" if the result is no Flow."""
    yield from (found.name for found in list_parameters(flow) if found.annotation is inspect.Parameter.empty)
    if not str(inspect.signature(flow).return_annotation).startswith("Flow["):
        yield "return"


def list_undescribed(flow: Any) -> Iterator[str]:
    """Yield the parameters without description, and "docstring" if there is none."""
    docstring = inspect.getdoc(flow) or ""
    yield from (found.name for found in list_parameters(flow) if f":param {found.name}:" not in docstring)
    if not docstring:
        yield "docstring"


def list_ignored_writes(tree: ast.AST) -> Iterator[str]:
    """Yield the writes whose response a flow ignores, except those that go to a file."""
    for node in ast.walk(tree):
        sent = node.value.value if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield) else None
        if isinstance(sent, ast.Call) and ast.unparse(sent.func) in {"Request", "replace"}:
            is_read = isinstance(sent.args[0], ast.Constant) and sent.args[0].value == "GET"
            if not is_read:
                yield ast.unparse(sent)
        elif isinstance(sent, ast.Name) and sent.id == "request":
            yield sent.id


def test_every_hook_has_methods():
    assert {method.product for method in METHODS} == set(PRODUCTS)


def test_methods_are_flows_of_the_products_own_api():
    assert_none(
        f"{method} runs a flow of {method.flow.__module__}"
        for method in METHODS
        if not method.flow.__module__.startswith(f"self_hosted.{method.product}.api")
    )


def test_methods_are_described_with_all_their_parameters():
    assert_none(f"{method} lacks {name}" for method in METHODS for name in list_undescribed(method.flow))


def test_methods_are_typed():
    assert_none(f"{method} lacks the type of {name}" for method in METHODS for name in list_untyped(method.flow))


def test_the_response_to_every_write_is_looked_at():
    """A proxy may answer a write with a page of its own: without a look at it, this would count as a success."""
    products = [module for module in provider_modules() if module.part in PRODUCTS]
    assert_none(f"{module.name} ignores {write}" for module in products for write in list_ignored_writes(module.tree))


def test_methods_are_tested_or_used_by_operators_that_are():
    texts = {product: read_tests(product) + read_source(product) for product in PRODUCTS}
    assert_none(
        f"{method} is not tested"
        for method in METHODS
        if not any(call in texts[method.product] for call in method.calls)
    )


def read_tests(product: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / product).glob("*.py"))


def read_source(product: str) -> str:
    return "\n".join(module.source for module in provider_modules() if module.part == product)


class TestRules:
    """Each rule reports a violation."""

    def test_a_missing_type_is_reported(self):
        def flow(a: int, b):
            yield a, b

        assert list(list_untyped(flow)) == ["b", "return"]

    def test_a_missing_description_is_reported(self):
        def flow(a: int, b: int) -> None:
            """Add.

            :param a: one
            """

        assert list(list_undescribed(flow)) == ["b"]
        assert list(list_undescribed(lambda: None)) == ["docstring"]

    def test_an_ignored_response_to_a_write_is_reported(self):
        source = "def flow():\n    yield Request('POST', '/a')\n    yield request\n    yield Pause(1)\n"
        read = "    yield Request('GET', '/a')\n    reply = yield Request('POST', '/a')\n"
        assert list(list_ignored_writes(ast.parse(source + read))) == ["Request('POST', '/a')", "request"]

    def test_calls_are_found_on_the_hook_and_in_the_api(self):
        def get(a: int) -> None: ...

        assert HookMethod("toy", "get_job", get).calls == (".get_job(", "test_flows.get(")
