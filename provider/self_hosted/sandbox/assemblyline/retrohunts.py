"""Retrohunts of the stand-in: a rule's plain strings, looked for in the words of the files that were handed in."""

from __future__ import annotations

import re
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.answers import Refusal, body_of, path_of
from self_hosted.sandbox.assemblyline.area import Area, Handler, Row
from self_hosted.sandbox.assemblyline.dates import moment
from self_hosted.sandbox.assemblyline.search import search
from self_hosted.sandbox.stand_in import Table

RULE = re.compile(r"\brule\s+\w+[^{]*\{(.*)\}", re.DOTALL)
STRING = re.compile(r'\$\w*\s*=\s*"((?:[^"\\]|\\.)*)"')
INDICES = ("hot", "archive", "hot_and_archive")
NEEDED = ("yara_signature", "description", "indices", "classification", "search_classification")
DAYS, BROKEN = 30, "400 Client Error: Bad Request for url: https://hauntedhouse:4443/search/"


class Retrohunts(Area):
    """What is kept are the hunts by their keys, the seconds one takes, and the errors it meets."""

    name: ClassVar[str] = "retrohunt"

    @classmethod
    def fresh(cls) -> Any:
        """None, and switched off as on a fresh server."""
        return {"enabled": False, "seconds": 0.2, "errors": [], "hunts": {}}

    def seed(self, data: Any) -> None:
        """Switch it on, and say how it goes.

        :param data: ``enabled``, ``seconds`` that a hunt takes, and ``errors`` that it meets
        """
        self.kept.update(data)

    def rows(self) -> Sequence[Row]:
        """The table; all of it is unknown while the feature is off."""
        run, view = "retrohunt_run", "retrohunt_view"
        return [
            Row("PUT", "/retrohunt/", self._on(self.start), run, True),
            Row("POST", "/retrohunt/repeat/", self._on(self.repeat), run, True),
            Row("GET POST", "/retrohunt/", self._on(self.search), view, True),
            Row("GET POST", "/retrohunt/{key}/", self._on(self.detail), view, True),
            Row("GET POST", "/retrohunt/hits/{key}/", self._on(self.hits), view, True),
            Row("GET POST", "/retrohunt/errors/{key}/", self._on(self.errors), view, True),
            Row("GET POST", "/retrohunt/types/{key}/", self._on(self.types), view, True),
        ]

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """The hunts."""
        return {"retrohunt": [{"id": key, **self._document(key)} for key in self.kept["hunts"]]}

    def table(self) -> Table:
        """The hunts, newest first."""
        shown = ("key", "description", "creator", "finished")
        return [{name: self._document(key)[name] for name in shown} for key in reversed(self.kept["hunts"])]

    async def start(self, request: Request, session: Session) -> Any:
        """Begin a hunt; what has no rule in it is refused as the hunter's own server does."""
        sent = await body_of(request)
        for name in NEEDED:
            if name not in sent:
                raise Refusal(400, f"Missing required argument: '{name}'", {})
        if "ttl" not in sent:
            raise Refusal(500, "Internal Server Error")
        if sent["indices"].lower() not in INDICES:
            words = f"Index parameter set to {sent['indices'].lower()}, expected one of {list(INDICES)}"
            raise Refusal(400, words)
        if not RULE.search(sent["yara_signature"]):
            raise Refusal(400, BROKEN)
        key = secrets.token_hex(16)
        document = {
            **{name: sent[name] for name in NEEDED},
            "key": key,
            "creator": session.user,
            "created_time": moment("now"),
            "start_group": 0,
            "end_group": 0,
            "raw_query": "(any)",
            "errors": list(self.kept["errors"]),
            "warnings": [],
            "truncated": False,
        }
        self.kept["hunts"][key] = document
        return self._begin(key, sent["ttl"])

    async def repeat(self, request: Request, session: Session) -> Any:
        """Do a hunt once more, under the same key."""
        sent = await body_of(request)
        for name in ("key", "search_classification"):
            if name not in sent:
                raise Refusal(400, f"Missing required argument: '{name}'", {})
        if sent["key"] not in self.kept["hunts"]:
            raise Refusal(404, "retrohunt job indicated does not exist", {})
        self.kept["hunts"][sent["key"]]["search_classification"] = sent["search_classification"]
        return self._begin(sent["key"], sent["ttl"])

    async def search(self, request: Request, session: Session) -> Any:
        """Search hunts; each comes with its number of hits."""
        asked = {"query": "*", "rows": 20, **await _asked(request)}
        fields = ",".join(filter(None, [asked.get("fl"), "key"]))
        found = search(self.product.indexed("retrohunt"), {**asked, "fl": fields}, "retrohunt")
        items = [{**one, "total_hits": len(self._hits(one["key"]))} for one in found["items"]]
        return {**found, "items": items}

    async def detail(self, request: Request, session: Session) -> Any:
        """One hunt, with numbers of errors and warnings in the place of these."""
        key = self._key(request, "This retrohunt job does not exist...")
        document = self._document(key)
        counts = {f"total_{name}": len(document.pop(name)) for name in ("errors", "warnings")}
        return {**document, **counts}

    async def hits(self, request: Request, session: Session) -> Any:
        """The files of a hunt, as a search of these would find them."""
        hits = self._hits(self._key(request, "This retrohunt job does not exist..."))
        files = [one for one in self.product.indexed("file") if one["sha256"] in hits]
        return search(files, {"query": "*", "rows": 10, **await _asked(request)}, "file")

    async def errors(self, request: Request, session: Session) -> Any:
        """What went wrong in a hunt."""
        document, asked = self._document(self._key(request, "Not Found.")), await _asked(request)
        found = [{"type": kind, "message": one} for kind in ("error", "warning") for one in document[f"{kind}s"]]
        offset, rows = int(asked.get("offset", 0)), int(asked.get("rows", 20))
        return {"offset": offset, "rows": rows, "total": len(found), "items": found[offset : offset + rows]}

    async def types(self, request: Request, session: Session) -> Any:
        """How many files of each type a hunt found."""
        hits = self._hits(self._key(request, "Not Found."))
        files = [one for one in self.product.indexed("file") if one["sha256"] in hits]
        return Counter(one.get("type", "unknown") for one in files)

    def _on(self, handler: Handler) -> Handler:
        async def when_on(request: Request, session: Session) -> Any:
            if not self.kept["enabled"]:
                raise Refusal(404, f"Api does not exist ({path_of(request)})")
            return await handler(request, session)

        return when_on

    def _begin(self, key: str, days: Any) -> dict[str, Any]:
        expiry = datetime.now(UTC) + timedelta(days=int(days or DAYS))
        self.kept["hunts"][key].update(
            expiry_ts=expiry.isoformat().replace("+00:00", "Z"),
            started_time=moment("now"),
            until=time.monotonic() + self.kept["seconds"],
        )
        return self._document(key)

    def _document(self, key: str) -> dict[str, Any]:
        document = dict(self.kept["hunts"][key])
        finished = time.monotonic() >= document.pop("until")
        return {**document, "finished": finished, "completed_time": moment("now") if finished else None}

    def _key(self, request: Request, words: str) -> str:
        key = str(request.path_params["key"])
        if key not in self.kept["hunts"]:
            raise Refusal(404, words, {})
        return key

    def _hits(self, key: str) -> list[str]:
        """The files that hold one of the rule's strings, once the hunt is over."""
        hunt = self._document(key)
        found = RULE.search(hunt["yara_signature"])
        wanted = [re.sub(r"\\(.)", r"\1", one).encode() for one in STRING.findall(found[1] if found else "")]
        files = self.product.known.values() if hunt["finished"] else ()
        return [file.sha256 for file in files if any(word in file.words for word in wanted)]


async def _asked(request: Request) -> dict[str, Any]:
    asked = await body_of(request) if request.method == "POST" else dict(request.query_params)
    return {name: value for name, value in asked.items() if value is not None}
