"""Contract of bundles, on the fake server and on live ones."""

from __future__ import annotations

import io
import time
import uuid
from contextlib import nullcontext
from typing import Any

import pytest

from self_hosted.assemblyline import waits
from self_hosted.assemblyline.api.bundles import bundles, carts
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import ConflictError, InvalidRequestError, PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Request, Upload
from self_hosted.core.wait.loop import wait_in_worker
from self_hosted.core.wait.pending import PendingWait

MISSING_SID = "0123456789abcdefABCDEF"


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


@pytest.fixture
def sid(hook) -> str:
    """A completed submission of a file that no other test submits."""
    text = f"{uuid.uuid4().hex} RIG-SCORE:10"
    sid = hook.submit({"plaintext": text}, {"metadata": {"case": "7"}})["sid"]
    wait_in_worker(hook, waits.SUBMISSION, PendingWait(sid, time.time() + 60, 0.2))
    return str(sid)


@pytest.fixture
def bundle(hook, sid) -> bytes:
    return export(hook, sid)


def export(hook, sid: str, run_flow=None) -> bytes:
    target = io.BytesIO()
    opened: Any = nullcontext(target)  # leaves it open
    flow = bundles.export_to(sid, lambda: opened)
    run_flow(hook, flow) if run_flow else hook.run(flow)
    return target.getvalue()


def upload(data: bytes) -> Upload:
    return Upload("a.al_bundle", lambda: io.BytesIO(data), len(data))


def send_import(data: bytes, query):
    """Send an import that the package never sends."""
    reply = yield Request("POST", "/api/v4/bundle/", query, body=upload(data))
    return reply.json()["api_response"]


def test_the_header_of_a_bundle_names_its_submission(hook, run_flow, sid):
    data = export(hook, sid, run_flow)
    assert data.startswith(b"CART")
    assert carts.read_bundle_sid(data[: carts.MAX_HEADER_BYTES]) == sid
    assert carts.read_header(data)["al"] == {"type": "archive/bundle/al"}


def test_a_missing_object_has_no_bundle(hook, run_flow):
    with pytest.raises(PermissionDeniedError, match="not allowed create a bundle for this submission"):
        export(hook, MISSING_SID, run_flow)
    with pytest.raises(PermissionDeniedError, match="not allowed create a bundle for this alert"):
        run_flow(hook, bundles.export_to(MISSING_SID, io.BytesIO, use_alert=True))


def test_an_import_restores_the_submission_with_its_id(hook, run_flow, sid, bundle):
    hook.delete_submission(sid)
    assert run_flow(hook, bundles.import_from(upload(bundle), sid)) == {"sid": sid, "imported": True}
    found = hook.get_submission(sid)
    assert (found["state"], found["max_score"], found["metadata"]["case"]) == ("completed", 10, "7")
    assert {"bundle.source", "bundle.created", "bundle.loaded", "bundle.classification"} <= set(found["metadata"])


def test_an_existing_submission_is_a_conflict_without_exist_ok(hook, run_flow, sid, bundle):
    with pytest.raises(ConflictError, match=f"submission {sid} exists already"):
        run_flow(hook, bundles.import_from(upload(bundle), sid))
    assert run_flow(hook, bundles.import_from(upload(bundle), sid, exist_ok=True)) == {"sid": sid, "imported": False}


def test_the_server_rejects_existing_submissions_and_reads_most_texts_as_exist_ok(hook, run_flow, sid, bundle):
    with pytest.raises(ConflictError, match=f"Submission {sid} already exists"):
        run_flow(hook, send_import(bundle, {"exist_ok": "false"}))
    assert run_flow(hook, send_import(bundle, {"exist_ok": ""})) == {"success": True}


def test_a_rescan_analyses_the_files_again_with_the_same_id(hook, run_flow, sid, bundle):
    hook.delete_submission(sid)
    options: Any = {"rescan_services": ["RigScan"], "to_ingest": False}
    assert run_flow(hook, bundles.import_from(upload(bundle), sid, **options)) == {"sid": sid, "imported": True}
    assert wait_in_worker(hook, waits.SUBMISSION, PendingWait(sid, time.time() + 60, 0.2)).details["max_score"] == 10


def test_an_unknown_service_is_rejected_because_the_server_would_ignore_it(hook, run_flow, sid, bundle):
    hook.delete_submission(sid)
    with pytest.raises(ValueError, match="rescan_services: unknown Nosuch"):
        run_flow(hook, bundles.import_from(upload(bundle), sid, rescan_services=["Nosuch"]))
    assert run_flow(hook, send_import(bundle, {"rescan_services": "Nosuch"})) == {"success": True}


@pytest.mark.parametrize("data", [b"nonsense", b"CARTnonsense"])
def test_other_content_than_a_bundle_is_rejected(hook, run_flow, data):
    with pytest.raises(InvalidRequestError, match="Bundle decompression failed"):
        run_flow(hook, bundles.import_from(upload(data), uuid.uuid4().hex))


def test_the_server_fails_on_truncated_content(hook, run_flow):
    with pytest.raises(ServerError, match="Internal Server Error"):
        run_flow(hook, bundles.import_from(upload(b"\x1f\x8b\x08nonsense"), uuid.uuid4().hex))


def test_a_body_with_the_type_of_a_form_does_not_reach_the_server(hook, run_flow, sid, bundle):
    hook.delete_submission(sid)
    form = upload(bundle)._replace(content_type="application/x-www-form-urlencoded")
    with pytest.raises(InvalidRequestError, match="Bundle decompression failed"):
        run_flow(hook, bundles.import_from(form, sid))
