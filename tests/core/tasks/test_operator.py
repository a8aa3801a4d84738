"""Validate, then submit; permanent errors; the idempotency key; the link."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, ObjectStoragePath, XCom

from self_hosted.core.http.errors import (
    InvalidRequestError,
    PermissionDeniedError,
    ServerError,
    UnavailableError,
    WaitTimeoutError,
)
from self_hosted.core.tasks.operator import (
    LINK_KEY,
    SelfHostedLink,
    SelfHostedOperator,
    fail_fast_on_permanent_errors,
    idempotency_key,
)
from tests.core.conftest import StartedRun
from tests.core.toy import BuildOperator, Toy, ToyHook

# validate and submit


def test_an_operator_returns_the_result_of_submit(hook: ToyHook, make_context):
    operator = BuildOperator(task_id="build", job="house")
    assert operator.execute(make_context(operator)) == {"id": "job-1"}


def test_arguments_are_validated_before_any_request(hook: ToyHook, toy: Toy, make_context):
    operator = BuildOperator(task_id="build", job="")
    with pytest.raises(AirflowFailException, match="job must be the name of a job, not ''"):
        operator.execute(make_context(operator))
    assert toy.requests == []


def test_arguments_are_validated_after_templating(hook: ToyHook, make_context):
    operator = BuildOperator(task_id="build", job="{{ name }}")
    values: Any = {"name": ""}
    operator.render_template_fields(values)
    with pytest.raises(AirflowFailException):
        operator.execute(make_context(operator))


@pytest.mark.parametrize("value", ["None", "", [1], 1.5])
def test_an_invalid_connection_is_an_error_that_names_the_argument(hook: ToyHook, make_context, value):
    operator = BuildOperator(task_id="build", job="house", toy_conn_id=value)
    with pytest.raises(AirflowFailException, match="toy_conn_id must be the id of an Airflow connection, not"):
        operator.execute(make_context(operator))


def test_native_rendering_may_turn_the_id_of_a_connection_into_a_number():
    assert BuildOperator(task_id="build", job="house", toy_conn_id=7).conn_id == "7"  # type: ignore[arg-type]


def test_a_path_is_a_template():
    operator: Any = BuildOperator(task_id="build", job=[Path("/nonexistent/{{ name }}")])  # type: ignore[arg-type]
    values: Any = {"name": "house"}
    operator.render_template_fields(values)
    assert operator.job == ["/nonexistent/house"]


def test_a_path_of_an_object_store_remains_one():
    operator = BuildOperator(task_id="build", job=ObjectStoragePath("s3://bucket/{{ name }}"))  # type: ignore[arg-type]
    values: Any = {"name": "house"}
    operator.render_template_fields(values)
    assert str(operator.job) == "s3://bucket/house"


@pytest.mark.parametrize("error", [PermissionDeniedError("no"), InvalidRequestError("no"), ValueError("no")])
def test_permanent_errors_fail_the_task_without_retries(error):
    with pytest.raises(AirflowFailException, match="no") as failure, fail_fast_on_permanent_errors():
        raise error
    # the log shows the traceback of an invalid value only: the message of an error of a product says all
    assert (failure.value.__cause__ is error) is isinstance(error, ValueError)
    assert failure.value.__suppress_context__


@pytest.mark.parametrize(
    "error", [UnavailableError("later"), ServerError("perhaps later"), WaitTimeoutError("timed out"), KeyError("a bug")]
)
def test_other_errors_leave_the_retries_to_the_task(error):
    with pytest.raises(type(error)), fail_fast_on_permanent_errors():
        raise error


def test_a_rejected_request_fails_the_task_without_retries(hook: ToyHook, make_context):
    operator = BuildOperator(task_id="build", job="forbidden")
    with pytest.raises(AirflowFailException, match=r"POST /jobs: this name is not allowed \(HTTP 403\)"):
        operator.execute(make_context(operator))


def test_the_connection_comes_from_the_argument_of_the_product():
    operator = BuildOperator(task_id="build", job="house", toy_conn_id="other_toy")
    assert operator.conn_id == "other_toy"
    assert operator.hook.conn_id == "other_toy"


def test_a_task_has_one_hook():
    operator = BuildOperator(task_id="build", job="house")
    assert operator.hook is operator.hook


def test_submit_is_abstract():
    with pytest.raises(NotImplementedError):
        SelfHostedOperator(task_id="a").submit({})


# the idempotency key


def test_the_key_is_the_same_for_every_retry(make_context):
    context = make_context(BuildOperator(task_id="build", job="house", retries=3))
    first = idempotency_key(context)
    context["ti"].try_number = 3
    assert idempotency_key(context) == first
    assert len(first) == 32
    assert int(first, 16) >= 0


def test_the_key_changes_when_a_user_clears_the_task(make_context):
    context = make_context(BuildOperator(task_id="build", job="house", retries=3))
    first = idempotency_key(context)
    context["ti"].try_number, context["ti"].max_tries = 2, 4  # Airflow adds the same number of tries
    assert idempotency_key(context) != first


def test_the_key_differs_by_task_run_and_map_index(make_context):
    build, paint = BuildOperator(task_id="build", job="house"), BuildOperator(task_id="paint", job="house")
    contexts = [
        make_context(build),
        make_context(build, run_id="run2"),
        make_context(build, map_index=0),
        make_context(build, map_index=1),
        make_context(paint),
    ]
    assert len({idempotency_key(context) for context in contexts}) == 5


def recreate(run: StartedRun, **later: int) -> StartedRun:
    """Return the run that Airflow creates with the same run id after the first one was deleted."""
    return StartedRun(run.start_date + timedelta(**later), run.run_after)


def test_the_key_changes_when_a_run_is_deleted_and_created_again(make_context):
    operator, run = BuildOperator(task_id="build", job="house"), StartedRun()
    runs = [run, recreate(run, microseconds=1), recreate(run, days=1)]
    assert len({idempotency_key(make_context(operator, dag_run=each)) for each in runs}) == 3


def test_the_key_changes_when_dag_test_repeats_a_run_of_one_date(make_context):
    """`dag.test` deletes the earlier run, and starts the new one at the logical date that is given."""
    operator, date = BuildOperator(task_id="build", job="house"), datetime(2026, 1, 1, tzinfo=UTC)
    runs = [StartedRun(date, run_after=date + timedelta(days=day)) for day in (1, 2)]
    assert len({idempotency_key(make_context(operator, dag_run=each)) for each in runs}) == 2


def test_the_key_needs_no_start_of_the_run(make_context):
    """Airflow removes it from a running run that a user sets to queued."""
    context = make_context(BuildOperator(task_id="build", job="house"))
    first = idempotency_key(context)
    context["dag_run"].start_date = None
    assert idempotency_key(context) != first


def test_the_key_is_the_same_in_every_time_zone(make_context):
    operator, run = BuildOperator(task_id="build", job="house"), StartedRun()
    zone = timezone(timedelta(hours=2))
    elsewhere = StartedRun(run.start_date.astimezone(zone), run.run_after.astimezone(zone))
    assert idempotency_key(make_context(operator, dag_run=elsewhere)) == idempotency_key(make_context(operator))


def test_the_key_differs_between_two_airflow_instances(monkeypatch, make_context):
    context = make_context(BuildOperator(task_id="build", job="house"))
    keys = {idempotency_key(context)}
    for url in ("https://airflow.example.com", "https://test.example.com/airflow", "https://test.example.com/airflow/"):
        monkeypatch.setenv("AIRFLOW__API__BASE_URL", url)
        keys.add(idempotency_key(context))
    assert len(keys) == 3


# the link


def test_the_link_is_published(hook: ToyHook, make_context):
    operator = BuildOperator(task_id="build", job="house")
    context = make_context(operator)
    operator.execute(context)
    assert context["ti"].pushed == {LINK_KEY: "https://toy.example.com/job-1"}


@pytest.mark.parametrize(
    ("stored", "link"), [("https://toy.example.com/job-1", "https://toy.example.com/job-1"), (None, "")]
)
def test_the_link_is_the_published_url_or_empty(monkeypatch, stored, link):
    queries: list[Any] = []

    def get_value(*, ti_key: Any, key: str) -> Any:
        queries.append((ti_key, key))
        return stored

    monkeypatch.setattr(XCom, "get_value", get_value)  # needs a metadata database
    operator = BuildOperator(task_id="build", job="house")
    [extra_link] = operator.operator_extra_links
    assert isinstance(extra_link, SelfHostedLink)
    assert extra_link.get_link(operator, ti_key="the task") == link
    assert queries == [("the task", LINK_KEY)]
