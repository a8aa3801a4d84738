"""Every flow that a hook publishes, with arguments for it, and the ways to run it against a server that lies.

A new flow needs a line here only if it has a parameter of a new name.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Generator, Mapping
from importlib import import_module
from inspect import Parameter
from typing import Any, BinaryIO, NamedTuple

from self_hosted.assemblyline.api.alerts.changes import AlertChanges
from self_hosted.assemblyline.api.alerts.queries import AlertQuery
from self_hosted.atrocore.api.feed_jobs import FeedRun
from self_hosted.ayon.api.projects.project_spec import ProjectSpec
from self_hosted.core.connection.hook import SelfHostedHook
from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.http.flow import Flow, Reply, Request, Upload
from self_hosted.core.http.pagination import Paginator
from tests.meta.source import PRODUCTS, find_classes, list_parameters

MAX_STEPS = 500
SHA256 = "a" * 64
ENTITY_ID = "b" * 32
TAG = "c" * 32
RESULT_KEY = f"{SHA256}.Extract.v4_7_0_1.c0"
SSDEEP = "3:AIO9AJraNvsgzsVqSwyyh0:AeOlzsVqSw"
UPLOAD = Upload("a.txt", lambda: io.BytesIO(b"hello"), 5)
YARA = "rule found { condition: true }"


@contextlib.contextmanager
def save_nowhere() -> Generator[BinaryIO]:
    yield io.BytesIO()


ARGUMENTS: Mapping[str, Any] = {
    "alert_id": "x1",
    "alert_query": AlertQuery("owner:none"),
    "anatomy": {},
    "arguments": {},
    "body": {"name": "project", "code": "p"},
    "bundle": UPLOAD,
    "change_request_id": "7",
    "changes": {},
    "classification": "TLP:C",
    "component": "ingester",
    "copy_sid": "x2",
    "definition": {"name": "a", "query": "*"},
    "enabled": True,
    "entity": "Product",
    "entries": [],
    "entry": {},
    "entry_id": SHA256,
    "event_hash": "run-1",
    "event_id": ENTITY_ID,
    "event_ids": [ENTITY_ID],
    "expiry": "2027-01-31T12:00:00Z",
    "feed_id": "f1",
    "field": "name",
    "groups": ["editor"],
    "hash": SHA256,
    "hashes": [SHA256, SSDEEP],
    "heur_id": "CAPE.1",
    "idempotency_key": TAG,
    "ids": [SHA256],
    "index": "submission",
    "ingest_ids": ["x1"],
    "job_id": "j1",
    "job_ids": ["j1"],
    "key": "x1",
    "key_field": "number",
    "keys": ["x1"],
    "kind": "rule",
    "labels": ["seen"],
    "list_name": "badlist",
    "max_items": 10,
    "name": "name",
    "node_id": "n1",
    "node_ids": ["n1"],
    "operation_id": ENTITY_ID,
    "options": {},
    "payloads": [{"id": "r1", "name": "a"}],
    "priority": "HIGH",
    "profile": "static",
    "project": "project",
    "project_spec": ProjectSpec("project", "p", users={"anna": ["editor"]}),
    "query": "*",
    "queue": "queue",
    "record_id": "r1",
    "results": [RESULT_KEY],
    "rows": {"W-1": {"name": "a"}},
    "rule_id": "e1",
    "save_to": save_nowhere,
    "schema": None,
    "search_classification": "TLP:C",
    "sender": "airflow",
    "service": "Extract",
    "sha256": SHA256,
    "sha256s": [SHA256],
    "sid": "x1",
    "sids": ["x1"],
    "settings": {"uri": "https://example.com/rules.git"},
    "signature": {"name": "a", "data": YARA},
    "signature_id": "yara_source_rule",
    "signature_ids": ["yara_source_rule"],
    "signature_type": "yara",
    "signatures": [{"name": "a", "data": YARA}],
    "source": {"sha256": SHA256},
    "source_type": "user",
    "status": "DISABLED",
    "tag": TAG,
    "target_id": "e1",
    "text": "query { me { name } }",
    "topic": "airflow.done",
    "user": "anna",
    "value": "EMOTET",
    "values": {"name": "a"},
    "variables": {},
    "verdict": "malicious",
    "version_id": ENTITY_ID,
    "workflow_id": "x1",
    "yara_signature": YARA,
}
"""Arguments by the name of the parameter."""

LIST_ENTRY = {"type": "file", "hashes": {"sha256": SHA256}, "sources": [{"name": "a", "type": "user", "reason": ["b"]}]}
OWN_ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "assemblyline.add_many_to_list": {"entries": [LIST_ENTRY]},
    "assemblyline.add_signature": {"source": "own"},
    "assemblyline.add_signatures": {"source": "own"},
    "assemblyline.add_to_list": {"entry": LIST_ENTRY},
    "assemblyline.count_alerts_by": {"field": "labels"},
    "assemblyline.fetch_signature_sources": {"names": ["source"]},
    "assemblyline.find_similar_in_badlist": {"value": SSDEEP},
    "assemblyline.get_result": {"key": RESULT_KEY},
    "assemblyline.get_result_error": {"key": f"{RESULT_KEY}.e1"},
    "assemblyline.import_bundle": {"rescan_services": ["Extract"]},
    "assemblyline.remove_list_entry_source": {"source": "anna"},
    "assemblyline.set_alert_status": {"status": "TRIAGE"},
    "assemblyline.set_list_entry_attribution": {"kind": "family"},
    "assemblyline.set_list_entry_classification": {"source": "anna"},
    "assemblyline.start_retrohunt": {"options": {"description": "a"}},
    "assemblyline.start_retrohunt_once": {"options": {"description": "a"}},
    "assemblyline.update_alert": {"changes": AlertChanges(["SEEN"], verdict="malicious", take_ownership=True)},
    "assemblyline.update_alerts": {"changes": AlertChanges(["SEEN"], verdict="malicious", take_ownership=True)},
    "assemblyline.update_service": {"changes": {"enabled": False}},
    "assemblyline.update_workflow": {"changes": {"name": "b"}},
    "atrocore.find_export_jobs": {"keys": ["j1", FeedRun("f1", "2026-01-01 00:00:00")]},
    "atrocore.find_import_jobs": {"keys": ["j1", FeedRun("f1", "2026-01-01 00:00:00")]},
    "atrocore.find_records": {"values": ["W-1"]},
    "ayon.get_entity_statuses": {"ids": {"project": {"version": [ENTITY_ID]}}},
    "ayon.get_project_creator": {"name": "project"},
    "ayon.update_project": {"changes": {"label": "a"}},
    "rudder.accept_change_request": {"status": "Deployed"},
    "rudder.list_change_requests": {"status": "open"},
}
"""Arguments that differ for a flow, by the name of the hook method."""


class PublishedFlow(NamedTuple):
    """A flow that is a method of a hook.

    :param product: its product
    :param hook: class of the hook
    :param method: name of the method
    :param function: the flow function, or the function that returns a paginator
    """

    product: str
    hook: Any
    method: str
    function: Any

    def __str__(self) -> str:
        return f"{self.product}.{self.method}"

    @property
    def parameters(self) -> list[Parameter]:
        """The parameters."""
        return list_parameters(self.function)

    def arguments(self) -> dict[str, Any]:
        """Return a value for each required parameter, and for those that `OWN_ARGUMENTS` lists."""
        required = [found.name for found in self.parameters if found.default is Parameter.empty]
        own = OWN_ARGUMENTS.get(str(self), {})
        return {**{name: ARGUMENTS[name] for name in required if name not in own}, **own}

    def create(self, arguments: Mapping[str, Any]) -> Flow[Any]:
        """Return the flow. A paginated list is read to its end."""
        made = self.function(**arguments)
        return _read_all(made) if isinstance(made, Paginator) else made


def _read_all(paginator: Paginator[Any]) -> Flow[list[Any]]:
    found, cursor = [], paginator.first_cursor
    while cursor is not None:
        items, cursor = yield from paginator.read_page(cursor)
        found += items
    return found


def list_published_flows(product: str) -> list[PublishedFlow]:
    """Return all flows that the hook of a product publishes."""
    [hook] = find_classes(product, "hook", SelfHostedHook)
    return [
        PublishedFlow(product, hook, name, member.__wrapped__)
        for name, member in vars(hook).items()
        if hasattr(member, "__wrapped__") and member.__wrapped__.__module__.startswith(f"self_hosted.{product}.api")
    ]


FLOWS = [flow for product in PRODUCTS for flow in list_published_flows(product)]


class Steps:
    """The steps of a flow that runs by hand: no request is sent, and no pause takes time.

    :param parse_error: the error function of the product
    :param answer: returns the status and the body for a request
    """

    def __init__(self, parse_error: Any, answer: Callable[[Request], tuple[int, str, bytes]]) -> None:
        self.parse_error, self.answer = parse_error, answer
        self.requests: list[Request] = []

    def run(self, flow: Flow[Any]) -> Any:
        """Run the flow to its end, as the retries and the transports do, and return its result."""
        try:
            step = next(flow)
            for _ in range(MAX_STEPS):
                step = self._perform(flow, step)
        except StopIteration as end:
            return end.value
        raise AssertionError(f"the flow has no end; it continues with {step}")

    def _perform(self, flow: Flow[Any], step: Any) -> Any:
        if not isinstance(step, Request):
            return flow.send(None)  # type: ignore[arg-type]
        try:
            reply = self._receive(step)
        except SelfHostedError as error:
            return flow.throw(error)
        return flow.send(reply)

    def _receive(self, request: Request) -> Reply:
        self.requests.append(request)
        status, content_type, body = self.answer(request)
        if request.save_to and status < 300:
            with request.save_to() as file:
                file.write(body)
            body = b""
        reply = Reply(status, {"content-type": content_type}, body, request)
        error = self.parse_error(reply)
        if error is not None:
            raise error
        return reply


def find_wait_specs(product: str) -> dict[str, Any]:
    """Return the wait specs of a product, by name."""
    found = vars(import_module(f"self_hosted.{product}.waits"))
    return {name: value for name, value in found.items() if type(value).__name__ == "WaitSpec"}


def to_json(value: Any) -> tuple[int, str, bytes]:
    """Return the response that carries a value as JSON."""
    return 200, "application/json", json.dumps(value).encode()
