"""The responses of AYON while PostgreSQL or Redis is down, as seen on server 1.16.0.

Sessions and API keys are cached in Redis. So an outage of PostgreSQL rarely affects the sign-in, and shows in the
handlers: as JSON with the name of the exception, and in GraphQL with the status 200. An outage of Redis affects the
sign-in of all requests. While the server itself is down there is no response: see the faults ``refuse`` and ``drop``.
"""

from __future__ import annotations

import json
import re
from typing import Any

EXCEPTIONS = {
    "database": "ConnectionRefusedError: [Errno 111] Connection refused",
    "database starting": "asyncpg.exceptions.CannotConnectNowError: the database system is starting up",
    "database stopping": "asyncpg.exceptions.CannotConnectNowError: the database system is shutting down",
    "database lost": "asyncpg.exceptions.ConnectionDoesNotExistError: connection was closed in the middle of operation",
    "transaction lost": "asyncpg.exceptions._base.InterfaceError: cannot call Transaction.__aexit__(): the underlying "
    "connection is closed",
    "database frozen": "TimeoutError",  # after 80 seconds
    "redis lost": "redis.exceptions.ConnectionError: Connection closed by server.",
}
"""What the body of the response names, by component: how PostgreSQL and Redis fail while a request is handled."""

SIGN_IN_COMPONENTS = ("redis", "sign-in")
"""Redis, and PostgreSQL for credentials that Redis has not cached: the error is outside all handlers."""

COMPONENTS = (*EXCEPTIONS, *SIGN_IN_COMPONENTS)
LOGIN_PATH, GRAPHQL_PATH = "/api/auth/login", "/graphql"
REDIS_REFUSED = "redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused."
OPERATION = re.compile(r"/api/projects/\w+/operations/background/(\w+)")
USER = {"name": "airflow", "attrib": {}, "data": {"isService": True}, "active": True, "uiExposureLevel": 900}


def reply(component: str, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the response.

    :param component: one of ``COMPONENTS``
    :param method: HTTP method of the request
    :param path: path, relative to the base URL of the product
    """
    if component in SIGN_IN_COMPONENTS and path != LOGIN_PATH:
        return 500, {"Content-Type": "text/plain; charset=utf-8"}, b"Internal Server Error"
    exception = EXCEPTIONS.get(component, REDIS_REFUSED if component == "redis" else EXCEPTIONS["database"])
    answer = None if component in {"redis", "redis lost"} else _answer_from_redis(path)
    if answer is not None:
        return _to_json(200, answer)
    if path == GRAPHQL_PATH:
        return _to_json(200, _build_graphql_error(exception))
    body = {"status": 500, "detail": exception, "traceback": f"{exception}\n\nayon_server/lib/postgres.py:231"}
    return _to_json(500, body)


def _answer_from_redis(path: str) -> dict[str, Any] | None:
    """Return the body of a response that needs no PostgreSQL, or None; background operations do not proceed."""
    operation = OPERATION.fullmatch(path)
    if operation:
        return {"id": operation[1], "status": "in_progress", "progress": 0.0, "result": None}
    return USER if path == "/api/users/me" else None


def _build_graphql_error(exception: str) -> dict[str, Any]:
    """Return an error with a path and without a status; the message lacks the name of the exception."""
    message = exception.partition(": ")[2]
    error = {"message": message, "locations": [{"line": 1, "column": 41}], "path": ["events"]}
    return {"data": None, "errors": [error]}


def _to_json(status: int, body: Any) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()
