"""The benchmarks run: their limits are checked by `make bench`, and no speed is measured here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import import_time
from benchmarks.__main__ import NAMES
from benchmarks.assemblyline_submit_many import INGEST, SUBMIT, check, measure_operator, write_files
from benchmarks.requests_counter import Cost
from benchmarks.sandbox import get_connection, run_sandbox

CHECKOUT = Path(__file__).parents[2]
HELPERS = {"atrocore_cost", "event_loop", "memory", "requests_counter", "sandbox", "sink", "task_context"}


@pytest.fixture(scope="module")
def connection() -> Iterator[dict[str, Any]]:
    with run_sandbox() as url:
        yield get_connection(url, "assemblyline_default")


def test_make_bench_runs_all_benchmarks():
    modules = {path.stem for path in (CHECKOUT / "benchmarks").glob("[a-z]*.py")}
    assert modules - HELPERS == set(NAMES)


@pytest.mark.parametrize("name", [SUBMIT, INGEST])
def test_an_operator_is_measured_with_a_few_files(connection: dict[str, Any], monkeypatch, name):
    monkeypatch.setenv("AIRFLOW_CONN_ASSEMBLYLINE_DEFAULT", "{}")  # restored afterwards
    with write_files(3, seconds=0) as files:
        cost = measure_operator(files, connection, name)
    assert cost.requests > 3


def test_a_missed_limit_fails_the_benchmark():
    client = Cost(seconds=10, requests=100, records=0)
    assert check(SUBMIT, Cost(10, 100, 0), client, threads=5)
    assert check(SUBMIT, Cost(20, 100, 0), client, threads=12)
    assert not check(SUBMIT, Cost(20, 100, 0), client, threads=5)
    assert not check(SUBMIT, Cost(1, 101, 0), client, threads=12)
    assert not check(INGEST, Cost(12, 1, 0), client, threads=12)
    assert not check(INGEST, Cost(1, 60, 0), client, threads=5)


def test_products_are_synced():
    command = [sys.executable, "-m", "benchmarks.atrocore_sync", "200"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=300)
    assert "PASS  records sent: [200, 0, 2]" in done.stdout, done.stderr
    # the constant cost of a sync outweighs its gain for so few products
    assert done.stdout.count("PASS  requests") == 3


@pytest.mark.parametrize("name", [import_time.MAIN_OPERATORS, import_time.PROVIDER_INFO])
def test_an_import_is_measured(name):
    assert import_time.measure(import_time.IMPORTS[name]) >= 0
