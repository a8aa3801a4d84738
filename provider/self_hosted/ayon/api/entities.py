"""Entities of projects: folders, tasks, products, versions, representations and workfiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.ayon.api import graphql
from self_hosted.ayon.api.shapes import Connection, Named, StatusOfEntity
from self_hosted.core.arguments import check_id, check_ids, parse_choice
from self_hosted.core.http.flow import Flow, Reply
from self_hosted.core.http.shape import JsonObject, check_shape

ENTITY_TYPES = ("folder", "task", "product", "version", "representation", "workfile")

IdsByType = Mapping[str, Sequence[str]]
"""Ids of entities, by entity type."""


def get_statuses(ids: Mapping[str, IdsByType]) -> Flow[dict[str, dict[str, str]]]:
    """Return the statuses of entities, with one request for any number of projects (``POST /graphql``).

    :param ids: ids by project and entity type: ``{project: {"folder" | "task" | ...: [id, ...]}}``
    :return: ``{project: {id: status}}``; entities and projects that do not exist or are not visible are left out
    :raises ValueError: for an unknown entity type, and an invalid id or name
    """
    for project, types in ids.items():
        check_id("ids: a project", project)
        for entity_type, entity_ids in types.items():
            check_ids(f"ids: a {parse_choice('entity_type', entity_type, ENTITY_TYPES)}", entity_ids)
    if not ids:
        return {}
    projects = {f"p{number}": name for number, name in enumerate(ids)}
    reply, data = yield from graphql.fetch(*_build_query(projects, ids), JsonObject)
    statuses = {name: _read_statuses(reply, name, alias, data.get(alias)) for alias, name in projects.items()}
    return {name: found for name, found in statuses.items() if found is not None}


def _build_query(projects: Mapping[str, str], ids: Mapping[str, IdsByType]) -> tuple[str, dict[str, Any]]:
    """Return the query and its variables; the projects are given by their aliases in the query."""
    variables = {
        f"{alias}_{kind}": list(found) for alias, name in projects.items() for kind, found in ids[name].items()
    }
    declarations = [*(f"${alias}: String!" for alias in projects), *(f"${name}: [String!]" for name in variables)]
    fields = [_build_project_field(alias, ids[name]) for alias, name in projects.items()]
    return f"query ({', '.join(declarations)}) {{ {' '.join(fields)} }}", {**projects, **variables}


def _build_project_field(alias: str, types: IdsByType) -> str:
    """Return the field of the query for one project."""
    lists = " ".join(
        f"{entity_type}s(ids: ${alias}_{entity_type}, first: {len(ids)}) {{ edges {{ node {{ id status }} }} }}"
        for entity_type, ids in types.items()
    )
    # not `project`, for which a missing project makes the whole response an error
    return f"{alias}: projects(name: ${alias}) {{ edges {{ node {{ name {lists} }} }} }}"


def _read_statuses(reply: Reply, name: str, alias: str, projects: Any) -> dict[str, str] | None:
    for edge in check_shape(reply, projects, Connection[Named], f"data.{alias}")["edges"]:
        if edge["node"]["name"].lower() == name.lower():  # "_" in the name of the query matches any character
            lists = {key: value for key, value in edge["node"].items() if key != "name"}
            entities = check_shape(reply, lists, dict[str, Connection[StatusOfEntity]], f"data.{alias}").values()
            return {item["node"]["id"]: item["node"]["status"] for found in entities for item in found["edges"]}
    return None
