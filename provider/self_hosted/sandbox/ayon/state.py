"""The data of the server: users, sessions, presets, projects, events, background operations."""

from __future__ import annotations

import copy
import hashlib
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from self_hosted.sandbox.ayon.defaults import ACCESS_GROUPS, ATTRIBUTES, build_attribute, complete_anatomy

Record = dict[str, Any]

MANAGER_ROLES = ("isManager", "isAdmin", "isService")


class State:
    """The complete data of the server."""

    def __init__(self) -> None:
        self.users: dict[str, Record] = {}
        self.passwords: dict[str, str] = {}  # by user name
        self.api_keys: dict[str, str] = {}  # user name by key
        self.sessions: dict[str, str] = {}  # user name by token
        self.rejected_keys: set[str] = set()
        self.failed_logins = 0
        self.access_groups = list(ACCESS_GROUPS)
        self.presets: dict[str, Record] = {}
        self.primary_preset: str | None = None
        self.attributes = [
            build_attribute(name, kind, scope.split(), default) for name, (kind, scope, default) in ATTRIBUTES.items()
        ]
        self.active_attributes = list(self.attributes)  # a new attribute becomes active after a restart
        self.projects: dict[str, Record] = {}  # by name in lower case
        self.events: list[Record] = []
        self.background_operations: dict[str, Record] = {}  # by id
        self.concurrent_projects: list[Record] = []  # written by another client during the next creation
        self.scheduled_changes: list[tuple[float, Record, Record]] = []  # due time, record, new values
        self.clock_offset = 0.0  # seconds by which tests have advanced the server's clock

    def now(self) -> float:
        """Return the server's time, in seconds since the epoch."""
        return time.time() + self.clock_offset

    def timestamp(self) -> str:
        """Return the server's time in the format of the API."""
        return datetime.fromtimestamp(self.now(), UTC).isoformat()

    def add_user(
        self, name: str, *, data: Record | None = None, password: str = "", api_key: str = "", full_name: str = ""
    ) -> None:
        """Add a user, with the hashes that the real server shows to administrators."""
        secrets = {"password": password, "apiKey": api_key}
        hashes = {key: hashlib.sha256(value.encode()).hexdigest() for key, value in secrets.items() if value}
        attrib = {"fullName": full_name} if full_name else {}
        data = {"accessGroups": {}, "defaultAccessGroups": [], **(data or {}), **hashes}
        self.users[name] = {"name": name, "attrib": attrib, "data": data, "active": True, "createdAt": self.timestamp()}
        if password:
            self.passwords[name] = password
        if api_key:
            self.api_keys[api_key] = name

    def add_project(self, body: Record, *, skeleton: bool = False) -> Record:
        """Store a project and give users their default access to it."""
        moment = self.timestamp()
        project = {
            "name": body["name"],
            "code": body["code"],
            "label": body.get("label"),
            "library": body.get("library", False),
            "active": True,
            "anatomy": self._select_anatomy(body),
            "data": {"color": body["color"]} if body.get("color") else {},
            "skeleton": skeleton,
            "entities": {},
            "createdAt": moment,
            "updatedAt": moment,
        }
        self.projects[body["name"].lower()] = project
        for user in self.users.values():
            groups = user["data"]["defaultAccessGroups"]
            if groups and body.get("assignUsers", True) and not is_manager(user):
                user["data"]["accessGroups"][body["name"]] = list(groups)
        return project

    def _select_anatomy(self, body: Record) -> Record:
        """Return the anatomy of a new project: the given one, or that of the given or primary preset."""
        preset = self.presets.get(body.get("anatomyPreset") or self.primary_preset or "", {})
        return complete_anatomy(copy.deepcopy(body["anatomy"] if body.get("anatomy") is not None else preset))

    def find_conflict(self, body: Record, *, ignored: Record | None = None) -> Record | None:
        """Return another project with the same name, code or label in any case.

        :param ignored: the project that the body updates
        """
        for other in self.projects.values():
            for key in ("name", "code", "label"):
                is_same = body.get(key) and body[key].lower() == (other[key] or "").lower()
                if is_same and other is not ignored:
                    return other
        return None

    def add_event(self, topic: str, **fields: Any) -> Record:
        """Store an event.

        :param fields: {project, user, sender, senderType, ...}
        :return: the stored event
        """
        moment = self.timestamp()
        standard = {"id": uuid.uuid4().hex, "status": "finished", "description": "", "summary": {}}
        times = {"createdAt": moment, "updatedAt": moment}
        self.events.append({**standard, "topic": topic, **fields, **times})
        return self.events[-1]

    def schedule_changes(self, record: Record, changes: Record, after_seconds: float) -> None:
        """Schedule changes of a stored record."""
        self.scheduled_changes.append((self.now() + after_seconds, record, changes))

    def apply_due_changes(self) -> None:
        """Apply the scheduled changes that are due."""
        now = self.now()
        for due_at, record, changes in self.scheduled_changes:
            if now >= due_at:
                record.update(changes)
        self.scheduled_changes = [change for change in self.scheduled_changes if now < change[0]]


def is_manager(user: Record) -> bool:
    """Return whether the user is a manager. Service users and administrators are, too."""
    return any(user["data"].get(role) for role in MANAGER_ROLES)
