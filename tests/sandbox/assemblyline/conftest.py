"""The fake server, and functions that send requests to it."""

from __future__ import annotations

import json

import pytest
import requests

from self_hosted.sandbox.assemblyline import Assemblyline
from tests.sandbox.assemblyline.api import STANDARD_KEY, parse_reply


@pytest.fixture(scope="module")
def _served(serve):
    return serve(Assemblyline())


@pytest.fixture
def served(_served):
    _served.reset()
    return _served


@pytest.fixture
def fast(served):
    """Complete analyses immediately."""
    served.seed({"delay": 0})


@pytest.fixture
def send(served):
    """``send("GET", "user/whoami/")``: the HTTP response; with the standard API key by default."""

    def send_request(method, path, headers=STANDARD_KEY, **options):
        url = f"{served.base_url}/api/v4/{path}"
        return requests.request(method, url, headers=headers, allow_redirects=False, timeout=60, **options)

    return send_request


@pytest.fixture
def call(send):
    """``call("GET", "user/whoami/")``: the same as status, message and response."""
    return lambda *args, **options: parse_reply(send(*args, **options))


@pytest.fixture
def upload(call):
    """``upload("submit/", "RIG-SCORE:5", params={...})``: the reply to the upload of a file."""

    def upload_file(path, content, name="a.txt", **options):
        data = content if isinstance(content, bytes) else content.encode()
        return call("POST", path, data={"json": json.dumps(options)}, files={"bin": (name, data)})

    return upload_file


@pytest.fixture
def submit(upload):
    """``submit("RIG-SCORE:5", params={...})``: the document of the new submission."""
    return lambda content, **options: upload("submit/", content, **options).response


@pytest.fixture
def ingest(upload):
    """``ingest("RIG-SCORE:5", params={...})``: the id of the ingest."""
    return lambda content, **options: upload("ingest/", content, **options).response["ingest_id"]


@pytest.fixture
def search(call):
    """``search("max_score:>5", fl="sid")``: the response to a search of submissions."""
    return lambda query, **params: call("POST", "search/submission/", json={"query": query, **params}).response
