"""Contract of tasks that submit many files or resubmit one, on the fake server and on live ones."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from self_hosted.assemblyline.api.submissions import idempotency, ingests, intake
from self_hosted.assemblyline.api.submissions.contents import Content
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.operators import (
    AssemblylineIngestFilesOperator,
    AssemblylineResubmitOperator,
    AssemblylineSubmitFilesOperator,
    AssemblylineSubmitHashOperator,
    AssemblylineSubmitUrlOperator,
)
from tests.assemblyline.conftest import upload, wait_until
from tests.context import context

PATIENT = {"poll_interval": 0.5, "wait_timeout": 60, "deferrable": False}


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


@pytest.fixture
def folder(tmp_path, unique) -> str:
    """A folder of eight unknown files, one of them malicious and one on which a service fails, and an empty one."""
    for number in range(6):
        (tmp_path / f"{number}.txt").write_text(f"{unique} {number} RIG-SCORE:{number}")
    (tmp_path / "bad.txt").write_text(f"{unique} RIG-SCORE:1000")
    (tmp_path / "failing.txt").write_text(f"{unique} RIG-FAIL")
    (tmp_path / "empty.txt").write_text("")
    return str(tmp_path)


def execute(task_class: Any, run_id: str, **arguments: Any) -> Any:
    task = task_class(task_id="task", **PATIENT, **arguments)
    return task.execute(context(task, run_id=run_id))


def test_many_files_are_submitted_once_within_the_quota(hook, folder, unique):
    result = execute(AssemblylineSubmitFilesOperator, unique, folder=folder, max_concurrency=20)
    assert (result["total"], result["completed"], result["skipped"]) == (9, 8, 1)
    assert (result["worst"]["verdict"], result["with_failed_services"]) == ("malicious", 1)
    again = execute(AssemblylineSubmitFilesOperator, unique, folder=folder, max_concurrency=20)
    assert again["worst"]["sid"] == result["worst"]["sid"]


def test_many_files_are_ingested(hook, folder, unique):
    result = execute(AssemblylineIngestFilesOperator, unique, folder=folder)
    assert (result["completed"], result["verdicts"]["malicious"], result["with_failed_services"]) == (8, 1, 1)


def test_the_submissions_of_many_tags_are_found_together(hook, run_flow, unique):
    tags = [f"{unique}{number}" for number in range(3)]
    sids = [run_flow(hook, intake.submit_fail_fast(upload(tag), {}, tag))["sid"] for tag in tags[:2]]
    requests = {tag: Content(upload(tag)) for tag in tags}
    wait_until(lambda: len(run_flow(hook, idempotency.get_many(requests))) == 2)
    found = run_flow(hook, idempotency.get_many(requests))
    assert {tag: document["sid"] for tag, document in found.items()} == dict(zip(tags, sids, strict=False))


def test_duplicates_of_many_tags_are_deleted(hook, run_flow, unique):
    sids = [run_flow(hook, intake.submit_fail_fast(upload(unique), {}, unique))["sid"] for _ in range(2)]
    wait_until(lambda: len(hook.list_submissions_by_tag(unique)) == 2)
    assert run_flow(hook, idempotency.end_all_duplicates({unique: sids[0]})) == [sids[1]]


def test_an_ingest_is_found_by_tag(hook, run_flow, unique):
    ingest_id = run_flow(hook, ingests.create_fail_fast(upload(unique), {}, unique))
    found = wait_until(lambda: run_flow(hook, idempotency.get_many({unique: Content(upload(unique))})))
    assert found[unique]["metadata"]["ingest_id"] == ingest_id


def test_a_url_is_submitted_and_waited_for(hook, unique):
    result = execute(AssemblylineSubmitUrlOperator, unique, url=f"https://example.com/{unique}")
    assert result["state"] == "completed"


def test_a_known_file_is_submitted_by_hash_and_resubmitted(hook, unique):
    text = f"{unique} RIG-SCORE:350"
    sid = hook.submit(upload(text), {"metadata": {"case": unique}, "params": {"priority": 321}})["sid"]
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    assert execute(AssemblylineSubmitHashOperator, unique, hash=sha256)["max_score"] == 350
    result = execute(AssemblylineResubmitOperator, unique + "a", sid=sid, dynamic=True)
    assert result["max_score"] == 350
    resubmitted = hook.get_submission(result["sid"])
    assert (resubmitted["metadata"]["case"], resubmitted["params"]["priority"]) == (unique, 321)
    assert "Dynamic Analysis" in resubmitted["params"]["services"]["selected"]
    assert execute(AssemblylineResubmitOperator, unique + "b", sha256=sha256)["max_score"] == 350
