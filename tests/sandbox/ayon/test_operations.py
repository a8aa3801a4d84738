"""Background operations at the fake AYON server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.ayon.client import MISSING_ID


@pytest.fixture
def run_operations(served, call, film):
    """``run_operations([operation])`` returns the state of background operations after their duration."""

    def run(operations: list[Any], **options: Any) -> Any:
        _, started = call("POST", f"{film}/operations/background", {"operations": operations, **options})
        assert (started["status"], started["result"]) == ("pending", None)
        served.seed({"advance_seconds": 10})
        return call("GET", f"{film}/operations/background/{started['id']}")[1]

    return run


def creation(name: str) -> dict[str, Any]:
    return {"type": "create", "entityType": "folder", "data": {"name": name}}


def test_completed_operations_may_have_failed(run_operations, create_entity):
    create_entity("folder", name="assets")
    task = run_operations([creation("shots"), creation("assets"), creation("c")])
    assert (task["status"], task["progress"], task["result"]["success"]) == ("completed", 100, False)
    results = [(result["success"], result["status"], result["errorCode"]) for result in task["result"]["operations"]]
    assert results == [(True, 201, None), (False, 409, "unique-violation")]
    # the first creation was rolled back, so that it can be repeated
    assert run_operations([creation("shots")])["result"]["success"]


def test_with_can_fail_the_successful_operations_stay(call, film, run_operations, create_entity):
    folder = create_entity("folder", name="assets")
    update = {"type": "update", "entityType": "folder", "entityId": folder, "data": {"status": "Approved"}}
    missing = {"type": "delete", "entityType": "folder", "entityId": MISSING_ID}
    task = run_operations([update, missing, creation("shots")], canFail=True)
    assert [result["status"] for result in task["result"]["operations"]] == [204, 404, 201]
    assert call("GET", f"{film}/folders/{folder}")[1]["status"] == "Approved"
    delete = {"type": "delete", "entityType": "folder", "entityId": folder}
    assert run_operations([delete])["result"]["success"]
    assert call("GET", f"{film}/folders/{folder}")[0] == 404


def test_a_malformed_list_is_accepted_and_makes_no_progress(run_operations):
    stuck = run_operations([{"type": "update", "entityType": "folder", "data": {}}])
    assert (stuck["status"], stuck["progress"], stuck["result"]) == ("in_progress", 0, None)


def test_the_progress_stays_at_the_last_operation_while_views_are_refreshed(served, call, film):
    operation = {"project": "film", "id": MISSING_ID, "duration_seconds": 3600, "total": 4}
    served.seed({"operations": [operation]})
    progress: list[float] = []
    for step_seconds in (300, *[450] * 7):
        served.seed({"advance_seconds": step_seconds})
        progress.append(call("GET", f"{film}/operations/background/{MISSING_ID}")[1]["progress"])
    assert progress == [0, 25, 25, 50, 75, 75, 75, 75]
    served.seed({"advance_seconds": 450})
    assert call("GET", f"{film}/operations/background/{MISSING_ID}")[1]["status"] == "completed"


def test_the_server_forgets_operations_after_the_retention_period(served, call, film):
    operation = {"project": "film", "id": MISSING_ID}
    served.seed({"operations": [{**operation, "stuck": "pending"}]})
    assert call("GET", f"{film}/operations/background/{MISSING_ID}")[1]["status"] == "pending"
    served.seed({"advance_seconds": 1801})
    detail = f"Background operations task '{MISSING_ID}' not found"
    assert call("GET", f"{film}/operations/background/{MISSING_ID}") == (404, {"code": 404, "detail": detail})
