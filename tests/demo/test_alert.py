from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from demo.alert import CONN_ID, raise_alert
from self_hosted.sandbox.server import Sandbox

CHECKOUT = Path(__file__).parents[2]


def test_a_malicious_file_raises_an_alert(monkeypatch):
    monkeypatch.setenv(f"AIRFLOW_CONN_{CONN_ID.upper()}", "")  # restored afterwards
    with Sandbox() as sandbox:
        first, second = raise_alert(sandbox.url), raise_alert(sandbox.url)
    assert first["alert_id"] != second["alert_id"]


def test_a_sandbox_that_does_not_run_is_reported_in_one_sentence():
    command = [sys.executable, "-m", "demo.alert", "http://127.0.0.1:9"]
    done = subprocess.run(command, check=False, cwd=CHECKOUT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "127.0.0.1" in done.stderr
