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
    """No endpoint can be selected: the version is missing or ambiguous, or the endpoint does not have it.

    :param message: the text for ``errorDetails``
    :param action: the action for the envelope, by default Rudder's own spelling of "unknown"
    """

    def __init__(self, message: str, action: str = "unknow") -> None:
        super().__init__(message)
        self.action = action


class EndpointNotFoundError(Exception):
    """No endpoint matches the request; the response is an HTML page with status 404."""


class InvalidJsonError(Exception):
    """The body has a JSON content type, but is not JSON; the response has status 412."""
