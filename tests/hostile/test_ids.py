"""Ids that are none: each flow, operator and sensor of all products rejects them before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from inspect import Parameter
from typing import Any

import pytest

from self_hosted.atrocore.api.feed_jobs import FeedRun
from tests.hostile.conftest import CREDENTIALS
from tests.hostile.flows import ARGUMENTS, ENTITY_ID, FLOWS, SHA256, PublishedFlow
from tests.hostile.ids import EXCEPTIONS, INVALID_IDS, describe, is_id, takes_many
from tests.meta.source import assert_none, list_arguments
from tests.meta.tasks import TASKS, create_task, list_required

WRAPPED: Mapping[str, Callable[[Any], Any]] = {
    "atrocore.find_export_jobs.keys": lambda value: [FeedRun(value, "2026-01-01 00:00:00")],
    "ayon.get_entity_statuses.ids": lambda value: {"project": {"version": [value]}},
}
"""How an id is given to parameters that take more than texts."""


def invalid_values(owner: str, parameter: Parameter, valid: Any) -> Iterator[Any]:
    """Yield the invalid values of a parameter: each alone and, for a list of ids, as an element, first or last."""
    valid = [valid] if isinstance(valid, str) else valid
    wrap = WRAPPED.get(f"{owner}.{parameter.name}")
    for value in INVALID_IDS:
        if wrap:
            yield wrap(value)
        elif takes_many(parameter):
            yield from ([value], [*valid, value], value)
        else:
            yield value


# Flows

ID_PARAMETERS = [(flow, found) for flow in FLOWS for found in flow.parameters if is_id(str(flow), found)]


def find_first_step(flow: PublishedFlow, arguments: Mapping[str, Any]) -> str | None:
    """Return what a flow does first if it does not reject its arguments, or None."""
    try:
        step = next(flow.create(arguments))
    except ValueError:
        return None
    except StopIteration as end:
        return f"returns {end.value!r}"
    except Exception as error:
        return f"raises {error!r:.80}"
    return f"sends {step!r:.80}"


@pytest.mark.parametrize(
    ("flow", "parameter"), ID_PARAMETERS, ids=[f"{flow}-{found.name}" for flow, found in ID_PARAMETERS]
)
def test_a_flow_rejects_an_invalid_id_before_the_first_step(flow: PublishedFlow, parameter: Parameter):
    arguments = flow.arguments()
    taken = [
        (value, find_first_step(flow, {**arguments, parameter.name: value}))
        for value in invalid_values(str(flow), parameter, ARGUMENTS.get(parameter.name, []))
    ]
    assert_none(f"{parameter.name}={describe(value)}: {step}" for value, step in taken if step)


# Operators and sensors

TASK_ARGUMENTS: Mapping[str, Any] = {
    "after": "2026-01-01T00:00:00Z",
    "alert_id": "x1",
    "change_request_id": "7",
    "code": "p",
    "description": "a",
    "entity_id": ENTITY_ID,
    "entity_type": "version",
    "event_id": ENTITY_ID,
    "folder": "/nonexistent",
    "hash": SHA256,
    "hashes": SHA256,
    "index": "file",
    "ingest_id": "x1",
    "job_id": "j1",
    "key": "x1",
    "list_name": "badlist",
    "name": "project",
    "node": "n1",
    "operation_id": ENTITY_ID,
    "output_uri": "/nonexistent/out.json",
    "project": "project",
    "query": "*",
    "reason": "seen",
    "rule_id": "e1",
    "service": "YARA",
    "settings": {"uri": "https://example.com/rules.git"},
    "sha256": SHA256,
    "sid": "x1",
    "source": "own",
    "status": "DISABLED",
    "statuses": ["Approved"],
    "url": "https://example.com",
    "verdict": "malicious",
    "version_id": ENTITY_ID,
}
"""Valid arguments of operators and sensors, by name."""

ROWS = [{"number": "W-1", "name": "a"}]
SYNC_ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "Products": {},
    "Records": {"entity": "Product", "key_field": "number"},
}
OWN_TASK_ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "AssemblylineApiOperator": {"path": "service/all"},
    "AssemblylineDeleteSignaturesOperator": {"signature_ids": ["x1"], "confirm": True},
    "AssemblylineDeleteSubmissionOperator": {"sids": ["x1"], "confirm": True},
    "AssemblylineEnableListEntryOperator": {"hashes": SHA256},
    "AssemblylineAddToListOperator": {"hashes": SHA256},
    "AssemblylineExportBundleOperator": {"sid": "x1"},
    "AssemblylineRemoveFromListOperator": {"hashes": SHA256, "confirm": True},
    "AssemblylineRemoveSignatureSourceOperator": {"service": "YARA", "source": "own", "confirm": True},
    "AssemblylineResubmitOperator": {"sid": "x1"},
    "AssemblylineRetrohuntOperator": {"yara_signature": "rule a { condition: true }"},
    "AssemblylineSetSignatureStatusOperator": {"signature_ids": ["x1"], "status": "DISABLED"},
    "AssemblylineUpdateAlertOperator": {"priority": "HIGH"},
    "AssemblylineUpdateAlertsOperator": {"priority": "HIGH", "query": "owner:none"},
    "AssemblylineVerdictBranchOperator": {"submission": "x1", "malicious": "a", "suspicious": "b", "safe": "c"},
    "AtrocoreExportJobSensor": {"job_id": "j1"},
    "AtrocoreImportJobSensor": {"job_id": "j1"},
    **{
        f"AtrocoreSync{name}{kind}Operator": arguments
        for name, own in SYNC_ARGUMENTS.items()
        for kind, arguments in {
            "": {**own, "source": ROWS},
            "Plan": {**own, "source": ROWS, "plan_uri": "/nonexistent/plan.jsonl"},
            "Apply": {"plan_uri": "/nonexistent/plan.jsonl", **({"entity": "Product"} if own else {})},
        }.items()
    },
    "RudderComplianceSensor": {"rule_id": "e1"},
    "RudderUpdateRuleOperator": {"enabled": False, "reason": "reviewed"},
}
ALTERNATIVES: Mapping[str, Mapping[str, Any]] = {
    "AssemblylineExportBundleOperator.alert_id": {"sid": None},
    "AssemblylineResubmitOperator.sha256": {"sid": None},
    "AtrocoreExportJobSensor.feed_id": {"job_id": None, "after": "2026-01-01T00:00:00Z"},
    "AtrocoreImportJobSensor.feed_id": {"job_id": None, "after": "2026-01-01T00:00:00Z"},
    "RudderComplianceSensor.node": {"rule_id": None},
}
"""Arguments that must not be given together with an id."""

TASK_IDS = [
    (task, found) for task in TASKS for found in list_arguments(task, "self_hosted") if is_id(task.__name__, found)
]


def task_arguments(task_class: Any) -> dict[str, Any]:
    own = OWN_TASK_ARGUMENTS.get(task_class.__name__, {})
    return {**{name: TASK_ARGUMENTS[name] for name in list_required(task_class) if name not in own}, **own}


@pytest.fixture
def connections(connect: Any) -> None:
    """The default connection of each product: some arguments are checked with its settings. No server listens there."""
    for product, given in CREDENTIALS.items():
        connect(f"{product}_default", {**given, "conn_type": product, "host": "http://127.0.0.1:9"})


@pytest.mark.usefixtures("connections")
@pytest.mark.parametrize("task_class", dict.fromkeys(task for task, _ in TASK_IDS))
def test_the_arguments_of_these_tests_are_valid(task_class: Any):
    create_task(task_class, **task_arguments(task_class)).validate()


def find_acceptance(task_class: Any, name: str, value: Any) -> str | None:
    """Return what is wrong with the way a task rejects an argument, or None."""
    alternatives = ALTERNATIVES.get(f"{task_class.__name__}.{name}", {})
    task = create_task(task_class, **{**task_arguments(task_class), **alternatives, name: value})
    try:
        task.validate()
    except ValueError as error:
        return None if name in str(error) else f"does not name the argument: {error}"
    except Exception as error:
        return f"raises {error!r:.80}"
    return "is accepted"


@pytest.mark.usefixtures("connections")
@pytest.mark.parametrize(
    ("task_class", "parameter"), TASK_IDS, ids=[f"{task.__name__}-{found.name}" for task, found in TASK_IDS]
)
def test_a_task_rejects_an_invalid_id_and_names_the_argument(task_class: Any, parameter: Parameter):
    values = list(invalid_values(task_class.__name__, parameter, TASK_ARGUMENTS.get(parameter.name, [])))
    if parameter.default is not Parameter.empty and f"{task_class.__name__}.{parameter.name}" not in ALTERNATIVES:
        values = [value for value in values if value]  # a template renders an optional value that is missing as ""
    found = [(value, find_acceptance(task_class, parameter.name, value)) for value in values]
    assert_none(f"{parameter.name}={describe(value)}: {problem}" for value, problem in found if problem)


class TestRule:
    """The rule finds ids by name, and its exceptions exist."""

    def test_ids_are_recognized_by_name(self):
        names = ["sid", "alert_id", "copy_sid", "sha256s", "project", "key", "conn_id", "label", "comment", "rude"]
        found = [name for name in names if is_id("toy.get", Parameter(name, Parameter.KEYWORD_ONLY))]
        assert found == ["sid", "alert_id", "copy_sid", "sha256s", "project", "key", "conn_id"]
        assert not is_id("toy.get", Parameter("rudder_conn_id", Parameter.KEYWORD_ONLY))

    def test_every_exception_exists(self):
        parameters = {f"{flow}.{found.name}" for flow in FLOWS for found in flow.parameters}
        parameters |= {
            f"{task.__name__}.{found.name}" for task in TASKS for found in list_arguments(task, "self_hosted")
        }
        assert_none(sorted(set(EXCEPTIONS) - parameters))

    def test_a_list_of_ids_is_recognized_by_its_annotation(self):
        def flow(ids: list[str], key: str, keys: Sequence[str] | None = None) -> None: ...  # type: ignore[name-defined]  # noqa: F821

        import inspect

        assert [takes_many(found) for found in inspect.signature(flow).parameters.values()] == [True, False, True]
