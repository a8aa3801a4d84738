"""AtroCore's error function."""

from __future__ import annotations

import pytest

from self_hosted.atrocore.errors import is_database_outage, parse_error
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
from tests.atrocore.conftest import reply

POST, GET, PATCH = (Request(method, "/api/Product") for method in ("POST", "GET", "PATCH"))


@pytest.mark.parametrize(
    ("request_", "status", "text", "error_class"),
    [
        (POST, 400, "Body does not match schema for Request [post /{entityName}]", InvalidRequestError),
        (POST, 400, "Body does not match schema for Response [post /upsert 200]", OutcomeUnknownError),
        (PATCH, 400, "Body does not match schema for Response [patch /{entityName}/{id} 200]", OutcomeUnknownError),
        (GET, 401, "Unauthorized", AuthenticationError),
        (GET, 403, "", PermissionDeniedError),
        (GET, 404, "", NotFoundError),
        (PATCH, 409, "editedByAnotherUser name", ConflictError),
        (POST, 413, "<html><title>413 Request Entity Too Large</title></html>", ServerError),
        (GET, 500, "SQLSTATE[42703]", ServerError),
        (PATCH, 500, "SQLSTATE[42703]", ServerError),
        (POST, 500, "SQLSTATE[42703]", OutcomeUnknownError),
        (POST, 502, "<html></html>", OutcomeUnknownError),
        (GET, 503, "", UnavailableError),
        (POST, 504, "<html></html>", OutcomeUnknownError),
    ],
)
def test_status_and_text_determine_the_error(request_, status, text, error_class):
    error = parse_error(reply(status, text.encode(), request_))
    assert error is not None
    assert (type(error), error.status) == (error_class, status)


@pytest.mark.parametrize("status", [200, 304])
def test_success_and_not_modified_are_no_errors(status):
    assert parse_error(reply(status)) is None


def test_a_redirect_requests_a_correction_of_the_base_url():
    assert "correct the base URL" in str(parse_error(reply(301, location="https://elsewhere")))


def test_the_reason_is_read_from_the_header_if_the_body_is_empty():
    error = parse_error(reply(400, b"", POST, x_status_reason="fieldIsRequired: name"))
    assert str(error) == "POST /api/Product: fieldIsRequired: name (HTTP 400)"


def test_an_error_without_a_reason_has_a_default_message():
    assert "check the base URL and the dialect" in str(parse_error(reply(404)))


def test_only_the_title_of_a_web_page_is_shown():
    page = b"<!DOCTYPE html><html><head><title>\n 502 Bad Gateway </title></head></html>"
    assert "the response is a web page: 502 Bad Gateway" in str(parse_error(reply(502, page)))


def test_a_long_reason_is_truncated():
    assert len(str(parse_error(reply(500, b"SELECT " * 1000)))) < 600


def test_an_expired_password_is_an_authentication_error():
    assert isinstance(parse_error(reply(403, b"", password_expired="true")), AuthenticationError)


@pytest.mark.parametrize(
    "page",
    [
        b"<html><title>Bad Gateway",
        b'<HTML><TITLE lang="en">Bad Gateway</TITLE>',
        b"<title>\n\tBad Gateway\n</title>",
    ],
)
def test_titles_of_web_pages_have_several_forms(page):
    assert "the response is a web page: Bad Gateway" in str(parse_error(reply(502, page)))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 418, 429, 500, 502, 503, 504, 599])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b"null",
        b"[" * 100_000,
        b"<",
        b"<title>" * 20_000,
        b"<html>" + b" " * 1_000_000,
        b'{"message": {"a": []}}',
        "\x1b[31mred \u202egnp.exe".encode(),
    ],
)
def test_no_body_of_an_error_raises(status, body):
    for headers in ({}, {"x-status-reason": ""}, {"x-status-reason": "\x1b]0;title\x07"}):
        error = parse_error(Reply(status, headers, body, POST))
        assert isinstance(error, SelfHostedError)
        assert len(str(error)) < 600
        assert "\x1b" not in str(error)


OPENING = 'An exception occurred in the driver: SQLSTATE[08006] [7] connection to server at "db" failed: timeout'
MYSQL = "An exception occurred in the driver: SQLSTATE[HY000] [2002] Connection refused"
AT_SIGN_IN = f'"{OPENING}\n\tIs the server running?" is not valid header value.'
LOST = (
    "An exception occurred while executing a query: SQLSTATE[57P01]: Admin shutdown: 7 FATAL:  terminating connection"
)
LOST_BY_MYSQL = (
    "An exception occurred while executing a query: SQLSTATE[HY000]: General error: 2006 MySQL server has gone away"
)
WRONG_QUERY = "An exception occurred while executing a query: SQLSTATE[42703]: Undefined column: 7 ERROR:  column t1.a"


@pytest.mark.parametrize("text", [OPENING, MYSQL, AT_SIGN_IN, LOST, LOST_BY_MYSQL])
@pytest.mark.parametrize(
    ("request_", "error_class"), [(POST, OutcomeUnknownError), (PATCH, OutcomeUnknownError), (GET, UnavailableError)]
)
def test_without_a_database_reads_are_repeated_and_the_outcome_of_writes_is_unknown(request_, error_class, text):
    assert type(parse_error(reply(500, text.encode(), request_))) is error_class


def test_a_query_that_the_database_rejects_is_no_outage():
    assert type(parse_error(reply(500, WRONG_QUERY.encode(), GET))) is ServerError
    assert not is_database_outage(WRONG_QUERY)
