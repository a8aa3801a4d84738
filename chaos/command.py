"""What both programs have in common on the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import NoReturn

import requests

from demo.program import ProgramFailed, interruptible


def carry_out(work: Callable[[], bool]) -> NoReturn:
    """Do it; the exit status is 0 only if all was as it should be.

    :param work: what to do; returns whether all was
    """
    try:
        with interruptible():
            sys.exit(0 if work() else 1)
    except (ProgramFailed, TimeoutError, requests.RequestException, subprocess.CalledProcessError) as problem:
        sys.exit(f"\n{problem}")
    except KeyboardInterrupt:
        sys.exit("\nStopped; nothing is left running.")


def say(words: str) -> None:
    """Tell the person at the terminal.

    :param words: a line of text
    """
    print(words, flush=True)  # at once, also into a pipe
