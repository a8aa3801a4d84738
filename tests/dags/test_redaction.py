"""No file of a real Airflow shows a credential, even if the servers repeat all headers and bodies that they receive."""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from demo.environment import Environment
from tests.dags.environment import TIMEOUT_SECONDS
from tests.hostile.server import Exchange, HostileServer, as_json

pytestmark = pytest.mark.airflow

DAG_ID, WORD = "echoed_credentials", "zebrafinch"
SECRET = f'a-"{WORD}"/+&=4711'
CONNECTIONS: dict[str, dict[str, Any]] = {
    "assemblyline": {"login": "admin", "extra": {"api_key": f"key:{SECRET}"}},
    "atrocore": {"login": "airflow", "password": SECRET, "extra": {"dialect": "2.3"}},
    "ayon": {"extra": {"api_key": SECRET}},
    "rudder": {"password": SECRET},
}
STATUSES = (403, 503)
FORMS = (str, quote, json.dumps, lambda text: base64.b64encode(text.encode()).decode())


def echo(exchange: Exchange) -> None:
    """Repeat the request in a form that differs between requests, with the status that the base URL names."""
    received = " ".join([*exchange.headers.values(), exchange.body.decode()])
    text = FORMS[next(numbers) % len(FORMS)](received)
    status = next(status for status in STATUSES if exchange.target.startswith(f"/status-{status}/"))
    names = ("api_error_message", "detail", "errorDetails", "message", "reason", "traceback")
    body = {"api_response": text, "result": "error", **dict.fromkeys(names, text)}
    as_json(body, status, {"Retry-After": "1", "X-Status-Reason": " ".join(text.split())})(exchange)


numbers = itertools.count()


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer(echo) as running:
        yield running


def find_leaks(folder: Path) -> list[str]:
    """Return the files that show the secret, with its surroundings."""
    pattern = re.compile("|".join([WORD, *map(encode_word, range(3))]).encode())
    files = [path for path in folder.rglob("*") if path.is_file()]
    found = [(path.relative_to(folder), pattern.search(path.read_bytes())) for path in files]
    return [f"{path}: {match.string[match.start() - 60 : match.end() + 30]!r}" for path, match in found if match]


def encode_word(offset: int) -> str:
    """Return the Base64 digits that depend on nothing but the word, for a number of bytes before it."""
    return base64.b64encode(b"x" * offset + WORD.encode()).decode()[4 if offset else 0 : -4]


def test_no_file_of_airflow_shows_a_credential_that_servers_repeat(environment: Environment, server: HostileServer):
    api = environment.airflow.api
    for product, connection in CONNECTIONS.items():
        for status in STATUSES:
            extra = {"retry_timeout": 0, **connection.get("extra", {})}
            host = {"conn_type": product, "host": f"{server.url}/status-{status}", "extra": extra}
            api.create_connection(f"{product}_echo_{status}", {**connection, **host})
    run_id = api.trigger_run(DAG_ID)
    *_, tasks = api.watch_run(DAG_ID, run_id, TIMEOUT_SECONDS)
    assert [task.state for task in tasks] == ["failed"] * 12
    assert {task.try_number for task in tasks if task.task_id.endswith("503")} == {2}
    assert any(WORD in str(exchange.headers) for exchange in server.requests)
    assert find_leaks(environment.airflow.home) == []
