"""Replay of a transcript of a real Rudder: the data that its server had at the start, the requests, the comparison."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import Served

TRANSCRIPT = Path(__file__).parents[3].parent / "shared/reference/data/rudder-transcript.jsonl"
VARIABLE = re.compile(r"\$\{(\w+)\}")
SWITCHES = {
    "validation": "validation",
    "plugin": "plugin",
    "selfValidation": "self_validation",
    "selfDeployment": "self_deployment",
    "acl": "api_authorizations",
    "reasonMandatory": "reason_mandatory",
}
SYSTEM_RULE = "hasPolicyServer-root"
COMPUTED_FIELDS = {"policyMode", "status"}

Step = dict[str, Any]


def load_steps() -> list[Step]:
    """Return the steps; skip the test without the transcript, which is not part of this project."""
    if not TRANSCRIPT.is_file():
        pytest.skip("the transcript of a real Rudder is not available")
    lines = map(json.loads, TRANSCRIPT.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if "request" in line]


def seed_start(served: Served, steps: list[Step]) -> None:
    """Replace the sample data by the data that the real server had, as far as its responses show it."""
    tables = served.tables()
    served.seed({"removed": [row["id"] for row in (*tables["rules"], *tables["nodes"])]})
    listed = _first(steps, "/api/latest/rules", "rules")
    compliance = _first(steps, "/api/latest/compliance/rules", "rules")
    details = [rule["status"].get("details", "") for rule in listed]
    served.seed({
        "rules": [*map(_rule, listed), *map(_reported_rule, compliance), _system_rule(steps)],
        "nodes": list(_nodes(steps)),
        "parameters": _first(steps, "/api/latest/parameters", "parameters"),
        "categories": [{"id": "category1", "name": "Category 1"}],
        "reports": {
            item["id"]: {"details": item["complianceDetails"]}
            for item in (*compliance, *_first(steps, "/api/latest/compliance/nodes", "nodes"))
        },
        "disabled_directives": re.findall(r"Directive '(?:directive )?([^']+)' disabled", ", ".join(details)),
        "empty_groups": ["group:1111f5d3-8c61-4d20-88a7-bb947705ba8a", "group:nope"],
        "accounts": {f"token of {account['id']}": account for account in _accounts()},
        "unique_names": False,
        "generation_seconds": 86400,
    })


class Replay:
    """Sends the steps in order, and compares the responses.

    :param served: the fake server
    """

    def __init__(self, served: Served) -> None:
        self.served, self.variables = served, dict[str, Any]()

    def run(self, step: Step) -> list[str] | None:
        """Return the differences between the recorded response and this one; None if nothing was compared."""
        request = self._fill(step["request"])
        if request["method"] == "SWITCH":
            switches = {SWITCHES[name]: value for name, value in request["json"].items() if name in SWITCHES}
            self.served.seed(switches)
            return None
        response = self._send(request, step["as"])
        if response.ok:
            variables = (step.get("vars") or {}).items()
            self.variables.update({name: _follow(response.json(), pointer) for name, pointer in variables})
        return list(_compare(step["response"], response))

    def _send(self, request: dict[str, Any], role: str) -> requests.Response:
        headers = {} if role == "anonymous" else {"X-API-Token": f"token of {role}"}
        text = request.get("text")
        return requests.request(
            request["method"],
            self.served.base_url + request["path"],
            params=request.get("query"),
            headers={**headers, **(request.get("headers") or {})},
            json=request.get("json"),
            data=request.get("form") if text is None else text.encode(),
            timeout=60,
            allow_redirects=False,
        )

    def _fill(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._fill(item) for name, item in value.items()}
        if isinstance(value, str):
            return VARIABLE.sub(lambda match: str(self.variables.get(match[1], match[0])), value)
        return value


def _compare(recorded: dict[str, Any], response: requests.Response) -> Iterator[str]:
    if recorded["status"] != response.status_code:
        yield f"status {response.status_code} instead of {recorded['status']}"
        return
    expected, actual = ((media or "").partition(";")[0] for media in (recorded["content_type"], _media_type(response)))
    if expected != actual:
        yield f"media type {actual} instead of {expected}"
    if "json" in recorded:
        yield from _compare_shapes(recorded["json"], _json_of(response), "")


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
    return response.json() if "json" in (_media_type(response) or "") else None


def _media_type(response: requests.Response) -> str | None:
    return response.headers.get("content-type")


def _follow(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def _first(steps: list[Step], path: str, container: str) -> list[dict[str, Any]]:
    """Return the content of the first successful GET of a list."""
    found = (step for step in steps if (step["request"]["method"], step["request"]["path"]) == ("GET", path))
    success = next(step["response"] for step in found if step["response"]["status"] == 200)
    return success["json"]["data"][container]  # type: ignore[no-any-return]


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if name not in COMPUTED_FIELDS}


def _reported_rule(found: dict[str, Any]) -> dict[str, Any]:
    targets = ["policyServer:bn1", "policyServer:bn2"] if found["id"].startswith("b") else ["policyServer:n1"]
    return {"id": found["id"], "displayName": found["name"], "directives": ["directive1"], "targets": targets}


def _system_rule(steps: list[Step]) -> dict[str, Any]:
    [rule] = _first(steps, f"/api/latest/rules/{SYSTEM_RULE}", "rules")
    return _rule(rule)


def _nodes(steps: list[Step]) -> Iterator[dict[str, Any]]:
    """Yield the nodes, with the most detailed JSON that any response shows."""
    known: dict[str, dict[str, Any]] = {}
    reads = [step for step in steps if step["request"]["method"] == "GET" and step["area"] in {"nodes", "compliance"}]
    for step in reads:
        data = step["response"].get("json", {}).get("data")
        for item in data.get("nodes", []) if isinstance(data, dict) else []:
            node = _from_short(item[0]) if isinstance(item, list) else item
            if node.get("status") != "deleted":
                known[node["id"]] = {"hostname": node.get("name"), **known.get(node["id"], {}), **node}
    for node in known.values():
        fields = {str(name): node.pop(name) for name in ("hostname", "status", "state") if name in node}
        yield {"id": node["id"], "status": "accepted", **fields, "details": _details(node)}


def _from_short(node: dict[str, Any]) -> dict[str, Any]:
    """Return the usual JSON of a pending node whose JSON is short."""
    system = {"name": node["osName"], "version": node["osVersion"]}
    return {name: node[name] for name in ("id", "hostname", "status")} | {
        "os": system,
        "machine": {"type": node["machineType"]},
    }


def _details(node: dict[str, Any]) -> dict[str, Any]:
    of_compliance = {"name", "compliance", "mode", "complianceDetails", "rules", "id"}
    return {name: value for name, value in node.items() if name not in of_compliance}


def _accounts() -> list[dict[str, Any]]:
    soon = datetime.now(UTC) + timedelta(days=5)
    user = {"rights": "rw", "kind": "user", "validator": True}
    return [
        {"id": "automation", "name": "automation", "rights": "rw"},
        {"id": "reader", "name": "reader", "rights": "ro"},
        {"id": "nobody", "name": "nobody", "rights": "none"},
        {"id": "acl", "name": "acl", "rights": "acl", "access": [["rules/*", ["GET", "POST"]]]},
        {"id": "validator", "name": "validator", **user, "deployer": True},
        {"id": "assistant", "name": "assistant", **user},
        {"id": "soon", "name": "soon", "rights": "rw", "expiration_date": soon.isoformat()},
        {"id": "system", "name": "system", "rights": "rw", "kind": "system", "validator": True, "deployer": True},
    ]
