"""Workflows."""

from __future__ import annotations

import pytest

from tests.sandbox.assemblyline.api import FULL_KEY

WORKFLOW = {"name": "a", "query": "*", "priority": None, "status": None}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"query": "*"}, "Name field is required"),
        ({"name": "a"}, "Query field is required"),
        ({"name": "a", "query": "a:[["}, "Query contains an error"),
    ],
)
def test_a_workflow_requires_a_name_and_a_valid_query(call, body, message):
    assert call("PUT", "workflow/", FULL_KEY, json=body) == (400, message, {"success": False})


def test_an_unknown_status_is_rejected(call):
    reply = call("PUT", "workflow/", FULL_KEY, json={**WORKFLOW, "status": "bad"})
    assert reply.status == 400
    assert reply.message.startswith("[status] bad not in the possible values")


def test_an_unknown_priority_in_a_change_is_an_internal_error(call):
    id_ = call("PUT", "workflow/", FULL_KEY, json=WORKFLOW).response["workflow_id"]
    assert call("POST", f"workflow/{id_}/", FULL_KEY, json={**WORKFLOW, "priority": "URGENT"}).status == 500
    assert call("PUT", f"workflow/enable/{id_}/", FULL_KEY, json={}).message == "Enabled field is required"


def test_labels_of_all_workflows_are_listed(call):
    call("PUT", "workflow/", FULL_KEY, json={**WORKFLOW, "labels": ["B", "A"]})
    assert sorted(call("GET", "workflow/labels/").response) == ["A", "B"]
