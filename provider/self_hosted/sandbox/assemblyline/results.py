"""What came of submissions in the stand-in: whole, in short, as tree and report; single results; lists; verdicts."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline import findings, result_documents
from self_hosted.sandbox.assemblyline.access import PASSWORDS, Session
from self_hosted.sandbox.assemblyline.alert_documents import OPPOSITE, judge
from self_hosted.sandbox.assemblyline.answers import Refusal, body_of
from self_hosted.sandbox.assemblyline.area import Area, Row
from self_hosted.sandbox.assemblyline.search import search
from self_hosted.sandbox.assemblyline.submissions import Submission

VIEW = "submission_view"
USERS = {*PASSWORDS, "user"}
Found = tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]


class Results(Area):
    """It keeps results and errors by the submission, once that is completed."""

    name: ClassVar[str] = "results"

    def rows(self) -> Sequence[Row]:
        """The table; words come before ids."""
        return [
            Row("GET", "/submission/full/{sid}/", self.full, VIEW, True),
            Row("GET", "/submission/summary/{sid}/", self.summary, VIEW, True),
            Row("GET", "/submission/tree/{sid}/", self.tree, VIEW, True),
            Row("GET", "/submission/report/{sid}/", self.report, VIEW, True),
            Row("GET POST", "/submission/{sid}/file/{sha256}/", self.file, VIEW, True),
            Row("GET", "/submission/list/user/{user}/", self.of_user, VIEW, True),
            Row("GET", "/submission/list/group/{group}/", self.of_group, VIEW, True),
            Row("PUT", "/submission/verdict/{sid}/{verdict}/", self.verdict, "submission_manage", True),
            Row("POST", "/result/multiple_keys/", self.many, VIEW, True),
            Row("GET", "/result/error/{key}/", self.error, VIEW, True),
            Row("GET", "/result/{key}/", self.result, VIEW, True),
            Row("GET", "/error/{key}/", self.error_alone, VIEW, True),
        ]

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """Results and errors; empty results are in an index of their own."""
        found = self._results()
        return {
            "result": [{**one, "id": key} for key, one in found.items() if not key.endswith(".e")],
            "error": [{**one, "id": key} for key, one in self._errors().items()],
        }

    async def full(self, request: Request, session: Session) -> Any:
        """All of it."""
        found = self._submission(request)
        return {
            **found.document,
            "errors": self._errors(found.sid),
            "file_infos": {one.sha256: self._record(one.sha256) for one in result_documents.files_of(found.findings)},
            "file_tree": self._tree(found),
            "missing_error_keys": [],
            "missing_file_keys": [],
            "missing_result_keys": [],
            "results": self._results(found.sid),
        }

    async def summary(self, request: Request, session: Session) -> Any:
        """In short."""
        found = self._submission(request)
        return findings.summary(result_documents.files_of(found.findings) if found.completed else (), self._bands)

    async def tree(self, request: Request, session: Session) -> Any:
        """The files."""
        shared = {"classification": result_documents.CLASSIFICATION, "filtered": False, "partial": False}
        return {**shared, "supplementary": [], "tree": self._tree(self._submission(request))}

    async def report(self, request: Request, session: Session) -> Any:
        """The report, once it is completed."""
        found = self._submission(request)
        if not found.completed:
            words = f"It is too early to generate the report. Submission ID {found.sid} is incomplete."
            raise Refusal(425, words)
        document = copy.deepcopy(found.document)
        del document["results"]
        document["params"]["services"]["errors"] = sorted({key.split(".")[1] for key in document.pop("errors")})
        files, name = list(result_documents.files_of(found.findings)), document["files"][0]["name"]
        more = findings.report(files, findings.names(found.findings, name), self._bands)
        return {**document, **more, "file_info": self._record(found.sha256), "file_tree": self._tree(found)}

    async def file(self, request: Request, session: Session) -> Any:
        """One file of a submission."""
        found, sha256 = self._submission(request), request.path_params["sha256"]
        if sha256 not in found.findings.files:
            missing = {"file_info": {"sha256": sha256}, "missing": True}
            raise Refusal(404, "The file you are trying to view is missing from the system", missing)

        return {
            **findings.of_file(found.findings.files[sha256].score if found.completed else None, self._bands),
            "classification": result_documents.CLASSIFICATION,
            "errors": [one for one in self._errors(found.sid).values() if one["sha256"] == sha256],
            "file_info": self._record(sha256),
            "metadata": {},
            "results": [one for one in self._results(found.sid).values() if one["sha256"] == sha256],
        }

    async def of_user(self, request: Request, session: Session) -> Any:
        """The submissions of a user."""
        user = request.path_params["user"]
        if user != session.user and "administration" not in session.roles:
            raise Refusal(403, "Your username does not match requested username", {})
        if user not in USERS:
            raise Refusal(404, f"User {user} does not exists.")
        return self._listed(request, f"params.submitter:{user}")

    async def of_group(self, request: Request, session: Session) -> Any:
        """The submissions of a group."""
        group = request.path_params["group"]
        return self._listed(request, "*" if group == "ALL" else f"params.groups:{group}")

    async def verdict(self, request: Request, session: Session) -> Any:
        """Note what a user says, and at the alerts, too."""
        sid, verdict = request.path_params["sid"], request.path_params["verdict"]
        if verdict not in OPPOSITE:
            raise Refusal(400, f"'{verdict}' is not a valid verdict.", {"success": False})
        found = self.product.submissions.get(sid)
        if found is None or not found.exists:
            raise Refusal(404, f"There are no submission with id: {sid}", {"success": False})
        alerts = [one for one in self.product.kept["alerts"]["alerts"].values() if one["sid"] == sid]
        for document in (found.document, *alerts):
            judge(document["verdict"], session.user, verdict)
        return {"success": True}

    async def many(self, request: Request, session: Session) -> Any:
        """Many results and errors; what is unknown is left out."""
        asked, results, errors = await body_of(request), self._results(), self._errors()
        return {
            "error": {key: errors[key] for key in asked.get("error", []) if key in errors},
            "result": {key: results[key] for key in asked.get("result", []) if key in results},
        }

    async def result(self, request: Request, session: Session) -> Any:
        """One result."""
        return _of_key(self._results(), request, "Cache key %s does not exists.")

    async def error(self, request: Request, session: Session) -> Any:
        """One error."""
        return _of_key(self._errors(), request, "Cache key %s does not exists.")

    async def error_alone(self, request: Request, session: Session) -> Any:
        """One error, refused in other words."""
        return _of_key(self._errors(), request, "The error was not found")

    @property
    def _bands(self) -> dict[str, int]:
        start = "submission.verdicts."
        return {key.removeprefix(start): at for key, at in self.product.configuration.items() if key.startswith(start)}

    def _results(self, sid: str | None = None) -> dict[str, dict[str, Any]]:
        return {key: one for results, _ in self._found(sid) for key, one in results.items()}

    def _errors(self, sid: str | None = None) -> dict[str, dict[str, Any]]:
        return {key: one for _, errors in self._found(sid) for key, one in errors.items()}

    def _found(self, sid: str | None) -> Iterator[Found]:
        """Results and errors of one submission, or of all that are there and completed."""
        for one in self.product.submissions.values():
            if sid in {None, one.sid} and one.exists and one.completed:
                if one.sid not in self.kept:
                    self.kept[one.sid] = _found_in(one)
                yield self.kept[one.sid]

    def _record(self, sha256: str) -> dict[str, Any]:
        known = self.product.indexed("file")
        return next(one for one in known if one["sha256"] == sha256)

    def _tree(self, found: Submission) -> dict[str, Any]:
        if found.sha256 not in found.findings.files:
            return {}
        name = found.document["files"][0]["name"]
        return {found.sha256: findings.tree(found.findings, [name], found.sha256)}

    def _listed(self, request: Request, query: str) -> Any:
        given = dict(request.query_params)
        asked: dict[str, Any] = {"query": query, "filters": given.get("query") or [], "rows": 100, **_window(given)}
        return search(self.product.indexed("submission"), asked)

    def _submission(self, request: Request) -> Submission:
        sid = request.path_params["sid"]
        found = self.product.submissions.get(sid)
        if found is None or not found.exists:
            raise Refusal(404, f"Submission ID {sid} does not exists.")
        return found


def _found_in(submission: Submission) -> Found:
    at = submission.document["times"]["completed"]
    files = list(result_documents.files_of(submission.findings))
    results = {result_documents.result_key(one): result_documents.result(one, at) for one in files}
    errors = {result_documents.error_key(one): result_documents.error(one, at) for one in files}
    return tuple({key: told for key, told in of.items() if key} for of in (results, errors))  # type: ignore[return-value]


def _of_key(known: dict[str, dict[str, Any]], request: Request, words: str) -> Any:
    key = request.path_params["key"]
    if key not in known:
        raise Refusal(404, words % key if "%" in words else words)
    return known[key]


def _window(given: dict[str, str]) -> dict[str, int]:
    return {name: int(given[name]) for name in ("offset", "rows") if name in given}
