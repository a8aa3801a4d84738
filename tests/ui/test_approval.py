"""The changes of a supplier's file, approved and rejected in the Airflow UI with a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="pip install .[browser]")

from tests.dags.approval_run import DAG_ID, ApprovalRun

pytestmark = pytest.mark.airflow


@pytest.mark.parametrize(("answer", "stored", "state"), [("Approve", 2, "success"), ("Reject", 0, "skipped")])
def test_a_person_decides_what_is_sent(page, environment, tmp_path, screenshots, answer, stored, state):
    run = ApprovalRun(environment, tmp_path, [f"UI-{answer}-1", f"UI-{answer}-2"])
    states = run.follow(lambda _: _press(page, run, answer, screenshots))
    assert states["apply"] == state
    assert len(run.find_products()) == stored


def _press(page: Any, run: ApprovalRun, answer: str, screenshots: Path | None) -> None:
    page.goto(f"/dags/{DAG_ID}/runs/{run.run_id}/tasks/approve/required_actions")
    page.get_by_text("2 changes of products by").first.wait_for()
    page.get_by_text(run.keys[0]).first.wait_for()
    if screenshots:
        page.screenshot(path=screenshots / "approval.png")
    page.get_by_role("button", name=answer, exact=True).click()
