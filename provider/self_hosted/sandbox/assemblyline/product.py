"""The routes of the stand-in and its state."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from self_hosted.sandbox.assemblyline.access import Access, Session
from self_hosted.sandbox.assemblyline.account import Account
from self_hosted.sandbox.assemblyline.alert_changes import AlertChanges
from self_hosted.sandbox.assemblyline.alerts import Alerts
from self_hosted.sandbox.assemblyline.answers import Refusal, answer, denied, path_of, redirected, wrong_method
from self_hosted.sandbox.assemblyline.archives import Archives
from self_hosted.sandbox.assemblyline.area import Area, Handler, Row
from self_hosted.sandbox.assemblyline.bundles import Bundles
from self_hosted.sandbox.assemblyline.dates import moment
from self_hosted.sandbox.assemblyline.files import Files
from self_hosted.sandbox.assemblyline.hash_sources import HashSources
from self_hosted.sandbox.assemblyline.help import Help
from self_hosted.sandbox.assemblyline.ingester import Ingester
from self_hosted.sandbox.assemblyline.lists import Badlist, Safelist
from self_hosted.sandbox.assemblyline.messages import Messages
from self_hosted.sandbox.assemblyline.ontology import Ontology
from self_hosted.sandbox.assemblyline.resubmits import Anew, Stored, for_dynamic, of_submission, with_profile
from self_hosted.sandbox.assemblyline.results import Results
from self_hosted.sandbox.assemblyline.retrohunts import Retrohunts
from self_hosted.sandbox.assemblyline.scan import Findings
from self_hosted.sandbox.assemblyline.searches import Searches
from self_hosted.sandbox.assemblyline.services import CONFIGURATION as SERVICES, Services
from self_hosted.sandbox.assemblyline.signatures import Heuristics, Signatures
from self_hosted.sandbox.assemblyline.submissions import Submission, received
from self_hosted.sandbox.assemblyline.workflows import Workflows
from self_hosted.sandbox.stand_in import StandIn, Table

ANY_METHOD = ["GET", "POST", "PUT", "DELETE", "PATCH"]
PAUSABLE = ("ingester", "dispatcher")
AREAS: Sequence[type[Area]] = (
    Account,
    AlertChanges,
    Alerts,
    Archives,
    Badlist,
    Bundles,
    Files,
    HashSources,
    Help,
    Heuristics,
    Messages,
    Ontology,
    Results,
    Retrohunts,
    Safelist,
    Searches,
    Services,
    Signatures,
    Workflows,
)
CONFIGURATION = {
    "submission.dtl": 30,
    "submission.max_dtl": 0,
    "submission.max_file_size": 104_857_600,
    "submission.verdicts.info": 0,
    "submission.verdicts.suspicious": 300,
    "submission.verdicts.highly_suspicious": 700,
    "submission.verdicts.malicious": 1000,
    "ui.enforce_quota": True,
    **SERVICES,
}


class Assemblyline(StandIn):
    """Assemblyline 4.7."""

    name: ClassVar[str] = "assemblyline"

    def reset(self) -> None:
        """Start without submissions, with the settings of a fresh server."""
        self.access = Access()
        self.configuration: dict[str, Any] = dict(CONFIGURATION)
        self.submissions: dict[str, Submission] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.known: dict[str, Findings] = {}
        self.ingester, self.paused = Ingester(), set[str]()
        self.delay, self.index_lag = 0.1, 0.0
        self.kept: dict[str, Any] = {area.name: area.fresh() for area in AREAS}

    def seed(self, data: dict[str, Any]) -> None:
        """Change settings.

        :param data: ``configuration`` (of the flat keys), ``quotas`` (concurrent_submissions, concurrent_ingests,
            daily_submissions, daily_api_calls), ``delay`` (seconds an analysis takes), ``index_lag`` (seconds until a
            search finds it), ``paused`` (of ingester and dispatcher; such a one takes up nothing), and what the areas
            take, by their names
        """
        self.configuration.update(data.get("configuration", {}))
        self.access.quotas.update(data.get("quotas", {}))
        self.delay = data.get("delay", self.delay)
        self.index_lag = data.get("index_lag", self.index_lag)
        self.paused = set(data.get("paused", self.paused))
        for area in self._areas():
            if area.name in data:
                area.seed(data[area.name])
        self._go_on()

    def end_sessions(self) -> None:
        """Forget all sessions; API keys stay."""
        self.access.sessions.clear()

    def routes(self) -> Sequence[BaseRoute]:
        """The table: method, path, handler, role, whether it counts toward the daily quota."""
        one = "/api/v4/submission/{sid}/"
        self._table = [
            Route("/api/v4/auth/login/", self.login, methods=["POST"]),
            self._route("GET", "/api/", self.versions),
            self._route("GET", "/api/v4/help/configuration/", self.help_configuration),
            self._route("POST", "/api/v4/submit/", self.submit, "submission_create"),
            self._route("GET", "/api/v4/submit/resubmit/{sid}/", self._anew(of_submission), "submission_create"),
            self._route("GET", "/api/v4/submit/dynamic/{sha256}/", self._anew(for_dynamic), "submission_create"),
            self._route("PUT", "/api/v4/submit/{profile}/{sha256}/", self._anew(with_profile), "submission_create"),
            self._route("POST", "/api/v4/ingest/", self.ingest, "submission_create"),
            self._route("GET", "/api/v4/system/status/{component}/", self.status),
            self._route("GET", "/api/v4/live/setup_watch_queue/{sid}/", self.watch, "submission_view", True),
            self._route("GET", "/api/v4/submission/is_completed/{sid}/", self.is_completed, "submission_view", True),
            self._route("GET", one, self.submission, "submission_view", True),
            self._route("DELETE", one, self.delete, "submission_delete", True),
            *(self._row(row) for area in self._areas() for row in area.rows()),
        ]
        return [*self._table, Route("/{path:path}", self.elsewhere, methods=ANY_METHOD)]

    def tables(self) -> dict[str, Table]:
        """Submissions, and who is signed in by password."""
        newest_first = reversed(self._existing())
        sessions: Table = [{"user": session.user} for session in self.access.sessions.values()]
        areas = {area.name: area.table() for area in self._areas()}
        return {"submissions": [found.row() for found in newest_first], "sessions": sessions, **areas}

    def connection(self, base_url: str) -> dict[str, Any]:
        """A connection by API key."""
        return {
            "conn_type": "assemblyline",
            "host": f"{base_url}/{self.name}",
            "login": "admin",
            "extra": {"api_key": "sandbox:sandbox-secret"},
        }

    def indexed(self, index: str) -> list[dict[str, Any]]:
        """All that is in an index by now: of the submissions, of all files that were ever handed in, or of an area."""
        now = time.monotonic()
        documents = {
            "submission": [found.document for found in self._existing() if now >= found.indexed_at],
            "file": list(self.files.values()),
        }
        for area in self._areas():
            documents.update(area.documents())
        return documents.get(index, [])

    # Handlers

    async def login(self, request: Request) -> Response:
        """Exchange a password or an API key for a session."""
        try:
            number, session = self.access.log_in(json.loads(await request.body()))
        except Refusal as refusal:
            return answer(refusal.response, refusal.status, refusal.words)
        limit = None if session.xsrf else session.roles
        reply = answer({"roles_limit": limit, "session_duration": 3600, "username": session.user})
        reply.set_cookie("XSRF-TOKEN", session.xsrf or "")
        reply.set_cookie("session", number, httponly=True, samesite="none")
        return reply

    async def versions(self, request: Request, session: Session) -> Any:
        """The versions of the API."""
        return ["v4"]

    async def help_configuration(self, request: Request, session: Session) -> Any:
        """The settings, flat."""
        return self.configuration

    async def submit(self, request: Request, session: Session) -> Any:
        """Take a file and begin to analyse it. What it does not know of params and profiles it ignores."""
        return self._submitted(await self._received(request, session))

    async def ingest(self, request: Request, session: Session) -> Any:
        """Take a file, for when the ingester finds the time."""
        found = await self._received(request, session)
        if not isinstance(found.options.get("notification_threshold") or 0, int):
            raise Refusal(400, "notification_threshold should be and int", {})
        running = sum(bool(other.ingest_id) and not other.completed for other in self._existing())
        self.access.count_ingest(running + len(self.ingester.queue))
        found.become_ingest()
        self._see(found)
        self.ingester.take(found)
        self._go_on()
        return {"ingest_id": found.ingest_id}

    async def status(self, request: Request, session: Session) -> Any:
        """Whether a component is active; an unknown one is not."""
        active = {component: component not in self.paused for component in PAUSABLE}
        component = request.path_params["component"]
        return active if component == "ALL" else {component: active.get(component, False)}

    async def watch(self, request: Request, session: Session) -> Any:
        """Watch a submission, if a dispatcher holds it."""
        sid = request.path_params["sid"]
        if not self._exists(sid):
            raise Refusal(403, "You are not allowed to access this submissions.", {})
        found = self.submissions[sid]
        if found.completed or found.waits:
            raise Refusal(404, "No dispatchers are processing this submission.", {})
        return {"wq_id": f"D-{sid}-WQ"}

    async def submission(self, request: Request, session: Session) -> Any:
        """One document."""
        return self._submission(request).document

    async def is_completed(self, request: Request, session: Session) -> Any:
        """Whether its analysis is over."""
        return self._submission(request).completed

    async def delete(self, request: Request, session: Session) -> Any:
        """Delete it, cancelled or completed, if it is the user's own."""
        sid = request.path_params["sid"]
        if not self._exists(sid) or not self.submissions[sid].is_of(session):
            raise Refusal(404, f"There is no submission with sid: {sid}")
        if self.submissions[sid].completed:
            del self.submissions[sid]
        else:
            self.submissions[sid].cancel()
        return {"success": True}

    async def elsewhere(self, request: Request) -> Response:
        """All other paths: without the last slash, with a wrong method, or unknown."""
        with_slash = {**request.scope, "path": f"{request.scope['path']}/"}
        if any(route.matches(with_slash)[0] is not Match.NONE for route in self._table):
            return redirected(f"{request.url.replace(path=request.url.path + '/')}")
        if any(route.matches(request.scope)[0] is Match.PARTIAL for route in self._table):
            return wrong_method()
        return answer("", 404, f"Api does not exist ({path_of(request)})")

    # What handlers share

    def _route(
        self, methods: str, path: str, handler: Handler, role: str | None = None, counted: bool = False
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                session = self._admitted(request, role, counted)
                found = await handler(request, session)
                return found if isinstance(found, Response) else answer(found, headers=self.access.remaining())
            except Refusal as refusal:
                return answer(refusal.response, refusal.status, refusal.words, self.access.remaining())

        return Route(path, endpoint, methods=methods.split())

    def _row(self, row: Row) -> Route:
        return self._route(row.methods, f"/api/v4{row.path}", row.handler, row.role, row.counted)

    def _areas(self) -> list[Area]:
        return [area(self) for area in AREAS]

    def _admitted(self, request: Request, role: str | None, counted: bool) -> Session:
        path = path_of(request)
        session = self.access.user_of(request, path)
        if role and role not in session.roles:
            raise denied(path, f"API {path} requires one of the following roles: {role}")
        if counted:
            self.access.count_call()
        return session

    async def _received(self, request: Request, session: Session) -> Submission:
        async with request.form(max_part_size=16 * 1024 * 1024) as form:
            limit = self.configuration["submission.max_file_size"]
            return await received(request, form, session.user, limit, self._found_in)

    def _found_in(self, kind: str, value: str) -> Findings | None:
        """What was found in the file of a hash, whose case matters."""
        return next((found for found in self.known.values() if getattr(found, kind, None) == value), None)

    def _anew(self, make: Anew) -> Handler:
        """A handler that submits what the server has once more."""

        async def handler(request: Request, session: Session) -> Any:
            stored = Stored({found.sid: found for found in self._existing()}, self.known)
            return self._submitted(make(request, stored, session.user))

        return handler

    def _submitted(self, found: Submission) -> dict[str, Any]:
        self.access.count_submission(sum(not (other.completed or other.ingest_id) for other in self._existing()))
        self._see(found)
        self._begin(found)
        return found.beginning

    def _see(self, found: Submission) -> None:
        """Note that a file was handed in."""
        self.known[found.sha256] = copy.deepcopy(found.findings)
        hashes = {name: getattr(found.findings, name) for name in ("sha256", "sha1", "md5", "size")}
        known = self.files.setdefault(found.sha256, {**hashes, "seen": {"first": moment("now")}})
        known["seen"].update(last=moment("now"), count=known["seen"].get("count", 0) + 1)

    def _go_on(self) -> None:
        """Take up what waits, unless that is paused."""
        if "ingester" not in self.paused:
            for ingested in self.ingester.decided():
                self._begin(ingested)
        if "dispatcher" not in self.paused:
            for found in [one for one in self.submissions.values() if one.waits]:
                found.started(self.delay, self.index_lag)

    def _begin(self, found: Submission) -> None:
        self.submissions[found.sid] = found
        if "dispatcher" in self.paused:
            found.wait(self.index_lag)
        else:
            found.started(self.delay, self.index_lag)

    def _submission(self, request: Request) -> Submission:
        sid = request.path_params["sid"]
        if not self._exists(sid):
            raise Refusal(404, f"Submission ID {sid} does not exists.")
        return self.submissions[sid]

    def _exists(self, sid: str) -> bool:
        return sid in self.submissions and self.submissions[sid].exists

    def _existing(self) -> list[Submission]:
        return [found for found in self.submissions.values() if found.exists]
