"""Background operations of the stand-in."""

from __future__ import annotations

import time
from typing import Any

from tests.sandbox.ayon.asking import ZEROS


def background(ask, film: str, operations: list[Any], **how: Any) -> Any:
    """What becomes of operations in the background."""
    _, started = ask("POST", f"{film}/operations/background", {"operations": operations, **how})
    assert (started["status"], started["result"]) == ("pending", None)
    time.sleep(0.05)
    return ask("GET", f"{film}/operations/background/{started['id']}")[1]


def new_folder(name: str) -> dict[str, Any]:
    return {"type": "create", "entityType": "folder", "data": {"name": name}}


def test_completed_does_not_mean_success(ask, film, make):
    make("folder", name="assets")
    done = background(ask, film, [new_folder("shots"), new_folder("assets"), new_folder("c")])
    assert (done["status"], done["progress"], done["result"]["success"]) == ("completed", 100, False)
    told = [(one["success"], one["status"], one["errorCode"]) for one in done["result"]["operations"]]
    assert told == [(True, 201, None), (False, 409, "unique-violation")]
    assert background(ask, film, [new_folder("shots")])["result"]["success"]  # for it was undone


def test_with_can_fail_the_good_ones_stay(ask, film, make):
    folder = make("folder", name="assets")
    update = {"type": "update", "entityType": "folder", "entityId": folder, "data": {"status": "Approved"}}
    missing = {"type": "delete", "entityType": "folder", "entityId": ZEROS}
    done = background(ask, film, [update, missing, new_folder("shots")], canFail=True)
    assert [one["status"] for one in done["result"]["operations"]] == [204, 404, 201]
    assert ask("GET", f"{film}/folders/{folder}")[1]["status"] == "Approved"
    delete = {"type": "delete", "entityType": "folder", "entityId": folder}
    assert background(ask, film, [delete])["result"]["success"]
    assert ask("GET", f"{film}/folders/{folder}")[0] == 404


def test_a_malformed_list_is_accepted_and_stays_at_the_beginning(ask, film):
    stuck = background(ask, film, [{"type": "update", "entityType": "folder", "data": {}}])
    assert (stuck["status"], stuck["progress"], stuck["result"]) == ("in_progress", 0, None)


def test_progress_stays_at_the_last_operation_while_views_are_refreshed(served, ask, film):
    served.seed({"operations": [{"project": "film", "id": ZEROS, "seconds": 1, "total": 4}]})
    seen = []
    while "completed" not in seen:
        found = ask("GET", f"{film}/operations/background/{ZEROS}")[1]
        seen.append("completed" if found["status"] == "completed" else found["progress"])
        time.sleep(0.01)
    assert sorted(set(seen[:-1])) == [0, 25, 50, 75]
    assert seen.count(75) > seen.count(50)


def test_an_operation_is_forgotten_after_a_while(served, ask, film):
    operation = {"project": "film", "id": ZEROS}
    served.seed({"operations": [{**operation, "stuck": "pending"}]})
    assert ask("GET", f"{film}/operations/background/{ZEROS}")[1]["status"] == "pending"
    served.seed({"operations": [{**operation, "kept": -1}]})
    gone = f"Background operations task '{ZEROS}' not found"
    assert ask("GET", f"{film}/operations/background/{ZEROS}") == (404, {"code": 404, "detail": gone})
