"""What must hold on the stand-in and on a real server when many files are handed in, or something anew, by a task."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.operators import (
    AssemblylineIngestFilesOperator,
    AssemblylineResubmitOperator,
    AssemblylineSubmitFilesOperator,
    AssemblylineSubmitHashOperator,
    AssemblylineSubmitUrlOperator,
)
from tests.assemblyline.conftest import upload
from tests.context import context

PATIENT = {"poll_interval": 0.5, "wait_timeout": 60, "deferrable": False}


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


@pytest.fixture
def folder(tmp_path, unique) -> str:
    """Eight files that the server has not seen, one of them bad and one on which a service fails."""
    for number in range(6):
        (tmp_path / f"{number}.txt").write_text(f"{unique} {number} RIG-SCORE:{number}")
    (tmp_path / "bad.txt").write_text(f"{unique} RIG-SCORE:1000")
    (tmp_path / "failing.txt").write_text(f"{unique} RIG-FAIL")
    (tmp_path / "empty.txt").write_text("")
    return str(tmp_path)


def executed(kind: Any, run_id: str, **arguments: Any) -> Any:
    task = kind(task_id="task", **PATIENT, **arguments)
    return task.execute(context(task, run_id=run_id))


def test_many_files_are_submitted_once_within_the_quota(hook, folder, unique):
    result = executed(AssemblylineSubmitFilesOperator, unique, folder=folder, at_once=20)
    assert (result["total"], result["completed"], result["skipped"]) == (9, 8, 1)
    assert (result["worst"]["verdict"], result["with_failed_services"]) == ("malicious", 1)
    again = executed(AssemblylineSubmitFilesOperator, unique, folder=folder, at_once=20)
    assert again["worst"]["sid"] == result["worst"]["sid"]


def test_many_files_are_ingested(hook, folder, unique):
    result = executed(AssemblylineIngestFilesOperator, unique, folder=folder)
    assert (result["completed"], result["verdicts"]["malicious"], result["with_failed_services"]) == (8, 1, 1)


def test_the_submissions_of_many_tags_are_found_at_once(hook, ask, unique):
    tags = [f"{unique}{number}" for number in range(3)]
    sids = [ask(hook, api.submit_in_turn(upload(tag), {}, tag))["sid"] for tag in tags[:2]]
    time.sleep(2)  # the index lags behind
    found = ask(hook, api.submissions_by_tag(tags))
    assert {tag: one["sid"] for tag, one in found.items()} == dict(zip(tags, sids, strict=False))


def test_what_was_made_twice_under_many_tags_is_ended(hook, ask, unique):
    made = [ask(hook, api.submit_in_turn(upload(unique), {}, unique))["sid"] for _ in range(2)]
    time.sleep(2)
    assert ask(hook, api.end_all_duplicates({unique: made[0]})) == [made[1]]


def test_a_file_is_ingested_under_a_tag(hook, ask, unique):
    ingest_id = ask(hook, api.ingest_in_turn(upload(unique), {}, unique))
    for _ in range(20):
        time.sleep(0.5)
        found = ask(hook, api.submissions_by_tag([unique]))
        if found:
            break
    assert found[unique]["metadata"]["ingest_id"] == ingest_id


def test_a_url_is_submitted_and_waited_for(hook, unique):
    result = executed(AssemblylineSubmitUrlOperator, unique, url=f"https://example.com/{unique}")
    assert result["state"] == "completed"


def test_a_known_file_is_submitted_by_its_hash_and_made_anew(hook, unique):
    words = f"{unique} RIG-SCORE:350"
    sid = hook.submit(upload(words), {"metadata": {"case": unique}, "params": {"priority": 321}})["sid"]
    sha256 = hashlib.sha256(words.encode()).hexdigest()
    assert executed(AssemblylineSubmitHashOperator, unique, hash=sha256)["max_score"] == 350
    result = executed(AssemblylineResubmitOperator, unique + "a", sid=sid, dynamic=True)
    assert result["max_score"] == 350
    anew = hook.submission(result["sid"])
    assert (anew["metadata"]["case"], anew["params"]["priority"]) == (unique, 321)
    assert "Dynamic Analysis" in anew["params"]["services"]["selected"]
    assert executed(AssemblylineResubmitOperator, unique + "b", sha256=sha256)["max_score"] == 350
