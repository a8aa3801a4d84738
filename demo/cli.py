"""The parts that the command lines of demo and chaos share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import NoReturn

from demo.api import REQUEST_ERRORS
from demo.program import ProgramError
from demo.signals import interrupt_on_stop_signals

EXPECTED_ERRORS: tuple[type[Exception], ...]
EXPECTED_ERRORS = (ProgramError, TimeoutError, subprocess.CalledProcessError, *REQUEST_ERRORS)


def run_and_exit(command: Callable[[], bool]) -> NoReturn:
    """Run a command and exit, with status 0 only if it succeeds.

    :param command: returns whether it has succeeded
    """
    try:
        with interrupt_on_stop_signals():
            sys.exit(0 if command() else 1)
    except EXPECTED_ERRORS as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\nStopped; nothing is left running.")


def print_line(text: str) -> None:
    """Print a line without delay, also into a pipe."""
    print(text, flush=True)
