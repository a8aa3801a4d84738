"""Workflows: what the server does with alerts that match a query."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from self_hosted.assemblyline.api.alert_changes import PRIORITIES, STATUSES
from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.assemblyline.api.searching import phrase, search
from self_hosted.assemblyline.api.tagging import LOOKS
from self_hosted.core.errors import NotFound, Uncertain
from self_hosted.core.flow import Flow, Request, url_path
from self_hosted.core.lost_answers import looked_for

DEFINITION = frozenset({"name", "query", "labels", "priority", "status", "classification"})


def workflow(workflow_id: str) -> Flow[dict[str, Any]]:
    """One workflow: name, query, labels, priority, status, enabled, hit_count, ...

    ``GET /api/v4/workflow/<id>/``

    :param workflow_id: its id
    :raises NotFound: when there is none, or the user may not see it
    """
    return asked(Request("GET", _path(workflow_id)))


def search_workflows(query: str = "*", rows: int = 100) -> Flow[list[dict[str, Any]]]:
    """Workflows that a Lucene query finds, by name. What is younger than a second may be missing.

    ``POST /api/v4/search/workflow/``

    :param query: such as ``enabled:true``
    :param rows: how many at most
    """
    return search("workflow", {"query": query, "rows": rows, "sort": "name asc", "fl": "*"})


def workflow_labels() -> Flow[list[str]]:
    """The labels that workflows give, most used first; ten at most.

    ``GET /api/v4/workflow/labels/``
    """
    return asked(Request("GET", f"{API}/workflow/labels/"))


def add_workflow(definition: Mapping[str, Any]) -> Flow[str]:
    """Add a workflow: its id. It works on alerts to come; `run_workflow` has it look at those there are.

    ``PUT /api/v4/workflow/``

    :param definition: ``name`` and ``query``; labels, priority, status, classification
    :raises ValueError: for what the server would fail on
    :raises Forbidden: without the role workflow_manage
    """
    _check(definition, needed=("name", "query"))
    sent = {"labels": [], "priority": None, "status": None, **definition}
    before = yield from _like(sent)
    try:
        answer = yield from asked(Request("PUT", f"{API}/workflow/", json=sent))
    except Uncertain:
        found = yield from looked_for(partial(_like, sent, before or ()), LOOKS)
        if not found:
            raise
        return found[0]
    return str(answer["workflow_id"])


def _like(definition: Mapping[str, Any], known: Any = ()) -> Flow[list[str] | None]:
    """The ids of workflows that say the same, without those that are known; None when there is none."""
    found = yield from search_workflows(f"name:{phrase(definition['name'])}")
    told = [one for one in found if all((one.get(key) or None) == (definition[key] or None) for key in definition)]
    return [one["workflow_id"] for one in told if one["workflow_id"] not in known] or None


def edit_workflow(workflow_id: str, changes: Mapping[str, Any]) -> Flow[None]:
    """Change a workflow.

    ``POST /api/v4/workflow/<id>/``

    :param workflow_id: its id
    :param changes: those of name, query, labels, priority, status and classification that change
    :raises ValueError: for what the server would fail on
    :raises NotFound: when there is none
    """
    _check(changes, needed=())
    before = yield from workflow(workflow_id)
    sent = {"name": before["name"], "query": before["query"], **changes}  # it insists on both
    yield from asked(Request("POST", _path(workflow_id), json=sent, repeatable=True))


def enable_workflow(workflow_id: str, enabled: bool) -> Flow[None]:
    """Switch a workflow on or off.

    ``PUT /api/v4/workflow/enable/<id>/``

    :param workflow_id: its id
    :param enabled: whether it is to work
    :raises NotFound: when there is none
    """
    path = f"{API}{url_path('workflow', 'enable', workflow_id)}/"
    yield from asked(Request("PUT", path, json={"enabled": enabled}, repeatable=True))


def run_workflow(workflow_id: str) -> Flow[bool]:
    """Let a workflow look at all alerts there are: whether that went well.

    ``GET /api/v4/workflow/<id>/run/``, which is never repeated though it is a GET: each run notes one more event in
    each alert.

    :param workflow_id: its id
    :raises NotFound: when there is none
    :raises Uncertain: when the answer was lost: it may have run
    """
    answer = yield from asked(Request("GET", f"{_path(workflow_id)}run/", repeatable=False, slow=True))
    return bool(answer["success"])


def delete_workflow(workflow_id: str) -> Flow[None]:
    """Delete a workflow. What it did to alerts stays.

    ``DELETE /api/v4/workflow/<id>/``

    :param workflow_id: its id
    :raises NotFound: when there is none
    """
    try:
        yield from asked(Request("DELETE", _path(workflow_id)))
    except Uncertain:
        if not (yield from looked_for(partial(_is_gone, workflow_id))):
            raise


def _is_gone(workflow_id: str) -> Flow[bool | None]:
    try:
        yield from workflow(workflow_id)
    except NotFound:
        return True
    return None


def _check(definition: Mapping[str, Any], needed: tuple[str, ...]) -> None:
    unknown = sorted(set(definition) - DEFINITION)
    if unknown:
        raise ValueError(f"a workflow has no {', '.join(unknown)}; it has {', '.join(sorted(DEFINITION))}")
    for name in {*needed, *({"name", "query"} & set(definition))}:
        if not definition.get(name) or not isinstance(definition[name], str):
            raise ValueError(f"{name} of a workflow must be text, and not empty")
    for name, known in (("priority", PRIORITIES), ("status", STATUSES)):
        if definition.get(name) not in {None, *known}:
            raise ValueError(f"{name} of a workflow must be one of {', '.join(known)}, not {definition[name]!r}")
    labels = definition.get("labels", [])
    if not isinstance(labels, list) or not all(isinstance(one, str) and one for one in labels):
        raise ValueError("labels of a workflow must be a list of texts")


def _path(workflow_id: str) -> str:
    return f"{API}{url_path('workflow', workflow_id)}/"
