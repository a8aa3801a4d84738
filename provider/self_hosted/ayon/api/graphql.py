"""GraphQL queries."""

from __future__ import annotations

from typing import Any

from self_hosted.ayon.errors import GRAPHQL_PATH
from self_hosted.core.http.flow import Flow, Request


def query(text: str, variables: dict[str, Any]) -> Flow[dict[str, Any]]:
    """Run a query, which changes nothing (``POST /graphql``).

    :param text: the query in GraphQL
    :param variables: values of its variables
    :return: the ``data`` of the response
    """
    body = {"query": text, "variables": variables}
    return (yield Request("POST", GRAPHQL_PATH, json=body, idempotent=True)).json()["data"]  # type: ignore[no-any-return]
