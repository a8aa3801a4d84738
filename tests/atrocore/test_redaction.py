"""Texts of a server that end in results and reports: without secrets and control characters, and short."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator
from self_hosted.atrocore.sensors import AtrocoreExportJobSensor, AtrocoreImportJobSensor, AtrocoreJobSensor
from tests.conftest import Served
from tests.context import context, executed
from tests.task_logs import clock

__all__ = ["clock"]

PASSWORD = "sandbox-password"
BASIC = base64.b64encode(f"airflow:{PASSWORD}".encode()).decode()
HOSTILE = f"\x1b[31m{PASSWORD}\x07 Authorization: Basic {BASIC} " + "SELECT " * 1000
SENSORS = {"Job": AtrocoreJobSensor, "ImportJob": AtrocoreImportJobSensor, "ExportJob": AtrocoreExportJobSensor}


def assert_clean(text: str) -> None:
    assert text
    assert not [secret for secret in (PASSWORD, BASIC, "\x1b", "\x07", "\\u001b", "\\u0007") if secret in text]


@pytest.fixture
def run(served: Served, connect: Callable[..., str]) -> Callable[..., Any]:
    """Run a sensor, and its trigger if it defers."""
    connect("atrocore_default", served.connection())
    return lambda sensor, **arguments: executed(
        lambda: sensor(task_id="wait", poke_interval=0.05, timeout=60, **arguments)
    )


@pytest.mark.parametrize("deferrable", [False, True])
def test_the_message_of_a_job_is_clean_in_the_result(served: Served, run: Any, deferrable: bool) -> None:
    served.seed({"jobs": [{"entity": "Job", "values": {"id": "j"}, "running": 0, "message": HOSTILE}]})
    message = run(AtrocoreJobSensor, job_id="j", deferrable=deferrable)["message"]
    assert_clean(message)
    assert message.startswith("[31m*** Authorization: Basic ***")
    assert len(message) == 500


def test_the_failed_items_of_an_upsert_are_clean_in_the_result(served: Served, run: Any) -> None:
    items = json.dumps([{"status": "Failed", "message": HOSTILE}, {"status": HOSTILE}])
    values = {"id": "j", "type": "Upsert"}
    served.seed({"jobs": [{"entity": "Job", "values": values, "running": 0, "message": items}]})
    result = run(AtrocoreJobSensor, job_id="j", deferrable=False, fail_on="never")
    assert_clean(json.dumps(result))
    assert result["items"] == {"Failed": 2}


@pytest.mark.parametrize("entity", SENSORS)
def test_the_failure_of_a_job_is_clean_in_the_error(served: Served, run: Any, entity: str) -> None:
    state, message = ("status" if entity == "Job" else "state"), "stateMessage" if entity == "ExportJob" else "message"
    served.seed({"jobs": [{"entity": entity, "values": {"id": "j"}, "running": 0, state: "Failed", message: HOSTILE}]})
    with pytest.raises(AirflowFailException) as failure:
        run(SENSORS[entity], job_id="j", deferrable=True)
    assert_clean(str(failure.value))


def test_the_state_of_a_job_is_clean_in_the_error(served: Served, run: Any) -> None:
    served.seed({"jobs": [{"entity": "ImportJob", "values": {"id": "j"}, "running": 0, "state": HOSTILE}]})
    with pytest.raises(AirflowFailException) as failure:
        run(AtrocoreImportJobSensor, job_id="j", deferrable=False)
    assert_clean(str(failure.value))


pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def sync(served: Served, connect: Callable[..., str], tmp_path: Any) -> Callable[[list[dict[str, Any]]], str]:
    """Sync rows; return the task's result, its report and the rejected rows as one text."""
    connect("atrocore_default", served.connection())
    report, rejects = tmp_path / "report.jsonl", tmp_path / "rejects.jsonl"

    def run(rows: list[dict[str, Any]]) -> str:
        arguments = {"fail_on": "never", "report_uri": str(report), "rejects_uri": str(rejects)}
        operator = AtrocoreSyncProductsOperator(
            task_id="sync", source=rows, entity="Brand", key_field="code", **arguments
        )
        return str(json.dumps(operator.execute(context(operator))) + report.read_text() + rejects.read_text())

    return run


def test_the_failed_items_of_a_sync_are_clean_in_result_and_report(served: Served, sync: Any) -> None:
    items = json.dumps([{"status": "Failed", "message": HOSTILE}, {"status": "Failed", "code": HOSTILE}])
    served.fail("status", path="/api/upsert", status=200, body=items)
    written = sync([{"code": "a", "name": "A"}, {"code": "b", "name": "B"}])
    assert_clean(written)
    assert "***" in written
    assert "SELECT" in written


def test_the_error_of_a_record_is_clean_in_result_and_report(served: Served, sync: Any) -> None:
    served.fail("status", path="/api/upsert", status=500, body=HOSTILE, times=9)
    written = sync([{"code": "a", "name": "A"}])
    assert_clean(written)
    assert "***" in written


def test_stored_values_are_clean_in_messages_about_ambiguous_keys(served: Served, sync: Any) -> None:
    twins = [{"id": f"{PASSWORD}-{number}", "code": "a"} for number in range(300)]
    served.seed({"records": {"Brand": twins}})
    written = sync([{"code": "a", "name": "A"}])
    assert_clean(written)
    assert "300 records have this key" in written
    assert len(written) < 2000


def test_the_id_of_an_overwritten_record_is_clean(served: Served, sync: Any) -> None:
    items = [{"status": "Updated", "entity": "Brand", "id": f"{PASSWORD}\x1b[31m"}]
    served.fail("status", path="/api/upsert", status=200, body=json.dumps(items))
    written = sync([{"code": "a", "name": "A"}])
    assert_clean(written)
    assert "AtroCore changed the record *** instead" in written.replace("[31m", "")


def test_user_and_version_are_clean_in_the_message_of_the_test_button(served: Served, hook: AtrocoreHook) -> None:
    session = {"user": {"userName": HOSTILE}}
    served.fail("status", path="/openapi.json", status=404)
    hook.get_session()
    served.fail("status", path="/api/userSession", status=200, body=json.dumps(session), times=1)
    served.fail(
        "status", path="/openapi.json", status=200, body=json.dumps({"openapi": "", "info": {"version": HOSTILE}})
    )
    assert_clean(hook.run(hook.verify_credentials()))


def test_the_session_has_no_token(hook: AtrocoreHook) -> None:
    assert hook.get_session().keys() == {"user", "acl", "preferences", "settings", "appParams"}


def test_a_token_that_a_server_echoes_is_removed_with_and_without_the_user(served: Served, hook: AtrocoreHook) -> None:
    hook.get_session()
    ready = next(iter(hook._auth._session.values()))  # type: ignore[union-attr]
    token = base64.b64decode(ready).decode().partition(":")[2]
    served.seed({"jobs": [{"entity": "ImportJob", "values": {"id": "i"}, "running": 0, "message": f"{ready} {token}"}]})
    [job] = hook.find_import_jobs(["i"])["i"]
    assert job["message"] == "*** ***"
