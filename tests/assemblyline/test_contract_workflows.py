"""Contract of workflows, on the fake server and on live ones."""

from __future__ import annotations

import uuid

import pytest

from self_hosted.assemblyline.api import workflows
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import InvalidRequestError, NotFoundError, PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Request
from tests.assemblyline.conftest import wait_until

DEFINITION = {"query": "al.score:>=1000", "labels": ["TEST"], "priority": "LOW", "status": "TRIAGE"}


@pytest.fixture
def hook(full: AssemblylineHook) -> AssemblylineHook:
    """A hook with the role workflow_manage."""
    return full


@pytest.fixture
def name() -> str:
    return f"test {uuid.uuid4().hex}"


def test_a_workflow_is_created_updated_disabled_and_deleted(hook, run_flow, name):
    id_ = run_flow(hook, workflows.create({"name": name, **DEFINITION}))
    found = run_flow(hook, workflows.get(id_))
    assert {key: found[key] for key in DEFINITION} == DEFINITION
    assert (found["name"], found["enabled"], found["hit_count"]) == (name, True, 0)
    run_flow(hook, workflows.update(id_, {"priority": "HIGH"}))
    run_flow(hook, workflows.set_enabled(id_, False))
    found = run_flow(hook, workflows.get(id_))
    assert (found["name"], found["priority"], found["status"], found["enabled"]) == (name, "HIGH", "TRIAGE", False)
    assert run_flow(hook, workflows.run(id_)) is True
    run_flow(hook, workflows.delete(id_))
    for flow in (workflows.get(id_), workflows.delete(id_), workflows.run(id_), workflows.set_enabled(id_, True)):
        with pytest.raises(NotFoundError, match=f"Workflow ID {id_} does not exist"):
            run_flow(hook, flow)


def test_a_workflow_is_found_by_name(hook, run_flow, name):
    id_ = run_flow(hook, workflows.create({"name": name, **DEFINITION}))
    found = wait_until(lambda: run_flow(hook, workflows.search(f'name:"{name}"')))
    assert [workflow["workflow_id"] for workflow in found] == [id_]
    hook.delete_workflow(id_)


def test_labels_are_listed(hook, run_flow, name):
    id_ = run_flow(hook, workflows.create({"name": name, **DEFINITION}))
    labels = wait_until(lambda: run_flow(hook, workflows.list_labels()))
    assert {type(label) for label in labels} == {str}
    hook.delete_workflow(id_)


def test_a_malformed_query_is_rejected(hook, run_flow, name):
    with pytest.raises(InvalidRequestError, match="Query contains an error"):
        run_flow(hook, workflows.create({"name": name, "query": "al.score:[["}))


def test_the_server_requires_priority_and_status_even_if_null(hook, run_flow, name):
    def create_without_values():
        return (yield Request("PUT", "/api/v4/workflow/", json={"name": name, "query": "*"}))

    with pytest.raises(ServerError, match="Internal Server Error"):
        run_flow(hook, create_without_values())
    id_ = run_flow(hook, workflows.create({"name": name, "query": 'sid:"nosuch"'}))
    assert hook.get_workflow(id_)["priority"] is None
    hook.delete_workflow(id_)


def test_workflows_require_the_role_workflow_manage(server, run_flow, name):
    hook = AssemblylineHook(server)
    if "workflow_manage" in hook.get_account()["roles"]:
        pytest.skip("this user has it")
    with pytest.raises(PermissionDeniedError, match="workflow_manage"):
        run_flow(hook, workflows.create({"name": name, **DEFINITION}))
