"""The login with user and password."""

from __future__ import annotations

from self_hosted.ayon.errors import LOGIN_PATH
from self_hosted.core.http.flow import Flow, Request


def log_in(name: str, password: str) -> Flow[str]:
    """Log in and return the token of the session (``POST /api/auth/login``).

    :param name: name of the user
    :param password: password of the user
    :raises AuthenticationError: if AYON rejects the login
    """
    body = {"name": name, "password": password}
    return str((yield Request("POST", LOGIN_PATH, json=body, idempotent=True)).json()["token"])
