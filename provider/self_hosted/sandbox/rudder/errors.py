"""Errors that handlers raise; `middleware.py` turns them into responses."""

from __future__ import annotations


class ApiError(Exception):
    """An error response. Rudder uses status 500 for every error of a handler.

    :param message: the text for ``errorDetails``
    :param id: the id for the envelope, which few errors carry
    """

    def __init__(self, message: str, id: str | None = None) -> None:
        super().__init__(message)
        self.message, self.id = message, id


class VersionError(ApiError):
    """The requested API version is missing or ambiguous, so that no endpoint can be selected."""


class EndpointNotFoundError(Exception):
    """No endpoint matches the request; the response is an HTML page with status 404."""
