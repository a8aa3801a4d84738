"""`get_conn`: a session of requests that is signed in."""

from __future__ import annotations

from tests.elsewhere import run_elsewhere

PATHS = {"2.3": "/api/userSession", "1.x-2.2": "/api/v1/App/user", "espo": "/api/v1/App/user"}


def test_the_session_calls_any_endpoint(hook, dialect):
    with hook.get_conn() as session:
        user = session.get(f"{hook.settings.address.base_url}{PATHS[dialect]}").json()["user"]
        assert user["userName"] == "airflow"
        assert session.get(PATHS[dialect]).status_code == 200


def test_an_expired_session_is_renewed(served, hook, dialect):
    session = hook.get_conn()
    served.end_sessions()
    assert session.get(PATHS[dialect]).status_code == 200


def test_another_server_receives_no_credential(hook):
    with run_elsewhere() as elsewhere:
        assert hook.get_conn().get(f"{elsewhere.url}/api/userSession").status_code == 204
    [head] = elsewhere.heads
    assert "authorization" not in head.lower()
