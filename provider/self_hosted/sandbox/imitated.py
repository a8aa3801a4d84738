"""``python -m self_hosted.sandbox.imitated``: the table of what the sandbox imitates, as the docs show it."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.routing import Route

from self_hosted.sandbox.server import all_products
from self_hosted.sandbox.stand_in import StandIn

ALL = {"DELETE", "GET", "PATCH", "POST", "PUT"}
HEADING = """# What the sandbox imitates

Made by `make docs` from the stand-ins' tables of routes. Whatever is not listed gets the answer that the product gives
to an unknown address.
"""


def table() -> str:
    """The whole table, as Markdown."""
    return "\n".join([HEADING, *(line for product in all_products() for line in _section(product))])


def _section(product: StandIn) -> Iterator[str]:
    yield f"## {product.name.capitalize()}\n\n| path | methods |\n|---|---|"
    methods: dict[str, set[str]] = {}
    for route in product.routes():
        # a path that takes anything stands for "unknown address"
        if isinstance(route, Route) and ":path}" not in route.path:
            methods.setdefault(route.path, set()).update(route.methods or ())
    for path, found in methods.items():
        yield f"| `{path}` | {_said(found)} |"
    yield ""


def _said(methods: set[str]) -> str:
    return "those of the dialect" if methods >= ALL else ", ".join(sorted(methods - {"HEAD"}))


if __name__ == "__main__":
    print(table(), end="")
