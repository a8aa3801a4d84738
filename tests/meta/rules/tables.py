"""Tables of the docs that are derived from classes and their docstrings: operators, sensors, triggers, hook methods."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from airflow.providers.common.compat.sdk import BaseHook, BaseOperator
from airflow.triggers.base import BaseTrigger

from tests.meta.rules.pairs import format_pairs_table
from tests.meta.source import PRODUCTS, TITLES


def generators() -> dict[str, Callable[[], str]]:
    """Return the function that generates each table, by the name of its section."""
    tables: dict[str, Callable[[], str]] = {"classes": format_class_table}
    for product in PRODUCTS:
        tables[f"{product}-classes"] = partial(format_product_table, product)
        tables[f"{product}-hook"] = partial(format_hook_table, product)
        tables[f"{product}-pairs"] = partial(format_pairs_table, product)
    return tables


def list_classes(product: str) -> list[type[Any]]:
    """Return the public operators, sensors and event triggers of a product: those with a name of three parts.

    :param product: its folder
    """
    found = []
    for name in ("operators", "sensors", "triggers"):
        module = import_module(f"self_hosted.{product}.{name}")
        members = [getattr(module, attribute) for attribute in dir(module)]
        found += [member for member in members if _is_public_class(member, product)]
    return found


def _is_public_class(member: Any, product: str) -> bool:
    is_ours = inspect.isclass(member) and member.__module__.startswith(f"self_hosted.{product}.")
    base_names = {f"{product.capitalize()}{kind}" for kind in ("Operator", "Sensor", "Trigger", "WaitingOperator")}
    return (
        is_ours
        and issubclass(member, BaseOperator | BaseTrigger)
        and member.__name__.startswith(product.capitalize())
        and member.__name__ not in base_names
    )


def summarize(thing: Any) -> str:
    """Return the first sentence of a docstring, on one line, without the endpoint after a semicolon.

    :param thing: a class or function
    """
    paragraph = " ".join((inspect.getdoc(thing) or "").split("\n\n", 1)[0].split())
    sentence = re.split(r"(?<=[^.])\.(?:\s|$)", paragraph, maxsplit=1)[0]
    return sentence.partition("; ``")[0].replace("|", "\\|")


def format_class_table() -> str:
    """Return the table of all classes, for the README."""
    rows = (
        f"| {TITLES[product] if number == 0 else ''} | `{found.__name__}` | {summarize(found)} |"
        for product in PRODUCTS
        for number, found in enumerate(list_classes(product))
    )
    return "\n".join(["| product | class | purpose |", "|---|---|---|", *rows])


def format_product_table(product: str) -> str:
    """Return the table of a product's classes, for its page.

    :param product: its folder
    """
    rows = (f"| `{found.__name__}` | {summarize(found)} |" for found in list_classes(product))
    return "\n".join(["| class | purpose |", "|---|---|", *rows])


def format_hook_table(product: str) -> str:
    """Return the table of a hook's methods, grouped by the resource that defines their flows.

    :param product: its folder
    """
    hook: type[BaseHook] = getattr(import_module(f"self_hosted.{product}.hook"), f"{product.capitalize()}Hook")
    rows: dict[str, list[str]] = {}
    for name, method in vars(hook).items():
        flow = getattr(method, "__wrapped__", None)
        if flow is not None and flow.__module__.startswith(f"self_hosted.{product}.api."):
            resource = flow.__module__.removeprefix(f"self_hosted.{product}.api.").partition(".")[0]
            parameters = ", ".join(list(inspect.signature(flow).parameters))
            rows.setdefault(resource, []).append(f"`{name}({parameters})` | {summarize(flow)} |")
    lines = ["| resource | method | purpose |", "|---|---|---|"]
    for resource, methods in sorted(rows.items()):
        lines += [f"| {resource if number == 0 else ''} | {row}" for number, row in enumerate(methods)]
    return "\n".join(lines)
