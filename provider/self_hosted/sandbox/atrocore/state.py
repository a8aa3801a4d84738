"""What the server remembers, and which core it is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from self_hosted.sandbox.atrocore.jobs import Course

CORES = {"2.3": (2, 3, 16), "1.x-2.2": (2, 2, 31), "espo": (1, 1, 46)}

Record = dict[str, Any]


@dataclass
class State:
    """One server.

    :param core: version of the core; the dialect follows from it
    :param cron: whether anybody serves the queue of background jobs
    :param courses: what becomes of the jobs that are under way
    :param runs: by feed, what becomes of each job that a run of it makes
    :param counters: by import job, what only ``recordCounters`` tells
    """

    core: tuple[int, ...]
    users: dict[str, str] = field(default_factory=lambda: {"airflow": "sandbox-password"})
    tokens: dict[str, str] = field(default_factory=dict)
    denied: list[float] = field(default_factory=list)
    records: dict[str, dict[str, Record]] = field(default_factory=lambda: defaultdict(dict))
    unique: dict[str, list[str]] = field(default_factory=dict)
    poison: set[str] = field(default_factory=set)
    faults: list[dict[str, Any]] = field(default_factory=list)
    costs: dict[str, float] = field(default_factory=dict)
    cron: bool = True
    courses: list[Course] = field(default_factory=list)
    runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    counters: dict[str, dict[str, int]] = field(default_factory=dict)
    made: int = 0

    @property
    def dialect(self) -> str:
        """The dialect this core speaks."""
        if self.core >= (2, 3):
            return "2.3"
        return "1.x-2.2" if self.core >= (1, 2) else "espo"

    def change(self, data: dict[str, Any]) -> None:
        """Take over what a seed says about the server."""
        if "dialect" in data:
            self.core = CORES[data["dialect"]]
        if "core" in data:
            self.core = tuple(int(number) for number in data["core"].split("."))
        if "token" in data:
            self.tokens[data["token"]] = next(iter(self.users))
        self.cron = data.get("cron", self.cron)
        self.runs.update(data.get("runs", {}))
        self.counters.update(data.get("counters", {}))
        self.costs.update(data.get("costs", {}))
        self.unique.update(data.get("unique", {}))
        self.poison.update(data.get("poison", ()))
        self.faults.extend(dict(fault) for fault in data.get("faults", ()))

    def new_id(self) -> str:
        """An id in the manner of the server's own."""
        self.made += 1
        return f"a{self.made:016x}"
