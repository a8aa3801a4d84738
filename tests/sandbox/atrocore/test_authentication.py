"""Authentication at the fake AtroCore server."""

from __future__ import annotations

import requests

from tests.sandbox.atrocore.client import PASSWORD, USER, Client, client_of_core, encode_credentials


def test_other_routes_accept_only_tokens_except_in_espo(client):
    assert client.call("GET", "/Product").status_code == 200
    if client.dialect != "espo":
        basic = {"Authorization": f"Basic {encode_credentials(USER, PASSWORD)}"}
        rejected = requests.get(f"{client.api}/Product", headers=basic, timeout=60)
        reason = "Unauthorized" if client.dialect == "2.3" else ""
        assert (rejected.status_code, rejected.text) == (401, reason)


def test_a_login_with_a_token_creates_no_other_token(client):
    path = "/userSession" if client.dialect == "2.3" else "/App/user"
    assert client.call("GET", path).json()["user"]["userName"] == USER
    assert client.served.tables()["tokens"] == [{"user": USER, "tokens": 1}]


def test_the_encoded_token_exists_since_1_3_12(served):
    assert "authorizationToken" not in client_of_core(served, "1.3.11").request_session().json()
    assert "authorizationToken" in client_of_core(served, "1.3.12").request_session().json()


def test_a_login_may_return_only_the_encoded_token(newest):
    assert list(newest.request_session(**{"Authorization-Token-Only": "true"}).json()) == ["authorizationToken"]


def test_espo_creates_a_token_for_every_password_in_its_own_header(served):
    served.seed({"dialect": "espo"})
    client = Client(served, "espo")
    basic = {"Authorization": f"Basic {encode_credentials(USER, PASSWORD)}"}
    assert not client.call("GET", "/App/user", headers=basic).json()["token"]
    for _ in range(3):
        client.call("GET", "/Product", headers={"Espo-Authorization": encode_credentials(USER, PASSWORD)})
    assert served.tables()["tokens"] == [{"user": USER, "tokens": 3}]


def test_ending_sessions_invalidates_tokens(client):
    client.served.end_sessions()
    assert client.call("GET", "/Product", headers={"Espo-Authorization-By-Token": "true"}).status_code == 401


def test_more_than_ten_failed_logins_block_all_logins(newest):
    assert [newest.request_session("wrong").status_code for _ in range(12)] == [401] * 11 + [403]
    assert newest.request_session().headers["X-Status-Reason"] == "Max failed login attempts exceeded."
    assert newest.call("GET", "/Product").status_code == 200
