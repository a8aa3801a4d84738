"""What is seeded, and what the page of the sandbox shows of AYON."""

from __future__ import annotations

import time

from self_hosted.sandbox.ayon.product import API_KEY, PASSWORD
from tests.sandbox.ayon.asking import ZEROS, create


def test_what_is_seeded_may_change_with_time(served, ask, film):
    becomes = {"after": 0.5, "becomes": {"status": "Approved"}}
    served.seed({"entities": [{"project": "film", "type": "folder", "id": ZEROS, "name": "a", **becomes}]})
    assert served.tables()["entities"] == [
        {"project": "film", "type": "folder", "id": ZEROS, "status": "Not ready"},
    ]
    time.sleep(0.5)
    assert ask("GET", f"{film}/folders/{ZEROS}")[1]["status"] == "Approved"


def test_tables_show_no_secrets(served, ask):
    create(ask)
    shown = str(served.tables())
    assert API_KEY not in shown
    assert PASSWORD not in shown
