"""The preparation of the sandbox that the meta test of wait specs needs for each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.conftest import Served


class WaitCase(NamedTuple):
    """The case of one wait spec; each callable changes the served sandbox and returns a wait key.

    :param finished: creates a new object that is done
    :param running: creates a new object that stays unfinished for longer than a test takes
    :param unknown: a valid key of an object that does not exist; "" if each key has an observation
    """

    finished: Callable[[Served], str]
    running: Callable[[Served], str]
    unknown: str
