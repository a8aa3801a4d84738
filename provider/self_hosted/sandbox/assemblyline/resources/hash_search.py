"""Search for a hash in the files, in the alerts, and in external sources that are seeded."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.errors import ApiError, missing_role
from self_hosted.sandbox.assemblyline.request_parsing import get_path
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.responses import envelope
from self_hosted.sandbox.routing import route

HASH_PATTERNS = {
    "sha256": re.compile(r"[a-f0-9]{64}"),
    "md5": re.compile(r"[a-f0-9]{32}"),
    "sha1": re.compile(r"[a-f0-9]{40}"),
    "ssdeep": re.compile(r"[0-9]{1,18}:[a-zA-Z0-9/+]{0,64}:[a-zA-Z0-9/+]{0,64}"),
    "tlsh": re.compile(r"(?:T1)?[0-9a-fA-F]{70}"),
}
CASE_SENSITIVE = {"ssdeep", "tlsh"}
INTERNAL_SOURCES = ("al", "alert")
ROLES = ("alert_view", "submission_view", "external_query")
NOT_FOUND, UNSUPPORTED = "File hash not found.", "Unsupported hash type."
FAILED = "One or more errors occured. See individual source results for more details."
CONFIRMED_SCORE, MALICIOUS_SCORE, MALICIOUS_ALERT_SCORE = 2000, 1000, 500


class HashSearch(Resource):
    """The search. The state has the external sources by name, in the format of `seed`."""

    name: ClassVar[str] = "hash_sources"

    def seed(self, data: dict[str, Any]) -> None:
        """Add external sources.

        :param data: {name such as "x.virustotal": {hash: [item]}}; or {name: {"error": message for every hash}}
        """
        self.state.update(data)

    @route("GET", "/hash_search/list_data_sources/")
    async def list_sources(self, request: Request, session: Session) -> Any:
        """Return the names of all sources."""
        _check_roles(request, session)
        return sorted([*INTERNAL_SOURCES, *self.state])

    @route("GET", "/hash_search/{hash}/")
    async def search_hash(self, request: Request, session: Session) -> Response:
        """Return the items of each source. External sources must be named; unknown ones are ignored."""
        _check_roles(request, session)
        type_, value = _parse_hash(request.path_params["hash"])
        named = request.query_params.get("db")
        sources = named.split("|") if named else INTERNAL_SOURCES
        known = {*INTERNAL_SOURCES, *self.state}
        return _respond({name: self._search_source(name, type_, value) for name in sources if name in known})

    def _search_source(self, name: str, type_: str, value: str) -> dict[str, Any]:
        if name == "al":
            return {"error": None, "items": self._search_files(type_, value)}
        if name == "alert":
            return {"error": None, "items": self._search_alerts(type_, value)}
        source = self.state[name]
        items = source.get(value, [])
        return {"error": source.get("error") or (None if items else NOT_FOUND), "items": items}

    def _search_files(self, type_: str, value: str) -> list[dict[str, Any]]:
        records = self.server.get_documents("file")
        return [self._build_file_item(record) for record in records if record.get(type_) == value]

    def _build_file_item(self, record: dict[str, Any]) -> dict[str, Any]:
        analysis = self.server.store.analyses.get(record["sha256"])
        score = analysis.scores[record["sha256"]] if analysis else 0
        data = {name: record.get(name) for name in ("md5", "sha1", "sha256", "size", "type")}
        return {
            "classification": "TLP:C",
            "confirmed": score >= CONFIRMED_SCORE,
            "data": {**data, "classification": "TLP:C", "score": score, "seen": record["seen"]},
            "description": f"File found in AL with score of {score}.",
            "malicious": score >= MALICIOUS_SCORE,
        }

    def _search_alerts(self, type_: str, value: str) -> list[dict[str, Any]]:
        alerts = [alert for alert in self.server.get_documents("alert") if alert.get("file", {}).get(type_) == value]
        scores = [alert.get("al", {}).get("score", 0) for alert in alerts]
        data = [{"id": alert["alert_id"], "score": score} for alert, score in zip(alerts, scores, strict=True)]
        item = {
            "confirmed": any(score >= CONFIRMED_SCORE for score in scores),
            "data": data,
            "description": f"Alerted on {len(alerts)} times",
            "malicious": any(score >= MALICIOUS_ALERT_SCORE for score in scores),
        }
        return [item] if alerts else []


def _check_roles(request: Request, session: Session) -> None:
    if not set(ROLES) & set(session.roles):
        raise missing_role(get_path(request), *ROLES)


def _parse_hash(text: str) -> tuple[str, str]:
    """Return the type and the value of a hash."""
    for type_, pattern in HASH_PATTERNS.items():
        value = text if type_ in CASE_SENSITIVE else text.lower()
        if pattern.fullmatch(value):
            return type_, value
    raise ApiError(400, f"Invalid hash. This API only supports {', '.join(HASH_PATTERNS)}.")


def _respond(results: dict[str, dict[str, Any]]) -> Response:
    """Return the response for the results of all sources, with a status that depends on all of them."""
    errors = {result["error"] for result in results.values()}
    if any(result["items"] for result in results.values()):
        return envelope({name: _hide_not_found(result) for name, result in results.items()}, message=None)
    if not errors - {NOT_FOUND}:
        return envelope(results, 404, NOT_FOUND)
    if errors == {UNSUPPORTED}:
        return envelope(results, 422, UNSUPPORTED)
    return envelope(results, 500, FAILED) if any(errors) else envelope(results, message=None)


def _hide_not_found(result: dict[str, Any]) -> dict[str, Any]:
    return {**result, "error": None if result["error"] == NOT_FOUND else result["error"]}
