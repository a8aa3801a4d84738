"""Workflows: labels, priority and status that the server sets on alerts that match a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NotRequired

from typing_extensions import TypedDict

from self_hosted.assemblyline.api import ids, recovery
from self_hosted.assemblyline.api.alerts.changes import PRIORITIES, STATUSES
from self_hosted.assemblyline.api.search import lucene
from self_hosted.assemblyline.api.search.search import find, find_shaped
from self_hosted.assemblyline.errors import API_PATH, Success, call, call_object
from self_hosted.core.arguments import parse_choice
from self_hosted.core.http.errors import NotFoundError, OutcomeUnknownError
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.logs import describe_changes, get_logger, shorten
from self_hosted.core.http.recovery import poll_for_effect

log = get_logger(__name__)

DEFINITION_KEYS = frozenset({"name", "query", "labels", "priority", "status", "classification"})
ENDPOINTS = frozenset({"labels"})
"""The words in place of an id that are other endpoints."""

MAX_EQUAL = 100  # workflows with one name


class _Definition(TypedDict):
    name: str
    query: str


class _Workflow(_Definition):
    workflow_id: str
    labels: NotRequired[list[str] | None]
    priority: NotRequired[str | None]
    status: NotRequired[str | None]
    classification: NotRequired[str | None]


class _Created(TypedDict):
    workflow_id: str


def get(workflow_id: str) -> Flow[dict[str, Any]]:
    """Return one workflow: name, query, labels, priority, status, enabled, hit_count, ...

    ``GET /api/v4/workflow/<id>/``

    :param workflow_id: id of the workflow
    :raises NotFoundError: if it does not exist, or the user may not see it
    """
    return call_object(Request("GET", _build_path(workflow_id)), _Definition)


def search(query: str = "*", rows: int = 100) -> Flow[list[dict[str, Any]]]:
    """Return the workflows that a query finds, by name. Those younger than a second may be missing.

    ``POST /api/v4/search/workflow/``

    :param query: a Lucene query, such as ``enabled:true``
    :param rows: largest number of workflows
    """
    return find("workflow", {"query": query, "rows": rows, "sort": "name asc", "fl": "*"})


def list_labels() -> Flow[list[str]]:
    """Return the ten most frequent labels of workflows, the most frequent first.

    ``GET /api/v4/workflow/labels/``
    """
    return call(Request("GET", f"{API_PATH}/workflow/labels/"), list[str])


def create(definition: Mapping[str, Any]) -> Flow[str]:
    """Create a workflow and return its id. It applies to future alerts; `run` applies it to existing ones.

    ``PUT /api/v4/workflow/``

    :param definition: ``name`` and ``query``; optional: labels, priority, status, classification
    :raises ValueError: for values on which the server would fail
    :raises PermissionDeniedError: without the role workflow_manage
    """
    _check(definition, required=("name", "query"))
    body = {"labels": [], "priority": None, "status": None, **definition}
    before = yield from _find_equal(body)
    try:
        response = yield from call(Request("PUT", f"{API_PATH}/workflow/", json=body), _Created)
        workflow_id = response["workflow_id"]
    except OutcomeUnknownError as lost:
        find = partial(_find_equal, body, before or ())
        created = yield from poll_for_effect(find, recovery.RECHECK_DELAYS_SECONDS, lost)
        if not created:
            raise
        workflow_id = created[0]
    log.info("Workflow %s: created %s", workflow_id, shorten(body["name"]))
    return workflow_id


def _find_equal(definition: Mapping[str, Any], known: Sequence[str] = ()) -> Flow[list[str] | None]:
    """Return the ids of workflows with an equal definition, without known ones; None if there is none."""
    arguments = {"query": f"name:{lucene.quote(definition['name'])}", "rows": MAX_EQUAL, "sort": "name asc", "fl": "*"}
    found = yield from find_shaped("workflow", arguments, _Workflow)
    equal = [
        workflow["workflow_id"]
        for workflow in found
        if all((workflow.get(key) or None) == (value or None) for key, value in definition.items())
    ]
    return [workflow_id for workflow_id in equal if workflow_id not in known] or None


def update(workflow_id: str, changes: Mapping[str, Any]) -> Flow[None]:
    """Change a workflow.

    ``POST /api/v4/workflow/<id>/``

    :param workflow_id: id of the workflow
    :param changes: new values of name, query, labels, priority, status and classification
    :raises ValueError: for values on which the server would fail
    :raises NotFoundError: if the workflow does not exist
    """
    _check(changes, required=())
    workflow = yield from get(workflow_id)
    body = {"name": workflow["name"], "query": workflow["query"], **changes}  # the server requires name and query
    yield from call(Request("POST", _build_path(workflow_id), json=body, idempotent=True), Success)
    log.info("Workflow %s: %s", workflow_id, describe_changes(workflow, changes))


def set_enabled(workflow_id: str, enabled: bool) -> Flow[None]:
    """Enable or disable a workflow.

    ``PUT /api/v4/workflow/enable/<id>/``

    :param workflow_id: id of the workflow
    :param enabled: whether it applies to new alerts
    :raises NotFoundError: if it does not exist
    """
    path = f"{API_PATH}{url_path('workflow', 'enable', workflow_id)}/"
    yield from call(Request("PUT", path, json={"enabled": enabled}, idempotent=True), Success)
    log.info("Workflow %s: %s", workflow_id, "enabled" if enabled else "disabled")


def run(workflow_id: str) -> Flow[bool]:
    """Apply a workflow to all existing alerts, and return whether that succeeded.

    ``GET /api/v4/workflow/<id>/run/``, which is not idempotent though it is a GET: each run adds an event to each alert

    :param workflow_id: id of the workflow
    :raises NotFoundError: if it does not exist
    :raises OutcomeUnknownError: if the response was lost: it may have run
    """
    path = f"{_build_path(workflow_id)}run/"
    response = yield from call(Request("GET", path, idempotent=False, long_running=True), Success)
    log.info("Workflow %s: run on all alerts, success: %s", workflow_id, response["success"])
    return response["success"]


def delete(workflow_id: str) -> Flow[None]:
    """Delete a workflow. Its changes of alerts remain.

    ``DELETE /api/v4/workflow/<id>/``

    :param workflow_id: id of the workflow
    :raises NotFoundError: if it does not exist
    """
    try:
        yield from call(Request("DELETE", _build_path(workflow_id)), Success)
    except OutcomeUnknownError as lost:
        if not (yield from poll_for_effect(partial(_is_gone, workflow_id), lost=lost)):
            raise
    log.info("Workflow %s: deleted", workflow_id)


def _is_gone(workflow_id: str) -> Flow[bool | None]:
    try:
        yield from get(workflow_id)
    except NotFoundError:
        return True
    return None


def _check(definition: Mapping[str, Any], required: Sequence[str]) -> None:
    unknown = sorted(set(definition) - DEFINITION_KEYS)
    if unknown:
        raise ValueError(f"workflow: unknown {', '.join(unknown)}; valid are {', '.join(sorted(DEFINITION_KEYS))}")
    for name in {*required, *({"name", "query"} & set(definition))}:
        if not definition.get(name) or not isinstance(definition[name], str):
            raise ValueError(f"workflow: {name} must be a text, not {definition.get(name)!r}")
    for name, options in (("priority", PRIORITIES), ("status", STATUSES)):
        if definition.get(name) is not None:
            parse_choice(name, definition[name], options)
    labels = definition.get("labels", [])
    if not isinstance(labels, list) or not all(isinstance(label, str) and label for label in labels):
        raise ValueError(f"workflow: labels must be a list of texts, not {labels!r}")


def _build_path(workflow_id: str) -> str:
    return f"{API_PATH}{url_path('workflow', ids.check_segment('workflow_id', workflow_id, ENDPOINTS))}/"
