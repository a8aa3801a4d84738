"""Raise an alert in a running sandbox: ``python -m demo.alert [URL]``. DAGs that watch alerts respond to it."""

from __future__ import annotations

import argparse
import io
import json
import os
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from demo.cli import print_line, run_and_exit
from demo.environment import SANDBOX_PORT
from demo.loopback import get_json

if TYPE_CHECKING:
    from self_hosted.assemblyline.hook import AssemblylineHook

CONN_ID = "demo_alert"
TIMEOUT_SECONDS = 120.0
POLL_INTERVAL_SECONDS = 0.5


def raise_alert(sandbox_url: str) -> dict[str, Any]:
    """Submit a malicious file, wait until it has raised an alert, and return the alert.

    :param sandbox_url: base URL of the sandbox
    :raises TimeoutError: if no alert is raised
    """
    from self_hosted.assemblyline.hook import AssemblylineHook
    from self_hosted.core.http.flow import Upload

    connection = get_json(f"{sandbox_url}/_control/connections")["assemblyline_default"]
    os.environ[f"AIRFLOW_CONN_{CONN_ID.upper()}"] = json.dumps(connection)
    hook = AssemblylineHook(CONN_ID)
    data = f"RIG-SCORE:1200 {uuid4()}".encode()  # the sandbox reads the score from the file
    upload = Upload("malicious.txt", lambda: io.BytesIO(data), len(data))
    return _wait_for_alert(hook, hook.submit(upload, {"params": {"generate_alert": True}})["sid"])


def _wait_for_alert(hook: AssemblylineHook, sid: str) -> dict[str, Any]:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if found := hook.search("alert", {"query": f'sid:"{sid}"'}):
            return dict(found[0])
        time.sleep(POLL_INTERVAL_SECONDS)
    raise TimeoutError(f"submission {sid} has raised no alert within {TIMEOUT_SECONDS:.0f} s")


def main() -> None:
    """Raise an alert according to the command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.alert", description=__doc__)
    parser.add_argument("url", nargs="?", default=f"http://127.0.0.1:{SANDBOX_PORT}", help="base URL of the sandbox")
    options = parser.parse_args()
    run_and_exit(lambda: _run(options.url))


def _run(url: str) -> bool:
    print_line(f"Raised alert {raise_alert(url)['alert_id']}.")
    return True


if __name__ == "__main__":
    main()
