"""`get_conn`: a session of requests that is signed in."""

from __future__ import annotations

import pytest

from self_hosted.sandbox.ayon import PASSWORD
from tests.ayon.test_hook import create_hook
from tests.elsewhere import run_elsewhere


@pytest.mark.parametrize(
    ("changes", "name"),
    [({}, "airflow"), ({"login": "boss", "password": PASSWORD}, "boss"), ({"as_user": "boss"}, "boss")],
    ids=["key", "password", "as-user"],
)
def test_the_session_calls_any_endpoint(served, connect, changes, name):
    hook = create_hook(served, connect, **changes)
    with hook.get_conn() as session:
        assert session.get(f"{hook.settings.address.base_url}/api/users/me").json()["name"] == name
        assert session.get("/api/info").json()["version"] == "1.16.0"


def test_an_expired_session_is_renewed(served, connect):
    session = create_hook(served, connect, login="boss", password=PASSWORD).get_conn()
    served.end_sessions()
    assert session.get("/api/users/me").json()["name"] == "boss"


def test_another_server_receives_no_credential(hook):
    with run_elsewhere() as elsewhere:
        assert hook.get_conn().get(f"{elsewhere.url}/api/users/me").status_code == 204
    [head] = elsewhere.heads
    assert not any(name in head.lower() for name in ("x-api-key", "authorization", "x-as-user"))
