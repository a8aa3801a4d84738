"""Contract of workflows, on the fake server and on live ones."""

from __future__ import annotations

import time
import uuid

import pytest

from self_hosted.assemblyline.api import workflows
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import InvalidRequestError, NotFoundError, PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Request

DEFINITION = {"query": "al.score:>=1000", "labels": ["TEST"], "priority": "LOW", "status": "TRIAGE"}


@pytest.fixture
def hook(full: AssemblylineHook) -> AssemblylineHook:
    """A hook with the role workflow_manage."""
    return full


@pytest.fixture
def name() -> str:
    return f"test {uuid.uuid4().hex}"


def test_a_workflow_is_created_updated_disabled_and_deleted(hook, ask, name):
    id_ = ask(hook, workflows.create({"name": name, **DEFINITION}))
    found = ask(hook, workflows.get(id_))
    assert {key: found[key] for key in DEFINITION} == DEFINITION
    assert (found["name"], found["enabled"], found["hit_count"]) == (name, True, 0)
    ask(hook, workflows.update(id_, {"priority": "HIGH"}))
    ask(hook, workflows.set_enabled(id_, False))
    found = ask(hook, workflows.get(id_))
    assert (found["name"], found["priority"], found["status"], found["enabled"]) == (name, "HIGH", "TRIAGE", False)
    assert ask(hook, workflows.run(id_)) is True
    ask(hook, workflows.delete(id_))
    for flow in (workflows.get(id_), workflows.delete(id_), workflows.run(id_), workflows.set_enabled(id_, True)):
        with pytest.raises(NotFoundError, match=f"Workflow ID {id_} does not exist"):
            ask(hook, flow)


def test_a_workflow_is_found_by_name(hook, ask, name):
    id_ = ask(hook, workflows.create({"name": name, **DEFINITION}))
    deadline = time.monotonic() + 10
    while not (found := ask(hook, workflows.search(f'name:"{name}"'))) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [workflow["workflow_id"] for workflow in found] == [id_]
    hook.delete_workflow(id_)


def test_labels_are_listed(hook, ask, name):
    id_ = ask(hook, workflows.create({"name": name, **DEFINITION}))
    assert all(isinstance(label, str) for label in ask(hook, workflows.list_labels()))
    hook.delete_workflow(id_)


def test_a_malformed_query_is_rejected(hook, ask, name):
    with pytest.raises(InvalidRequestError, match="Query contains an error"):
        ask(hook, workflows.create({"name": name, "query": "al.score:[["}))


def test_the_server_requires_priority_and_status_even_if_null(hook, ask, name):
    def create_without_values():
        return (yield Request("PUT", "/api/v4/workflow/", json={"name": name, "query": "*"}))

    with pytest.raises(ServerError, match="Internal Server Error"):
        ask(hook, create_without_values())
    id_ = ask(hook, workflows.create({"name": name, "query": 'sid:"nosuch"'}))
    assert hook.get_workflow(id_)["priority"] is None
    hook.delete_workflow(id_)


def test_workflows_require_the_role_workflow_manage(server, ask, name):
    hook = AssemblylineHook(server)
    if "workflow_manage" in hook.get_account()["roles"]:
        pytest.skip("this user has it")
    with pytest.raises(PermissionDeniedError, match="workflow_manage"):
        ask(hook, workflows.create({"name": name, **DEFINITION}))
