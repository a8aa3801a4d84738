"""What OpenLineage's provider, which is installed for tests, extracts from a task."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Asset
from airflow.providers.openlineage.extractors import ExtractorManager
from airflow.utils.state import TaskInstanceState

from self_hosted.core.tasks.lineage import record_input, record_output, set_subject
from tests.core.tasks.build_task import make_operator
from tests.core.toy import JobSensor
from tests.lineage import collected

RULE = "rudder://rudder.example.com/rule/a%20b"


@pytest.fixture(autouse=True)
def collector(monkeypatch):
    return collected(monkeypatch)


def extract(task: Any, state: TaskInstanceState = TaskInstanceState.SUCCESS) -> Any:
    """Return what the provider extracts from a task at its end."""
    run: Any = SimpleNamespace(run_id="run")
    return ExtractorManager().extract_metadata(run, task, state, task_instance=None)


def identify(datasets: Any) -> list[tuple[str, str]]:
    return [(dataset.namespace, dataset.name) for dataset in datasets]


@pytest.mark.parametrize("state", [TaskInstanceState.SUCCESS, TaskInstanceState.FAILED])
def test_files_and_objects_are_datasets_whether_the_task_succeeds_or_fails(state):
    task = make_operator()
    record_input(task.hook, "/in/file")
    record_output(task.hook, RULE)
    lineage = extract(task, state)
    assert identify(lineage.inputs) == [("file", "/in/file")]
    assert identify(lineage.outputs) == [("rudder://rudder.example.com", "rule/a%20b")]


def test_the_number_of_written_rows_is_a_facet_of_the_output():
    task = make_operator()
    record_output(task.hook, "atrocore://atrocore.example.com/Product", rows=12)
    [output] = extract(task).outputs
    assert output.outputFacets["outputStatistics"].rowCount == 12


def test_the_object_in_the_product_is_a_facet_of_the_run():
    task = make_operator()
    set_subject(task.hook, RULE)
    record_output(task.hook, RULE)
    facet = extract(task).run_facets["externalQuery"]
    assert (facet.externalQueryId, facet.source) == ("a b", "rudder://rudder.example.com")


def test_what_airflow_collected_and_what_the_author_declared_is_not_lost(collector):
    task = make_operator(inlets=[Asset("file:///declared"), Asset("file:///in")], outlets=[Asset("file:///target")])
    record_input(task.hook, "/in")
    collector.add_input_asset(context=SimpleNamespace(), uri="file:///collected")
    lineage = extract(task)
    assert identify(lineage.inputs) == [("file", "/in"), ("file", "/collected"), ("file", "/declared")]
    assert identify(lineage.outputs) == [("file", "/target")]


def test_an_asset_without_a_converter_is_left_out():
    task = make_operator()
    record_input(task.hook, "toy://toys.example.com/house/7")
    assert extract(task).inputs == []


def test_a_task_without_lineage_has_no_datasets_and_no_facets():
    lineage = extract(make_operator())
    assert (lineage.inputs, lineage.outputs, lineage.run_facets) == ([], [], {})


def test_sensors_have_a_lineage_as_operators_do():
    sensor = JobSensor(task_id="wait", job_id="a")
    record_input(sensor.hook, RULE)
    assert identify(extract(sensor).inputs) == [("rudder://rudder.example.com", "rule/a%20b")]
