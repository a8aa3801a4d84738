"""Verdicts and purges whose answer is lost: they are repeated, and the call succeeds."""

from __future__ import annotations

import hashlib

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.errors import NotFound

WORDS = "some words"
SHA256 = hashlib.sha256(WORDS.encode()).hexdigest()


def verdict_of(hook, sid):
    return hook.submission(sid)["verdict"]["malicious"]


def content_of(hook, sid):
    try:
        return hook.file_ascii(SHA256)["content"]
    except NotFound:
        return None


WRITES = {
    "set_verdict": ("PUT", lambda sid: api.set_verdict(sid, "malicious"), verdict_of, ["admin"]),
    "purge_file": ("DELETE", lambda _: api.purge_file(SHA256), content_of, None),
}


@pytest.mark.parametrize("fault", [{"kind": "drop"}, {"kind": "slow_after", "seconds": 1.3}], ids=lambda f: f["kind"])
@pytest.mark.parametrize("name", WRITES)
def test_one_effect_remains(served, connect, ask, name, fault):
    connection = served.connection(extra={"read_timeout": 1, "api_key": "full:full-secret"})
    hook = AssemblylineHook(connect("assemblyline_default", connection))
    method, flow, effect, expected = WRITES[name]
    sid = hook.submit({"plaintext": WORDS}, {})["sid"]
    served.fail(method=method, path="/api/v4/(file|submission)/.*/", **fault)
    assert ask(hook, flow(sid)) is not False
    assert effect(hook, sid) == expected
