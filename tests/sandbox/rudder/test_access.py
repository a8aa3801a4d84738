"""How the stand-in of Rudder lets in: tokens, rights, versions, accounts; asked as plainly as curl would."""

from __future__ import annotations

import pytest

from tests.conftest import Served
from tests.rudder.conftest import SHARE
from tests.sandbox.rudder.asking import shown, words


def test_the_status_needs_no_token_and_no_version(call) -> None:
    reply = call("GET", "/api/status", prefix="", token=None)
    assert (reply.status_code, reply.text) == (200, "OK\n")
    assert reply.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("token", [None, "", "unknown", "expired"])
@pytest.mark.parametrize("path", ["/rules", "/nowhere"])
def test_a_token_that_is_not_accepted_gets_a_page(call, token: str | None, path: str) -> None:
    reply = call("GET", path, token=token)
    assert reply.status_code == 401
    assert "html" in reply.headers["content-type"]


@pytest.mark.parametrize("path", ["/nowhere", "/rules/", "/rules/a/b", "/rules/a%2Fb"])
def test_an_unknown_address_gets_a_page(call, path: str) -> None:
    reply = call("GET", path)
    assert reply.status_code == 404
    assert "html" in reply.headers["content-type"]


@pytest.mark.parametrize("version", ["20", "99", "newest"])
def test_a_version_in_the_path_that_is_not_served_gets_a_page(call, version: str) -> None:
    assert call("GET", "/rules", prefix=f"/api/{version}").status_code == 404


@pytest.mark.parametrize(("token", "method"), [("reader", "POST"), ("access-list", "GET"), ("access-list", "POST")])
def test_a_missing_right_is_a_403_with_envelope_over_several_lines(call, token: str, method: str) -> None:
    reply = call(method, f"/rules/{SHARE}", token=token)
    assert reply.status_code == 403
    assert f"is not allowed to access {method} api/latest/rules" in reply.json()["errorDetails"]
    assert "\n" in reply.text


def test_a_reading_token_may_read(call) -> None:
    assert call("GET", "/rules", token="reader").status_code == 200


def test_the_version_is_in_the_path_or_in_the_header(call) -> None:
    assert call("GET", "/rules", prefix="/api/21").status_code == 200
    assert call("GET", "/rules", prefix="/api", headers={"X-API-Version": "22"}).status_code == 200
    assert call("GET", "/rules", prefix="/api", headers={"X-API-Version": "latest"}).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"X-API-Version": "99"}, {"X-API-Version": "new"}])
def test_without_a_version_that_is_served_the_server_asks_for_one(call, headers: dict[str, str]) -> None:
    reply = call("GET", "/rules", prefix="/api", headers=headers)
    assert "Request is missing a version" in words(reply)
    assert "'21''22''23'" in words(reply)
    assert reply.json()["action"] == "unknow"


def test_a_server_with_one_version_needs_none(served: Served, call) -> None:
    served.seed({"versions": [23]})
    assert call("GET", "/rules", prefix="/api").status_code == 200


def test_versions_in_path_and_header_that_differ_are_refused(call) -> None:
    reply = call("GET", "/rules", headers={"X-API-Version": "21"})
    assert "Request is requiring version '21'" in words(reply)


def test_a_broken_json_body_is_a_412(call) -> None:
    reply = call("POST", f"/rules/{SHARE}", data="{", headers={"Content-Type": "application/json"})
    assert reply.status_code == 412
    assert "action" not in reply.json()


def test_a_token_shows_its_account_from_version_22_on(call) -> None:
    assert shown(call("GET", "/apiaccounts/token"), "accounts")["authorizationType"] == "rw"
    assert "was not found" in words(call("GET", "/apiaccounts/token", prefix="/api/21"))


def test_the_servers_state_can_be_asked(call) -> None:
    assert call("GET", "/info").json()["data"]["availableVersions"]["latest"] == 23
    assert call("GET", "/system/status").json()["data"] == {"global": "OK"}
