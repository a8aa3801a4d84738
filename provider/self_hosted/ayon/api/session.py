"""The login with user and password."""

from __future__ import annotations

from typing_extensions import TypedDict

from self_hosted.ayon.errors import LOGIN_PATH
from self_hosted.core.http.flow import Flow, Request
from self_hosted.core.http.shape import check_shape


class _Session(TypedDict):
    token: str


def log_in(name: str, password: str) -> Flow[str]:
    """Log in and return the token of the session (``POST /api/auth/login``).

    :param name: name of the user
    :param password: password of the user
    :raises AuthenticationError: if AYON rejects the login
    """
    body = {"name": name, "password": password}
    reply = yield Request("POST", LOGIN_PATH, json=body, idempotent=True)
    return check_shape(reply, reply.json(), _Session)["token"]
