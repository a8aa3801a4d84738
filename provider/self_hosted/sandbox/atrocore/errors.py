"""Errors that handlers raise; `middleware.py` turns them into responses, and `upserts.py` into results of items."""

from __future__ import annotations

from typing import Any

NO_STATUS = 0
"""The status of a response whose status line has none: cores before 2.3 send it for errors of the database."""

CONSTRAINTS = "The record cannot be created due to database constraints."


class ApiError(Exception):
    """An error response.

    :param status: HTTP status
    :param message: the reason; often empty
    :param item_code: the code of a failed item of an upsert; the status by default
    :param hidden: whether only the result of an upsert contains the message, as with errors of PHP itself
    """

    def __init__(self, status: int, message: str = "", *, item_code: int | None = None, hidden: bool = False) -> None:
        super().__init__(message)
        self.status, self.message, self.hidden = status, message, hidden
        self.item_code = status if item_code is None else item_code
        self.headers: dict[str, str] = {}


class AuthenticationError(ApiError):
    """A request lacks valid credentials.

    :param has_reason: whether the response names a reason
    :param is_missing: whether there are no credentials at all
    """

    def __init__(self, has_reason: bool, *, is_missing: bool = False) -> None:
        super().__init__(401, "Unauthorized" if has_reason else "", hidden=not has_reason)
        self.headers = {"WWW-Authenticate": 'Basic realm=""'} if is_missing and not has_reason else {}


class DatabaseError(ApiError):
    """An error of the database, whose code cores before 2.3 use as the status of the response.

    :param reason: message of PostgreSQL with its SQLSTATE
    :param has_status: whether the response has a valid status
    """

    def __init__(self, reason: str, *, has_status: bool) -> None:
        message = f"An exception occurred while executing a query: SQLSTATE{reason}"
        super().__init__(500 if has_status else NO_STATUS, message, item_code=7)


class SchemaError(ApiError):
    """A request or a response does not match the server's own OpenAPI document.

    :param subject: request or response, and the reason
    """

    def __init__(self, subject: str) -> None:
        super().__init__(400, f'Body does not match schema for content-type "application/json" for {subject}')


def require(condition: Any, status: int, message: str = "") -> None:
    """Raise an error unless a condition is met.

    :raises ApiError: if it is not
    """
    if not condition:
        raise ApiError(status, message)
