"""The state of a remote object, as one query of a wait observed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Observation:
    """The observed state of an object that a task waits for.

    :param state: the product's name of the state
    :param done: whether the wait is over, with success or failure
    :param details: what the task needs for its result; plain JSON, small
    :param progress: percent, where the product reports it; the next poll is then timed by it
    """

    state: str
    done: bool
    details: Mapping[str, Any] = field(default_factory=dict)
    progress: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the observation as plain JSON, for a trigger event."""
        # vars, and not dataclasses.asdict, which copies every value: there may be thousands at once
        return {**vars(self), "details": dict(self.details)}

    def __str__(self) -> str:
        return repr(self.state) if self.progress is None else f"{self.state!r} at {self.progress:.0f} %"


MISSING = Observation("missing", done=True)
"""The observation of an object that certainly does not exist, or not any more."""
