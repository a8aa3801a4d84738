"""Tests of ayon/errors.py: the error classes and messages of replies."""

from __future__ import annotations

import pytest

from self_hosted.ayon.errors import parse_error
from self_hosted.core.http.errors import (
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    ServerError,
    UnavailableError,
)
from tests.ayon.conftest import reply


@pytest.mark.parametrize(
    ("response", "error_class", "message"),
    [
        (reply(401, {"code": 401, "detail": "Invalid API key"}), AuthenticationError, "Invalid API key"),
        (reply(403, {"code": 403, "detail": "No access"}), PermissionDeniedError, "No access"),
        (
            reply(403, {"code": 403, "detail": "Invalid login"}, path="/api/auth/login"),
            AuthenticationError,
            "Invalid login",
        ),
        (reply(404, {"code": 404, "detail": "Project x not found"}), NotFoundError, "Project x not found"),
        (reply(409, {"code": 409, "detail": "Project a (b) already exists"}), ConflictError, "already exists"),
        (
            reply(409, {"code": 409, "detail": "status 'X' is not present in table \"statuses\"."}),
            InvalidRequestError,
            "statuses",
        ),
        (reply(409, {"code": 409, "detail": "Missing required field: folder_id"}), InvalidRequestError, "folder_id"),
        (
            reply(500, {"code": 409, "detail": "label exists", "error": "unique-violation"}),
            ConflictError,
            "label exists",
        ),
        (reply(500, {"code": 400, "detail": "Missing", "error": "not-null-violation"}), InvalidRequestError, "Missing"),
        (reply(500, {"status": 500, "detail": "InFailedSQLTransactionError: x"}), ServerError, "InFailedSQL"),
        (reply(500, "Internal Server Error"), OutcomeUnknownError, "Internal Server Error"),
        (reply(502, "<html>"), OutcomeUnknownError, "without a reason"),
        (reply(503, {"code": 503, "detail": "Database pool timeout"}), UnavailableError, "pool timeout"),
        (reply(504, "<html>"), OutcomeUnknownError, "without a reason"),
        (reply(405, {"detail": "Method Not Allowed"}), InvalidRequestError, "Method Not Allowed"),
        (reply(307, "", path="/api/x"), InvalidRequestError, "redirected"),
        (
            reply(200, {"data": None, "errors": [{"message": "no field"}]}, path="/graphql"),
            InvalidRequestError,
            "no field",
        ),
        (
            reply(200, {"errors": [{"message": "gone", "extensions": {"status": 404}}]}, path="/graphql"),
            NotFoundError,
            "gone",
        ),
    ],
)
def test_status_and_body_determine_the_error(response, error_class, message):
    error = parse_error(response)
    assert type(error) is error_class
    assert message in str(error)


@pytest.mark.parametrize("response", [reply(201, None), reply(200, {"errors": []}), reply(200, {}, path="/graphql")])
def test_a_success_is_no_error(response):
    assert parse_error(response) is None


def test_a_validation_error_names_the_fields():
    body = {"code": 400, "detail": "Request validation error", "traceback": "a: bad\nb: worse", "errors": [{}]}
    assert "a: bad; b: worse" in str(parse_error(reply(400, body)))


def test_a_server_error_does_not_expose_paths_of_the_server():
    body = {"status": 500, "detail": "boom", "traceback": "/backend/secret.py:1", "file": "/backend/secret.py"}
    assert "secret.py" not in str(parse_error(reply(500, body)))


def test_a_cached_rejection_of_an_api_key_names_the_api_key():
    body = {"code": 401, "detail": "Invalid session"}
    assert "Invalid API key" in str(parse_error(reply(401, body, headers={"X-Api-Key": "x"})))
    assert "Invalid session" in str(parse_error(reply(401, body)))
