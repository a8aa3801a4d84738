"""Servers on this machine: free ports, and JSON over HTTP that bypasses any proxy."""

from __future__ import annotations

import socket
from typing import Any

import requests

from demo.program import ProgramError

TIMEOUT_SECONDS = 30.0


def find_free_port(preferred: int = 0) -> int:
    """Return the preferred port of 127.0.0.1, or another one if it is in use.

    :param preferred: the port; any by default
    :raises ProgramError: if no port is free
    """
    for port in (preferred, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as probe:
                return int(probe.getsockname()[1])
        except OSError:
            continue
    raise ProgramError("no port of 127.0.0.1 is free; stop a server and try again")


def get_json(url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> Any:
    """Return the JSON at a URL.

    :param url: the URL
    :param timeout_seconds: maximum time without data from the server
    :raises requests.RequestException: if there is no response, or its status is an error
    """
    return _request("GET", url, None, timeout_seconds)


def post_json(url: str, data: Any) -> Any:
    """Send JSON to a URL and return the JSON of the response.

    :raises requests.RequestException: if there is no response, or its status is an error
    """
    return _request("POST", url, data, TIMEOUT_SECONDS)


def _request(method: str, url: str, data: Any, timeout_seconds: float) -> Any:
    with requests.Session() as session:
        session.trust_env = False  # else a proxy of the environment would take the request
        response = session.request(method, url, json=data, timeout=timeout_seconds)
    response.raise_for_status()
    return response.json()
