"""Badlist and safelist of the stand-in: the same routes twice, and a few more for the badlist."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.answers import Refusal, body_of
from self_hosted.sandbox.assemblyline.area import Area, Row
from self_hosted.sandbox.assemblyline.dates import moment
from self_hosted.sandbox.assemblyline.list_entries import ATTRIBUTIONS, FAILED, LOWEST, digest, put, put_many, source_of
from self_hosted.sandbox.stand_in import Table

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.\d{6}Z")
LENGTHS = {64, 40, 32}


class _List(Area):
    """What is kept are the entries, by their ids."""

    def seed(self, data: Any) -> None:
        """Add entries.

        :param data: a list of them, as clients send them
        """
        put_many(self.kept, self.name, data)

    def rows(self) -> Sequence[Row]:
        """The routes of both lists."""
        manage, view = f"{self.name}_manage", f"{self.name}_view"
        return [
            Row("POST PUT", f"/{self.name}/", self.add, manage, True),
            Row("POST PUT", f"/{self.name}/add_update_many/", self.add_many, manage, True),
            Row("PUT", f"/{self.name}/enable/{{id}}/", self.enable, manage, True),
            Row("PUT DELETE", f"/{self.name}/expiry/{{id}}/", self.expire, manage, True),
            Row("PUT", f"/{self.name}/classification/{{id}}/{{source}}/{{kind}}/", self.classify, manage, True),
            Row("DELETE", f"/{self.name}/source/{{id}}/{{source}}/{{kind}}/", self.remove_source, manage, True),
            Row("GET", f"/{self.name}/{{tag_type}}/{{tag_value}}/", self.tag, view, True),
            Row("GET", f"/{self.name}/{{id}}/", self.entry, view, True),
            Row("DELETE", f"/{self.name}/{{id}}/", self.remove, manage, True),
        ]

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """The entries."""
        return {self.name: [{**entry, "id": id_} for id_, entry in self.kept.items()]}

    def table(self) -> Table:
        """The entries, newest first."""
        shown = ("type", "enabled", "expiry_ts")
        return [{"id": id_, **{name: one[name] for name in shown}} for id_, one in reversed(self.kept.items())]

    async def add(self, request: Request, session: Session) -> Any:
        """Add one, or merge it into what is there. The sources are looked at here, and only here."""
        sent = await body_of(request)
        for source in sent.get("sources", []):
            if source["type"] == "user" and source["name"] != session.user:
                words = f"You cannot add a source for another user. {source['name']} != {session.user}"
                raise Refusal(400, words, None)
            if source["type"] != "user" and "signature_import" not in session.roles:
                raise Refusal(403, "You do not have sufficient priviledges to add an external source.", None)
        id_, done = put(self.kept, self.name, sent)
        return {"success": True, "op": done, "hash": id_}

    async def add_many(self, request: Request, session: Session) -> Any:
        """Add or merge many, whosever name their sources have."""
        sent = await body_of(request)
        if not isinstance(sent, list):
            raise Refusal(400, "Could not get the list of hashes", None)
        return {"success": put_many(self.kept, self.name, sent), "errors": False}

    async def entry(self, request: Request, session: Session) -> Any:
        """One entry."""
        return self._shown(self._id(request))

    async def tag(self, request: Request, session: Session) -> Any:
        """The entry of a tag, by its value as it is stored."""
        return self._shown(digest(f"{request.path_params['tag_type']}: {request.path_params['tag_value']}"))

    async def enable(self, request: Request, session: Session) -> Any:
        """Switch one on or off."""
        return self._set(self._id(request), enabled=await body_of(request))

    async def expire(self, request: Request, session: Session) -> Any:
        """Set when one leaves the list."""
        expiry = await body_of(request) if request.method == "PUT" else None
        if expiry is not None and not MOMENT.match(expiry):
            words = "Invalid date format, must match ISO9660 format (0000-00-00T00:00:00.000000Z)"
            raise Refusal(400, words, None)
        return self._set(self._id(request), expiry_ts=expiry)

    async def classify(self, request: Request, session: Session) -> Any:
        """Classify a source; whatever is asked for the lowest is stored, as where no classifications are enforced."""
        self._own(request, session, "change the classification for this {} item")
        self._source(request)["classification"] = LOWEST
        return {"success": True}

    async def remove_source(self, request: Request, session: Session) -> Any:
        """Take a source away, but for the last one."""
        self._own(request, session, "remove this source from this {} item")
        entry = self._present(self._id(request))
        if len(entry["sources"]) == 1:
            raise Refusal(403, f"You are not allowed to remove the last source from this {self.name} item", None)
        entry["sources"].remove(self._source(request))
        return {"success": True}

    async def remove(self, request: Request, session: Session) -> Any:
        """Delete one; for most users only as far as it is their own."""
        id_ = self._id(request)
        if {"administration", "signature_manage"} & set(session.roles):
            self.kept.pop(id_, None)
            return {"success": True}
        if id_ not in self.kept:
            return {"success": False}
        entry = self.kept[id_]
        entry["sources"] = [one for one in entry["sources"] if one["name"] != session.user]
        if not entry["sources"]:
            del self.kept[id_]
        return {"success": True}

    def _id(self, request: Request) -> str:
        return str(request.path_params["id"])

    def _shown(self, id_: str) -> dict[str, Any]:
        if id_ not in self.kept:
            raise Refusal(404, f"The hash was not found in the {self.name}.", None)
        return self.kept[id_]  # type: ignore[no-any-return]

    def _set(self, id_: str, **values: Any) -> dict[str, bool]:
        if id_ in self.kept:
            self.kept[id_].update(values, updated=moment("now"))
        return {"success": id_ in self.kept}

    def _present(self, id_: str) -> dict[str, Any]:
        if id_ not in self.kept:
            raise Refusal(404, f"The {self.name} item your are trying to modify does not exists", {})
        return self.kept[id_]  # type: ignore[no-any-return]

    def _own(self, request: Request, session: Session, what: str) -> None:
        own = (request.path_params["source"], request.path_params["kind"]) == (session.user, "user")
        if not own and "administration" not in session.roles:
            raise Refusal(403, f"You are not allowed to {what.format(self.name)}", None)

    def _source(self, request: Request) -> dict[str, Any]:
        source = source_of(self._present(self._id(request)), request.path_params["source"], request.path_params["kind"])
        if source is None:
            words = f"The specified source does not exist in the specified {self.name} item"
            raise Refusal(404, words, {})
        return source


class Badlist(_List):
    """The badlist, with attributions, and look-ups of similar files."""

    name: ClassVar[str] = "badlist"

    def rows(self) -> Sequence[Row]:
        """The routes of both lists, and its own."""
        own = [
            Row("GET", "/badlist/ssdeep/{value:path}/", self.ssdeep, "badlist_view", True),
            Row("GET", "/badlist/tlsh/{value}/", self.tlsh, "badlist_view", True),
            Row("PUT DELETE", "/badlist/attribution/{id}/{kind}/{value}/", self.attribute, "badlist_manage", True),
        ]
        return [*own, *super().rows()]

    async def ssdeep(self, request: Request, session: Session) -> Any:
        """Entries with the same middle part; the real server finds those that are near, too."""
        value = str(request.path_params["value"])
        if value.count(":") != 2:
            raise Refusal(400, f"Invalid SSDEEP hash provided: {value}", None)
        return self._with("ssdeep", lambda one: one.split(":")[1] == value.split(":")[1])

    async def tlsh(self, request: Request, session: Session) -> Any:
        """Entries with this TLSH."""
        return self._with("tlsh", lambda one: one == request.path_params["value"])

    async def attribute(self, request: Request, session: Session) -> Any:
        """Add or take away an attribution, which is kept in upper case and compared as it comes."""
        kind, value = request.path_params["kind"], str(request.path_params["value"])
        if kind not in ATTRIBUTIONS:
            raise Refusal(400, f"Invalid attribution type, must in : {list(ATTRIBUTIONS)}", None)
        entry = self._present(self._id(request))
        attribution = entry["attribution"] = entry["attribution"] or dict.fromkeys(ATTRIBUTIONS)
        if request.method == "PUT":
            attribution[kind] = [one.upper() for one in {*(attribution[kind] or []), value}]
            return {"success": True}
        there = attribution[kind]
        if there is None:
            raise Refusal(500, FAILED)
        attribution[kind] = [one for one in there if one != value]
        return {"success": True}

    def _with(self, kind: str, fits: Any) -> list[dict[str, Any]]:
        return [one for one in self.kept.values() if one["hashes"][kind] and fits(one["hashes"][kind])]


class Safelist(_List):
    """The safelist, which minds the length of ids."""

    name: ClassVar[str] = "safelist"

    def rows(self) -> Sequence[Row]:
        """The routes of both lists, and its own."""
        own = Row("GET", "/safelist/signature/{signature}/", self.signature, "safelist_view", True)
        return [own, *super().rows()]

    async def signature(self, request: Request, session: Session) -> Any:
        """The entry of a signature."""
        return self._shown(digest(f"signature: {request.path_params['signature']}"))

    def _id(self, request: Request) -> str:
        id_ = super()._id(request)
        if len(id_) not in LENGTHS:
            raise Refusal(400, "Invalid hash length", None)
        return id_
