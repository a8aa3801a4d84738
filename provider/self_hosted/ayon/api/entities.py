"""What a project consists of: folders, tasks, products, versions, representations, workfiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.ayon.api.forms import parts_of
from self_hosted.ayon.api.projects import project
from self_hosted.ayon.api.studio import graphql
from self_hosted.core.errors import Forbidden, NotFound
from self_hosted.core.flow import Flow
from self_hosted.core.question import Seen

ENTITY_TYPES = ("folder", "task", "product", "version", "representation", "workfile")


def entity_statuses(wanted: Mapping[str, Mapping[str, Sequence[str]]]) -> Flow[dict[str, dict[str, str]]]:
    """Statuses of entities, by one request however many projects they are of: ``POST /graphql``.

    :param wanted: {project: {"folder" | "task" | "product" | "version" | "representation" | "workfile": [id, ...]}}
    :return: {project: {id: status}}; entities and projects that are not there, or that one may not see, are left out
    """
    if not wanted:
        return {}
    _check_types({entity_type for types in wanted.values() for entity_type in types})
    names = {f"p{number}": name for number, name in enumerate(wanted)}
    ids = {f"{alias}_{kind}": list(found) for alias, name in names.items() for kind, found in wanted[name].items()}
    declared = [*(f"${alias}: String!" for alias in names), *(f"${one}: [String!]" for one in ids)]
    parts = [_part(alias, wanted[name]) for alias, name in names.items()]
    found = yield from graphql(f"query ({', '.join(declared)}) {{ {' '.join(parts)} }}", {**names, **ids})
    answers = {name: _statuses(name, found[alias]) for alias, name in names.items()}
    return {name: statuses for name, statuses in answers.items() if statuses is not None}


def _check_types(entity_types: set[str]) -> None:
    for entity_type in entity_types.difference(ENTITY_TYPES):
        raise ValueError(f"entity_type must be one of {', '.join(ENTITY_TYPES)}, not {entity_type!r}")


def _part(alias: str, types: Mapping[str, Sequence[str]]) -> str:
    """The part of a query that is about one project."""
    lists = " ".join(
        f"{entity_type}s(ids: ${alias}_{entity_type}, first: {len(ids)}) {{ edges {{ node {{ id status }} }} }}"
        for entity_type, ids in types.items()
    )
    # not `project`: of one that is missing it makes an error of the whole answer
    return f"{alias}: projects(name: ${alias}) {{ edges {{ node {{ name {lists} }} }} }}"


def _statuses(name: str, found: Mapping[str, Any]) -> dict[str, str] | None:
    for edge in found["edges"]:
        node = dict(edge["node"])
        if node.pop("name").lower() == name.lower():  # "_" in the name we asked for is any character
            entities = [edge["node"] for connection in node.values() for edge in connection["edges"]]
            return {entity["id"]: entity["status"] for entity in entities}
    return None


def look_at_statuses(keys: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """The statuses of entities, by one request for all projects; who is missing is left out.

    :param keys: "project/entity type/id/status|status"
    """
    wanted: dict[str, dict[str, list[str]]] = {}
    for name, entity_type, entity_id, _ in map(parts_of, keys):
        wanted.setdefault(name, {}).setdefault(entity_type, []).append(entity_id)
    found = yield from entity_statuses(wanted)
    seen = {}
    for key in keys:
        name, _, entity_id, statuses = parts_of(key)
        status = found.get(name, {}).get(entity_id)
        if status is not None:
            seen[key] = Seen(status, status in statuses.split("|"))
    return seen


def unknown_statuses(keys: Sequence[str]) -> Flow[Mapping[str, str]]:
    """For which entities nothing is waited for but statuses that their project does not have, and why.

    :param keys: as with `look_at_statuses`
    """
    reasons = {}
    known: dict[str, list[str]] = {}
    for key in keys:
        name, *_, statuses = parts_of(key)
        if name not in known:
            known[name] = yield from _statuses_of(name)
        if known[name] and not set(known[name]) & set(statuses.split("|")):
            wanted, there = _quoted(statuses.split("|")), _quoted(known[name])
            reasons[key] = f"project {name} has no status {wanted}; it has {there}"
    return reasons


def _statuses_of(name: str) -> Flow[list[str]]:
    try:
        return [status["name"] for status in (yield from project(name))["statuses"]]
    except (Forbidden, NotFound):
        return []


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(map(repr, words))
