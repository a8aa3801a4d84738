"""Tests of rudder/api/accounts.py: the proof that a token is accepted, on all versions of Rudder."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.core.http.errors import InvalidRequestError, NotFoundError, PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Reply
from self_hosted.rudder.api import accounts
from self_hosted.rudder.errors import NotOfferedError
from tests.rudder.conftest import reply, success
from tests.rudder.flows import finish, finish_with_error, first_request, next_request, request_after_error

OLD_SERVER = NotFoundError("no account token")
NOT_OFFERED = NotOfferedError("no such address")
ACCOUNT = {"id": "airflow", "name": "Airflow"}
NOT_ALLOWED = PermissionDeniedError("not allowed")


def test_the_account_proves_the_token() -> None:
    flow = accounts.verify_token()
    request = first_request(flow)
    assert request.target == "/apiaccounts/token"
    assert finish(flow, request, {"accounts": [ACCOUNT]}) == ACCOUNT


@pytest.mark.parametrize("accounts_before_22", [[], [None]])
def test_a_version_before_22_shows_no_account(accounts_before_22: list[Any]) -> None:
    flow = accounts.verify_token()
    request = next_request(flow, first_request(flow), {"accounts": accounts_before_22})
    assert request.target == "/info"
    assert finish(flow, request, {}) is None


@pytest.mark.parametrize(
    "data", [{"accounts": [{}]}, {"accounts": {}}, {"accounts": ["a"]}, {"accounts": [None, None]}]
)
def test_a_malformed_account_is_a_server_error(data: Any) -> None:
    flow = accounts.verify_token()
    with pytest.raises(ServerError, match="accounts"):
        flow.send(success(first_request(flow), data))


@pytest.mark.parametrize("error", [OLD_SERVER, InvalidRequestError("no such version"), NOT_OFFERED])
def test_on_an_older_server_another_endpoint_proves_the_token(error: Exception) -> None:
    flow = accounts.verify_token()
    next(flow)
    request = request_after_error(flow, error)
    assert request.target == "/info"
    assert finish(flow, request, {}) is None


@pytest.mark.parametrize("first_error", [NOT_ALLOWED, OLD_SERVER])
def test_a_permission_for_any_endpoint_proves_the_token(first_error: Exception) -> None:
    flow = accounts.verify_token()
    next(flow)
    request = request_after_error(flow, first_error)
    while request.target != "/changeRequests":
        request = request_after_error(flow, NOT_ALLOWED)
    assert finish(flow, request, []) is None


def test_an_error_about_a_missing_object_proves_the_token() -> None:
    flow = accounts.verify_token()
    next(flow)
    request = request_after_error(flow, NOT_ALLOWED)
    while not request.target.startswith("/rules/"):
        request = request_after_error(flow, NOT_ALLOWED)
    assert finish_with_error(flow, NotFoundError("Rule with id 'airflow' was not found")) is None


def test_a_success_without_data_proves_the_token() -> None:
    flow = accounts.verify_token()
    next(flow)
    request = request_after_error(flow, OLD_SERVER)
    with pytest.raises(StopIteration) as end:
        flow.send(reply(200, {"action": "some", "result": "success"}, request))
    assert end.value.value is None


@pytest.mark.parametrize("last_error", [NOT_ALLOWED, NOT_OFFERED])
def test_a_token_without_any_permission_fails(last_error: Exception) -> None:
    flow = accounts.verify_token()
    next(flow)
    for _ in accounts.PATHS_OF_ALL_VERSIONS:
        flow.throw(NOT_ALLOWED)
    with pytest.raises(PermissionDeniedError, match="may read none of"):
        flow.throw(last_error)


def test_a_page_of_another_server_proves_nothing() -> None:
    flow = accounts.verify_token()
    next(flow)
    request = request_after_error(flow, OLD_SERVER)
    with pytest.raises(ServerError, match="not JSON"):
        flow.send(Reply(200, {"content-type": "text/html"}, b"<html>", request))


def test_a_server_without_any_of_the_endpoints_proves_nothing() -> None:
    flow = accounts.verify_token()
    next(flow)
    for _ in accounts.PATHS_OF_ALL_VERSIONS:
        flow.throw(NOT_OFFERED)
    with pytest.raises(NotOfferedError):
        flow.throw(NOT_OFFERED)
