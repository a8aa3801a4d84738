"""Requests to the fake server, without our hook."""

from __future__ import annotations

from typing import Any, NamedTuple

import requests

STANDARD_KEY = {"X-User": "admin", "X-Apikey": "sandbox:sandbox-secret"}
READ_ONLY_KEY = {"X-User": "admin", "X-Apikey": "readonly:readonly-secret"}
FULL_KEY = {"X-User": "admin", "X-Apikey": "full:full-secret"}
OTHER_USER_KEY = {"X-User": "user", "X-Apikey": "sandbox:user-secret"}
UNKNOWN_SHA256 = "0" * 64


class Reply(NamedTuple):
    """The envelope of a response."""

    status: int
    message: str | None
    response: Any

    @property
    def error(self) -> tuple[int, str | None]:
        return self.status, self.message


def parse_reply(reply: requests.Response) -> Reply:
    envelope = reply.json()
    return Reply(reply.status_code, envelope["api_error_message"], envelope["api_response"])
