"""What must hold of bundles on the stand-in and on a real server."""

from __future__ import annotations

import io
import time
import uuid
from contextlib import nullcontext
from typing import Any

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.triggers import SUBMISSION
from self_hosted.core.errors import Broken, Conflict, Forbidden, Invalid
from self_hosted.core.flow import Request, Upload
from self_hosted.core.wait import Waiter, wait

NO_SUCH = "0123456789abcdefABCDEF"


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


@pytest.fixture
def sid(hook) -> str:
    """A completed submission of a file that no other test submits."""
    words = f"{uuid.uuid4().hex} RIG-SCORE:10"
    sid = hook.submit({"plaintext": words}, {"metadata": {"case": "7"}})["sid"]
    wait(hook, SUBMISSION, Waiter(sid, time.time() + 30, 0.2))
    return str(sid)


@pytest.fixture
def bundle(hook, sid) -> bytes:
    return exported(hook, sid)


def exported(hook, sid: str, ask=None) -> bytes:
    target = io.BytesIO()
    opened: Any = nullcontext(target)  # which leaves it open
    flow = api.export_bundle(sid, lambda: opened)
    ask(hook, flow) if ask else hook.run(flow)
    return target.getvalue()


def upload(data: bytes) -> Upload:
    return Upload("a.al_bundle", lambda: io.BytesIO(data), len(data))


def raw(data: bytes, query):
    """An import as we do not send it."""
    reply = yield Request("POST", "/api/v4/bundle/", query, body=upload(data))
    return reply.json()["api_response"]


def test_a_bundle_is_a_cart_that_names_its_submission(hook, ask, sid):
    data = exported(hook, sid, ask)
    assert data.startswith(b"CART")
    assert api.bundle_sid(data[: api.ENOUGH]) == sid
    assert api.cart_header(data)["al"] == {"type": "archive/bundle/al"}


def test_what_is_not_there_has_no_bundle(hook, ask):
    with pytest.raises(Forbidden, match="not allowed create a bundle for this submission"):
        exported(hook, NO_SUCH, ask)
    with pytest.raises(Forbidden, match="not allowed create a bundle for this alert"):
        ask(hook, api.export_bundle(NO_SUCH, io.BytesIO, use_alert=True))


def test_a_bundle_brings_its_submission_back_under_its_id(hook, ask, sid, bundle):
    hook.delete_submission(sid)
    assert ask(hook, api.import_bundle(upload(bundle), sid)) == {"sid": sid, "imported": True}
    found = hook.submission(sid)
    assert (found["state"], found["max_score"], found["metadata"]["case"]) == ("completed", 10, "7")
    assert {"bundle.source", "bundle.created", "bundle.loaded", "bundle.classification"} <= set(found["metadata"])


def test_what_is_there_already_is_a_conflict_unless_that_is_fine(hook, ask, sid, bundle):
    with pytest.raises(Conflict, match=f"submission {sid} is there already"):
        ask(hook, api.import_bundle(upload(bundle), sid))
    assert ask(hook, api.import_bundle(upload(bundle), sid, exist_ok=True)) == {"sid": sid, "imported": False}


def test_the_server_itself_refuses_what_is_there_and_takes_any_word_for_exist_ok_but_false(hook, ask, sid, bundle):
    with pytest.raises(Conflict, match=f"Submission {sid} already exists"):
        ask(hook, raw(bundle, {"exist_ok": "false"}))
    assert ask(hook, raw(bundle, {"exist_ok": ""})) == {"success": True}


def test_a_rescan_has_the_files_analysed_anew_under_the_same_id(hook, ask, sid, bundle):
    hook.delete_submission(sid)
    options: Any = {"rescan_services": ["RigScan"], "to_ingest": False}
    assert ask(hook, api.import_bundle(upload(bundle), sid, **options)) == {"sid": sid, "imported": True}
    assert wait(hook, SUBMISSION, Waiter(sid, time.time() + 30, 0.2)).facts["max_score"] == 10


def test_a_service_that_the_server_does_not_have_is_refused_though_the_server_would_ignore_it(hook, ask, sid, bundle):
    hook.delete_submission(sid)
    with pytest.raises(ValueError, match="rescan_services: this server has no Nosuch"):
        ask(hook, api.import_bundle(upload(bundle), sid, rescan_services=["Nosuch"]))
    assert ask(hook, raw(bundle, {"rescan_services": "Nosuch"})) == {"success": True}


@pytest.mark.parametrize("data", [b"nonsense", b"CARTnonsense"])
def test_what_is_no_bundle_is_refused(hook, ask, data):
    with pytest.raises(Invalid, match="Bundle decompression failed"):
        ask(hook, api.import_bundle(upload(data), uuid.uuid4().hex))


def test_the_server_fails_on_what_ends_too_early(hook, ask):
    with pytest.raises(Broken, match="Internal Server Error"):
        ask(hook, api.import_bundle(upload(b"\x1f\x8b\x08nonsense"), uuid.uuid4().hex))


def test_the_body_of_a_form_does_not_reach_the_server(hook, ask, sid, bundle):
    hook.delete_submission(sid)
    form = upload(bundle)._replace(content_type="application/x-www-form-urlencoded")
    with pytest.raises(Invalid, match="Bundle decompression failed"):
        ask(hook, api.import_bundle(form, sid))
