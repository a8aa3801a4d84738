"""Tests of rudder/api/answers.py: what a reply means."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.core.errors import (
    Broken,
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    LoginRefused,
    NotFound,
    ProductError,
    Uncertain,
)
from self_hosted.core.flow import Reply, Request
from self_hosted.rudder import api
from self_hosted.rudder.api.answers import first
from tests.rudder.conftest import answer_of, each, reply, rudders_cases

PAGE = b"<html><body>HTTP ERROR</body></html>"


def page(status: int, **headers: str) -> Reply:
    return Reply(status, {"content-type": "text/html", **headers}, PAGE, Request("GET", "/api/latest/rules"))


def refusal(words: str) -> ProductError | None:
    return api.error_of(reply(500, {"action": "some", "result": "error", "errorDetails": words}))


@pytest.mark.parametrize("case", each(rudders_cases()))
def test_every_failure_among_rudders_own_cases_is_an_error_and_every_success_is_none(case: dict[str, Any]) -> None:
    error = api.error_of(answer_of(case))
    if case["status"] == 200:
        assert error is None
    else:
        assert isinstance(error, NotFound | Conflict | Forbidden | Invalid)
        assert not error.retryable
        assert error.words


@pytest.mark.parametrize(
    "case",
    each([case for case in rudders_cases() if isinstance(case["response"], dict) and "data" in case["response"]]),
)
def test_rudders_own_answers_are_unwrapped(case: dict[str, Any]) -> None:
    answer, data = answer_of(case), case["response"]["data"]
    assert api.unwrapped(answer) == data
    if isinstance(data, dict):
        for container, held in data.items():
            assert api.unwrapped(answer, container) == held


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Rule with id 'X' was not found", NotFound),
        ("Group with id 'X' was not found'", NotFound),
        ("Could not find Parameter X", NotFound),
        ("Could not get compliance; cause was: Inconsistency: The node with ID 'X' is not known on Rudder", NotFound),
        ("Inconsistency: No reports were found for rule with ID 'X'", NotFound),
        ("Inconsistency: Node with ID 'X' was not found in Rudder", NotFound),
        (
            "Could not find ChangeRequest 9; cause was: Inconsistency: Change request with id 9 does not exist.",
            NotFound,
        ),
        ("Workflow are disabled in Rudder, change request API is not available", api.NotOffered),
        ("Bad request: API 'acceptChangeRequest' is disabled", api.NotOffered),
        ("Cannot create a new Directive with id 'X' already exists", Conflict),
        ("Cannot create a rule with name X : there is already a rule with the same name", Conflict),
        ("details cause is: ChangeRequest 1 has already been deployed.", Conflict),
        ("you could not send Change Request from 'Deployed' to 'Pending deployment'.", Conflict),
        ("because status 'Cancelled' cannot be cancelled.", Conflict),
        ("Error when creating new rule; cause was: Inconsistency: Missing manadatory parameter 'displayName'", Invalid),
        ("Reason field should be at least 5 characters long", Invalid),
        ("Bad request: Request is missing a version but the version is required for 'GET api/rules'", Invalid),
        ("No changes to save.", Invalid),
        ("workflow status should not be empty", Invalid),
        ("User is not authorized to update a 'pending validation' change", Forbidden),
        ("You are not authorized to do that action: self-validation is disabled.", Forbidden),
        ("Object 'rule' [*] can't be modified by 'noTenant' (perm:none)", Forbidden),
        ("Unexpected: LDAP connection lost", Broken),
        ("", Invalid),
    ],
)
def test_a_500_is_sorted_by_its_words(words: str, kind: type[ProductError]) -> None:
    assert type(refusal(words)) is kind


@pytest.mark.parametrize("name", ["already there", "was not found", "not authorized"])
def test_words_in_the_name_of_a_thing_decide_nothing(name: str) -> None:
    assert type(refusal(f"Unexpected: '{name}' could be anything")) is Broken


def test_words_are_matched_whatever_their_case_and_what_stands_around_them() -> None:
    assert type(refusal("Sorry; cause was: Inconsistency: the rule WAS NOT FOUND here")) is NotFound


def test_a_500_without_envelope_is_the_servers_failure_and_not_retried() -> None:
    error = api.error_of(page(500))
    assert type(error) is Broken
    assert not error.retryable


@pytest.mark.parametrize("body", [b"[]", b'"text"', b""])
def test_a_500_of_another_form_is_no_envelope(body: bytes) -> None:
    headers = {"content-type": "application/json"}
    assert type(api.error_of(Reply(500, headers, body, Request("GET", "/rules")))) is Broken


@pytest.mark.parametrize(
    ("status", "kind"), [(401, LoginRefused), (404, api.NotOffered), (502, Uncertain), (503, Busy), (504, Uncertain)]
)
def test_a_page_is_sorted_by_its_status(status: int, kind: type[ProductError]) -> None:
    assert type(api.error_of(page(status))) is kind


def test_a_refused_token_is_explained() -> None:
    assert "expired" in str(api.error_of(page(401)))


def test_a_missing_page_is_explained() -> None:
    assert "API version" in str(api.error_of(page(404)))


def test_a_404_in_plain_text_keeps_its_words() -> None:
    text = Reply(404, {"content-type": "text/plain"}, b"No report found for node 'root'", Request("GET", "/"))
    assert "No report found" in str(api.error_of(text))


def test_a_missing_right_keeps_its_words() -> None:
    words = "Authorization error: User 'X' is not allowed to access GET api/latest/rules"
    error = api.error_of(reply(403, {"action": "listRules", "result": "error", "errorDetails": words}))
    assert type(error) is Forbidden
    assert words in str(error)


def test_a_body_that_is_no_json_is_invalid() -> None:
    error = api.error_of(reply(412, {"result": "error", "errorDetails": "the body is not valid JSON"}))
    assert type(error) is Invalid
    assert "not valid JSON" in str(error)


def test_a_refusal_without_words_tells_what_failed() -> None:
    failed = {"created": [], "failed": [{"node-1": "that ID already exists"}]}
    error = api.error_of(reply(500, {"action": "createNodes", "result": "error", "data": failed}))
    assert type(error) is not Broken
    assert "node-1" in str(error)


def test_a_redirect_names_where_it_leads() -> None:
    assert "/login" in str(api.error_of(page(302, location="/login")))


@pytest.mark.parametrize("body", [b"[]", b"{}", b'"text"', b'{"data": {"groups": []}}', b'{"data": []}'])
def test_an_answer_without_its_container_is_broken(body: bytes) -> None:
    with pytest.raises(Broken, match="holds no rules"):
        api.unwrapped(Reply(200, {}, body, Request("GET", "/rules")), "rules")


@pytest.mark.parametrize(
    "body", [b'{"data": {"rules": []}}', b'{"data": {"rules": {}}}', b'{"data": {"rules": ["r1"]}}']
)
def test_an_answer_without_the_object_is_broken(body: bytes) -> None:
    with pytest.raises(Broken, match="holds no rules"):
        first(Reply(200, {}, body, Request("GET", "/rules/r1")), "rules")


def test_a_page_with_status_200_is_broken() -> None:
    with pytest.raises(Broken, match="no JSON"):
        api.unwrapped(page(200), "rules")
