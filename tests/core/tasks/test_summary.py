"""The last line of a task, in all modes."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred
from airflow.triggers.base import TaskSuccessEvent

from self_hosted.core.tasks.operator import publish_link
from self_hosted.core.tasks.summary import describe_result, log_summary
from tests.context import Ti, context, executed, first_event
from tests.core.tasks.build_task import make_operator
from tests.core.toy import BuildOperator, JobSensor, ToyHook
from tests.core.wait.poller_tasks import seed_jobs


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (None, ""),
        ("", ""),
        ("alarm", "alarm"),
        (["a", "b"], "2 items"),
        (["a"], "1 item"),
        ({}, ""),
        (
            {"sid": "4Bk2", "score": 0, "ok": False, "none": None, "empty": [], "hits": [1, 2], "by": {"a": 1}},
            "sid 4Bk2, score 0, ok false, hits 2 items, by 1 key",
        ),
        (
            {"url": "https://a/1", "at": "noon", "report_url": "http://b"},
            "at noon, url https://a/1 report_url http://b",  # a comma would become part of a link
        ),
        ({"text": "x" * 100}, f"text {'x' * 79}…"),
        ({f"f{number}": number for number in range(27)}, ", ".join([*(f"f{n} {n}" for n in range(25)), "and 2 more"])),
    ],
)
def test_a_result_is_described_in_short(result, text):
    assert describe_result(result) == text


def test_the_duration_counts_from_the_start_of_the_task(caplog):
    caplog.set_level(logging.INFO)
    started = SimpleNamespace(start_date=datetime.now(UTC) - timedelta(hours=1))
    log_summary({"ti": started}, {"id": "a"})  # type: ignore[typeddict-item]
    assert caplog.messages == ["Done in 3600 s: id a"]


def read_summaries(caplog) -> list[str]:
    return [message for message in caplog.messages if message.startswith("Done")]


def test_an_operator_ends_with_one_summary(hook: ToyHook, caplog):
    caplog.set_level(logging.INFO)
    executed(lambda: BuildOperator(task_id="build", job="house"))
    assert read_summaries(caplog) == ["Done: id job-1"]


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_waiting_operator_ends_with_one_summary(hook: ToyHook, caplog, deferrable):
    caplog.set_level(logging.INFO)
    executed(lambda: make_operator(deferrable=deferrable))
    assert read_summaries(caplog) == ["Done: id job-1, state done"]
    assert caplog.messages[-1] == "Done: id job-1, state done"


def test_an_operator_that_does_not_wait_ends_with_one_summary(hook: ToyHook, caplog):
    caplog.set_level(logging.INFO)
    executed(lambda: make_operator(wait_for_completion=False))
    assert read_summaries(caplog) == ["Done: id job-1"]


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_sensor_ends_with_one_summary(hook: ToyHook, toy, served, caplog, deferrable):
    caplog.set_level(logging.INFO)
    seed_jobs(toy, a=1)
    executed(lambda: JobSensor(task_id="wait", job_id="a", poke_interval=0.01, deferrable=deferrable))
    assert len(read_summaries(caplog)) == 1
    assert "state done" in caplog.messages[-1]


def test_a_sensor_that_ends_in_the_triggerer_has_a_summary(hook: ToyHook, toy, caplog):
    caplog.set_level(logging.INFO)
    seed_jobs(toy, a=1)
    sensor = JobSensor(task_id="wait", job_id="a", poke_interval=0.01, deferrable=True, do_xcom_push=False)
    with pytest.raises(TaskDeferred) as deferral:
        sensor.execute(context(sensor))
    assert isinstance(asyncio.run(first_event(deferral.value.trigger)), TaskSuccessEvent)
    [summary] = read_summaries(caplog)
    assert summary.startswith("Done in 0 s: state done, url http")


def test_the_link_is_logged_once(hook: ToyHook, caplog):
    caplog.set_level(logging.INFO)
    executed(lambda: make_operator(deferrable=False))
    assert [message for message in caplog.messages if "https://toy" in message] == [
        "Toy: https://toy.example.com/job-1"
    ]


def test_the_link_of_a_task_without_a_link_button_is_logged(caplog):
    caplog.set_level(logging.INFO)
    publish_link({"ti": Ti(), "task": SimpleNamespace()}, "https://toy.example.com/1")  # type: ignore[typeddict-item]
    assert caplog.messages == ["Open in product: https://toy.example.com/1"]
