"""A toy product in memory: records by id, with locks, approvals and faults. It keeps a history of every change."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, TypeVar

from self_hosted.core.http.errors import OutcomeUnknownError, UnavailableError
from self_hosted.core.http.flow import NO_REPLY, Flow, FlowStep, Pause, Reply, Request, run

T = TypeVar("T")
PAGE_SIZE = 7
MAX_NAME = 8  # of records in `ToyServer.clipped`
DONE = {"create": "created", "update": "updated", "restore": "restored"} | {
    "deactivate": "deactivated",
    "delete": "deleted",
}


class Killed(BaseException):
    """The worker is killed."""


@dataclass(frozen=True)
class Record:
    """A stored record; or, with `is_request`, only the open request to create it. `ticket` names an open request."""

    ref: str
    key: str
    values: Mapping[str, Any]
    version: int = 1
    is_deleted: bool = False
    is_active: bool = True
    ticket: str | None = None
    is_request: bool = False

    def to_json(self) -> dict[str, Any]:
        return {**self.__dict__, "values": dict(self.values)}


class Event(NamedTuple):
    """A change that the server has carried out."""

    by: str
    do: str
    before: Record | None
    after: Record | None


@dataclass
class ToyServer:
    """The product.

    :param lock: what a write may state that must still be stored: the old values, or the version
    :param needs_approval: whether a write only makes a request, which people approve
    :param is_tree: whether the field "parent" must be the key of a record
    :param poison: keys that end the whole write with status 500, before anything is stored
    :param rejected: keys of items that are rejected
    :param clipped: keys of records whose name is stored short, without a word
    :param max_items: larger writes time out, before anything is stored
    """

    lock: Literal["fields", "stamp"] | None = "fields"
    needs_approval: bool = False
    is_tree: bool = False
    poison: set[str] = field(default_factory=set)
    rejected: set[str] = field(default_factory=set)
    clipped: set[str] = field(default_factory=set)
    max_items: int | None = None
    records: dict[str, Record] = field(default_factory=dict)
    history: list[Event] = field(default_factory=list)
    tickets: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    all_tickets: set[str] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)
    clock: float = 0.0
    late: list[tuple[float, str, Request]] = field(default_factory=list)

    # what people do

    def put(self, key: str, **values: Any) -> Record:
        """Create or change a record by hand."""
        existing = next((record for record in self.records.values() if record.key == key), None)
        if existing is None:
            return self._store("person", "create", None, Record(f"id-{key}", key, values))
        changed = replace(existing, values={**existing.values, **values}, is_request=False)
        return self._store("person", "create" if existing.is_request else "update", existing, changed)

    def change(self, key: str, /, **state: Any) -> None:
        """Change the state of a record by hand: is_deleted, is_active, key."""
        record = self.get(key)
        self._store("person", "update", record, replace(record, **state))

    def remove(self, key: str) -> None:
        """Delete a record by hand, for good."""
        record = self.get(key)
        del self.records[record.ref]
        self.history.append(Event("person", "delete", record, None))
        self.tickets = {ticket: each for ticket, each in self.tickets.items() if each[1]["ref"] != record.ref}

    def approve(self, ticket: str) -> None:
        by, item = self.tickets.pop(ticket)
        self._close(item["ref"])
        if item["do"] != "create" or item["ref"] not in self.records:  # somebody has created it meanwhile
            self._carry_out(by, item)

    def decline(self, ticket: str) -> None:
        self._close(self.tickets.pop(ticket)[1]["ref"])

    def get(self, key: str) -> Record:
        [found] = [record for record in self.records.values() if record.key == key]
        return found

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return the values of all records in use, by key."""
        used = [record for record in self.records.values() if not record.is_deleted and record.is_active]
        return {record.key: dict(record.values) for record in used if not record.is_request}

    @property
    def writes(self) -> list[list[str]]:
        """The keys of each write."""
        return [[item["key"] for item in each.json["items"]] for each in self.requests if each.path == "/write"]

    # the API

    def answer(self, request: Request, by: str) -> Reply:
        self.requests.append(request)
        status, value = self._route(request, by)
        return Reply(status, {"content-type": "application/json"}, json.dumps(value).encode(), request)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, in which the server carries out what it has accepted."""
        self.clock += seconds
        due = [(by, request) for time, by, request in self.late if time <= self.clock]
        self.late = [each for each in self.late if each[0] > self.clock]
        for by, request in due:
            self._route(request, by)

    def _route(self, request: Request, by: str) -> tuple[int, Any]:
        given = request.json
        if request.path == "/list":
            refs = sorted(ref for ref in self.records if ref > given["after"])
            page = [self.records[ref].to_json() for ref in refs[:PAGE_SIZE]]
            return 200, {"records": page, "cursor": refs[PAGE_SIZE - 1] if len(refs) > PAGE_SIZE else None}
        if request.path == "/find":
            wanted = [each for each in self.records.values() if each.key in given["keys"] or each.ref in given["refs"]]
            return 200, [record.to_json() for record in wanted]
        if request.path == "/count":
            return 200, len(self.records)
        return self._write(given["items"], by)

    def _write(self, items: list[dict[str, Any]], by: str) -> tuple[int, Any]:
        if self.max_items is not None and len(items) > self.max_items:
            return 504, {}
        if any(item["key"] in self.poison for item in items):
            return 500, {}
        return 200, [self._write_item(by, item) for item in items]

    def _write_item(self, by: str, item: dict[str, Any]) -> dict[str, Any]:
        problem = self._find_problem(item)
        if problem:
            return problem
        if self.needs_approval:
            ticket = f"T{len(self.history)}-{len(self.tickets)}-{item['key']}"
            self.tickets[ticket] = (by, item)
            self.all_tickets.add(ticket)
            record = self.records.get(item["ref"], Record(item["ref"], item["key"], {}, is_request=True))
            self.records[item["ref"]] = replace(record, ticket=ticket)
            return {"status": "pending", "ticket": ticket}
        return self._carry_out(by, item)

    def _find_problem(self, item: dict[str, Any]) -> dict[str, Any] | None:
        record, parent = self.records.get(item["ref"]), item["values"].get("parent")
        if item["key"] in self.rejected:
            return {"status": "failed", "message": "rejected"}
        if self.is_tree and parent and parent not in {each.key for each in self.records.values()}:
            return {"status": "failed", "message": f"no parent {parent}"}
        if item["do"] == "create":
            is_taken = record is not None and not record.is_request
            return {"status": "failed", "message": "the id is taken"} if is_taken else None
        if record is None:
            return {"status": "failed", "message": "not found"}
        return self._find_lock_problem(record, item)

    def _find_lock_problem(self, record: Record, item: dict[str, Any]) -> dict[str, Any] | None:
        has_old = all(record.values.get(name) == value for name, value in item["old"].items())
        if (self.lock == "fields" and not has_old) or (self.lock == "stamp" and item["stamp"] != str(record.version)):
            return {"status": "conflict", "message": "changed meanwhile"}
        return None

    def _carry_out(self, by: str, item: dict[str, Any]) -> dict[str, Any]:
        do, ref, record = item["do"], item["ref"], self.records.get(item["ref"])
        if do == "delete":
            self._delete(by, ref)
            return {"status": "deleted", "ref": ref}
        base = record or Record(ref, item["key"], {}, version=0)
        values = {**base.values, **item["values"]}
        if item["key"] in self.clipped and values.get("name"):
            values["name"] = values["name"][:MAX_NAME]
        if record and do == "update" and values == record.values:
            return {"status": "unchanged", "ref": ref}
        state = {"restore": {"is_deleted": False, "is_active": True}, "deactivate": {"is_active": False}}.get(do, {})
        self._store(by, do, record, replace(base, values=values, **state))  # type: ignore[arg-type]
        return {"status": DONE[do], "ref": ref}

    def _delete(self, by: str, ref: str) -> None:
        """Delete a record; in a tree, its children, too."""
        record = self.records.pop(ref)
        self.history.append(Event(by, "delete", record, None))
        children = [each.ref for each in self.records.values() if each.values.get("parent") == record.key]
        for child in children if self.is_tree else []:
            self._delete(by, child)

    def _store(self, by: str, do: str, before: Record | None, after: Record) -> Record:
        after = replace(after, version=before.version + 1 if before else 1)
        self.records[after.ref] = after
        self.history.append(Event(by, do, before, after))
        return after

    def _close(self, ref: str) -> None:
        record = replace(self.records[ref], ticket=None)
        if record.is_request:
            del self.records[ref]
        else:
            self.records[ref] = record


class Fault(NamedTuple):
    """What goes wrong at one call.

    :param kind: "lost before" or "lost after" the work; "late": it is lost, and the work is done ``seconds`` later;
        "unavailable"; "kill before" and "kill after"; "edit": only ``act`` is called, before the request
    :param seconds: see ``kind``
    :param act: see ``kind``
    """

    kind: str
    seconds: float = 0.0
    act: Callable[[ToyServer], object] = lambda server: None


@dataclass
class Client:
    """One worker: it runs flows against the server.

    :param server: the product
    :param name: who it is, in the history
    :param faults: by the number of the request, from 0
    :param wait_for_turn: called before each request
    """

    server: ToyServer
    name: str = "sync"
    faults: dict[int, Fault] = field(default_factory=dict)
    wait_for_turn: Callable[[], None] = lambda: None
    calls: int = 0

    def run(self, flow: Flow[T]) -> T:
        return run(flow, self._perform)

    def _perform(self, step: FlowStep) -> Reply:
        if isinstance(step, Pause):
            self.server.pass_time(step.seconds)
            return NO_REPLY
        assert isinstance(step, Request)
        self.wait_for_turn()
        fault = self.faults.get(self.calls, Fault(""))
        self.calls += 1
        fault.act(self.server)
        return self._send(step, fault)

    def _send(self, request: Request, fault: Fault) -> Reply:
        kind, is_write = fault.kind, request.path == "/write"
        if kind == "unavailable":
            raise UnavailableError("busy")
        if kind == "kill before":
            raise Killed
        if kind == "lost before" and is_write:
            raise OutcomeUnknownError("lost")
        if kind == "late" and is_write:
            self.server.requests.append(request)
            self.server.late.append((self.server.clock + fault.seconds, self.name, request))
            raise OutcomeUnknownError("lost")
        reply = self.server.answer(request, self.name)
        if kind == "kill after":
            raise Killed
        if kind == "lost after" and is_write:
            raise OutcomeUnknownError("lost")
        error = reply.default_error()
        if error:
            raise error
        return reply
