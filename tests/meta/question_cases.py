"""What the meta test of questions needs to know of each: how to have the sandbox hold one more thing to wait for."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.conftest import Served


class Case(NamedTuple):
    """One question.

    :param finished: makes a new thing that is done, on the served sandbox, and returns its key
    :param running: makes one that is not, for longer than a test takes
    :param unknown: a key of the right form for a thing that is not there; "" where there is always an answer
    """

    finished: Callable[[Served], str]
    running: Callable[[Served], str]
    unknown: str
