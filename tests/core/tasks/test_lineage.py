"""Lineage: what a task reads and writes, also after a deferral and on a retry, whose workers are other processes."""

from __future__ import annotations

import asyncio
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from self_hosted.core.http.errors import PermanentError
from self_hosted.core.tasks.assets import asset_uri
from self_hosted.core.tasks.lineage import (
    MAX_ASSETS,
    lineage_of,
    record_input,
    record_inputs,
    record_output,
    restore_lineage,
    save_lineage,
    set_subject,
)
from tests.context import first_event
from tests.core.tasks.build_task import make_operator
from tests.core.toy import JobSensor, ToyHook
from tests.lineage import collected


@pytest.fixture
def toy_hook() -> ToyHook:
    return ToyHook("toy_default")


@pytest.fixture
def collector(monkeypatch):
    return collected(monkeypatch)


def list_inputs(collector: Any) -> list[str]:
    return [found.asset.uri for found in collector.collected_assets.inputs]


def list_outputs(collector: Any) -> list[str]:
    return [found.asset.uri for found in collector.collected_assets.outputs]


def test_read_and_written_files_are_recorded(toy_hook, collector, tmp_path):
    source, target = tmp_path / "a source", tmp_path / "target"
    record_input(toy_hook, str(source))
    record_output(toy_hook, str(target), rows=3)
    assert (list_inputs(collector), list_outputs(collector)) == ([source.as_uri()], [target.as_uri()])
    assert lineage_of(toy_hook).outputs == {target.as_uri(): 3}


def test_the_number_of_rows_is_kept_when_the_output_is_recorded_again(toy_hook):
    record_output(toy_hook, "/a", rows=3)
    record_output(toy_hook, "/a")
    assert lineage_of(toy_hook).outputs == {"file:///a": 3}


def test_files_of_an_object_store_are_recorded_by_airflow_itself(toy_hook, collector):
    record_input(toy_hook, "s3://aws_default@bucket/source")
    record_output(toy_hook, "s3://aws_default@bucket/target")
    assert not collector.has_collected
    assert list(lineage_of(toy_hook).inputs) == ["s3://bucket/source"]
    assert list(lineage_of(toy_hook).outputs) == ["s3://bucket/target"]


def test_a_name_that_is_too_long_for_airflow_does_not_fail_the_task(toy_hook, collector):
    record_input(toy_hook, "/" + "a" * 2000)
    record_output(toy_hook, "/" + "a" * 2000)
    restore_lineage(ToyHook("toy_default"), save_lineage(toy_hook))
    assert not collector.has_collected


def test_each_of_few_files_is_an_input(toy_hook):
    record_inputs(toy_hook, [f"/in/{number}" for number in range(MAX_ASSETS)], "/in")
    assert len(lineage_of(toy_hook).inputs) == MAX_ASSETS


def test_a_folder_takes_the_place_of_more_files_than_airflow_collects(toy_hook, caplog):
    with caplog.at_level(logging.INFO):
        record_inputs(toy_hook, [f"/in/{number}" for number in range(MAX_ASSETS + 1)], "/in")
    assert list(lineage_of(toy_hook).inputs) == ["file:///in"]
    assert "The lineage names /in in place of 101 files" in caplog.text


def test_of_too_many_files_without_a_common_folder_the_first_ones_are_recorded(toy_hook):
    record_inputs(toy_hook, [f"/{number}/file" for number in range(MAX_ASSETS + 1)])
    assert len(lineage_of(toy_hook).inputs) == MAX_ASSETS


def test_the_first_subject_counts(toy_hook):
    set_subject(toy_hook, "toy://host/job/1")
    set_subject(toy_hook, "toy://host/job/2")
    assert lineage_of(toy_hook).subject == "toy://host/job/1"


def test_nothing_is_saved_of_a_task_without_lineage(toy_hook, collector):
    assert save_lineage(toy_hook) is None
    restore_lineage(toy_hook, None)
    assert not collector.has_collected


def test_what_airflow_recorded_itself_is_saved_once_along_with_the_rest(toy_hook, collector):
    record_input(toy_hook, "s3://aws_default@bucket/source")
    store: Any = SimpleNamespace()
    collector.add_input_asset(context=store, uri="s3://bucket/source")
    collector.add_input_asset(context=store, uri="s3://bucket/other")
    collector.add_output_asset(context=store, uri="s3://bucket/target")
    saved: Any = json.loads(json.dumps(save_lineage(toy_hook)))
    assert saved["inputs"] == ["s3://bucket/source", "s3://bucket/other"]
    assert saved["outputs"] == {"s3://bucket/target": None}


def test_a_restored_lineage_is_that_of_the_earlier_process(toy_hook, monkeypatch):
    collected(monkeypatch)
    record_input(toy_hook, "/in")
    record_output(toy_hook, "toy://host/job/1", rows=7)
    set_subject(toy_hook, "toy://host/job/1")
    saved: Any = json.loads(json.dumps(save_lineage(toy_hook)))
    fresh, other_hook = collected(monkeypatch), ToyHook("toy_default")
    restore_lineage(other_hook, saved)
    assert (list_inputs(fresh), list_outputs(fresh)) == (["file:///in"], ["toy://host/job/1"])
    assert lineage_of(other_hook) == lineage_of(toy_hook)


# tasks


def defer(task: Any, context: Any) -> Any:
    """Execute a task until it defers, and return the event of its trigger."""
    with pytest.raises(TaskDeferred) as raised:
        task.execute(context)
    return json.loads(json.dumps(asyncio.run(first_event(raised.value.trigger)).payload))


def make_reading_operator(**arguments: Any) -> Any:
    operator = make_operator(**arguments)
    submit = operator.submit

    def submit_file(context: Any) -> Any:
        record_input(operator.hook, "/in")
        return submit(context)

    operator.__dict__["submit"] = submit_file
    return operator


def test_an_operator_records_in_the_resumed_worker_what_it_read_before(hook, make_context, monkeypatch):
    collected(monkeypatch)
    operator = make_reading_operator(deferrable=True)
    context = make_context(operator)
    event = defer(operator, context)
    fresh = collected(monkeypatch)
    make_reading_operator(deferrable=True).execute_complete(context, event)
    assert list_inputs(fresh) == ["file:///in"]
    assert list_outputs(fresh) == [asset_uri(hook, "job", "job-1")]


def test_a_retry_that_resumes_the_wait_records_what_the_earlier_try_read(hook, make_context, monkeypatch):
    collected(monkeypatch)
    operator = make_reading_operator(deferrable=True)
    context = make_context(operator)
    defer(operator, context)
    fresh = collected(monkeypatch)
    resumed = make_operator(deferrable=False)
    resumed.execute(context)
    assert list_inputs(fresh) == ["file:///in"]
    assert list_outputs(fresh) == [asset_uri(hook, "job", "job-1")]


def test_the_submitted_work_is_an_output_of_a_task_that_fails(hook, make_context, collector):
    operator = make_operator(deferrable=False, state="broken", polls=1000, wait_timeout=0.1)
    with pytest.raises(Exception, match="timed out"):
        operator.execute(make_context(operator))
    assert list_outputs(collector) == [asset_uri(hook, "job", "job-1")]
    assert lineage_of(operator.hook).subject == asset_uri(hook, "job", "job-1")


@pytest.mark.parametrize("deferrable", [False, True])
def test_the_object_of_a_sensor_is_its_input_in_the_worker_that_ends_it(
    hook, toy, make_context, monkeypatch, deferrable
):
    toy.seed({"jobs": {"a": {"polls": 1, "state": "done"}}})
    collected(monkeypatch)
    sensor = JobSensor(task_id="wait", job_id="a", deferrable=deferrable, poke_interval=0.05)
    context = make_context(sensor)
    if deferrable:
        event = defer(sensor, context)
        fresh = collected(monkeypatch)
        JobSensor(task_id="wait", job_id="a").execute_complete(context, event)
    else:
        fresh = collected(monkeypatch)
        sensor.execute(context)
    assert list_inputs(fresh) == [asset_uri(hook, "job", "a")]


def test_the_object_of_a_deferred_sensor_that_fails_is_its_input(hook, toy, make_context, collector):
    sensor = JobSensor(task_id="wait", job_id="a")
    with pytest.raises(AirflowFailException):
        sensor.execute_complete(make_context(sensor), {"error": PermanentError("no").as_json()})
    assert list_inputs(collector) == [asset_uri(hook, "job", "a")]
