"""The stand-in, and ways to ask it."""

from __future__ import annotations

import pytest
import requests

from self_hosted.sandbox.assemblyline import Assemblyline
from tests.sandbox.assemblyline.asking import KEY


@pytest.fixture(scope="module")
def _served(serve):
    return serve(Assemblyline())


@pytest.fixture
def served(_served):
    _served.reset()
    return _served


@pytest.fixture
def call(served):
    """``call("GET", "user/whoami/")``: status and envelope; by API key unless told otherwise."""

    def send(method, path, headers=KEY, **body):
        return requests.request(
            method, f"{served.base_url}/api/v4/{path}", headers=headers, allow_redirects=False, timeout=10, **body
        )

    return send


@pytest.fixture
def submit(call):
    """``submit("RIG-SCORE:5")``: the submission's document, as answered."""

    def send(words, options="{}", name="a.txt"):
        data = words if isinstance(words, bytes) else words.encode()
        return call("POST", "submit/", data={"json": options}, files={"bin": (name, data)})

    return send


@pytest.fixture
def ingest(call):
    """``ingest("RIG-SCORE:5")``: the ingest's id."""

    def send(words, options="{}"):
        reply = call("POST", "ingest/", data={"json": options}, files={"bin": ("a.txt", words.encode())})
        return reply.json()["api_response"]["ingest_id"]

    return send
