"""Arguments of a sensor that a template renders, and the link that it publishes before its wait."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout, TaskDeferred

from tests.core.tasks.build_sensor import execute_to_end, expected_result, make_sensor, seed_job
from tests.core.toy import Toy, ToyHook


@pytest.mark.parametrize("deferrable", ["False", "true"])
def test_times_and_switches_may_be_texts(hook: ToyHook, toy: Toy, make_context, deferrable):
    seed_job(toy, polls=2)
    waiting = make_sensor(poke_interval="0.05", timeout="60", deferrable=deferrable)
    assert execute_to_end(waiting, make_context(waiting)) == expected_result(hook)


@pytest.mark.parametrize("argument", ["poke_interval", "timeout", "deferrable"])
def test_an_invalid_time_or_switch_is_an_error_that_names_it(hook: ToyHook, make_context, argument):
    waiting = make_sensor(**{argument: "soon"})
    with pytest.raises(AirflowFailException, match=f"^{argument} must be .*, not 'soon'"):
        waiting.execute(make_context(waiting))


def test_a_template_for_a_time_starts_the_sensor_in_a_worker():
    waiting = make_sensor(timeout="{{ params.seconds }}", start_from_trigger=True)
    assert (waiting.deferrable, waiting.start_from_trigger) == (True, False)


@pytest.mark.parametrize("deferrable", [False, True])
def test_the_link_works_while_the_sensor_waits(hook: ToyHook, toy: Toy, make_context, deferrable):
    seed_job(toy, polls=10_000)
    waiting = make_sensor(timeout=0.2, deferrable=deferrable)
    context = make_context(waiting)
    with pytest.raises(AirflowSensorTimeout if not deferrable else TaskDeferred):
        waiting.execute(context)
    assert context["ti"].pushed["product_url"] == f"{hook.settings.address.base_url}/jobs/a"
