"""Retrohunts, which search the submitted files for the strings of a YARA rule."""

from __future__ import annotations

import re
import secrets
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.dates import get_current_time
from self_hosted.sandbox.assemblyline.errors import ApiError, internal_error
from self_hosted.sandbox.assemblyline.request_parsing import get_path, read_json
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.search.engine import search
from self_hosted.sandbox.fake_server import Table
from self_hosted.sandbox.routing import route

VIEW, RUN = "retrohunt_view", "retrohunt_run"
READ_METHODS = ("GET", "POST")
RULE = re.compile(r"\brule\s+\w+[^{]*\{(.*)\}", re.DOTALL)
STRING = re.compile(r'\$\w*\s*=\s*"((?:[^"\\]|\\.)*)"')
INDICES = ("hot", "archive", "hot_and_archive")
REQUIRED_FIELDS = ("yara_signature", "description", "indices", "classification", "search_classification")
TABLE_COLUMNS = ("key", "description", "creator", "finished")
DEFAULT_TTL_DAYS, DEFAULT_ROWS, DEFAULT_HITS = 30, 20, 10
INVALID_RULE = "400 Client Error: Bad Request for url: https://hauntedhouse:4443/search/"
UNKNOWN_HUNT = "This retrohunt job does not exist..."


class Retrohunts(Resource):
    """The retrohunts. The state has them by key under ``hunts``; `seed` describes the rest of it."""

    name: ClassVar[str] = "retrohunt"

    @classmethod
    def create_state(cls) -> Any:
        """Return no retrohunts, and the disabled feature."""
        return {"enabled": False, "seconds": 0.2, "errors": [], "hunts": {}}

    def seed(self, data: Any) -> None:
        """Change the behaviour of retrohunts.

        :param data: any of these keys:

            - ``enabled``: whether the server offers retrohunts
            - ``seconds``: duration of a retrohunt
            - ``errors``: [error of each new retrohunt]
        """
        self.state.update(data)

    def check_available(self, request: Request) -> None:
        """Raise an error if the feature is disabled."""
        if not self.state["enabled"]:
            raise ApiError(404, f"Api does not exist ({get_path(request)})")

    def get_documents(self) -> dict[str, list[dict[str, Any]]]:
        """Return the retrohunts."""
        return {"retrohunt": [{"id": key, **self._build_document(key)} for key in self.state["hunts"]]}

    def build_table(self) -> Table:
        """Return the retrohunts, newest first."""
        documents = map(self._build_document, reversed(self.state["hunts"]))
        return [{column: document[column] for column in TABLE_COLUMNS} for document in documents]

    @route("PUT", "/retrohunt/", role=RUN)
    async def create(self, request: Request, session: Session) -> Any:
        """Start a retrohunt."""
        body = await read_json(request)
        _check_hunt(body)
        key = secrets.token_hex(16)
        self.state["hunts"][key] = {
            **{name: body[name] for name in REQUIRED_FIELDS},
            "key": key,
            "creator": session.user,
            "created_time": get_current_time(),
            "start_group": 0,
            "end_group": 0,
            "raw_query": "(any)",
            "errors": list(self.state["errors"]),
            "warnings": [],
            "truncated": False,
        }
        return self._start(key, body["ttl"])

    @route("POST", "/retrohunt/repeat/", role=RUN)
    async def repeat(self, request: Request, session: Session) -> Any:
        """Start a retrohunt again under the same key."""
        body = await read_json(request)
        _check_fields(body, ("key", "search_classification"))
        if body["key"] not in self.state["hunts"]:
            raise ApiError(404, "retrohunt job indicated does not exist", {})
        self.state["hunts"][body["key"]]["search_classification"] = body["search_classification"]
        return self._start(body["key"], body["ttl"])

    @route(READ_METHODS, "/retrohunt/", role=VIEW)
    async def search(self, request: Request, session: Session) -> Any:
        """Return a page of retrohunts with their numbers of hits."""
        params = {"query": "*", "rows": DEFAULT_ROWS, **await _read_params(request)}
        fields = ",".join(filter(None, [params.get("fl"), "key"]))
        page = search(self.server.get_documents("retrohunt"), {**params, "fl": fields}, "retrohunt")
        items = [{**item, "total_hits": len(self._find_hits(item["key"]))} for item in page["items"]]
        return {**page, "items": items}

    @route(READ_METHODS, "/retrohunt/{key}/", role=VIEW)
    async def get_hunt(self, request: Request, session: Session) -> Any:
        """Return a retrohunt, with the numbers of errors and warnings."""
        document = self._build_document(self._get_key(request, UNKNOWN_HUNT))
        counts = {f"total_{name}": len(document.pop(name)) for name in ("errors", "warnings")}
        return {**document, **counts}

    @route(READ_METHODS, "/retrohunt/hits/{key}/", role=VIEW)
    async def list_hits(self, request: Request, session: Session) -> Any:
        """Return a page of the matching files."""
        files = self._list_hit_files(self._get_key(request, UNKNOWN_HUNT))
        return search(files, {"query": "*", "rows": DEFAULT_HITS, **await _read_params(request)}, "file")

    @route(READ_METHODS, "/retrohunt/errors/{key}/", role=VIEW)
    async def list_errors(self, request: Request, session: Session) -> Any:
        """Return a page of the errors and warnings."""
        document, params = self._build_document(self._get_key(request, "Not Found.")), await _read_params(request)
        items = [{"type": type_, "message": text} for type_ in ("error", "warning") for text in document[f"{type_}s"]]
        offset, rows = int(params.get("offset", 0)), int(params.get("rows", DEFAULT_ROWS))
        return {"offset": offset, "rows": rows, "total": len(items), "items": items[offset : offset + rows]}

    @route(READ_METHODS, "/retrohunt/types/{key}/", role=VIEW)
    async def count_types(self, request: Request, session: Session) -> Any:
        """Return the number of matching files of each type."""
        files = self._list_hit_files(self._get_key(request, "Not Found."))
        return Counter(file.get("type", "unknown") for file in files)

    def _start(self, key: str, ttl_days: Any) -> dict[str, Any]:
        expiry = datetime.now(UTC) + timedelta(days=int(ttl_days or DEFAULT_TTL_DAYS))
        self.state["hunts"][key].update(
            expiry_ts=expiry.isoformat().replace("+00:00", "Z"),
            started_time=get_current_time(),
            finished_at=time.time() + self.state["seconds"],
        )
        return self._build_document(key)

    def _build_document(self, key: str) -> dict[str, Any]:
        document = dict(self.state["hunts"][key])
        is_finished = time.time() >= document.pop("finished_at")
        return {**document, "finished": is_finished, "completed_time": get_current_time() if is_finished else None}

    def _get_key(self, request: Request, message: str) -> str:
        key = str(request.path_params["key"])
        if key not in self.state["hunts"]:
            raise ApiError(404, message, {})
        return key

    def _list_hit_files(self, key: str) -> list[dict[str, Any]]:
        hits = self._find_hits(key)
        return [record for record in self.server.get_documents("file") if record["sha256"] in hits]

    def _find_hits(self, key: str) -> list[str]:
        """Return the hashes of the files that contain a string of the rule; none until the retrohunt is finished."""
        document = self._build_document(key)
        rule = RULE.search(document["yara_signature"])
        strings = [re.sub(r"\\(.)", r"\1", text).encode() for text in STRING.findall(rule[1] if rule else "")]
        analyses = self.server.store.analyses.values() if document["finished"] else ()
        return [
            analysis.sha256 for analysis in analyses if any(string in analysis.searched_content for string in strings)
        ]


def _check_hunt(body: dict[str, Any]) -> None:
    _check_fields(body, REQUIRED_FIELDS)
    if "ttl" not in body:
        raise internal_error()  # the real server has an unhandled exception
    index = body["indices"].lower()
    if index not in INDICES:
        raise ApiError(400, f"Index parameter set to {index}, expected one of {list(INDICES)}")
    if not RULE.search(body["yara_signature"]):
        raise ApiError(400, INVALID_RULE)


def _check_fields(body: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if name not in body:
            raise ApiError(400, f"Missing required argument: '{name}'", {})


async def _read_params(request: Request) -> dict[str, Any]:
    params = await read_json(request) if request.method == "POST" else dict(request.query_params)
    return {name: value for name, value in params.items() if value is not None}
