"""Errors that handlers raise, with the several error bodies of the real server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

CRASHED = "Internal Server Error"
ABORTED_TRANSACTION = "current transaction is aborted, commands ignored until end of transaction block"


class ApiError(Exception):
    """An error response.

    :param status: HTTP status
    :param detail: message for users
    :param fields: further fields of the body
    """

    def __init__(self, status: int, detail: str, **fields: Any) -> None:
        super().__init__(detail)
        self.status, self.body = status, {"code": status, "detail": detail, **fields}

    def build_response(self) -> Response:
        """Return the response."""
        return JSONResponse(self.body, self.status)


class ValidationError(ApiError):
    """A body that does not match its model.

    :param problems: message by field
    """

    def __init__(self, request: Request, problems: Mapping[str, str]) -> None:
        path = get_api_path(request)
        super().__init__(
            400,
            f"Request validation error in [{request.method}] {path}",
            path=path,
            traceback="\n".join(f"{field}: {message}" for field, message in problems.items()),
            errors=[
                {"loc": ["body", *field.split(".")], "msg": message, "type": "value_error"}
                for field, message in problems.items()
            ],
        )


class UnhandledError(ApiError):
    """An exception in a handler. The body has other fields, and a traceback.

    :param kind: name of the exception
    """

    def __init__(self, kind: str, detail: str) -> None:
        message = f"{kind}: {detail}"
        super().__init__(500, message)
        self.body = {"status": 500, "detail": message, "traceback": f"{message}\n\nserver/file.py:1"}


class AbortedTransactionError(UnhandledError):
    """A violated constraint of the database. The body does not name the constraint."""

    def __init__(self) -> None:
        super().__init__("asyncpg.exceptions.InFailedSQLTransactionError", ABORTED_TRANSACTION)


class CrashError(ApiError):
    """An error outside all handlers."""

    def __init__(self) -> None:
        super().__init__(500, CRASHED)

    def build_response(self) -> Response:
        """Return the response, which is plain text and ends the connection."""
        return CrashResponse(CRASHED, self.status)


class CrashResponse(PlainTextResponse):
    """A response after which the server closes the connection without announcing it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, then close the connection."""
        await super().__call__(scope, receive, send)
        cycle: Any = receive.__self__  # type: ignore[attr-defined]  # uvicorn's request cycle holds the connection
        cycle.transport.close()


def get_api_path(request: Request) -> str:
    """Return the path of a request below the server's base URL."""
    return request.url.path.removeprefix(request.scope.get("root_path", ""))
