"""What must hold of workflows on the stand-in and on a real server."""

from __future__ import annotations

import time
import uuid

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.errors import Broken, Forbidden, Invalid, NotFound
from self_hosted.core.flow import Request

NO_SUCH = "0123456789abcdefABCDEF"
MATCHING = {"query": "al.score:>=1000", "labels": ["TEST"], "priority": "LOW", "status": "TRIAGE"}


@pytest.fixture
def hook(full: AssemblylineHook) -> AssemblylineHook:
    """With a key that may manage workflows."""
    return full


@pytest.fixture
def name() -> str:
    return f"test {uuid.uuid4().hex}"


def test_a_workflow_is_added_found_changed_switched_and_deleted(hook, ask, name):
    id_ = ask(hook, api.add_workflow({"name": name, **MATCHING}))
    found = ask(hook, api.workflow(id_))
    assert {key: found[key] for key in MATCHING} == MATCHING
    assert (found["name"], found["enabled"], found["hit_count"]) == (name, True, 0)
    ask(hook, api.edit_workflow(id_, {"priority": "HIGH"}))
    ask(hook, api.enable_workflow(id_, False))
    found = ask(hook, api.workflow(id_))
    assert (found["name"], found["priority"], found["status"], found["enabled"]) == (name, "HIGH", "TRIAGE", False)
    assert ask(hook, api.run_workflow(id_)) is True
    ask(hook, api.delete_workflow(id_))
    for flow in (api.workflow(id_), api.delete_workflow(id_), api.run_workflow(id_), api.enable_workflow(id_, True)):
        with pytest.raises(NotFound, match=f"Workflow ID {id_} does not exist"):
            ask(hook, flow)


def test_a_workflow_is_found_by_its_name(hook, ask, name):
    id_ = ask(hook, api.add_workflow({"name": name, **MATCHING}))
    deadline = time.monotonic() + 10
    while not (found := ask(hook, api.search_workflows(f'name:"{name}"'))) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [one["workflow_id"] for one in found] == [id_]
    hook.delete_workflow(id_)


def test_its_labels_are_told(hook, ask, name):
    id_ = ask(hook, api.add_workflow({"name": name, **MATCHING}))
    assert all(isinstance(label, str) for label in ask(hook, api.workflow_labels()))
    hook.delete_workflow(id_)


def test_a_query_that_the_server_cannot_read_is_refused(hook, ask, name):
    with pytest.raises(Invalid, match="Query contains an error"):
        ask(hook, api.add_workflow({"name": name, "query": "al.score:[["}))


def test_the_server_fails_without_priority_and_status_be_they_null(hook, ask, name):
    def bare():
        return (yield Request("PUT", "/api/v4/workflow/", json={"name": name, "query": "*"}))

    with pytest.raises(Broken, match="Internal Server Error"):
        ask(hook, bare())
    id_ = ask(hook, api.add_workflow({"name": name, "query": 'sid:"nosuch"'}))
    assert hook.workflow(id_)["priority"] is None
    hook.delete_workflow(id_)


def test_managing_workflows_needs_its_role(server, ask, name):
    hook = AssemblylineHook(server)
    if "workflow_manage" in hook.whoami()["roles"]:
        pytest.skip("this user has it")
    with pytest.raises(Forbidden, match="workflow_manage"):
        ask(hook, api.add_workflow({"name": name, **MATCHING}))
