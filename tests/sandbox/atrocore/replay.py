"""Replay of the transcripts of two real servers: the requests in order, and the comparison of the responses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from tests.conftest import Served
from tests.sandbox.atrocore.client import PASSWORD, USER, encode_credentials

FOLDER = Path(__file__).parents[3].parent / "shared/reference/data"
VARIABLE = re.compile(r"\$\{(\w+)\}")
CRON_SECONDS = 3600  # by which the server's clock advances in each round, so that all jobs end
CRON_ROUNDS = 2  # jobs create further ones
LOST_RESPONSE = 0  # the status of a response whose status line has none
GIVEN_VARIABLES = {"ben_password": "Password-of-ben-1"}
ROLES: dict[str, dict[str, str]] = {
    "none": {},
    "admin": {"Authorization-Token": "${admin_token}"},
    "admin-old": {"Authorization-Token": "${old_token}"},
    "admin-basic": {"Authorization": f"Basic {encode_credentials(USER, PASSWORD)}"},
    "admin-basic-token": {"Authorization": "Basic ${admin_token}"},
    "admin-espo": {"Espo-Authorization": encode_credentials(USER, PASSWORD)},
    "admin-wrong-password": {"Authorization": f"Basic {encode_credentials(USER, 'wrong')}"},
    "admin-wrong-token": {"Authorization-Token": encode_credentials(USER, "0" * 32)},
    "garbage-token": {"Authorization-Token": "???"},
    "bearer": {"Authorization": "Bearer ${admin_token}"},
    "ben-basic": {"Authorization": f"Basic {encode_credentials('ben', GIVEN_VARIABLES['ben_password'])}"},
    "ben": {"Authorization-Token": "${ben_token}"},
}

Step = dict[str, Any]


class Replayed(NamedTuple):
    """One step, and how its response differs from the recorded one."""

    step: Step
    differences: list[str]


def load_steps(version: str) -> list[Step]:
    """Return the steps; skip the test without the transcript, which is not part of this project."""
    transcript = FOLDER / f"atrocore-{version}-transcript.jsonl"
    if not transcript.is_file():
        pytest.skip(f"the transcript of a real AtroCore {version} is not available")
    lines = map(json.loads, transcript.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if "request" in line]


class Replay:
    """Sends the steps in order, and compares the responses.

    :param served: the fake server, in the state of the real one at the start
    """

    def __init__(self, served: Served) -> None:
        self.served, self.variables = served, dict[str, Any](GIVEN_VARIABLES)

    def run(self, step: Step) -> list[str] | None:
        """Return the differences between the recorded response and this one; None if the step is not compared."""
        request = self._fill(step["request"])
        if request["method"] == "CRON":
            self._run_cron()
            return None
        if "at_once" in request:  # the responses depend on the moment
            return None
        try:
            response = self._send(request, step["as"])
        except requests.ConnectionError:
            status = step["response"]["status"]
            return [] if status == LOST_RESPONSE else [f"no response instead of status {status}"]
        document = _json_of(response)
        for name, pointer in (step.get("vars") or {}).items():
            if (value := _follow(document, pointer)) is not None:
                self.variables[name] = value
        return None if "suspect" in step else list(_compare(step, response, document))

    def _run_cron(self) -> None:
        for _ in range(CRON_ROUNDS):
            self.served.seed({"cron": True, "advance_seconds": CRON_SECONDS})
            self.served.tables()  # brings all jobs to their state
        self.served.seed({"cron": False})

    def _send(self, request: dict[str, Any], role: str) -> requests.Response:
        text, body = request.get("text"), request.get("json")
        content_type = {"Content-Type": "application/json"} if text is not None or body is not None else {}
        return requests.request(
            request["method"],
            self.served.base_url + request["path"],
            params=request.get("query"),
            headers={**content_type, **self._fill(ROLES[role]), **(request.get("headers") or {})},
            data=json.dumps(body) if text is None and body is not None else (text or "").encode(),
            timeout=60,
            allow_redirects=False,
        )

    def _fill(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._fill(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._fill(item) for item in value]
        if isinstance(value, str):
            return VARIABLE.sub(lambda match: str(self.variables.get(match[1], match[0])), value)
        return value


def _compare(step: Step, response: requests.Response, document: Any) -> Iterator[str]:
    recorded = step["response"]
    if recorded["status"] != response.status_code:
        yield f"status {response.status_code} instead of {recorded['status']}"
        return
    media_types = (recorded.get("content_type"), response.headers.get("content-type"))
    expected, actual = ((media_type or "").partition(";")[0] for media_type in media_types)
    if expected and expected != actual:
        yield f"media type {actual} instead of {expected}"
    if recorded.get("json") is not None and step.get("compare") != "status":
        # of a response that was cut, only the rest can be compared
        found = _compare_shapes(recorded["json"], document, "")
        yield from (text for text in found if "cut" not in step or not text.endswith(": additional"))


def _compare_shapes(real: Any, fake: Any, path: str) -> Iterator[str]:
    """Yield the differences of keys and kinds of values; of lists, those of all items together."""
    if isinstance(real, dict) and isinstance(fake, dict):
        yield from (f"{path}/{key}: missing" for key in real.keys() - fake.keys())
        yield from (f"{path}/{key}: additional" for key in fake.keys() - real.keys())
        for key in real.keys() & fake.keys():
            yield from _compare_shapes(real[key], fake[key], f"{path}/{key}")
    elif isinstance(real, list) and isinstance(fake, list):
        if bool(real) != bool(fake):
            yield f"{path}: {len(fake)} items instead of {len(real)}"
        elif real:
            yield from _compare_shapes(_merge(real), _merge(fake), f"{path}[]")
    elif None not in (real, fake) and _kind(real) != _kind(fake):
        yield f"{path}: {_kind(fake)} instead of {_kind(real)}"


def _merge(items: list[Any]) -> Any:
    is_objects = all(isinstance(item, dict) for item in items)
    return {key: value for item in items for key, value in item.items()} if is_objects else items[0]


def _kind(value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if is_number else type(value).__name__


def _json_of(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _follow(document: Any, pointer: str) -> Any:
    """Return the value that a JSON pointer leads to; None if there is none."""
    for part in pointer.split("/")[1:]:
        try:
            document = document[int(part)] if isinstance(document, list) else document[part]
        except (LookupError, TypeError, ValueError):
            return None
    return document
