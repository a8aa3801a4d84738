"""GraphQL queries."""

from __future__ import annotations

from typing import Any, TypeVar

from self_hosted.ayon.errors import GRAPHQL_PATH
from self_hosted.core.http.flow import Flow, Reply, Request
from self_hosted.core.http.shape import JsonObject, check_shape

T = TypeVar("T")


def query(text: str, variables: dict[str, Any]) -> Flow[dict[str, Any]]:
    """Run a query, which changes nothing (``POST /graphql``).

    :param text: the query in GraphQL
    :param variables: values of its variables
    :return: the ``data`` of the response
    """
    return (yield from fetch(text, variables, JsonObject))[1]


def fetch(text: str, variables: dict[str, Any], shape: type[T]) -> Flow[tuple[Reply, T]]:
    """Run a query and return the reply and its ``data``.

    :param text: the query in GraphQL
    :param variables: values of its variables
    :param shape: of the ``data``
    """
    body = {"query": text, "variables": variables}
    reply = yield Request("POST", GRAPHQL_PATH, json=body, idempotent=True)
    return reply, check_shape(reply, check_shape(reply, reply.json(), JsonObject).get("data"), shape, "data")
