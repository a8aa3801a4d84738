"""The GraphQL schema: events, and projects with their entities, with as many fields as the sandbox supports.

Parser, validation and execution come from graphql-core, which AYON uses as well. Error messages are therefore the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import build_schema, graphql_sync

from self_hosted.sandbox.ayon.entity_store import ENTITY_TYPES, NAME_FIELDS, PARENT_FIELDS

ROOT_TYPES = """
type Query {
  events(ids: [String!], topics: [String!], projects: [String!], first: Int, last: Int): EventsConnection!
  projects(name: String, first: Int): ProjectsConnection!
  project(name: String!): ProjectNode!
}
type EventsConnection { edges: [EventEdge!]! }
type EventEdge { node: EventNode! }
type EventNode {
  id: String! topic: String! project: String user: String sender: String
  status: String! description: String! summary: String! createdAt: String!
}
type ProjectsConnection { edges: [ProjectEdge!]! }
type ProjectEdge { node: ProjectNode! }
"""
PROJECT_TYPE = """
type ProjectNode {{
  name: String! code: String! label: String library: Boolean! active: Boolean!
  {entities}
}}
"""
ENTITY_FIELD = "{kind}s(ids: [String!], first: Int): {type}sConnection!"
ENTITY_TYPE = """
type {type}sConnection {{ edges: [{type}Edge!]! }}
type {type}Edge {{ node: {type}Node! }}
type {type}Node {{ id: String! status: String! {name}: {name_type} {parent}: String }}
"""


def _format_entity_type(kind: str) -> str:
    name = NAME_FIELDS[kind]
    name_type = "Int" if name == "version" else "String"
    return ENTITY_TYPE.format(type=kind.capitalize(), name=name, name_type=name_type, parent=PARENT_FIELDS[kind])


ENTITY_FIELDS = " ".join(ENTITY_FIELD.format(kind=kind, type=kind.capitalize()) for kind in ENTITY_TYPES)
SCHEMA = build_schema(
    "".join([ROOT_TYPES, PROJECT_TYPE.format(entities=ENTITY_FIELDS), *map(_format_entity_type, ENTITY_TYPES)])
)


def execute_query(query: str, variables: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    """Execute a query and return the body of the response. An error of any field makes the data null.

    :param query: text of the query
    :param variables: values of its variables
    :param root: fields of the type ``Query``; callables take the execution context and the arguments of the field
    """
    result = graphql_sync(SCHEMA, query, root_value=root, variable_values=dict(variables))
    return dict(result.formatted)
