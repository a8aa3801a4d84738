"""Tests of rudder/errors.py: the error classes of replies, and the envelope."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from self_hosted.core.http.errors import (
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PermanentError,
    PermissionDeniedError,
    SelfHostedError,
    ServerError,
    UnavailableError,
)
from self_hosted.core.http.flow import Reply, Request
from self_hosted.rudder.api.shapes import Rule
from self_hosted.rudder.errors import NotOfferedError, clean_texts, is_empty_success, parse_error, unwrap, unwrap_first
from tests.rudder.conftest import load_vendor_cases, reply, vendor_reply
from tests.sandbox.rudder.replay import load_steps

PAGE = b"<html><body>HTTP ERROR</body></html>"


def page(status: int, **headers: str) -> Reply:
    return Reply(status, {"content-type": "text/html", **headers}, PAGE, Request("GET", "/api/latest/rules"))


def error_for(text: str) -> SelfHostedError | None:
    return parse_error(reply(500, {"action": "some", "result": "error", "errorDetails": text}))


def test_rudders_own_failures_are_errors_and_its_own_successes_are_not() -> None:
    # the web interface uploads files, and its endpoint has no envelope
    for case in (case for case in load_vendor_cases() if case["area"] != "sharedfiles"):
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
        # texts of released versions that once were taken for failures of the server
        ("looking for node with ID 'X'; cause was: Inconsistency: Node is missing", NotFoundError),
        ("Can not find the group", NotFoundError),
        ("No technique with ID X", NotFoundError),
        ("API account with ID 'X' was not found", NotFoundError),
        ("System Rule 'X' can't be deleted", InvalidRequestError),
        ("System rule 'X' (id) can not be modified", InvalidRequestError),
        ("You can't delete a past revision of a rule, only current version can be deleted.", InvalidRequestError),
        ("level (displayed level of compliance details) must be an integer, was: 'abc'", InvalidRequestError),
        ("Could not extract a rule from request.; cause was: Unexpected: Unexpected end of input", InvalidRequestError),
        ("Could not extract; cause was: Unexpected: .targets[0].exclude(missing)", InvalidRequestError),
        (".status(missing)", InvalidRequestError),
        ("'id' is mandatory but was empty", InvalidRequestError),
        ("words that no version has had", InvalidRequestError),
        ("Cannot update rule with name SQL connection: this name is already in use.", ConflictError),
        ("You are not authorized to do that action on your own change request", PermissionDeniedError),
        ("SecurityError: this is for others", PermissionDeniedError),
        ("the object is outside of the security context", PermissionDeniedError),
        ("Unauthorized access", PermissionDeniedError),
        ("Request is requiring version '21' but that version is not available for 'GET api/x'.", NotOfferedError),
        # failures of the server
        ("LDAP connection lost", ServerError),
        (
            "Rule could not be found; cause was: SystemError: error; cause was: java.lang.NullPointerException",
            ServerError,
        ),
        ("BackendException: Can't bind", ServerError),
        ("Could not find node; cause was: LDAP result was: unavailable", ServerError),
        ("cause was: org.postgresql.util.PSQLException: FATAL: terminating", ServerError),
        ("cause was: SQLTransientConnectionException: HikariPool-1 - request timed out", ServerError),
        ("Connection refused", ServerError),
        ("", InvalidRequestError),
    ],
)
@pytest.mark.parametrize(
    "prefix", ["", "Inconsistency: ", "Could not do it; cause was: Inconsistency: ", "Unexpected: "]
)
def test_the_text_determines_the_error_class_of_a_500(
    text: str, error_class: type[SelfHostedError], prefix: str
) -> None:
    assert type(error_for(prefix + text)) is error_class


def test_a_write_that_a_failing_server_received_has_an_unknown_outcome() -> None:
    envelope = {"action": "updateRule", "result": "error", "errorDetails": "SystemError: LDAP connection lost"}
    for request, error_class in (
        (Request("POST", "/rules/r1"), OutcomeUnknownError),
        (Request("DELETE", "/changeRequests/1"), OutcomeUnknownError),
        (Request("POST", "/system/update/policies", idempotent=True), ServerError),
        (Request("GET", "/rules/r1"), ServerError),
    ):
        assert type(parse_error(reply(500, envelope, request))) is error_class


@pytest.mark.parametrize("name", ["already there", "was not found", "not authorized", "LDAP connection", "SystemError"])
def test_quoted_names_do_not_determine_the_error_class(name: str) -> None:
    assert type(error_for(f"Unexpected: '{name}' could be anything")) is InvalidRequestError


@pytest.mark.parametrize(
    ("text", "error_class"),
    [
        (b"Rule with id 'X' was not found", NotFoundError),
        (b"SystemError: out of memory", ServerError),
        (b"something that nobody knows\0\0\0", ServerError),
    ],
)
def test_a_500_in_plain_text_keeps_its_text(text: bytes, error_class: type[SelfHostedError]) -> None:
    error = parse_error(Reply(500, {"content-type": "text/plain;charset=utf-8"}, text, Request("GET", "/rules")))
    assert type(error) is error_class
    assert str(error) == f"GET /rules: {text.decode().rstrip(chr(0))} (HTTP 500)"


def test_json_of_another_server_is_a_server_error() -> None:
    error = parse_error(reply(500, {"error": "upstream failed"}))
    assert type(error) is ServerError
    assert "upstream failed" in str(error)


def test_deeply_nested_json_is_a_server_error() -> None:
    nested = Reply(500, {"content-type": "application/json"}, b"[" * 100_000, Request("GET", "/rules"))
    assert type(parse_error(nested)) is ServerError


def test_the_errors_of_a_real_server_are_permanent() -> None:
    for step in load_steps():
        recorded = step["response"] or {}
        if recorded.get("status") == 500:
            request = Request(step["request"]["method"], step["request"]["path"])
            error = parse_error(reply(500, recorded["json"], request))
            assert isinstance(error, PermanentError), step
            assert error.message, step
            without_prefixes = re.sub(r"(Inconsistency|Unexpected): ", "", json.dumps(recorded["json"]))
            assert type(parse_error(reply(500, json.loads(without_prefixes), request))) is type(error), step


@pytest.mark.parametrize(
    ("note", "error_class"),
    [
        ("get an unknown one", NotFoundError),
        ("unknown node", NotFoundError),
        ("accept by a public token (no role)", PermissionDeniedError),
        ("own: self-validation is off", PermissionDeniedError),
        ("accept a deployed one", ConflictError),
        ("validation off: list", NotOfferedError),
        ("version 21 in the header takes 'token' for an account id", NotOfferedError),
        ("update: truncated JSON", InvalidRequestError),
    ],
)
def test_some_errors_of_a_real_server_are_recognized(note: str, error_class: type[SelfHostedError]) -> None:
    found = [step["response"] for step in load_steps() if step["note"] == note and step["response"]["status"] == 500]
    assert found
    for recorded in found:
        assert type(parse_error(reply(500, recorded["json"]))) is error_class, recorded


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
        unwrap_first(Reply(200, {}, body, Request("GET", "/rules/r1")), "rules", Rule)


@pytest.mark.parametrize(
    ("item", "field"),
    [({}, "rules.id"), ({"id": 1}, "rules.id"), ({"id": "r1", "enabled": "true"}, "rules.enabled")],
)
def test_an_object_of_another_shape_is_a_server_error_that_names_the_field(item: dict[str, Any], field: str) -> None:
    with pytest.raises(ServerError, match=f"unexpected response: {re.escape(field)}: "):
        unwrap_first(reply(200, {"result": "success", "data": {"rules": [item]}}), "rules", Rule)


def test_texts_that_results_show_are_cleaned() -> None:
    item: dict[str, Any] = {"name": "a\x1b[31mb" + "c" * 1000, "other": "\x1b", "number": 1}
    cleaned = clean_texts(reply(200, {}), item, ("name", "number", "missing"))
    assert cleaned["name"].startswith("a[31mb")
    assert len(cleaned["name"]) == 500
    assert (cleaned["other"], cleaned["number"]) == ("\x1b", 1)


@pytest.mark.parametrize(
    ("envelope", "expected"),
    [
        ({"result": "success"}, True),
        ({"result": "success", "data": None}, True),
        ({"result": "success", "data": {}}, False),
        ({}, False),
    ],
)
def test_some_successes_have_no_data(envelope: dict[str, Any], expected: bool) -> None:
    assert is_empty_success(reply(200, envelope)) is expected


def test_a_page_with_status_200_is_a_server_error() -> None:
    with pytest.raises(ServerError, match="not JSON"):
        unwrap(page(200), "rules")
