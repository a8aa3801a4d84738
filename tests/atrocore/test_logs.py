"""What the logs of AtroCore's tasks show: one line per action, pause and recovery, and the progress of long work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator, sync_products
from tests.atrocore.conftest import rows
from tests.conftest import Served
from tests.task_logs import Clock, clock, read_lines, read_warnings, require_pauses, run_logged

__all__ = ["clock"]


@pytest.fixture(autouse=True)
def _connection(hook: AtrocoreHook) -> None:
    """The default connection leads to the fake server."""


def make_sync(count: int = 3, **arguments: Any) -> Callable[[], AtrocoreSyncProductsOperator]:
    return lambda: AtrocoreSyncProductsOperator(task_id="sync", rows=rows(count), **arguments)


def test_a_sync_logs_link_counts_and_result(served: Served, caplog):
    link, source, counts, done = run_logged(make_sync(), caplog)
    assert link == f"Open in AtroCore: {served.base_url}/#Product"
    assert source == "3 rows with 3 keys"
    assert counts == "Product: 3 of 3 rows are done: 3 created"
    assert done.startswith("Done: created 3, updated 0, unchanged 0, ambiguous 0, failed 0, total 3, entity Product")


def test_a_dry_run_says_so(caplog):
    assert "Product: 3 of 3 rows are done (dry run): 3 created" in run_logged(make_sync(dry_run=True), caplog)


def test_a_long_sync_logs_its_progress_once_per_minute(caplog, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sync_products, "ROWS_PER_PLAN", 2)
    lines = run_logged(make_sync(9), caplog)
    assert len([line for line in lines if "of 9 rows are done" in line]) == 1
    monkeypatch.setattr("self_hosted.core.http.logs.SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr(sync_products, "SECONDS_BETWEEN_LINES", 0.0)
    lines = run_logged(make_sync(9), caplog)
    assert len([line for line in lines if "of 9 rows are done" in line]) == 6


def test_each_pause_is_one_line(served: Served, caplog, clock: Clock):
    require_pauses(make_sync(), served, caplog, clock, method="GET", path="/api/Product")


def test_a_recovered_batch_is_one_line(served: Served, caplog):
    served.fail("drop", method="POST", path="/api/upsert")
    run_logged(make_sync(), caplog)
    [line] = read_warnings(caplog)
    assert line.startswith(
        "Product: a batch failed, 3 of its 3 changes took effect: POST /api/upsert: the response was"
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
