"""AssemblylineIdleSensor against the sandbox."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout

from self_hosted.assemblyline import waits
from self_hosted.assemblyline.api.submissions import activity
from self_hosted.assemblyline.sensors import AssemblylineIdleSensor
from self_hosted.core.http.flow import Pause
from tests.assemblyline.flows import reply, result_of
from tests.context import executed


@pytest.fixture(autouse=True)
def _connected(conn_id, monkeypatch):
    monkeypatch.setattr(waits, "INDEX_LAG_SECONDS", 0.05)


def run(**arguments):
    """Return the result of the sensor, in a worker or deferred."""
    usual = {"task_id": "idle", "deferrable": False, "poke_interval": 0.05, "timeout": 60}
    return executed(lambda: AssemblylineIdleSensor(**{**usual, **arguments}))


in_worker_and_deferred = pytest.mark.parametrize("deferrable", [False, True])


def test_it_succeeds_on_an_idle_server():
    assert run() == {"query": "*", "idle_seconds": 0}


@in_worker_and_deferred
def test_it_waits_for_running_analyses(served, hook, submitted, deferrable):
    sid = submitted("RIG-SLEEP:0.4")
    run(deferrable=deferrable)
    assert hook.is_submission_completed(sid)


def test_it_ignores_submissions_that_do_not_match(submitted):
    submitted("RIG-SLEEP:60", metadata={"case": "other"})
    run(query='metadata.case:"mine"')
    with pytest.raises(AirflowSensorTimeout, match="its last state is 'busy'"):
        run(query='metadata.case:"other"', timeout=0.3)


def test_the_server_may_have_to_be_idle_for_some_time(served, submitted):
    served.seed({"delay": 0})
    submitted("x")
    run()
    with pytest.raises(AirflowSensorTimeout):
        run(idle_seconds="60", timeout=0.3)
    assert run(idle_seconds="1") == {"query": "*", "idle_seconds": 1}


def test_a_rejected_query_is_a_clear_error():
    with pytest.raises(AirflowFailException, match=r"query: Assemblyline cannot read 'sid:\(\"a\"': SearchException"):
        run(query='sid:("a"')


def test_a_rejected_query_does_not_affect_others(hook):
    seen = hook.run(waits.IDLE.refresh([waits.build_idle_key('sid:("a"', 0), waits.build_idle_key("*", 0)]))
    assert [observation.state for observation in seen.values()] == ["rejected", "idle"]


def test_a_submission_that_the_index_lacks_at_first_is_noticed():
    key = waits.build_idle_key("*", 0)
    answers = [reply({"items": [], "total": total}) for total in (0, 1)]
    seen, steps = result_of(waits.IDLE.refresh([key]), *answers)
    assert [type(step) for step in steps][1] is Pause
    assert (seen[key].state, seen[key].details) == ("busy", {"active": 1})


def test_any_number_of_running_submissions_is_counted():
    result, (request,) = result_of(activity.count_active('params.submitter:"eva"'), reply({"total": 12_345}))
    assert result == 12_345
    assert request.json == {
        "query": 'params.submitter:"eva"',
        "filters": ["state:submitted"],
        "rows": 0,
        "track_total_hits": True,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"query": " "}, "query must be a Lucene query"),
        ({"idle_seconds": -1}, "idle_seconds must be a whole number, 0 or more, not -1"),
        ({"idle_seconds": "a minute"}, "idle_seconds must be a whole number"),
        ({"idle_seconds": None}, "idle_seconds must be a whole number"),
    ],
)
def test_an_invalid_argument_is_named(arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        run(**arguments)
