"""Errors that handlers raise; `middleware.py` turns them into responses."""

from __future__ import annotations


class ApiError(Exception):
    """An error response.

    :param status: HTTP status
    :param message: the reason; often empty
    """

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message)
        self.status, self.message = status, message


class SchemaError(ApiError):
    """A request or a response does not match the server's own OpenAPI document.

    :param subject: request or response, and the reason
    """

    def __init__(self, subject: str) -> None:
        super().__init__(400, f'Body does not match schema for content-type "application/json" for {subject}')
