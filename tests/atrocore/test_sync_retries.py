"""A retry, and a second task at the same time: each change takes effect once, and the counts say so."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from self_hosted.core.http.errors import UnavailableError
from tests.atrocore.conftest import counts, products, rows
from tests.task_logs import clock

__all__ = ["clock"]

CHECKOUT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120


def wait_until(is_true):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def count_faults(served) -> int:
    counted = requests.get(f"{served.url}/_control/counts", timeout=60).json()
    return sum(counted["faults"].values())


@contextmanager
def running_apply(plan_uri: str) -> Generator[subprocess.Popen[bytes]]:
    """Apply a plan in another process; it is killed at the end."""
    command = [sys.executable, "-m", "tests.atrocore.interrupted_apply", plan_uri]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("dialect", ["2.3", "espo"])
def test_a_killed_apply_is_continued_by_its_retry(served, plan, apply, dialect):
    served.seed({"dialect": dialect})
    key = "sku" if dialect == "espo" else "number"
    planned = plan([{key: f"W-{n}", "name": "Wheel", "price": n} for n in range(60)], key_field=key)
    served.seed({"latencies": {"written": 0.2}} if dialect == "espo" else {"upsert_seconds": 0.2})  # 12 seconds in all
    with running_apply(planned["plan_uri"]) as process:
        wait_until(lambda: len(served.tables()["products"]) > 10 or process.poll() is not None)
        assert process.poll() is None
        process.kill()
    served.seed({"upsert_seconds": 0, "latencies": {}})
    assert len(products(served)) < 60
    result = apply(planned, try_number=2, batch_size=10)
    assert sum(counts(result).values()) == 60
    assert set(counts(result)) <= {"created", "unchanged"}
    assert len(served.tables()["products"]) == len(products(served)) == 60


def test_a_retry_ends_correctly_while_the_server_still_works_for_the_killed_worker(served, plan, apply):
    planned = plan(rows(10))
    served.seed({"holds_upserts": True})
    served.fail("slow", method="POST", path="/api/upsert")
    with running_apply(planned["plan_uri"]) as process, ThreadPoolExecutor(1) as other:
        wait_until(lambda: count_faults(served) or process.poll() is not None)
        assert process.poll() is None
        process.kill()
        retry = other.submit(apply, planned, try_number=2)
        served.seed({"holds_upserts": False})
        result = retry.result(PATIENCE_SECONDS)
    assert sum(counts(result).values()) == 10
    assert set(counts(result)) <= {"created", "unchanged"}
    assert len(served.tables()["products"]) == 10


def test_the_journal_of_an_interrupted_apply_is_continued_and_then_removed(served, connect, plan, apply, tmp_path):
    planned = plan([*rows(40), {"number": "bad", "name": "a", "ean": "12"}])
    connect("atrocore_default", served.connection(extra={"retry_timeout": 0}))
    served.fail("slow", method="POST", path="/api/upsert", times=2)
    served.fail("status", method="POST", path="/api/upsert", status=503)
    with pytest.raises(UnavailableError):
        apply(planned, batch_size=10, fail_on="never")
    [checkpoint] = (tmp_path / "plan.jsonl.journal").iterdir()
    done = len(checkpoint.read_text().splitlines()) - 1
    assert done == 20
    report = tmp_path / "report.jsonl"
    result = apply(planned, batch_size=10, fail_on="never", try_number=2, report_uri=report)
    assert counts(result) == {"created": 40, "failed": 1}
    assert len(report.read_text().splitlines()) == 41
    assert not (tmp_path / "plan.jsonl.journal").exists()


def test_two_syncs_at_the_same_time_both_succeed(served, sync, clock):
    with ThreadPoolExecutor(2) as both:
        results = [each.result(PATIENCE_SECONDS) for each in [both.submit(sync, rows(50)) for _ in range(2)]]
    assert all(set(counts(result)) <= {"created", "unchanged"} for result in results)
    assert all(sum(counts(result).values()) == 50 for result in results)
    assert len(served.tables()["products"]) == len(products(served)) == 50
