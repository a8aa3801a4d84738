"""``python -m demo``: two runs of the joint DAG in a real Airflow, then a report. ``--ui`` leaves everything up."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
import time
from pathlib import Path

import requests
from airflow import __version__ as airflow_version

from demo.delivery import DAG, Delivered, await_dag, take_in
from demo.pack import deliver
from demo.program import ProgramFailed, interruptible
from demo.report import checks, happened
from demo.world import AIRFLOW_PORT, SANDBOX_PORT, World, world

CHECKOUT = Path(__file__).resolve().parent.parent
DELIVERIES = CHECKOUT / ".demo" / "deliveries"


def main() -> None:
    """Run what the command line says; the exit status is 0 only if all went as it should."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--ui", action="store_true", help="leave Airflow and sandbox up until Ctrl-C")
    options = parser.parse_args()
    try:
        with interruptible():
            sys.exit(0 if _demonstrated(stay=options.ui) else 1)
    except (ProgramFailed, TimeoutError, requests.RequestException) as problem:
        sys.exit(f"\n{problem}")
    except KeyboardInterrupt:
        sys.exit("\nStopped; nothing is left running.")


def _demonstrated(stay: bool) -> bool:
    """Start, run, report; the answer is whether all checks passed."""
    began = time.monotonic()
    _say(f"Starting the sandbox and Airflow {airflow_version}, which takes about half a minute ...")
    with world(CHECKOUT) as running:
        _say(f"Ready after {time.monotonic() - began:.0f} s:")
        _say(f"  Airflow, which asks for no password: {_address(running.airflow.url, AIRFLOW_PORT)}")
        _say(f"  the sandbox's page: {_address(running.sandbox_url, SANDBOX_PORT)}")
        passed = _report(running, _deliveries(running))
        _say(f"\nDone after {time.monotonic() - began:.0f} s.")
        if stay:
            _stay(running)
    return passed


def _address(url: str, usual_port: int) -> str:
    return url if url.endswith(f":{usual_port}") else f"{url} (port {usual_port} is in use)"


def _deliveries(running: World) -> list[Delivered]:
    """The same delivery twice: as it arrived, with a file in it that should not be there, and cleaned."""
    shutil.rmtree(DELIVERIES, ignore_errors=True)
    folder = DELIVERIES / "maeuseburg"
    await_dag(running)
    _say("\nFirst run: the delivery as it arrived; one of its documents is the test file that virus scanners report.")
    arrived = take_in(running, deliver(folder, flagged=True), "delivery-as-it-arrived", _say)
    _say("\nSecond run: the licensor has cleaned the delivery.")
    return [arrived, take_in(running, deliver(folder), "delivery-cleaned", _say)]


def _report(running: World, deliveries: list[Delivered]) -> bool:
    _say("\nWhat happened:\n")
    for delivered in deliveries:
        for line in happened(running, delivered):
            _say(f"  {line}")
    _say("\nWhat should have happened:\n")
    found = checks(*deliveries)
    for sentence, passed in found.items():
        _say(f"  {'ok    ' if passed else 'FAILED'}  {sentence}")
    return all(found.values())


def _stay(running: World) -> None:
    another = deliver(DELIVERIES / "another")
    _say(f"\nAirflow stays up at {running.airflow.url}, the sandbox at {running.sandbox_url}; Ctrl-C stops both.")
    _say(f"To take in one more delivery, trigger {DAG} with the folder {another}")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            running.airflow.check()
            time.sleep(1)
    _say("\nStopping ...")


def _say(words: str) -> None:
    print(words, flush=True)  # at once, also into a pipe


if __name__ == "__main__":
    main()
