"""Seeded data of the fake AYON server, and its tables on the page of the sandbox."""

from __future__ import annotations

from self_hosted.sandbox.ayon import API_KEY, PASSWORD
from tests.sandbox.ayon.client import MISSING_ID, create_project


def test_seeded_records_change_after_their_delay(served, call, film):
    changes = {"after_seconds": 60, "changes": {"status": "Approved"}}
    served.seed({"entities": [{"project": "film", "type": "folder", "id": MISSING_ID, "name": "a", **changes}]})
    assert served.tables()["entities"] == [
        {"project": "film", "type": "folder", "id": MISSING_ID, "status": "Not ready"},
    ]
    served.seed({"advance_seconds": 60})
    assert call("GET", f"{film}/folders/{MISSING_ID}")[1]["status"] == "Approved"
    assert served.tables()["entities"][0]["status"] == "Approved"


def test_tables_contain_no_secrets(served, call):
    create_project(call)
    tables = str(served.tables())
    assert API_KEY not in tables
    assert PASSWORD not in tables
