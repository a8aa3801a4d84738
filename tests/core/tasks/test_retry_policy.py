"""The retry policy: its decisions, and the tasks that have it."""

from __future__ import annotations

import importlib.util
import json
import sys
from datetime import timedelta

import pytest

from self_hosted.core.http.errors import (
    DailyQuotaError,
    NotFoundError,
    PermanentError,
    ServerError,
    UnavailableError,
    WaitTimeoutError,
)
from self_hosted.core.tasks import retry_policy
from self_hosted.core.tasks.retry_policy import HAS_POLICIES, SelfHostedRetryPolicy
from tests.core.toy import BuildOperator, JobSensor

pytestmark = pytest.mark.skipif(not HAS_POLICIES, reason="Airflow has retry policies since 3.3")


def evaluate(error: BaseException) -> tuple[str, timedelta | None]:
    decision = SelfHostedRetryPolicy().evaluate(error, 1, 3)
    return decision.action.value, decision.retry_delay


@pytest.mark.parametrize("error", [NotFoundError("no such object"), DailyQuotaError("tomorrow")])
def test_a_permanent_error_fails_the_task_at_once_with_the_reason(error: PermanentError):
    decision = SelfHostedRetryPolicy().evaluate(error, 1, 3)
    assert decision.action.value == "fail"
    assert str(error) in str(decision.reason)


def test_retry_after_delays_the_retry_with_jitter():
    action, delay = evaluate(UnavailableError("later", retry_after=100))
    assert action == "retry"
    assert delay is not None
    assert timedelta(seconds=100) <= delay <= timedelta(seconds=120)


@pytest.mark.parametrize("retry_after", [24 * 3600, 1e9, 1.7e12, 1e308, float("inf")])
def test_a_retry_is_delayed_by_a_day_at_most(retry_after):
    action, delay = evaluate(UnavailableError("later", retry_after=retry_after))
    assert action == "retry"
    assert delay is not None
    assert timedelta(hours=24) <= delay <= timedelta(hours=24) * 1.2


@pytest.mark.parametrize("retry_after", [0, -5, float("nan")])
def test_a_retry_after_that_is_no_time_is_ignored(retry_after):
    assert evaluate(UnavailableError("later", retry_after=retry_after)) == ("default", None)


@pytest.mark.parametrize(
    "error",
    [UnavailableError("later"), ServerError("perhaps"), WaitTimeoutError("timed out"), ValueError("a bug"), KeyError()],
)
def test_other_errors_follow_the_settings_of_the_task(error):
    assert evaluate(error) == ("default", None)


def test_the_policy_is_serializable():
    stored = json.loads(json.dumps(SelfHostedRetryPolicy().serialize()))
    assert isinstance(SelfHostedRetryPolicy.deserialize(stored), SelfHostedRetryPolicy)


def test_operators_and_sensors_have_the_policy_unless_they_have_another():
    class OtherPolicy(SelfHostedRetryPolicy):
        """Another policy."""

    tasks = [BuildOperator(task_id="a", job="house"), JobSensor(task_id="b", job_id="a")]
    assert [type(task.retry_policy) for task in tasks] == [SelfHostedRetryPolicy, SelfHostedRetryPolicy]
    own = BuildOperator(task_id="c", job="house", retry_policy=OtherPolicy())
    assert type(own.retry_policy) is OtherPolicy
    by_default = BuildOperator(task_id="d", job="house", default_args={"retry_policy": OtherPolicy()})
    assert type(by_default.retry_policy) is OtherPolicy


def test_without_retry_policies_in_airflow_a_task_has_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "airflow.sdk.definitions.retry_policy", None)  # as before Airflow 3.3
    spec = importlib.util.spec_from_file_location("retry_policy_of_older_airflow", retry_policy.__file__)
    assert spec is not None
    assert spec.loader is not None
    older = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(older)
    task = BuildOperator(task_id="a", job="house")
    task.retry_policy = None
    older.apply_default_retry_policy(task)
    assert task.retry_policy is None
