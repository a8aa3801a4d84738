"""``python -m demo``: run the joint DAG twice in a real Airflow, then print a report. ``--ui`` keeps it all running."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
import time
from pathlib import Path

from airflow import __version__ as airflow_version

from demo.cli import print_line, run_and_exit
from demo.delivery import write_delivery
from demo.environment import AIRFLOW_PORT, SANDBOX_PORT, Environment, run_environment
from demo.intake import DAG_ID, IntakeRun, run_intake
from demo.report import check_runs, describe_run

CHECKOUT = Path(__file__).resolve().parent.parent
DELIVERIES = CHECKOUT / ".demo" / "deliveries"
ALERT_DAG_ID = "assemblyline_alert_response"


def main() -> None:
    """Run the demo; the exit status is 0 only if all checks pass."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--ui", action="store_true", help="keep Airflow and the sandbox running until Ctrl-C")
    options = parser.parse_args()
    run_and_exit(lambda: _run_demo(keep_running=options.ui))


def _run_demo(keep_running: bool) -> bool:
    """Start, run and report; return whether all checks pass."""
    start = time.monotonic()
    print_line(f"Starting the sandbox and Airflow {airflow_version}; this takes about half a minute ...")
    with run_environment(CHECKOUT) as environment:
        print_line(f"Ready after {time.monotonic() - start:.0f} s:")
        print_line(f"  Airflow (no login required): {_describe_url(environment.airflow.url, AIRFLOW_PORT)}")
        print_line(f"  Sandbox: {_describe_url(environment.sandbox_url, SANDBOX_PORT)}")
        passed = _print_report(environment, _run_deliveries(environment))
        print_line(f"\nDone after {time.monotonic() - start:.0f} s.")
        if keep_running:
            _keep_running(environment)
    return passed


def _describe_url(url: str, preferred_port: int) -> str:
    return url if url.endswith(f":{preferred_port}") else f"{url} (port {preferred_port} is in use)"


def _run_deliveries(environment: Environment) -> list[IntakeRun]:
    """Run the DAG on the same delivery twice: with a malicious file in it, and without."""
    shutil.rmtree(DELIVERIES, ignore_errors=True)
    folder = DELIVERIES / "maeuseburg"
    environment.airflow.wait_for_dag(DAG_ID)
    environment.airflow.api.unpause_dag(DAG_ID)
    print_line("\nFirst run: one of the delivered documents is the test file that virus scanners report.")
    flagged = run_intake(environment, write_delivery(folder, flagged=True), "delivery-flagged", print_line)
    print_line("\nSecond run: the licensor has removed the file from the delivery.")
    return [flagged, run_intake(environment, write_delivery(folder), "delivery-clean", print_line)]


def _print_report(environment: Environment, runs: list[IntakeRun]) -> bool:
    print_line("\nResults:\n")
    for run in runs:
        for line in describe_run(environment, run):
            print_line(f"  {line}")
    print_line("\nChecks:\n")
    checks = check_runs(*runs)
    for sentence, passed in checks.items():
        print_line(f"  {'ok    ' if passed else 'FAILED'}  {sentence}")
    return all(checks.values())


def _keep_running(environment: Environment) -> None:
    folder = write_delivery(DELIVERIES / "another")
    environment.airflow.wait_for_dag(ALERT_DAG_ID)
    environment.airflow.api.unpause_dag(ALERT_DAG_ID)
    print_line(f"\nAirflow keeps running at {environment.airflow.url}, the sandbox at {environment.sandbox_url}.")
    print_line("Press Ctrl-C to stop both.")
    print_line(f"To run the DAG on another delivery, trigger {DAG_ID} with the folder {folder}")
    print_line(f"{ALERT_DAG_ID} runs by itself on each alert, from about a minute from now on. To raise one:")
    print_line(f"  {sys.executable} -m demo.alert {environment.sandbox_url}")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            environment.airflow.ensure_running()
            time.sleep(1)
    print_line("\nStopping ...")


if __name__ == "__main__":
    main()
