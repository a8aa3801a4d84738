"""Errors that handlers raise; `middleware.py` turns them into responses."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """An error response in the envelope.

    :param status: HTTP status
    :param message: value of ``api_error_message``
    :param response: value of ``api_response``
    """

    def __init__(self, status: int, message: str, response: Any = "") -> None:
        super().__init__(message)
        self.status, self.message, self.response = status, message, response


def internal_error(response: Any = "") -> ApiError:
    """Return the error of an exception that the real server does not handle.

    :param response: value of ``api_response``
    """
    return ApiError(500, "Internal Server Error", response)


def access_denied(path: str, reason: str) -> ApiError:
    """Return the error of a request without permission.

    :param path: path of the request
    :param reason: the text in brackets
    """
    auth = {"allow_2fa": True, "allow_apikeys": True, "allow_security_tokens": True}
    return ApiError(403, f"Access Denied ({path}) [{reason}]", {"auth": auth, "ui": {"read_only": False}})


def missing_role(path: str, *roles: str) -> ApiError:
    """Return the error of a user without any of the required roles.

    :param path: path of the request
    :param roles: the roles
    """
    return access_denied(path, f"API {path} requires one of the following roles: {', '.join(roles)}")
