"""Tests of rudder/errors.py: the error classes of replies, and the envelope."""

from __future__ import annotations

import pytest

from self_hosted.core.http.errors import (
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    SelfHostedError,
    ServerError,
    UnavailableError,
)
from self_hosted.core.http.flow import Reply, Request
from self_hosted.rudder.errors import NotOfferedError, parse_error, unwrap, unwrap_first
from tests.rudder.conftest import load_vendor_cases, reply, vendor_reply

PAGE = b"<html><body>HTTP ERROR</body></html>"


def page(status: int, **headers: str) -> Reply:
    return Reply(status, {"content-type": "text/html", **headers}, PAGE, Request("GET", "/api/latest/rules"))


def error_for(text: str) -> SelfHostedError | None:
    return parse_error(reply(500, {"action": "some", "result": "error", "errorDetails": text}))


def test_rudders_own_failures_are_errors_and_its_own_successes_are_not() -> None:
    for case in load_vendor_cases():
        error = parse_error(vendor_reply(case))
        if case["status"] == 200:
            assert error is None, case
        else:
            assert isinstance(error, NotFoundError | ConflictError | PermissionDeniedError | InvalidRequestError), case
            assert error.message, case
            assert not error.retryable, case


def test_rudders_own_responses_are_unwrapped() -> None:
    cases = load_vendor_cases()
    for case in [case for case in cases if isinstance(case["response"], dict) and "data" in case["response"]]:
        response, data = vendor_reply(case), case["response"]["data"]
        assert unwrap(response) == data
        for container, content in data.items() if isinstance(data, dict) else ():
            assert unwrap(response, container) == content


@pytest.mark.parametrize(
    ("text", "error_class"),
    [
        ("Rule with id 'X' was not found", NotFoundError),
        ("Group with id 'X' was not found'", NotFoundError),
        ("Could not find Parameter X", NotFoundError),
        (
            "Could not get compliance; cause was: Inconsistency: The node with ID 'X' is not known on Rudder",
            NotFoundError,
        ),
        ("Inconsistency: No reports were found for rule with ID 'X'", NotFoundError),
        ("Inconsistency: Node with ID 'X' was not found in Rudder", NotFoundError),
        (
            "Could not find ChangeRequest 9; cause was: Inconsistency: Change request with id 9 does not exist.",
            NotFoundError,
        ),
        ("Workflow are disabled in Rudder, change request API is not available", NotOfferedError),
        ("Bad request: API 'acceptChangeRequest' is disabled", NotOfferedError),
        ("Cannot create a new Directive with id 'X' already exists", ConflictError),
        ("Cannot create a rule with name X : there is already a rule with the same name", ConflictError),
        ("details cause is: ChangeRequest 1 has already been deployed.", ConflictError),
        ("you could not send Change Request from 'Deployed' to 'Pending deployment'.", ConflictError),
        ("because status 'Cancelled' cannot be cancelled.", ConflictError),
        (
            "Error when creating new rule; cause was: Inconsistency: Missing manadatory parameter 'displayName'",
            InvalidRequestError,
        ),
        ("Reason field should be at least 5 characters long", InvalidRequestError),
        (
            "Bad request: Request is missing a version but the version is required for 'GET api/rules'",
            InvalidRequestError,
        ),
        ("No changes to save.", InvalidRequestError),
        ("workflow status should not be empty", InvalidRequestError),
        ("User is not authorized to update a 'pending validation' change", PermissionDeniedError),
        ("You are not authorized to do that action: self-validation is disabled.", PermissionDeniedError),
        ("Object 'rule' [*] can't be modified by 'noTenant' (perm:none)", PermissionDeniedError),
        ("Unexpected: LDAP connection lost", ServerError),
        ("", InvalidRequestError),
    ],
)
def test_the_text_determines_the_error_class_of_a_500(text: str, error_class: type[SelfHostedError]) -> None:
    assert type(error_for(text)) is error_class


@pytest.mark.parametrize("name", ["already there", "was not found", "not authorized"])
def test_quoted_names_do_not_determine_the_error_class(name: str) -> None:
    assert type(error_for(f"Unexpected: '{name}' could be anything")) is ServerError


def test_texts_are_matched_in_any_case_and_context() -> None:
    assert type(error_for("Sorry; cause was: Inconsistency: the rule WAS NOT FOUND here")) is NotFoundError


def test_a_500_without_envelope_is_a_server_error_and_not_retried() -> None:
    error = parse_error(page(500))
    assert type(error) is ServerError
    assert not error.retryable


@pytest.mark.parametrize("body", [b"[]", b'"text"', b""])
def test_a_500_with_another_body_is_a_server_error(body: bytes) -> None:
    headers = {"content-type": "application/json"}
    assert type(parse_error(Reply(500, headers, body, Request("GET", "/rules")))) is ServerError


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (401, AuthenticationError),
        (404, NotOfferedError),
        (502, OutcomeUnknownError),
        (503, UnavailableError),
        (504, OutcomeUnknownError),
    ],
)
def test_the_status_determines_the_error_class_of_a_page(status: int, error_class: type[SelfHostedError]) -> None:
    assert type(parse_error(page(status))) is error_class


def test_a_rejected_token_is_explained() -> None:
    assert "expired" in str(parse_error(page(401)))


def test_a_missing_page_is_explained() -> None:
    assert "API version" in str(parse_error(page(404)))


def test_a_404_in_plain_text_keeps_its_text() -> None:
    text = Reply(404, {"content-type": "text/plain"}, b"No report found for node 'root'", Request("GET", "/"))
    assert "No report found" in str(parse_error(text))


def test_a_missing_permission_keeps_its_text() -> None:
    text = "Authorization error: User 'X' is not allowed to access GET api/latest/rules"
    error = parse_error(reply(403, {"action": "listRules", "result": "error", "errorDetails": text}))
    assert type(error) is PermissionDeniedError
    assert text in str(error)


def test_a_body_that_is_not_json_is_an_invalid_request() -> None:
    error = parse_error(reply(412, {"result": "error", "errorDetails": "the body is not valid JSON"}))
    assert type(error) is InvalidRequestError
    assert "not valid JSON" in str(error)


def test_an_error_without_text_shows_the_failed_objects() -> None:
    failed = {"created": [], "failed": [{"node-1": "that ID already exists"}]}
    error = parse_error(reply(500, {"action": "createNodes", "result": "error", "data": failed}))
    assert type(error) is not ServerError
    assert "node-1" in str(error)


def test_a_redirect_shows_its_location() -> None:
    assert "/login" in str(parse_error(page(302, location="/login")))


@pytest.mark.parametrize("body", [b"[]", b"{}", b'"text"', b'{"data": {"groups": []}}', b'{"data": []}'])
def test_a_response_without_its_container_is_a_server_error(body: bytes) -> None:
    with pytest.raises(ServerError, match="contains no rules"):
        unwrap(Reply(200, {}, body, Request("GET", "/rules")), "rules")


@pytest.mark.parametrize(
    "body", [b'{"data": {"rules": []}}', b'{"data": {"rules": {}}}', b'{"data": {"rules": ["r1"]}}']
)
def test_a_response_without_the_object_is_a_server_error(body: bytes) -> None:
    with pytest.raises(ServerError, match="contains no rules"):
        unwrap_first(Reply(200, {}, body, Request("GET", "/rules/r1")), "rules")


def test_a_page_with_status_200_is_a_server_error() -> None:
    with pytest.raises(ServerError, match="not JSON"):
        unwrap(page(200), "rules")
