"""Each write has one effect and succeeds after its response was lost: verdicts and purges."""

from __future__ import annotations

import hashlib

import pytest

from self_hosted.assemblyline.api.files import files
from self_hosted.assemblyline.api.submissions import verdicts
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import NotFoundError

TEXT = "some text"
SHA256 = hashlib.sha256(TEXT.encode()).hexdigest()


def read_verdict(hook, sid):
    return hook.get_submission(sid)["verdict"]["malicious"]


def read_content(hook, sid):
    try:
        return hook.get_file_ascii(SHA256)["content"]
    except NotFoundError:
        return None


WRITES = {
    "set_submission_verdict": ("PUT", lambda sid: verdicts.set_user_verdict(sid, "malicious"), read_verdict, ["admin"]),
    "purge_file": ("DELETE", lambda _: files.purge(SHA256), read_content, None),
}


@pytest.mark.parametrize("name", WRITES)
def test_one_effect_remains(served, connect, name):
    connection = served.connection(extra={"api_key": "full:full-secret"})
    hook = AssemblylineHook(connect("assemblyline_default", connection))
    method, flow, read, expected = WRITES[name]
    sid = hook.submit({"plaintext": TEXT}, {})["sid"]
    served.fail("drop", method=method, path="/api/v4/(file|submission)/.*/")
    assert hook.run(flow(sid)) is not False
    assert read(hook, sid) == expected
