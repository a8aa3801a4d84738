"""What the tests of this stand-in ask, and how."""

from __future__ import annotations

KEY = {"X-User": "admin", "X-Apikey": "sandbox:sandbox-secret"}


def message(reply):
    return reply.status_code, reply.json()["api_error_message"]


def found(call, query, **asked):
    return call("POST", "search/submission/", json={"query": query, **asked}).json()["api_response"]
