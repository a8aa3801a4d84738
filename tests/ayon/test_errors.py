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
    SelfHostedError,
    ServerError,
    UnavailableError,
)
from self_hosted.core.http.flow import Reply, Request
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


@pytest.mark.parametrize(
    "detail",
    [
        "ConnectionRefusedError: [Errno 111] Connection refused",
        "ConnectionResetError: [Errno 104] Connection reset by peer",
        "socket.gaierror: [Errno -2] Name or service not known",
        "OSError: [Errno 113] Connect call failed ('172.18.0.2', 5432)",
        "TimeoutError",
        "asyncpg.exceptions.CannotConnectNowError: the database system is starting up",
        "asyncpg.exceptions.ConnectionDoesNotExistError: connection was closed in the middle of operation",
        "asyncpg.exceptions.TooManyConnectionsError: sorry, too many clients already",
        "asyncpg.exceptions.AdminShutdownError: terminating connection due to administrator command",
        "asyncpg.exceptions._base.InterfaceError: cannot call Transaction.__aexit__(): the connection is closed",
        "asyncpg.exceptions._base.InternalClientError: cannot switch to state 15; another operation (2) is in progress",
        "redis.exceptions.ConnectionError: Connection closed by server.",
        "redis.exceptions.BusyLoadingError: Redis is loading the dataset in memory",
    ],
)
def test_an_exception_of_the_connection_to_database_or_redis_leaves_the_outcome_unknown(detail):
    body = {"status": 500, "detail": detail, "traceback": f"{detail}\n\nserver/file.py:1"}
    error = parse_error(reply(500, body))
    assert type(error) is OutcomeUnknownError
    assert detail[:40] in str(error)


@pytest.mark.parametrize(
    "detail",
    [
        "asyncpg.exceptions.InFailedSQLTransactionError: current transaction is aborted",
        "asyncpg.exceptions.UndefinedColumnError: column x does not exist",
        "pydantic.error_wrappers.ValidationError: 1 validation error for ProjectModel",
        "KeyError: 'timeout'",
        "UnboundLocalError: connection",
        "",
    ],
)
def test_any_other_exception_is_an_error_of_the_server_with_this_request(detail):
    assert type(parse_error(reply(500, {"status": 500, "detail": detail}))) is ServerError


@pytest.mark.parametrize(
    ("errors", "error_class", "message"),
    [
        # errors of the query itself have no path
        ([{"message": "Cannot query field 'nope'"}], InvalidRequestError, "nope"),
        ([{"message": "Invalid entity ID x", "path": ["events"]}], InvalidRequestError, "Invalid entity ID"),
        ([{"message": "gone", "path": ["p"], "extensions": {"status": 404}}], NotFoundError, "gone"),
        ([{"message": "busy", "path": ["p"], "extensions": {"status": 503}}], UnavailableError, "busy"),
        # the others may be an outage
        ([{"message": "[Errno 111] Connection refused", "path": ["events"]}], OutcomeUnknownError, "refused"),
        ([{"message": "the database system is starting up", "path": ["p0"]}], OutcomeUnknownError, "starting up"),
        ([{"message": "", "path": ["events"]}], OutcomeUnknownError, "without a reason"),
        ([{"message": "odd", "path": ["p"], "extensions": {"status": "404"}}], OutcomeUnknownError, "odd"),
        ([{"message": "odd", "path": ["p"], "extensions": None}], OutcomeUnknownError, "odd"),
        (
            [
                {"message": "gone", "path": ["a"], "extensions": {"status": 404}},
                {"message": "[Errno 111] Connection refused", "path": ["b"]},
            ],
            OutcomeUnknownError,
            "refused",
        ),
    ],
)
def test_path_and_status_determine_the_error_of_graphql(errors, error_class, message):
    error = parse_error(reply(200, {"data": None, "errors": errors}, path="/graphql"))
    assert type(error) is error_class
    assert message in str(error)


DEEP = "[" * 100_000 + "]" * 100_000
MALFORMED = ["", "null", "[]", '"x"', "1", "{", '{"errors": {', "<html>", DEEP, '{"detail": ' + DEEP + "}", "\xff\x00"]
MALFORMED += ['{"errors": "x"}', '{"errors": [1]}', '{"errors": [{}]}', '{"errors": [{"message": 1}]}']
MALFORMED += ['{"errors": [{"message": "m", "extensions": 1}]}', '{"errors": [{"message": "m", "path": 1}]}']
MALFORMED += ['{"code": []}', '{"code": "409"}', '{"code": 1e400}', '{"code": true}', '{"code": 99}', '{"detail": {}}']
MALFORMED += ['{"traceback": 1, "errors": 1}', '{"detail": [' * 300 + "]}" * 300]


@pytest.mark.parametrize("media_type", ["application/json", "text/html"])
@pytest.mark.parametrize("path", ["/graphql", "/api/auth/login", "/api/projects"])
@pytest.mark.parametrize("status", [200, 201, 204, 302, 304, 400, 401, 403, 404, 409, 418, 500, 502, 503, 599])
def test_any_response_has_an_error_or_none(status, path, media_type):
    for body in MALFORMED:
        response = Reply(
            status,
            {"content-type": media_type},
            body.encode("latin-1"),
            Request("POST", path, idempotent=path == "/graphql"),
        )
        error = parse_error(response)
        assert error is None or isinstance(error, SelfHostedError)
        assert error is not None or status < 400, body[:40]


def test_a_malformed_response_of_graphql_names_the_field():
    error = parse_error(reply(200, {"errors": [{"message": 1}]}, path="/graphql"))
    assert type(error) is ServerError
    assert "POST /graphql: unexpected response: errors[0].message: " in str(error)
