"""The errors that Assemblyline's responses stand for, and its envelope."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline.api import server
from self_hosted.assemblyline.errors import parse_error
from self_hosted.core.http.errors import (
    AuthenticationError,
    ConcurrencyQuotaError,
    DailyQuotaError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    ServerError,
    UnavailableError,
)
from self_hosted.core.http.flow import Request
from tests.assemblyline.flows import html, reply


@pytest.mark.parametrize(
    ("response", "error_class", "message"),
    [
        (reply(status=401, message="Session not found"), AuthenticationError, "Session not found"),
        (
            reply(status=403, message="Access Denied (/x) [Invalid XSRF token]"),
            PermissionDeniedError,
            "Invalid XSRF token",
        ),
        (reply(status=404, message="Api does not exist (/api/v4/x/)"), NotFoundError, "Api does not exist"),
        (reply(status=400, message="File empty."), InvalidRequestError, "File empty."),
        (reply(status=413, message="File too big to be scanned (2 > 1)."), InvalidRequestError, "File too big"),
        (reply(status=500, message="Internal Server Error"), ServerError, "Internal Server Error"),
        (reply(status=200, message="415 Unsupported Media Type: ..."), InvalidRequestError, "415 Unsupported"),
        (html(308, location="https://al/api/v4/x/"), InvalidRequestError, "https://al/api/v4/x/"),
        (html(405), InvalidRequestError, "check the base URL"),
        (html(404), NotFoundError, "check the base URL"),
        (html(502), OutcomeUnknownError, "check the base URL"),
        (html(503), UnavailableError, "not available"),
    ],
)
def test_status_and_message_determine_the_error(response, error_class, message):
    error = parse_error(response)
    assert type(error) is error_class
    assert message in str(error)


@pytest.mark.parametrize("message", [1, True, ["text"], {"a": "b"}])
def test_a_message_that_is_no_text_is_a_malformed_response(message):
    error = parse_error(reply(status=200, message=message))
    assert type(error) is ServerError
    assert f"no text but {type(message).__name__}" in str(error)


@pytest.mark.parametrize(
    ("message", "error_class"),
    [
        ("You've exceeded your daily maximum API calls quota of 10", DailyQuotaError),
        ("You've reached your daily maximum submission quota of 10", DailyQuotaError),
        ("You've exceeded your maximum concurrent submission quota of 5", ConcurrencyQuotaError),
        ("You've exceeded your maximum async concurrent submission quota of 5", ConcurrencyQuotaError),
        ("You've exceeded your maximum concurrent API calls quota of 10", ConcurrencyQuotaError),
        ("", UnavailableError),
    ],
)
def test_the_message_of_status_503_determines_the_error(message, error_class):
    assert type(parse_error(reply(status=503, message=message))) is error_class


@pytest.mark.parametrize("response", [reply({"a": 1}), reply(None, message=None), html(200)])
def test_a_success_is_no_error(response):
    assert parse_error(response) is None


@pytest.mark.parametrize("body", [b"[]", b'{"detail": "other"}'])
def test_a_response_without_an_envelope_is_an_error(body):
    flow = server.get_configuration()
    next(flow)
    with pytest.raises(ServerError, match="base URL"):
        flow.send(type(reply())(200, {"content-type": "application/json"}, body, Request("GET", "/")))


def test_a_page_instead_of_json_is_an_error():
    flow = server.get_configuration()
    next(flow)
    with pytest.raises(ServerError, match="not JSON"):
        flow.send(html(200))
