"""The sensor, against the stand-in."""

from __future__ import annotations

import asyncio
import io

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)

from self_hosted.assemblyline.sensors import AssemblylineSubmissionSensor
from self_hosted.core.flow import Upload
from self_hosted.core.trigger import WaitTrigger
from tests.context import context


def run(sid, **arguments):
    task = AssemblylineSubmissionSensor(
        task_id="wait", sid=sid, **{"deferrable": False, "poke_interval": 0.05, "timeout": 20, **arguments}
    )
    told = context(task, task_id="wait")
    try:
        return task.execute(told)
    except TaskDeferred as deferred:
        event = asyncio.run(_first(WaitTrigger(**deferred.trigger.serialize()[1])))
        return getattr(task, deferred.method_name)(told, event.payload)


async def _first(trigger):
    return await anext(aiter(trigger.run()))


@pytest.fixture
def submitted(hook):
    def submit(words):
        data = words.encode()
        return hook.submit_file(Upload("a.txt", lambda: io.BytesIO(data), len(data)), {})["sid"]

    return submit


@pytest.mark.parametrize("deferrable", [False, True])
def test_it_waits_and_returns_what_the_operator_would(served, submitted, deferrable):
    sid = submitted("RIG-SCORE:1200")
    assert run(sid, deferrable=deferrable) == {
        "sid": sid,
        "state": "completed",
        "max_score": 1200,
        "verdict": "malicious",
        "file_count": 1,
        "error_count": 0,
        "url": f"{served.base_url}/submission/detail/{sid}",
    }


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("limit", [{"fail_on_score": 700}, {"fail_on_verdict": "highly_suspicious"}])
def test_a_score_or_verdict_to_fail_on_fails(submitted, deferrable, limit):
    with pytest.raises(AirflowFailException, match="is malicious"):
        run(submitted("RIG-SCORE:1200"), deferrable=deferrable, **limit)


@pytest.mark.parametrize("deferrable", [False, True])
def test_with_soft_fail_it_skips_instead(submitted, deferrable):
    with pytest.raises(AirflowSkipException):
        run(submitted("RIG-SCORE:1200"), deferrable=deferrable, fail_on_score=1, soft_fail=True)


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_submission_that_does_not_exist_is_a_clear_error(conn_id, deferrable):
    with pytest.raises(AirflowFailException, match="nosuch was deleted, or the connection's user may not see it"):
        run("nosuch", deferrable=deferrable)


@pytest.mark.parametrize("deferrable", [False, True])
def test_its_timeout_holds_and_leaves_the_submission_alone(served, submitted, deferrable):
    sid = submitted("RIG-SLEEP:60")
    with pytest.raises(AirflowSensorTimeout):
        run(sid, deferrable=deferrable, timeout=0.2)
    assert [row["sid"] for row in served.tables()["submissions"]] == [sid]


@pytest.mark.parametrize("arguments", [{"sid": ""}, {"sid": 7}, {"sid": "a", "fail_on_verdict": "bad"}])
def test_a_wrong_argument_is_named(conn_id, arguments):
    with pytest.raises(AirflowFailException, match=r"sid must|fail_on_verdict must"):
        run(**arguments)
