"""What sources know of files by their hashes: the server's own two, and those outside that a test adds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.answers import Refusal, answer, denied, path_of
from self_hosted.sandbox.assemblyline.area import Area, Row

KINDS = {
    "sha256": re.compile(r"[a-f0-9]{64}"),
    "md5": re.compile(r"[a-f0-9]{32}"),
    "sha1": re.compile(r"[a-f0-9]{40}"),
    "ssdeep": re.compile(r"[0-9]{1,18}:[a-zA-Z0-9/+]{0,64}:[a-zA-Z0-9/+]{0,64}"),
    "tlsh": re.compile(r"(?:T1)?[0-9a-fA-F]{70}"),
}
ROLES = ("alert_view", "submission_view", "external_query")
NOT_FOUND, UNSUPPORTED = "File hash not found.", "Unsupported hash type."
FAILED = "One or more errors occured. See individual source results for more details."
CONFIRMED, MALICIOUS, ALERTING = 2000, 1000, 500


class HashSources(Area):
    """Look-ups by hash. Keeps what sources outside know."""

    name: ClassVar[str] = "hash_sources"

    def seed(self, data: dict[str, Any]) -> None:
        """Add sources outside.

        :param data: by name ("x.virustotal"): {hash: items}; or {"error": ...}, what it says of every hash
        """
        self.kept.update(data)

    def rows(self) -> Sequence[Row]:
        """The table."""
        return [
            Row("GET", "/hash_search/list_data_sources/", self.sources, counted=True),
            Row("GET", "/hash_search/{hash}/", self.look_up, counted=True),
        ]

    async def sources(self, request: Request, session: Session) -> Any:
        """The names of all of them."""
        _admit(request, session)
        return sorted(["al", "alert", *self.kept])

    async def look_up(self, request: Request, session: Session) -> Response:
        """What each source knows; those outside are asked when they are named, and unknown ones left out."""
        _admit(request, session)
        kind, value = _kind_of(request.path_params["hash"])
        named = request.query_params.get("db")
        wanted = named.split("|") if named else ["al", "alert"]
        found = {name: self._of_source(name, kind, value) for name in wanted if name in {"al", "alert", *self.kept}}
        errors = {one["error"] for one in found.values()}
        if any(one["items"] for one in found.values()):
            told = {
                name: {**one, "error": None if one["error"] == NOT_FOUND else one["error"]}
                for name, one in found.items()
            }
            return answer(told, words=None)
        if not errors - {NOT_FOUND}:
            return answer(found, 404, NOT_FOUND)
        if errors == {UNSUPPORTED}:
            return answer(found, 422, UNSUPPORTED)
        return answer(found, 500, FAILED) if any(errors) else answer(found, words=None)

    def _of_source(self, name: str, kind: str, value: str) -> dict[str, Any]:
        if name == "al":
            return {"error": None, "items": self._files(kind, value)}
        if name == "alert":
            return {"error": None, "items": self._alerts(kind, value)}
        known = self.kept[name]
        items = known.get(value, [])
        return {"error": known.get("error") or (None if items else NOT_FOUND), "items": items}

    def _files(self, kind: str, value: str) -> list[dict[str, Any]]:
        found = [one for one in self.product.indexed("file") if one.get(kind) == value]
        return [self._file(one) for one in found]

    def _file(self, file: dict[str, Any]) -> dict[str, Any]:
        findings = self.product.known.get(file["sha256"])
        score = findings.scores[file["sha256"]] if findings else 0
        told = {name: file.get(name) for name in ("md5", "sha1", "sha256", "size", "type")}
        return {
            "classification": "TLP:C",
            "confirmed": score >= CONFIRMED,
            "data": {**told, "classification": "TLP:C", "score": score, "seen": file["seen"]},
            "description": f"File found in AL with score of {score}.",
            "malicious": score >= MALICIOUS,
        }

    def _alerts(self, kind: str, value: str) -> list[dict[str, Any]]:
        found = [one for one in self.product.indexed("alert") if one.get("file", {}).get(kind) == value]
        scores = [one.get("al", {}).get("score", 0) for one in found]
        data = [{"id": one["alert_id"], "score": score} for one, score in zip(found, scores, strict=True)]
        told = {
            "confirmed": any(score >= CONFIRMED for score in scores),
            "data": data,
            "description": f"Alerted on {len(found)} times",
            "malicious": any(score >= ALERTING for score in scores),
        }
        return [told] if found else []


def _admit(request: Request, session: Session) -> None:
    if not set(ROLES) & set(session.roles):
        path = path_of(request)
        raise denied(path, f"API {path} requires one of the following roles: {', '.join(ROLES)}")


def _kind_of(text: str) -> tuple[str, str]:
    for kind, pattern in KINDS.items():
        value = text if kind in {"ssdeep", "tlsh"} else text.lower()
        if pattern.fullmatch(value):
            return kind, value
    raise Refusal(400, f"Invalid hash. This API only supports {', '.join(KINDS)}.")
