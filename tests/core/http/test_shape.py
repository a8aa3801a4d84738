"""Shapes of responses."""

from typing import Any

import pytest
from typing_extensions import TypedDict

from self_hosted.core.http.errors import OutcomeUnknownError, ServerError
from self_hosted.core.http.flow import Reply, Request
from self_hosted.core.http.shape import JsonObject, check_shape

REPLY = Reply(200, {}, b"", Request("GET", "/rules"))


class Rule(TypedDict):
    id: str
    order: int


def test_a_value_of_the_right_shape_is_returned_with_all_its_fields():
    value = [{"id": "a", "order": 1, "more": None}]
    assert check_shape(REPLY, value, list[Rule]) is value


@pytest.mark.parametrize(
    ("value", "shape", "field", "message"),
    [
        (None, JsonObject, "", "the body: Input should be a valid dictionary"),
        ([], str, "data", "data: Input should be a valid string"),
        ([{"id": "a", "order": 1}, {"id": 5, "order": 1}], list[Rule], "rules", r"rules\[1\].id: .* valid string"),
        ([{"order": 1}], list[Rule], "", r"\[0\].id: Field required"),
        ({"id": "a", "order": "1"}, Rule, "", "order: Input should be a valid integer"),
    ],
)
def test_an_error_names_endpoint_and_field(value: Any, shape: Any, field: str, message: str):
    with pytest.raises(ServerError, match=rf"GET /rules: unexpected response: {message} \(HTTP 200\)|{message}"):
        check_shape(REPLY, value, shape, field)


@pytest.mark.parametrize(
    ("method", "status", "idempotent", "expected"),
    [
        ("POST", 200, None, OutcomeUnknownError),
        ("POST", 200, True, ServerError),
        ("POST", 400, None, ServerError),
        ("GET", 200, None, ServerError),
    ],
)
def test_a_write_with_a_malformed_success_may_have_been_carried_out(method, status, idempotent, expected):
    reply = Reply(status, {}, b"<html>", Request(method, "/rules", idempotent=idempotent))
    for check in (reply.json, lambda: check_shape(reply, 1, str)):
        with pytest.raises(expected):
            check()
