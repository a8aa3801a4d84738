"""Authentication at the fake Rudder server: tokens, rights, API versions, accounts."""

from __future__ import annotations

import pytest

from tests.conftest import Served
from tests.rudder.conftest import SHARE
from tests.sandbox.rudder.client import error_message, first_item


def test_the_status_needs_no_token_and_no_version(call) -> None:
    response = call("GET", "/api/status", prefix="", token=None)
    assert (response.status_code, response.text) == (200, "OK\n")
    assert response.headers["content-type"].startswith("text/plain")


def test_an_invalid_token_returns_a_page(call) -> None:
    for token in (None, "", "unknown", "expired"):
        for path in ("/rules", "/nowhere"):
            response = call("GET", path, token=token)
            assert response.status_code == 401, (token, path)
            assert "html" in response.headers["content-type"], (token, path)


def test_an_unknown_address_returns_a_page(call) -> None:
    for path in ("/nowhere", "/rules/a/b", "/rules/a%2Fb/c", "//rules"):
        response = call("GET", path)
        assert response.status_code == 404, path
        assert "html" in response.headers["content-type"], path


def test_an_unsupported_version_in_the_path_returns_a_page(call) -> None:
    for version in ("20", "99", "newest"):
        response = call("GET", "/rules", prefix=f"/api/{version}")
        assert response.status_code == 404, version
        assert "html" in response.headers["content-type"], version


def test_there_is_no_head(call) -> None:
    assert call("HEAD", "/rules").status_code == 404


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS"])
def test_some_methods_are_errors(call, method: str) -> None:
    response = call(method, "/rules", json={})
    assert "does not support HTTP request type" in error_message(response)
    assert "\n" in response.text


@pytest.mark.parametrize(("token", "method"), [("reader", "POST"), ("access-list", "GET"), ("access-list", "POST")])
def test_a_missing_right_has_status_403_and_an_envelope_of_several_lines(call, token: str, method: str) -> None:
    response = call(method, f"/rules/{SHARE}", token=token)
    assert response.status_code == 403
    assert f"is not allowed to access {method} api/latest/rules" in response.json()["errorDetails"]
    assert "\n" in response.text


def test_a_read_only_token_may_read(call) -> None:
    assert call("GET", "/rules", token="reader").status_code == 200


def test_the_version_may_be_in_the_path_or_in_the_header(call) -> None:
    assert call("GET", "/rules", prefix="/api/21").status_code == 200
    assert call("GET", "/rules", prefix="/api", headers={"X-API-Version": "22"}).status_code == 200
    assert call("GET", "/rules", prefix="/api", headers={"X-API-Version": "latest"}).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"X-API-Version": "99"}, {"X-API-Version": "new"}])
def test_a_missing_or_unsupported_version_in_the_header_is_an_error(call, headers: dict[str, str]) -> None:
    response = call("GET", "/rules", prefix="/api", headers=headers)
    assert "Request is missing a version" in error_message(response)
    assert "'21'22'23'" in error_message(response)
    assert response.json()["action"] == "unknow"


def test_a_server_with_one_version_uses_it_by_default(served: Served, call) -> None:
    served.seed({"versions": [23]})
    assert call("GET", "/rules", prefix="/api").status_code == 200


def test_different_versions_in_path_and_header_are_an_error(call) -> None:
    response = call("GET", "/rules", headers={"X-API-Version": "21"})
    assert "Request is requiring version '21'" in error_message(response)


JSON_TYPE = {"Content-Type": "application/json"}


@pytest.mark.parametrize("body", ["not json", "{} garbage", "[1 2]"])
def test_a_malformed_json_body_has_status_412(call, body: str) -> None:
    response = call("POST", f"/rules/{SHARE}", data=body, headers=JSON_TYPE)
    assert response.status_code == 412
    assert "action" not in response.json()


def test_a_second_json_value_is_ignored(call) -> None:
    response = call("POST", f"/rules/{SHARE}", data='{"enabled": true} {"enabled":', headers=JSON_TYPE)
    assert first_item(response)["enabled"] is True


@pytest.mark.parametrize("body", ["", "{", '{"a":', '{"displayName": "x', "[1,"])
def test_a_truncated_json_body_is_an_error(call, body: str) -> None:
    response = call("POST", f"/rules/{SHARE}", data=body, headers=JSON_TYPE)
    assert "Unexpected end of input" in error_message(response)


def test_a_deletion_may_have_an_empty_json_body(call) -> None:
    assert call("DELETE", f"/rules/{SHARE}", headers=JSON_TYPE).status_code == 200


def test_the_response_may_have_several_lines(call) -> None:
    assert "\n" in call("GET", "/rules", params={"prettify": "true"}).text
    assert "\n" not in call("GET", "/rules", params={"prettify": "1"}).text


def test_the_account_of_a_token_is_available_since_version_22(call) -> None:
    assert first_item(call("GET", "/apiaccounts/token"), "accounts")["authorizationType"] == "rw"
    assert call("GET", "/apiaccounts/token", prefix="/api/21").json()["data"] == {"accounts": [None]}
    in_header = call("GET", "/apiaccounts/token", prefix="/api", headers={"X-API-Version": "21"})
    assert "version '21' but that version is not available" in error_message(in_header)


@pytest.mark.parametrize(
    "request_parts", [{"prefix": "/api/21"}, {"prefix": "/api", "headers": {"X-API-Version": "21"}}]
)
def test_rudder_8_3_has_no_account_of_a_token(served: Served, call, request_parts) -> None:
    served.seed({"versions": [18, 19, 20, 21]})
    assert call("GET", "/apiaccounts/token", **request_parts).json()["data"] == {"accounts": []}


def test_accounts_are_read_by_id(call) -> None:
    assert first_item(call("GET", "/apiaccounts/reader"), "accounts")["name"] == "Dashboard"
    assert call("GET", "/apiaccounts/nobody").json()["data"] == {"accounts": [None]}
    assert "is not a valid API account ID" in error_message(call("GET", "/apiaccounts/a+b"))


def test_an_account_of_a_user_shows_no_authorization(call) -> None:
    account = first_item(call("GET", "/apiaccounts/token", token="validator"), "accounts")
    assert "authorizationType" not in account


def test_an_access_list_allows_methods_and_paths(served: Served, call) -> None:
    account = {"id": "acl", "name": "acl", "rights": "acl", "access": [["rules/*", ["GET"]]]}
    served.seed({"accounts": {"token": account}})
    assert call("GET", f"/rules/{SHARE}", token="token").status_code == 200
    assert call("GET", "/rules", token="token").status_code == 403
    assert call("DELETE", f"/rules/{SHARE}", token="token").status_code == 403
    served.seed({"api_authorizations": False})
    for token in ("token", "validator"):
        assert call("GET", f"/rules/{SHARE}", token=token).status_code == 403


def test_the_server_returns_its_versions_and_its_status(call) -> None:
    assert call("GET", "/info").json()["data"]["availableVersions"]["latest"] == 23
    assert call("GET", "/system/status").json()["data"] == {"global": "OK"}
