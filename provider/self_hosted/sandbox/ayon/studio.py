"""The state of the stand-in: users, sessions, presets, projects and events, in one object."""

from __future__ import annotations

import copy
import hashlib
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from self_hosted.sandbox.ayon import defaults

Record = dict[str, Any]


class Studio:
    """Everything the stand-in knows."""

    def __init__(self) -> None:
        self.users: dict[str, Record] = {}
        self.passwords: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        self.sessions: dict[str, str] = {}
        self.refused_keys: set[str] = set()
        self.failed_logins = 0
        self.access_groups = list(defaults.ACCESS_GROUPS)
        self.presets: dict[str, Record] = {}
        self.primary_preset: str | None = None
        self.attributes = [
            defaults.attribute(name, kind, scope.split(), default)
            for name, (kind, scope, default) in defaults.ATTRIBUTES.items()
        ]
        self.attributes_in_force = list(self.attributes)  # a new one takes effect after a restart
        self.projects: dict[str, Record] = {}  # by name in small letters
        self.events: list[Record] = []
        self.tasks: dict[str, Record] = {}  # operations in the background, by id
        self.rivals: list[Record] = []  # projects that somebody else writes while the next request is at it

    def add_user(
        self, name: str, *, data: Record | None = None, password: str = "", api_key: str = "", full_name: str = ""
    ) -> None:
        """Add a user, with the hashes that the real server shows to administrators."""
        hashes = {"password": password, "apiKey": api_key}
        shown = {key: hashlib.sha256(value.encode()).hexdigest() for key, value in hashes.items() if value}
        attrib = {"fullName": full_name} if full_name else {}
        data = {"accessGroups": {}, "defaultAccessGroups": [], **(data or {}), **shown}
        self.users[name] = {"name": name, "attrib": attrib, "data": data, "active": True, "createdAt": now()}
        if password:
            self.passwords[name] = password
        if api_key:
            self.keys[api_key] = name

    def add_project(self, body: Record, *, skeleton: bool = False) -> Record:
        """Write a project, and give users their default access to it."""
        data = {"color": body["color"]} if body.get("color") else {}
        moment = now()
        record = {
            "name": body["name"],
            "code": body["code"],
            "label": body.get("label"),
            "library": body.get("library", False),
            "active": True,
            "anatomy": self.anatomy_for(body),
            "data": data,
            "skeleton": skeleton,
            "entities": {},
            "createdAt": moment,
            "updatedAt": moment,
        }
        self.projects[body["name"].lower()] = record
        for user in self.users.values():
            groups = user["data"]["defaultAccessGroups"]
            if groups and body.get("assignUsers", True) and not is_manager(user):
                user["data"]["accessGroups"][body["name"]] = list(groups)
        return record

    def anatomy_for(self, body: Record) -> Record:
        """The anatomy a new project gets: the one sent, the preset named, or the primary one."""
        preset = self.presets.get(body.get("anatomyPreset") or self.primary_preset or "", {})
        return defaults.anatomy(copy.deepcopy(body["anatomy"] if body.get("anatomy") is not None else preset))

    def clash(self, body: Record, *, apart_from: Record | None = None) -> Record | None:
        """Another project with the same name, code or label, which cases do not tell apart."""
        for other in self.projects.values():
            for key in ("name", "code", "label"):
                same = body.get(key) and body[key].lower() == (other[key] or "").lower()
                if same and other is not apart_from:
                    return other
        return None

    def dispatch(
        self, topic: str, project: str | None, user: str, sender: str | None, sender_type: str, **more: Any
    ) -> Record:
        """Store an event."""
        usual = {"id": uuid.uuid4().hex, "status": "finished", "description": "", "summary": {}}
        who = {"user": user, "sender": sender, "senderType": sender_type}
        self.events.append({**usual, "topic": topic, "project": project, **who, **more})
        self.events[-1]["createdAt"] = self.events[-1]["updatedAt"] = now()
        return self.events[-1]


def becoming(given: Record) -> Record:
    """A record as a test seeds it: {..., "becomes": what changes of it, "after": so many seconds}."""
    record = {key: value for key, value in given.items() if key not in {"becomes", "after"}}
    if "becomes" in given:
        record["becomes"] = (time.time() + given.get("after", 0), given["becomes"])
    return record


def settled(record: Record) -> Record:
    """The record, changed if it is time for the change that it was seeded with."""
    if "becomes" in record and time.time() >= record["becomes"][0]:
        record.update(record.pop("becomes")[1])
    return record


def now() -> str:
    """This moment as the server writes it."""
    return datetime.now(UTC).isoformat()


def is_manager(user: Record) -> bool:
    """Service users and administrators are managers as well."""
    return any(user["data"].get(role) for role in ("isManager", "isAdmin", "isService"))
