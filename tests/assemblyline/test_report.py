"""AssemblylineGetReportOperator against the sandbox."""

from __future__ import annotations

import hashlib
import json

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.operators import AssemblylineGetReportOperator
from self_hosted.core.http.errors import NotReadyError
from self_hosted.core.tasks.operator import LINK_KEY
from tests.assemblyline.flows import BANDS
from tests.context import context


@pytest.fixture(autouse=True)
def _connected(conn_id, served):
    served.seed({"delay": 0})


def get_report(**arguments):
    task = AssemblylineGetReportOperator(task_id="report", **arguments)
    task_context = context(task)
    return task.execute(task_context), task_context["ti"].xcoms


def test_a_report_is_small_and_links_to_the_submission(served, submitted):
    sid = submitted("RIG-SCORE:1100")
    result, xcoms = get_report(sid=sid)
    assert (result["sid"], result["verdict"], result["max_score"], result["output_uri"]) == (
        sid,
        "malicious",
        1100,
        None,
    )
    assert result["bands"] == BANDS
    ioc = {"type": "network.static.uri", "value": "http://rig.example.com/x", "classification": "TLP:C"}
    assert ioc in result["iocs"]
    assert result["ioc_counts"]["network.static.uri"] == 1
    assert result["sha256"] == hashlib.sha256(b"RIG-SCORE:1100").hexdigest()
    assert xcoms == {LINK_KEY: f"{served.base_url}/submission/detail/{sid}"}
    assert result["url"] == xcoms[LINK_KEY]


def test_the_full_report_is_written_to_a_file(submitted, tmp_path):
    sid, output = submitted("RIG-SCORE:1100"), tmp_path / "reports" / "all.json"
    result, _ = get_report(sid=sid, output_uri=str(output), max_values="1")
    written = json.loads(output.read_text())
    assert result["output_uri"] == str(output)
    assert written["submission"]["sid"] == sid
    assert [one["result"]["score"] for one in written["submission"]["results"].values()] == [1100]
    assert "ioc" in written["summary"]["tags"]


def test_failed_services_are_named_in_the_log(submitted, caplog):
    sid = submitted("RIG-FAIL")
    get_report(sid=sid)
    log = caplog.text
    assert f"1 services failed on submission {sid}" in log
    assert "RigScan (exception)" in log


def test_the_report_of_a_running_submission_is_left_to_the_retries(served, submitted):
    sid = submitted("RIG-SLEEP:60")
    with pytest.raises(NotReadyError, match="wait for it first"):
        get_report(sid=sid)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"sid": ""}, "sid must be"), ({"sid": "s", "max_values": "few"}, "max_values must be a whole number")],
)
def test_an_invalid_argument_of_a_report_is_named(arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        get_report(**arguments)
