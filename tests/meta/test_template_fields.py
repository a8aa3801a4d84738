"""Every template field of every class: a native value, its rendered text and its native rendering mean the same.

Each task is executed against the sandbox, and the arguments of all flows that it runs are compared. Values are in
`template_values.py`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import requests
from airflow.providers.common.compat.sdk import DAG

from self_hosted.atrocore.operators import AtrocoreSyncProductsPlanOperator
from self_hosted.core.wait.observation import Observation
from self_hosted.sandbox.assemblyline.cart import pack_cart
from self_hosted.sandbox.server import Sandbox
from tests.context import context
from tests.meta.source import assert_none, list_arguments
from tests.meta.task_outcome import Outcome, find_outcome
from tests.meta.tasks import TASKS
from tests.meta.template_values import (
    CONNECTIONS,
    OBSERVATIONS,
    PLAN_SHA256,
    SCENARIOS,
    SEEDS,
    WITHOUT_VALUE,
    Scenario,
    place,
)

STRUCTURAL = {"multiple_outputs", "start_from_trigger"}
"""Arguments that Airflow needs before it renders templates."""

RENAMED = {"dry_run": {"plan_only", "is_dry_run"}, "label": {"project_label"}}
"""Arguments whose attributes have other names, because Airflow's operators have attributes of these names."""

ANY_VALUE = {"json"}
"""Arguments that accept any value."""

INVALID = [[1.5]]
"""A value that no argument accepts: a list of a list."""

Form = Callable[[str, Any], Any]


def write_template(name: str, _: Any) -> str:
    return "{{ values['" + name + "'] }}"


def write_json_template(name: str, value: Any) -> str:
    is_json = isinstance(value, bool | list | dict)
    return "{{ values['" + name + "']" + (" | tojson" if is_json else "") + " }}"


def write_nested_templates(name: str, value: Any) -> Any:
    """Return a list or mapping with a template in place of each text."""
    if isinstance(value, str):
        return "{{ " + json.dumps(value) + " }}"
    if isinstance(value, list):
        return [write_nested_templates(name, item) for item in value]
    return (
        {key: write_nested_templates(name, item) for key, item in value.items()} if isinstance(value, dict) else value
    )


def keep(_: str, value: Any) -> Any:
    return value


FORMS: dict[str, tuple[Form, bool]] = {
    "rendered text": (write_template, False),
    "rendered JSON": (write_json_template, False),
    "nested templates": (write_nested_templates, False),
    "native value in native rendering": (keep, True),
    "native rendering": (write_template, True),
    "native rendering of JSON": (write_json_template, True),
}
"""The template of a value, and whether the DAG has ``render_template_as_native_obj=True``."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the values name."""
    (tmp_path / "12345").write_bytes(b"content")
    (tmp_path / "rule.yar").write_text("rule a { condition: true }")
    header = {"al": {"type": "archive/bundle/al"}, "name": "12345.tgz"}
    (tmp_path / "bundle").write_bytes(pack_cart(b"content", header))
    write_products(tmp_path)
    return tmp_path


def write_products(folder: Path) -> None:
    """Write the same products as a text file, an Excel file and a database."""
    table = [["number", "name", "price"], ["W-1", "a", "1,5"], ["W-2", "b", ""]]
    (folder / "products.csv").write_text("".join(";".join(row) + "\n" for row in table))
    book = openpyxl.Workbook()
    book.active.title = "Prices"
    for row in table:
        book.active.append(row)
    book.save(folder / "products.xlsx")
    with closing(sqlite3.connect(folder / "erp.db")) as database:
        database.execute("CREATE TABLE products(number TEXT, name TEXT, price TEXT)")
        database.executemany("INSERT INTO products VALUES (?, ?, ?)", table[1:])
        database.commit()


def write_plan(folder: Path) -> None:
    """Write a plan and its hash; the default connection leads to the server of the plan."""
    (folder / "plan.jsonl").unlink(missing_ok=True)
    plan = AtrocoreSyncProductsPlanOperator(
        task_id="plan",
        source=str(folder / "products.csv"),
        decimal=",",
        plan_uri=folder / "plan.jsonl",
        atrocore_conn_id=CONNECTIONS["atrocore"],
    )
    (folder / "plan.sha256").write_text(plan.execute(context(plan))["sha256"])


@pytest.fixture
def execute(sandbox: Sandbox, folder: Path, connect: Any) -> Callable[..., Outcome]:
    """Return what a scenario does: ``execute(scenario, form, native)``; other arguments replace native values."""
    for server in sandbox.servers:
        connection = server.connection(sandbox.url)
        extra = {**connection.get("extra", {}), "retry_timeout": 0}
        connect(CONNECTIONS[server.name], {**connection, "extra": extra})
    connect("2001", {"conn_type": "sqlite", "host": str(folder / "erp.db")})

    def run(scenario: Scenario, form: Form = keep, native: bool = False, **others: Any) -> Outcome:
        if not others:  # rejected values cause no request
            _prepare(sandbox)
        if PLAN_SHA256 in scenario.arguments.values():
            write_plan(folder)
        values = {**place(scenario.arguments, folder), **others}
        with DAG("d", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), render_template_as_native_obj=native):
            task = scenario.task_class(task_id="task", **{name: form(name, value) for name, value in values.items()})
        task.render_template_fields({"values": values})
        observation = OBSERVATIONS.get(scenario.task_class.__name__, Observation("unknown", True))
        return find_outcome(task, repr(values), observation)

    return run


def _prepare(sandbox: Sandbox) -> None:
    requests.post(f"{sandbox.url}/_control/reset", timeout=60).raise_for_status()
    requests.post(f"{sandbox.url}/_control/seed", json=SEEDS, timeout=60).raise_for_status()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_all_forms_of_the_arguments_have_the_same_effect(execute: Callable[..., Outcome], scenario: Scenario):
    expected = execute(scenario)
    assert expected.argument_error is None, "these native values are invalid"
    outcomes = {name: execute(scenario, form, native) for name, (form, native) in FORMS.items()}
    assert {name: str(found) for name, found in outcomes.items()} == dict.fromkeys(FORMS, str(expected))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_an_invalid_value_is_rejected_with_the_name_of_the_field(execute: Callable[..., Outcome], scenario: Scenario):
    names = [name for name in scenario.arguments if name not in ANY_VALUE]
    assert_none(f"{name}: {found}" for name in names if (found := _find_acceptance(execute, scenario, name)))


def _find_acceptance(execute: Callable[..., Outcome], scenario: Scenario, name: str) -> str | None:
    """Return what is wrong with the way a task rejects an argument, or None."""
    try:
        outcome = execute(scenario, write_template, True, **{name: INVALID})
    except Exception as error:
        return f"raises {error!r:.200}"
    if outcome.argument_error is None:
        return "is accepted"
    if name not in outcome.argument_error:
        return f"the error does not name it: {outcome.argument_error}"
    return f"is rejected after {outcome.flows}" if outcome.flows else None


@pytest.mark.meta
def test_every_argument_is_a_template_field():
    assert_none(
        f"{task_class.__name__}.{found.name}"
        for task_class in TASKS
        for found in list_arguments(task_class, "self_hosted")
        if found.name not in STRUCTURAL
        and not RENAMED.get(found.name, {found.name}) & set(task_class.template_fields)
        and found.name not in task_class.template_fields
    )


@pytest.mark.meta
def test_every_argument_has_a_value_in_these_tests():
    tested = {(found.task_class, name) for found in SCENARIOS for name in found.arguments}
    assert_none(
        f"{task_class.__name__}.{found.name}"
        for task_class in TASKS
        for found in list_arguments(task_class, "self_hosted")
        if found.name not in STRUCTURAL
        and (task_class, found.name) not in tested
        and f"{task_class.__name__}.{found.name}" not in WITHOUT_VALUE
    )


@pytest.mark.meta
def test_lists_and_objects_have_a_renderer():
    """It is Airflow's convention for the page of rendered templates. The UI of Airflow 3.3 formats objects anyway."""
    assert_none(
        f"{task_class.__name__}.{found.name}"
        for task_class in TASKS
        for found in list_arguments(task_class, "self_hosted")
        if any(word in str(found.annotation) for word in ("Mapping", "Sequence", "Iterable", "dict[", "list["))
        and task_class.template_fields_renderers.get(found.name) != "json"
    )


class TestRules:
    """The tests find what they look for."""

    def test_a_number_differs_from_its_text(self):
        outcome = Outcome("")
        assert outcome.describe({"name": 12345}) != outcome.describe({"name": "12345"})
        assert outcome.describe([True]) != outcome.describe(["True"])

    def test_the_order_of_names_is_no_difference(self):
        assert Outcome("").describe({"a": 1, "b": 2}) == Outcome("").describe({"b": 2, "a": 1})

    def test_generated_ids_are_no_difference_unless_they_are_arguments(self):
        first, second = "a" * 32, "b" * 32
        assert Outcome("").describe(first) == Outcome("").describe(second)
        assert Outcome(repr([first, second])).describe(first) != Outcome(repr([first, second])).describe(second)

    def test_times_of_arguments_are_compared(self):
        assert Outcome("").describe(datetime(2020, 1, 1)) != Outcome("").describe(datetime(2020, 1, 2))

    def test_templates_are_nested(self):
        written = write_nested_templates("targets", [{"include": "a", "depth": 1}])
        assert written == [{"include": '{{ "a" }}', "depth": 1}]

    @pytest.mark.parametrize("arguments", [{"rule_id": 1.5}, {"enabled": "perhaps"}])
    def test_the_error_about_an_argument_is_found(self, execute: Callable[..., Outcome], arguments: dict[str, Any]):
        [scenario, _] = [found for found in SCENARIOS if found.task_class.__name__ == "RudderUpdateRuleOperator"]
        error = execute(scenario, **arguments).argument_error
        assert error is not None
        assert error.startswith(f"{next(iter(arguments))} must be")
