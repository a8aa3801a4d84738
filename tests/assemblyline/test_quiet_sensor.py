"""The sensor that waits until nothing is analysed, against the stand-in."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout

from self_hosted.assemblyline import api
from self_hosted.assemblyline.sensors import AssemblylineQuietSensor
from self_hosted.assemblyline.triggers import QUIET
from self_hosted.core.flow import Pause
from tests.assemblyline.flows import reply, result_of
from tests.context import executed


@pytest.fixture(autouse=True)
def _connected(conn_id, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.triggers.INDEX_LAG", 0.05)


def run(**arguments):
    """Run the sensor in a worker, or deferred."""
    usual = {"task_id": "quiet", "deferrable": False, "poke_interval": 0.05, "timeout": 20}
    return executed(lambda: AssemblylineQuietSensor(**{**usual, **arguments}))


both = pytest.mark.parametrize("deferrable", [False, True])


@both
def test_an_idle_server_is_quiet(deferrable):
    assert run(deferrable=deferrable) == {"query": "*", "quiet_for": 0}


@both
def test_it_waits_for_what_is_analysed(served, hook, submitted, deferrable):
    sid = submitted("RIG-SLEEP:0.4")
    run(deferrable=deferrable)
    assert hook.is_completed(sid)


@both
def test_it_does_not_wait_for_what_does_not_match(submitted, deferrable):
    submitted("RIG-SLEEP:60", metadata={"case": "other"})
    run(query='metadata.case:"mine"', deferrable=deferrable)
    with pytest.raises(AirflowSensorTimeout, match="its last seen state is 'busy'"):
        run(query='metadata.case:"other"', deferrable=deferrable, timeout=0.3)


@both
def test_it_may_have_to_be_quiet_for_a_while(served, submitted, deferrable):
    served.seed({"delay": 0})
    submitted("x")
    run(deferrable=deferrable)
    with pytest.raises(AirflowSensorTimeout):
        run(quiet_for="60", deferrable=deferrable, timeout=0.3)
    assert run(quiet_for="1", deferrable=deferrable) == {"query": "*", "quiet_for": 1}


@both
def test_a_query_that_the_server_cannot_read_is_a_clear_error(deferrable):
    with pytest.raises(AirflowFailException, match=r"query: Assemblyline cannot read 'sid:\(\"a\"': SearchException"):
        run(query='sid:("a"', deferrable=deferrable)


def test_a_query_that_the_server_cannot_read_disturbs_no_other(hook):
    seen = hook.run(QUIET.ask([api.quiet_key('sid:("a"', 0), api.quiet_key("*", 0)]))
    assert [one.state for one in seen.values()] == ["refused", "quiet"]


def test_what_was_submitted_a_moment_ago_is_noticed():
    key = api.quiet_key("*", 0)
    answers = [reply({"items": [], "total": total}) for total in (0, 1)]
    seen, steps = result_of(QUIET.ask([key]), *answers)
    assert [type(step) for step in steps][1] is Pause
    assert (seen[key].state, seen[key].facts) == ("busy", {"running": 1})


def test_all_that_is_running_is_counted_however_much_it_is():
    result, (request,) = result_of(api.running_submissions('params.submitter:"eva"'), reply({"total": 12_345}))
    assert result == 12_345
    assert request.json == {
        "query": 'params.submitter:"eva"',
        "filters": ["state:submitted"],
        "rows": 0,
        "track_total_hits": True,
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"query": " "}, "query must be a Lucene query"),
        ({"quiet_for": -1}, "quiet_for must be a whole number, 0 or more, not -1"),
        ({"quiet_for": "a minute"}, "quiet_for must be a whole number"),
        ({"quiet_for": None}, "quiet_for must be a whole number"),
    ],
)
def test_a_wrong_argument_is_named(arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        run(**arguments)
