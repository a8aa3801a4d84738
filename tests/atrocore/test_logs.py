"""What the logs of AtroCore's tasks show: one line per action, pause and recovery, and the progress of long work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.operators import (
    AtrocoreSyncProductsApplyOperator,
    AtrocoreSyncProductsOperator,
    AtrocoreSyncProductsPlanOperator,
)
from self_hosted.core.http.errors import UnavailableError
from tests.atrocore.conftest import rows
from tests.conftest import Served
from tests.task_logs import Clock, clock, read_lines, read_warnings, require_no_secret, require_pauses, run_logged

__all__ = ["clock"]


@pytest.fixture(autouse=True)
def _connection(hook: AtrocoreHook) -> None:
    """The default connection leads to the fake server."""


def make_sync(count: int = 3, **arguments: Any) -> Callable[[], AtrocoreSyncProductsOperator]:
    return lambda: AtrocoreSyncProductsOperator(task_id="sync", source=rows(count), **arguments)


def test_a_sync_logs_each_phase_and_its_result(served: Served, caplog):
    link, source, typed, target, compared, applied, done = run_logged(make_sync(), caplog)
    assert link == f"Open in AtroCore: {served.base_url}/#Product"
    assert source.startswith("Snapshot of the rows: 3 rows, 4 columns")
    assert typed == "3 rows are typed, 0 of them fail"
    assert target.startswith(f"atrocore Product {served.base_url} has 0 records")
    assert compared == f"Compared with atrocore Product {served.base_url}: total 3, create 3"
    assert applied == f"atrocore Product {served.base_url}: all changes are applied: 3 created"
    assert done.startswith("Done: entity Product, created 3, updated 0,")


def test_a_plan_logs_its_first_changes_and_problems(served: Served, caplog, tmp_path):
    given = [*rows(30), {"number": "A", "name": "a", "price": "a lot"}]
    lines = run_logged(
        lambda: AtrocoreSyncProductsPlanOperator(task_id="plan", source=given, plan_uri=tmp_path / "plan.jsonl"), caplog
    )
    assert f"Plan of 30 changes written to {tmp_path}/plan.jsonl" in lines
    assert any(line.startswith("create W-0: name") for line in lines)
    assert any(line.startswith("failed A (row 31): price: 'a lot' is not a number") for line in lines)
    assert lines[-1].startswith("Done: entity Product, total 31,")
    assert len(lines) < 60


def test_an_apply_logs_counts_and_result(served: Served, caplog, tmp_path):
    plan_uri = tmp_path / "plan.jsonl"
    run_logged(lambda: AtrocoreSyncProductsPlanOperator(task_id="plan", source=rows(3), plan_uri=plan_uri), caplog)
    link, applied, done = run_logged(
        lambda: AtrocoreSyncProductsApplyOperator(task_id="apply", plan_uri=plan_uri), caplog
    )
    assert link == f"Open in AtroCore: {served.base_url}/#Product"
    assert applied == f"atrocore Product {served.base_url}: all changes are applied: 3 created"
    assert done.startswith("Done: entity Product, created 3, updated 0,")


def test_a_dry_run_says_so(caplog):
    lines = run_logged(make_sync(dry_run=True), caplog)
    assert "dry_run true" in lines[-1]
    assert not [line for line in lines if "applied" in line]


def test_a_long_sync_logs_its_progress_once_per_minute(caplog, monkeypatch: pytest.MonkeyPatch):
    def count_progress(count: int) -> int:
        lines = run_logged(make_sync(count, batch_size=2), caplog)
        return len([line for line in lines if "so far" in line])

    assert count_progress(30) == 0
    monkeypatch.setattr("self_hosted.core.http.logs.SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr("self_hosted.core.sync.apply.SECONDS_BETWEEN_LINES", 0.0)
    assert count_progress(60) > 1


def test_the_outcomes_so_far_are_in_the_report_of_a_sync_that_fails(served, connect, caplog, tmp_path):
    connect("atrocore_default", served.connection(extra={"retry_timeout": 0}))
    served.fail("slow", method="POST", path="/api/upsert")
    served.fail("status", method="POST", path="/api/upsert", status=503)
    report = tmp_path / "report.jsonl"
    with pytest.raises(UnavailableError):
        run_logged(make_sync(30, report_uri=report), caplog)
    lines = read_lines(caplog)
    assert f"Report of 10 outcomes written to {report}" in lines
    require_no_secret(lines)


def test_each_pause_is_one_line(served: Served, caplog, clock: Clock):
    require_pauses(make_sync(), served, caplog, clock, method="GET", path="/api/Product")


def test_a_recovered_batch_is_one_line(served: Served, caplog):
    served.fail("drop", method="POST", path="/api/upsert")
    run_logged(make_sync(), caplog)
    [line] = read_warnings(caplog)
    assert line.startswith(
        f"atrocore Product {served.base_url}: a write of 3 changes failed, 3 of them need no other: POST"
    )


def test_changes_by_the_hook_are_logged(hook: AtrocoreHook, served: Served, caplog):
    caplog.set_level("INFO")
    record_id = hook.create_record("Product", {"number": "1", "name": "One", "status": "draft"})["id"]
    hook.update_record("Product", record_id, {"name": "Two"})
    hook.update_record("Product", record_id, {"name": "Two"})
    hook.upsert_records("Product", [{"id": record_id, "name": "Two"}])
    hook.delete_record("Product", record_id)
    hook.delete_record("Product", "missing")
    assert [line for line in read_lines(caplog) if line.startswith("Product")] == [
        f"Product {record_id}: created",
        f"Product {record_id}: changed name",
        f"Product {record_id}: nothing differs",
        "Product: upserted 1 records: 1 NotModified",
        f"Product {record_id}: deleted",
        "Product missing: it does not exist, so that nothing is deleted",
    ]


@pytest.mark.parametrize(("method", "name"), [("POST", "create"), ("PATCH", "update")])
def test_recovered_writes_by_the_hook_are_logged(hook: AtrocoreHook, served: Served, caplog, method, name):
    record_id = hook.create_record("Product", {"number": "1", "name": "One", "status": "draft"})["id"]
    served.fail("drop", method=method, path="/api/Product.*")
    caplog.clear()
    if name == "create":
        hook.create_record("Product", {"number": "2", "name": "Two", "status": "draft"})
    else:
        hook.update_record("Product", record_id, {"name": "Two"})
    [line] = read_warnings(caplog)
    assert line.endswith("the response was lost: the connection was closed; its effect was found")
