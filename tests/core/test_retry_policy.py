"""When Airflow tries again; and which tasks ask the policy."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from self_hosted.core.errors import Broken, Busy, Final, NotFound, Overdue, QuotaSpent
from self_hosted.core.retry_policy import HAS_POLICIES, ProductRetryPolicy
from tests.core.toy import BuildOperator, JobSensor

pytestmark = pytest.mark.skipif(not HAS_POLICIES, reason="Airflow has retry policies since 3.3")


def decided(error: BaseException) -> tuple[str, timedelta | None]:
    decision = ProductRetryPolicy().evaluate(error, 1, 3)
    return decision.action.value, decision.retry_delay


@pytest.mark.parametrize("error", [NotFound("no such thing"), QuotaSpent("tomorrow")])
def test_what_no_retry_mends_fails_at_once_and_says_why(error: Final):
    decision = ProductRetryPolicy().evaluate(error, 1, 3)
    assert decision.action.value == "fail"
    assert str(error) in str(decision.reason)


def test_a_product_that_asks_to_wait_is_left_alone_for_that_long_and_a_little_more():
    action, delay = decided(Busy("later", retry_after=100))
    assert action == "retry"
    assert delay is not None
    assert timedelta(seconds=100) <= delay <= timedelta(seconds=120)


@pytest.mark.parametrize(
    "error", [Busy("later"), Broken("perhaps"), Overdue("in vain"), ValueError("a bug"), KeyError()]
)
def test_everything_else_is_left_to_the_settings_of_the_task(error):
    assert decided(error) == ("default", None)


def test_it_can_be_stored_with_a_dag():
    stored = json.loads(json.dumps(ProductRetryPolicy().serialize()))
    assert isinstance(ProductRetryPolicy.deserialize(stored), ProductRetryPolicy)


def test_operators_and_sensors_have_it_unless_they_are_given_another():
    class Another(ProductRetryPolicy):
        """Any other."""

    tasks = [BuildOperator(task_id="a", job="house"), JobSensor(task_id="b", job_id="a")]
    assert [type(task.retry_policy) for task in tasks] == [ProductRetryPolicy, ProductRetryPolicy]
    own = BuildOperator(task_id="c", job="house", retry_policy=Another())
    assert type(own.retry_policy) is Another
    by_default = BuildOperator(task_id="d", job="house", default_args={"retry_policy": Another()})
    assert type(by_default.retry_policy) is Another
