"""How the stand-in of AtroCore lets in."""

from __future__ import annotations

import requests

from tests.sandbox.atrocore.asking import PASSWORD, USER, Client, encoded, of_core


def test_a_login_earns_a_token_and_the_token_alone_opens_the_other_routes(client):
    assert client.ask("GET", "/Product").status_code == 200
    if client.dialect != "espo":
        basic = {"Authorization": f"Basic {encoded(USER, PASSWORD)}"}
        refused = requests.get(f"{client.api}/Product", headers=basic, timeout=10)
        assert (refused.status_code, refused.text) == (401, "Unauthorized")


def test_who_is_signed_in_needs_no_new_token(client):
    path = "/userSession" if client.dialect == "2.3" else "/App/user"
    assert client.ask("GET", path).json()["user"]["userName"] == USER
    assert client.served.tables()["tokens"] == [{"user": USER, "tokens": 1}]


def test_the_ready_made_token_came_with_1_3_12(served):
    assert "authorizationToken" not in of_core(served, "1.3.11").login().json()
    assert "authorizationToken" in of_core(served, "1.3.12").login().json()


def test_a_login_may_ask_for_the_token_alone(newest):
    assert list(newest.login(**{"Authorization-Token-Only": "true"}).json()) == ["authorizationToken"]


def test_espo_gives_no_token_without_its_own_header_and_one_for_every_password(served):
    served.seed({"dialect": "espo"})
    client = Client(served, "espo")
    basic = {"Authorization": f"Basic {encoded(USER, PASSWORD)}"}
    assert not client.ask("GET", "/App/user", headers=basic).json()["token"]
    for _ in range(3):
        client.ask("GET", "/Product", headers={"Espo-Authorization": encoded(USER, PASSWORD)})
    assert served.tables()["tokens"] == [{"user": USER, "tokens": 3}]


def test_sessions_end(client):
    client.served.end_sessions()
    assert client.ask("GET", "/Product", headers={"Espo-Authorization-By-Token": "true"}).status_code == 401


def test_more_than_ten_denied_logins_lock_out(newest):
    assert [newest.login("wrong").status_code for _ in range(12)] == [401] * 11 + [403]
    assert newest.login().headers["X-Status-Reason"] == "Max failed login attempts exceeded."
    assert newest.ask("GET", "/Product").status_code == 200
