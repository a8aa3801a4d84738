"""What the logs of Assemblyline's tasks show: one line per action, change, pause and recovery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from self_hosted.assemblyline.api import recovery
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.operators import (
    AssemblylineAddToListOperator,
    AssemblylineDeleteSubmissionOperator,
    AssemblylineSubmitFileOperator,
    AssemblylineSubmitFilesOperator,
)
from self_hosted.assemblyline.sensors import AssemblylineSubmissionSensor
from self_hosted.core.wait import bulk_submit
from tests.assemblyline.conftest import EXTENDED_KEYS, upload
from tests.conftest import Served
from tests.task_logs import Clock, clock, read_lines, read_warnings, require_pauses, run_logged

__all__ = ["clock"]
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@pytest.fixture(autouse=True)
def _connection(hook: AssemblylineHook, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default connection leads to the fake server, which completes its work at once."""
    monkeypatch.setattr(recovery, "RECHECK_DELAYS_SECONDS", (0.05,))


def make_submit(file: str, **arguments: Any) -> Callable[[], AssemblylineSubmitFileOperator]:
    given = {"file": file, "poll_interval": 0.05, **arguments}
    return lambda: AssemblylineSubmitFileOperator(task_id="submit", **given)


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_submission_logs_its_start_its_wait_and_its_verdict(write, served: Served, caplog, deferrable):
    lines = run_logged(make_submit(write("RIG-SCORE:1000"), deferrable=deferrable), caplog)
    submitted, *others = [line for line in lines if not line.startswith("Open in Assemblyline")]
    sid = submitted.split()[1].rstrip(":")
    assert submitted == f"Submission {sid}: submitted the file 'sample.txt' (14 bytes)"
    assert others[0].startswith(f"Waiting for submission {sid}: polled at least every N s, until ")
    assert others[-2] == f"submission {sid} is 'completed', after N s: the wait is over"
    assert others[-1].startswith("Done: ")
    assert f"sid {sid}" in others[-1]
    assert "max_score 1000" in others[-1]
    assert f"url {served.base_url}/submission/detail/{sid}" in others[-1]
    assert len(lines) == len(set(lines)) <= 7


def test_a_submission_of_an_earlier_try_is_named(write, caplog):
    make = make_submit(write("RIG-SCORE:10"), durable=False)
    run_logged(make, caplog)
    lines = run_logged(make, caplog)
    assert len([line for line in lines if "found, an earlier try submitted the file 'sample.txt'" in line]) == 1


def test_each_pause_is_one_line(write, served: Served, caplog, clock: Clock):
    make = make_submit(write("RIG-SCORE:10"))
    require_pauses(make, served, caplog, clock, method="POST", path="/api/v4/search/submission/")


def test_a_recovered_response_is_one_line(write, served: Served, caplog):
    served.fail("drop", method="POST", path="/api/v4/submit/")
    lines = run_logged(make_submit(write("RIG-SCORE:20")), caplog)
    [line] = [line for line in read_warnings(caplog) if "its effect was found" in line]
    assert line.startswith("POST /api/v4/submit/: the response was lost")
    assert len([line for line in lines if ": submitted the file" in line]) == 1


def test_a_deleted_submission_is_one_line(submitted, caplog):
    sid = submitted("RIG-SCORE:5")
    make = lambda: AssemblylineDeleteSubmissionOperator(task_id="delete", sids=[sid], confirm=True)  # noqa: E731
    assert [line for line in run_logged(make, caplog) if line.startswith("Submission")] == [
        f"Submission {sid}: deleted"
    ]


def test_additions_to_a_list_are_one_line(caplog):
    def make() -> AssemblylineAddToListOperator:
        return AssemblylineAddToListOperator(task_id="add", list_name="badlist", hashes=[SHA256], reason="a test")

    lines = run_logged(make, caplog)
    assert "Entries of the badlist: 1 added, 0 updated, 0 unchanged" in lines


def test_many_files_log_counts_and_no_line_per_file(folder, caplog):
    path = folder(a="RIG-SCORE:1", b="RIG-SCORE:2", c="RIG-SCORE:3")

    def make() -> AssemblylineSubmitFilesOperator:
        return AssemblylineSubmitFilesOperator(task_id="submit", folder=path, poll_interval=0.05)

    lines = run_logged(make, caplog)
    assert not [line for line in lines if line.startswith("Submission ")]
    assert len(lines) <= 6


def test_a_long_bulk_submit_logs_its_progress(folder, caplog, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bulk_submit, "SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr("self_hosted.core.http.logs.SECONDS_BETWEEN_LINES", 0.0)
    path = folder(a="RIG-SCORE:1", b="RIG-SCORE:2")

    def make() -> AssemblylineSubmitFilesOperator:
        return AssemblylineSubmitFilesOperator(task_id="submit", folder=path, max_concurrency=1, poll_interval=0.05)

    lines = run_logged(make, caplog)
    assert "0 are submitted, of which 0 are running; 0 failed; 2 are left" in lines


def test_changes_by_the_hook_are_logged(served: Served, connect, submitted, caplog):
    caplog.set_level("INFO")
    connection = served.connection(login="admin", extra={"api_key": EXTENDED_KEYS[0]})
    hook = AssemblylineHook(connect("assemblyline_full", connection))
    sid = submitted("RIG-SCORE:700")
    workflow_id = hook.create_workflow({"name": "triage", "query": "type:AV"})
    hook.update_workflow(workflow_id, {"name": "sort"})
    hook.set_workflow_enabled(workflow_id, False)
    hook.delete_workflow(workflow_id)
    hook.set_submission_verdict(sid, "malicious")
    hook.set_submission_verdict(sid, "malicious")
    lines = [line for line in read_lines(caplog) if line.startswith(("Workflow", "Submission"))]
    assert lines[1:] == [
        f"Workflow {workflow_id}: created triage",
        f'Workflow {workflow_id}: name "triage" -> "sort"',
        f"Workflow {workflow_id}: disabled",
        f"Workflow {workflow_id}: deleted",
        f"Submission {sid}: verdict of user admin set to malicious",
    ]


def test_the_password_of_a_setting_is_not_logged(hook: AssemblylineHook, caplog):
    caplog.set_level("DEBUG", "self_hosted")
    hook.submit(upload("x"), {"params": {"initial_data": '{"passwords": ["zebrafinch"]}'}})
    assert "zebrafinch" not in "".join(read_lines(caplog, 0))


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_sensor_logs_its_wait_and_its_result(submitted, caplog, deferrable):
    sid = submitted("RIG-SCORE:5")

    def make() -> AssemblylineSubmissionSensor:
        return AssemblylineSubmissionSensor(task_id="wait", sid=sid, poke_interval=0.05, deferrable=deferrable)

    link, begin, *changes, end, done = run_logged(make, caplog)
    assert link.startswith("Open in Assemblyline: ")
    assert begin.startswith(f"Waiting for submission {sid}: polled at least every N s, until ")
    assert len(changes) <= 1
    assert end == f"submission {sid} is 'completed', after N s: the wait is over"
    assert done.startswith(("Done: ", "Done in N s: "))
