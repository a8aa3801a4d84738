"""The data of the server, and its core version."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from self_hosted.sandbox.atrocore.record_index import RecordIndex, fold_text, to_text
from self_hosted.sandbox.atrocore.schema import Schema
from self_hosted.sandbox.atrocore.versions import V2_3

CORES = {"2.3": (2, 3, 16), "1.x-2.2": (2, 2, 31), "espo": (1, 1, 46)}

Record = dict[str, Any]
JobPlan = tuple[str, dict[str, Any], dict[str, Any]]  # entity, values and schedule of a job that another job creates


@dataclass
class JobSchedule:
    """The future of one background job.

    :param starts_at: when a worker takes the job, in seconds since the epoch
    :param ends_at: when the job ends, in seconds since the epoch
    :param outcome: the fields of the record after the end
    :param creates: the jobs that the job creates at its start
    :param work: name and argument of a change of the state at the end, see `job_queue.background_work`
    """

    entity: str
    id: str
    starts_at: float
    ends_at: float
    outcome: dict[str, Any]
    creates: list[JobPlan] = field(default_factory=list)
    work: tuple[str, Any] | None = None


@dataclass
class State:
    """The complete data of the server.

    :param core: version of the core, which determines the dialect
    :param users: password by user name
    :param former_passwords: password by user name, valid beside the new one until it is revoked
    :param tokens: user name by token
    :param failed_logins: times of recent failed logins, in seconds since the epoch
    :param admin_id: id of the record of the first user, an administrator
    :param languages: additional content languages
    :param custom_fields: fields that an admin added or changed: metadata by entity and field
    :param records: by entity and id; attributes that are null may be missing
    :param unique: names of further unique fields, by entity
    :param ignores_case: whether the database compares texts without case and blanks at their end, as MariaDB does
    :param upsert_seconds: how long an upsert works on each item
    :param holds_upserts: whether upserts stop before they store their next item
    :param poison: keys of products whose upsert ends in an internal error
    :param faults: see `seeded_faults.py`
    :param latencies: seconds per "request", record "written" and record "listed"
    :param cron: whether workers process the queue of background jobs
    :param job_schedules: the schedules of unfinished jobs
    :param runs: by feed, the schedules of the jobs that a run of the feed creates
    :param counters: by import job, the values that only ``recordCounters`` returns
    :param file_contents: by file
    :param file_chunks: of incomplete uploads, by upload and start
    :param last_id: number of the last generated id
    :param clock_offset: seconds by which tests have advanced the server's clock
    """

    core: tuple[int, ...]
    users: dict[str, str] = field(default_factory=lambda: {"airflow": "sandbox-password"})
    former_passwords: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    failed_logins: list[float] = field(default_factory=list)
    admin_id: str = "1"
    languages: list[str] = field(default_factory=list)
    custom_fields: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    records: dict[str, dict[str, Record]] = field(default_factory=lambda: defaultdict(dict))
    unique: dict[str, list[str]] = field(default_factory=dict)
    ignores_case: bool = False
    upsert_seconds: float = 0
    holds_upserts: bool = False
    poison: set[str] = field(default_factory=set)
    faults: list[dict[str, Any]] = field(default_factory=list)
    latencies: dict[str, float] = field(default_factory=dict)
    cron: bool = True
    job_schedules: list[JobSchedule] = field(default_factory=list)
    runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    counters: dict[str, dict[str, int]] = field(default_factory=dict)
    file_contents: dict[str, bytes] = field(default_factory=dict)
    file_chunks: dict[str, dict[str, bytes]] = field(default_factory=dict)
    last_id: int = 0
    clock_offset: float = 0

    @cached_property
    def index(self) -> RecordIndex:
        """The index of the records. The sandbox does not save it."""
        return RecordIndex(self.records)

    @cached_property
    def schema(self) -> Schema:
        """The entities of the server. The sandbox does not save it; seeds that change it call `forget_schema`."""
        return Schema(self.core, self.languages, self.custom_fields)

    def forget_schema(self) -> None:
        """Build the schema again when it is used next."""
        self.__dict__.pop("schema", None)

    @property
    def is_new(self) -> bool:
        """Whether the core has the API and the strict checks of 2.3."""
        return self.core >= V2_3

    def to_key(self, value: Any) -> str:
        """Return a text as the database compares it."""
        return fold_text(value) if self.ignores_case else to_text(value)

    @property
    def dialect(self) -> str:
        """The dialect of the core version."""
        if self.core >= (2, 3):
            return "2.3"
        return "1.x-2.2" if self.core >= (1, 2) else "espo"

    def now(self) -> float:
        """Return the server's time, in seconds since the epoch."""
        return time.time() + self.clock_offset

    def timestamp(self) -> str:
        """Return the server's time as the API writes it."""
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.now()))

    def new_id(self) -> str:
        """Return a new id in the server's format."""
        self.last_id += 1
        return f"a{self.last_id:016x}"

    def find_user(self, name: str) -> Record | None:
        """Return the record of a user, or None if there is none."""
        users = self.records["User"].values()
        return next((user for user in users if user.get("userName") == name and not user["deleted"]), None)

    def find_record(self, entity: str, record_id: str) -> Record | None:
        """Return a record, or None if it is missing or softly deleted."""
        record = self.records[entity].get(record_id)
        return None if record is None or record["deleted"] else record
