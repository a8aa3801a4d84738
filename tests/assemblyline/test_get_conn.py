"""`get_conn`: a session of requests that is signed in."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline.hook import AssemblylineHook
from tests.assemblyline.test_hook import PASSWORD, TOKEN
from tests.elsewhere import run_elsewhere

SIGN_INS = [{}, PASSWORD, TOKEN]


@pytest.mark.parametrize("changes", SIGN_INS, ids=["key", "password", "token"])
def test_the_session_calls_any_endpoint(served, connect, changes):
    hook = AssemblylineHook(connect("changed", served.connection(**changes)))
    with hook.get_conn() as session:
        user = session.get(f"{hook.settings.address.base_url}/api/v4/user/whoami/").json()["api_response"]
        assert user["username"] == "admin"
        found = session.post("/api/v4/search/submission/", json={"query": "*"}).json()["api_response"]
        assert found["items"] == []


def test_an_expired_session_is_renewed(served, connect):
    session = AssemblylineHook(connect("changed", served.connection(**PASSWORD))).get_conn()
    served.end_sessions()
    assert session.get("/api/v4/user/whoami/").status_code == 200


def test_another_server_receives_no_credential(hook):
    with run_elsewhere() as elsewhere:
        assert hook.get_conn().get(f"{elsewhere.url}/api/v4/user/whoami/").status_code == 204
    [head] = elsewhere.heads
    assert not any(name in head.lower() for name in ("cookie", "x-apikey", "x-user", "authorization"))
