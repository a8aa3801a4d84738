"""``python -m self_hosted.sandbox``: serve the stand-ins of all four products until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

from self_hosted.sandbox.server import Sandbox


def main() -> None:
    """Serve, and print the environment variables that lead Airflow here."""
    parser = argparse.ArgumentParser(prog="python -m self_hosted.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8900, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="go on with what FILE holds, and write it at the end")
    options = parser.parse_args()
    if options.keep and not options.keep.parent.is_dir():
        parser.error(f"--keep: there is no folder {options.keep.parent}")
    # SIGTERM ends it like Ctrl-C does, and Ctrl-C does also where a shell started it with SIGINT ignored
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sandbox = Sandbox(options.port, keep=options.keep)
    except OSError as problem:
        reason = os.strerror(problem.errno or 0)  # the error's own words repeat the address
        sys.exit(f"port {options.port} of 127.0.0.1 cannot be used: {reason}; choose another with --port")
    with sandbox, contextlib.suppress(KeyboardInterrupt):
        print(f"# Sandbox on {sandbox.url}; its page shows what the DAGs do. Stop it with Ctrl-C.")
        for product in sandbox.products:
            print(f"export AIRFLOW_CONN_{product.name.upper()}_DEFAULT='{json.dumps(product.connection(sandbox.url))}'")
        sys.stdout.flush()
        sandbox.thread.join()


if __name__ == "__main__":
    main()
