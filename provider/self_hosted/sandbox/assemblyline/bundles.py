"""Bundles in the stand-in: CaRTs with a submission's document, and an alert's. Files and results are not in them."""

from __future__ import annotations

import binascii
import io
import json
import tarfile
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.answers import Refusal, is_set
from self_hosted.sandbox.assemblyline.area import Area, Row
from self_hosted.sandbox.assemblyline.cart import packed, unpacked
from self_hosted.sandbox.assemblyline.dates import moment
from self_hosted.sandbox.assemblyline.scan import Findings
from self_hosted.sandbox.assemblyline.submissions import Submission

BUNDLE, RESULTS = "archive/bundle/al", "results.json"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
FAILED = {"success": False}


class Bundles(Area):
    """It keeps nothing: what is imported is a submission like others."""

    name: ClassVar[str] = "bundles"

    def rows(self) -> Sequence[Row]:
        """The table."""
        return [
            Row("GET", "/bundle/{sid}/", self.export, "bundle_download", True),
            Row("POST", "/bundle/", self.take, "submission_create", True),
        ]

    async def export(self, request: Request, session: Session) -> Any:
        """A submission, or with ``use_alert`` an alert and its submission, as a bundle."""
        sid = request.path_params["sid"]
        alert = self._found("alert", "alert_id", sid) if is_set(request, "use_alert") else None
        submission = self._found("submission", "sid", alert["sid"] if alert else sid)
        if submission is None or (is_set(request, "use_alert") and alert is None):
            thing = "alert" if is_set(request, "use_alert") else "submission"
            raise Refusal(403, f"You are not allowed create a bundle for this {thing}...")
        metadata = {"bundle.source": "localhost", "bundle.created": moment("now"), **submission["metadata"]}
        found = {"submission": {**submission, "metadata": metadata}, **({"alert": alert} if alert else {})}
        header = {"al": {"type": BUNDLE}, "name": f"{submission['sid']}.tgz"}
        named = f"attachment; filename=file.bin; filename*=UTF-8''{sid}.al_bundle"
        content = packed(_archive(json.dumps(found).encode()), header)
        return Response(content, headers={"Content-Disposition": named}, media_type="application/octet-stream")

    async def take(self, request: Request, session: Session) -> Any:
        """Import a bundle; a rescan has its files analysed anew, under the same id."""
        found = _read(await _body(request))
        document = found["submission"]
        if self._found("submission", "sid", document["sid"]) is None:
            self._restore(document, session.user, again=bool(request.query_params.get("rescan_services")))
        elif not is_set(request, "exist_ok"):
            raise Refusal(409, f"Submission {document['sid']} already exists.", FAILED)
        return {"success": True}

    def _found(self, index: str, key: str, value: str) -> dict[str, Any] | None:
        return next((one for one in self.product.indexed(index) if one[key] == value), None)

    def _restore(self, document: dict[str, Any], user: str, *, again: bool) -> None:
        [file, *_] = document["files"]
        findings = Findings(sha256=file["sha256"], size=file["size"], errors=document["error_count"])
        others = {f"{number:064x}": 0 for number in range(1, document["file_count"])}
        findings.scores = {file["sha256"]: document["max_score"], **others}
        submission = Submission(file["name"], {}, user, findings)
        submission.sid = document["sid"]
        submission.started(self.product.delay if again else 0, self.product.index_lag)
        metadata = {"bundle.loaded": moment("now"), "bundle.classification": document["classification"]}
        state = {"state": "submitted"} if again else {}
        submission.document.update(document, metadata={**document["metadata"], **metadata}, **state)
        self.product.submissions[submission.sid] = submission


async def _body(request: Request) -> bytes:
    """What was sent; the real server's framework keeps the body of a form to itself."""
    if request.headers.get("content-type", "").startswith(FORMS):
        return b""
    data = await request.body()
    if data.startswith((b"CART", b"\x1f\x8b\x08")):
        return data
    try:
        return b64decode(data)
    except binascii.Error:
        return data


def _read(data: bytes) -> Mapping[str, Any]:
    try:
        header, content = unpacked(data) if data.startswith(b"CART") else ({"al": {"type": BUNDLE}}, data)
        if header.get("al", {}).get("type") != BUNDLE:
            raise Refusal(400, f"Not a valid CaRTed bundle, should be of type: {BUNDLE}", FAILED)
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            member = archive.extractfile(RESULTS)
            return json.loads(member.read() if member else b"")  # type: ignore[no-any-return]
    except EOFError:  # which the real server does not expect of a compressed file that ends too early
        raise Refusal(500, "Internal Server Error") from None
    except (ValueError, KeyError, OSError, tarfile.TarError) as problem:
        words = f"Bundle decompression failed. Not a valid bundle: {problem}"
        raise Refusal(400, words, FAILED) from None


def _archive(results: bytes) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        member = tarfile.TarInfo(RESULTS)
        member.size = len(results)
        archive.addfile(member, io.BytesIO(results))
    return target.getvalue()
