"""``python -m self_hosted.sandbox``: serve the fake servers of all four products until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

from self_hosted.sandbox.dependencies import MissingDependencyError
from self_hosted.sandbox.server import Sandbox


def main() -> None:
    """Serve, and print the environment variables that define the Airflow connections."""
    # SIGTERM ends the process like Ctrl-C, and Ctrl-C works even if a shell started it with SIGINT ignored
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with create_sandbox(parse_arguments()) as sandbox, contextlib.suppress(KeyboardInterrupt):
        print(f"# Sandbox on {sandbox.url}; open it in a browser to see its state. Stop it with Ctrl-C.")
        for server in sandbox.servers:
            print(f"export AIRFLOW_CONN_{server.name.upper()}_DEFAULT='{json.dumps(server.connection(sandbox.url))}'")
        sys.stdout.flush()
        sandbox.thread.join()


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command, or exit if they are invalid."""
    parser = argparse.ArgumentParser(prog="python -m self_hosted.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8900, help="TCP port; 0 selects a free one (default: %(default)s)")
    parser.add_argument(
        "--state-file", type=Path, metavar="FILE", help="load the state from FILE at the start, and save it at the end"
    )
    options = parser.parse_args()
    if options.state_file and not options.state_file.parent.is_dir():
        parser.error(f"--state-file: folder {options.state_file.parent} does not exist")
    return options


def create_sandbox(options: argparse.Namespace) -> Sandbox:
    """Return the sandbox, or exit with one sentence if a library is missing or the port cannot be used."""
    try:
        return Sandbox(options.port, state_file=options.state_file)
    except MissingDependencyError as error:
        sys.exit(str(error))
    except OSError as error:
        reason = os.strerror(error.errno or 0)  # the text of the error repeats the address
        sys.exit(f"cannot use port {options.port} of 127.0.0.1: {reason}; choose another one with --port")


if __name__ == "__main__":
    main()
