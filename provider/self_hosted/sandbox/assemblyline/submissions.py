"""One submission of the stand-in: how it is received, and how its state moves with time."""

from __future__ import annotations

import base64
import copy
import io
import json
import math
import re
import secrets
import string
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import IO, Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.answers import Refusal
from self_hosted.sandbox.assemblyline.result_documents import keys_of
from self_hosted.sandbox.assemblyline.scan import Findings, scan

BASE_62 = string.digits + string.ascii_letters
INGEST_PRIORITY, INGEST_EXTRACTED = 250, 100
HASHES = {"md5", "sha1", "sha256", "ssdeep", "tlsh"}
Known = Callable[[str, str], Findings | None]
PARAMS: dict[str, Any] = {
    "classification": "TLP:C",
    "deep_scan": False,
    "description": "",
    "filetype_override": None,
    "generate_alert": False,
    "groups": [],
    "ignore_cache": False,
    "ignore_filtering": False,
    "ignore_recursion_prevention": False,
    "ignore_size": False,
    "initial_data": None,
    "malicious": False,
    "max_extracted": 500,
    "max_supplementary": 500,
    "never_drop": False,
    "priority": 1000,
    "psid": None,
    "service_spec": {},
    "services": {"selected": ["Filtering", "Antivirus", "Static Analysis", "Extraction", "Networking"]},
    "trace": False,
    "ttl": 30,
    "type": "USER",
}


class Submission:
    """A submission, its document and what will be found in it.

    :param name: of the file
    :param options: metadata and params of the request
    :param user: who submits
    :param findings: what the analysis will come to
    """

    def __init__(self, name: str, options: Mapping[str, Any], user: str, findings: Findings) -> None:
        self.sid, self.ingest_id = _new_id(), ""
        self.options, self.findings = options, findings
        self.waits = False  # for a dispatcher that is paused
        self.completed_at = math.inf
        known = {key: value for key, value in (options.get("params") or {}).items() if key in PARAMS}
        own = {"submitter": user, "classification": PARAMS["classification"]}  # as where none is enforced
        params = {**PARAMS, "description": f"Inspection of file: {name}", **known, **own}
        self._document: dict[str, Any] = {
            "sid": self.sid,
            "state": "submitted",
            "classification": params["classification"],
            "max_score": 0,
            "file_count": 1,
            "error_count": 0,
            "files": [{"name": name, "sha256": findings.sha256, "size": findings.size}],
            "results": [],
            "errors": [],
            "metadata": _flat(options.get("metadata") or {}),
            "params": params,
            "times": {"submitted": _now(), "completed": None},
            "to_be_deleted": False,
            "verdict": {"malicious": [], "non_malicious": []},
        }

    def become_ingest(self) -> None:
        """Change what the server changes of an ingest, whatever was asked for."""
        self.ingest_id = _new_id()
        params, metadata = self.params, self._document["metadata"]
        params["type"] = (self.options.get("params") or {}).get("type") or self.options.get("type") or "INGEST"
        params["description"] = f"[{params['type']}] {params['description']}"
        params["priority"] = min(params["priority"], INGEST_PRIORITY)
        params["max_extracted"] = params["max_supplementary"] = INGEST_EXTRACTED
        metadata.update(ingest_id=self.ingest_id, type=params["type"], ts=metadata.get("ts", _now()))

    def wait(self, index_lag: float) -> None:
        """It is stored, and nobody takes it up.

        :param index_lag: seconds until a search finds the submission
        """
        self.started(math.inf, index_lag)
        self.waits = True

    def started(self, delay: float, index_lag: float) -> None:
        """The analysis begins now.

        :param delay: seconds it takes besides what the file asks for
        :param index_lag: seconds until a search finds the submission
        """
        self.waits = False
        self.completed_at = time.monotonic() + delay + self.findings.seconds
        self.indexed_at = time.monotonic() + index_lag
        self.beginning = dict(self._document)

    def cancel(self) -> None:
        """Delete it while it is analysed: it is gone, and comes back when the service that worked on it is done."""
        self.findings.scores = {self.findings.sha256: 0}
        self._document["to_be_deleted"] = True

    @property
    def params(self) -> dict[str, Any]:
        """How it is analysed."""
        return self._document["params"]  # type: ignore[no-any-return]

    @property
    def sha256(self) -> str:
        """Of the file."""
        return self.findings.sha256

    def is_of(self, session: Session) -> bool:
        """Whether who asks may delete it: who submitted it, and administrators."""
        return session.user == self.params["submitter"] or "administration" in session.roles

    @property
    def exists(self) -> bool:
        """Whether it is there; not while it is deleted and has not come back."""
        return self.completed or not self._document["to_be_deleted"]

    @property
    def completed(self) -> bool:
        """Whether the analysis is over."""
        return time.monotonic() >= self.completed_at

    @property
    def document(self) -> dict[str, Any]:
        """The document as it is now. There is no state but submitted and completed, whatever failed."""
        if self.completed and self._document["state"] == "submitted":
            results, errors = keys_of(self.findings)
            self._document.update(
                state="completed",
                max_score=self.findings.max_score,
                file_count=len(self.findings.scores),
                error_count=self.findings.errors,
                results=results,
                errors=errors,
                times={**self._document["times"], "completed": _now()},
            )
        return self._document

    def row(self) -> dict[str, Any]:
        """What the sandbox's page shows of it."""
        shown = {name: self.document[name] for name in ("sid", "state", "max_score", "file_count", "error_count")}
        files, metadata = self._document["files"], self._document["metadata"]
        return {**shown, "name": files[0]["name"], "size": files[0]["size"], "metadata": json.dumps(metadata)}


async def received(request: Request, form: FormData, user: str, limit: int, known: Known) -> Submission:
    """The submission that a request asks for.

    :param request: its body is multipart (json, bin), or JSON with plaintext, base64, a URL or a hash
    :param form: its fields
    :param user: who asks
    :param limit: the largest size, in bytes
    :param known: what was found in the file of a hash, by the hash's kind and value
    """
    kind = request.headers.get("content-type", "")
    data: IO[bytes] | Findings
    if "multipart/form-data" in kind:
        name, options, data = _of_form(form)
    elif "application/json" in kind:
        name, options, data = _of_json(await request.body(), known)
    else:
        raise Refusal(400, "Invalid content type", {})
    findings = copy.deepcopy(data) if isinstance(data, Findings) else await run_in_threadpool(scan, data)
    if findings.size > limit and not (options.get("params") or {}).get("ignore_size"):
        raise Refusal(413, f"File too big to be scanned ({findings.size} > {limit}).", {})
    if not findings.size:
        raise Refusal(400, "File empty.", {})
    return Submission(name or findings.sha256, options, user, findings)


def _of_form(form: FormData) -> tuple[str, dict[str, Any], IO[bytes]]:
    options = _parsed(str(form.get("json", "{}")))
    upload = form.get("bin")
    if not isinstance(upload, UploadFile):
        sent = "The browser (or proxy) sent a request that this server could not understand."
        raise Refusal(400, f"400 Bad Request: {sent}", {})
    name = options.get("name", PurePosixPath(upload.filename or "").name)
    return name, options, upload.file


def _of_json(body: bytes, known: Known) -> tuple[str, dict[str, Any], IO[bytes] | Findings]:
    options = _parsed(body)
    data = str(options.get("plaintext", "")).encode() or _decoded(options.get("base64", ""))
    if data:
        return options.get("name", ""), options, io.BytesIO(data)
    if "url" in options:
        address = _harmful(options["url"])
        return address, options, io.BytesIO(f"# Assemblyline URI file\nuri: {address}\n".encode())
    for kind in HASHES & options.keys():
        return options.get("name", options[kind]), options, _known(known, kind, options[kind])
    raise Refusal(400, "Missing file to scan. No binary or fetching method provided.", {})


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError as problem:
        raise Refusal(400, str(problem), {}) from None


def _known(known: Known, kind: str, value: str) -> Findings:
    found = known(kind, value)
    if found is None:
        words = f"{kind.upper()} does not exist in Assemblyline and no external sources are available."
        raise Refusal(404, words, {})
    return found


def _harmful(address: str) -> str:
    """An address that was made harmless to click on, put right."""
    return re.sub(r"^hxxp(s?)", r"http\1", re.sub(r"[\[({](\.|:(?://)?)[\])}]", r"\1", address))


def _parsed(text: str | bytes) -> dict[str, Any]:
    try:
        return json.loads(text)  # type: ignore[no-any-return]
    except ValueError as problem:
        raise Refusal(400, str(problem), {}) from None


def _flat(metadata: Mapping[str, Any], start: str = "") -> dict[str, str]:
    """Metadata as the server keeps it: flattened, and all of it text."""
    flat: dict[str, str] = {}
    for name, value in metadata.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{start}{name}."))
        else:
            flat[f"{start}{name}"] = str(value).lower() if isinstance(value, bool) else str(value)
    return flat


def _new_id() -> str:
    return "".join(secrets.choice(BASE_62) for _ in range(22))


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
