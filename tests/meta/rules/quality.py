"""Rules about ``docs/quality.yaml``: which rule of quality each product meets, with the test as evidence."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.meta.source import PRODUCTS, ROOT, TITLES

QUALITY_FILE = ROOT / "docs" / "quality.yaml"
RULES = {
    "sign_ins": "sign-ins",
    "hook_by_resource": "hook by resource",
    "headline_task": "headline task",
    "exactly_once": "exactly once when killed at random moments",
    "outages": "outages of server and database",
    "hostile_responses": "hostile responses",
    "live_contract_tests": "live contract tests",
    "vendor_client": "vendor client against the sandbox",
    "log_lines": "log lines",
    "links": "links",
    "lineage": "lineage",
    "event_triggers": "event triggers",
    "plan_and_approval": "plan and approval",
    "example_dags": "example DAGs",
    "docs_page": "docs page complete",
    "benchmark": "benchmark",
}
"""The rules, with their titles in the table of the README."""
LIVE_FIELDS = {"version", "date", "count"}
"""The fields of a live contract test besides ``done``: version of the server, date, number of tests."""

Quality = Mapping[str, Mapping[str, Any]]
"""The entry of each rule, by product and rule."""


def load_quality(path: Path = QUALITY_FILE) -> Quality:
    """Return the contents of the quality file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def list_quality_violations(quality: Quality, has_test: Callable[[str], bool]) -> list[str]:
    """Return products and rules that are missing or unknown, malformed entries, and evidence that does not exist.

    :param quality: the contents of the quality file
    :param has_test: returns whether "path::name" is an existing test
    """
    violations = [f"{product}: missing" for product in PRODUCTS if product not in quality]
    for product, entries in quality.items():
        violations += [f"{product}.{rule}: missing" for rule in RULES if rule not in entries]
        violations += [f"{product}.{rule}: unknown rule" for rule in entries if rule not in RULES]
        for rule, entry in entries.items():
            violations += [f"{product}.{rule}: {problem}" for problem in list_entry_problems(rule, entry, has_test)]
    return violations


def list_entry_problems(rule: str, entry: Any, has_test: Callable[[str], bool]) -> list[str]:
    """Return the problems of one entry: it is ``todo``, ``{exempt: <reason>}`` or ``{done: <test>}``.

    :param rule: its rule
    :param entry: its value
    :param has_test: returns whether "path::name" is an existing test
    """
    if entry == "todo":
        return []
    if not isinstance(entry, Mapping) or not {"done", "exempt"} & set(entry):
        return [f"{entry!r} is neither todo nor done nor exempt"]
    if "exempt" in entry:
        return [] if len(str(entry["exempt"]).split()) > 2 else ["exempt without a reason"]
    tests = list_tests(entry)
    missing = [f"the test {test} does not exist" for test in tests if not has_test(test)]
    lacking = sorted(LIVE_FIELDS - set(entry)) if rule == "live_contract_tests" else []
    return [*([] if tests else ["done without a test"]), *missing, *(f"lacks the field {name}" for name in lacking)]


def list_tests(entry: Mapping[str, Any]) -> list[str]:
    """Return the tests that an entry names."""
    done = entry["done"]
    return [str(test) for test in (done if isinstance(done, list) else [done])]


def has_test(test: str, root: Path = ROOT) -> bool:
    """Return whether a test exists.

    :param test: "path::function" or "path::Class::method"
    :param root: the folder that the path is relative to
    """
    path, *names = test.split("::")
    if not names or not (root / path).is_file():
        return False
    body: Iterable[ast.AST] = ast.parse((root / path).read_text(encoding="utf-8")).body
    for name in names:
        found = next((node for node in body if getattr(node, "name", None) == name), None)
        if found is None:
            return False
        body = getattr(found, "body", [])
    return names[-1].startswith("test_")


def format_quality_table(quality: Quality) -> str:
    """Return the table of the README: a row for each rule, a column for each product.

    :param quality: the contents of the quality file
    """
    products = [product for product in PRODUCTS if product in quality]
    rows = [
        [title, *(_format_entry(quality[product].get(rule)) for product in products)] for rule, title in RULES.items()
    ]
    head = [["rule", *(TITLES[product] for product in products)], ["---"] * (len(products) + 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [*head, *rows])


def _format_entry(entry: Any) -> str:
    if isinstance(entry, Mapping):
        return "done" if "done" in entry else "exempt"
    return "todo"
