"""`get_conn`: a session of requests that is signed in."""

from __future__ import annotations

import pytest

from self_hosted.rudder.hook import RudderHook
from tests.elsewhere import run_elsewhere


@pytest.mark.parametrize("version_in", ["url", "header"])
def test_the_session_calls_any_endpoint(served, connect, version_in):
    hook = RudderHook(connect("rudder_default", served.connection(extra={"version_in": version_in})))
    path = "/api/latest/rules" if version_in == "url" else "/api/rules"
    with hook.get_conn() as session:
        assert session.get(f"{hook.settings.address.base_url}{path}").json()["result"] == "success"
        assert session.get(path).json()["data"]["rules"]


def test_another_server_receives_no_credential(hook):
    with run_elsewhere() as elsewhere:
        assert hook.get_conn().get(f"{elsewhere.url}/rudder/api/latest/rules").status_code == 204
    [head] = elsewhere.heads
    assert not any(name in head.lower() for name in ("x-api-token",))
