"""Searches for nodes: the criteria that the sandbox supports, with Rudder's errors for invalid ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from self_hosted.sandbox.rudder.errors import ApiError
from self_hosted.sandbox.rudder.state import Node

ATTRIBUTES: dict[str, Callable[[Node], str]] = {
    "nodeId": lambda node: node.id,
    "nodeHostname": lambda node: node.hostname,
}
COMPARATORS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda actual, value: actual == value,
    "notEq": lambda actual, value: actual != value,
    "exists": lambda actual, value: True,
    "notExists": lambda actual, value: False,
    "regex": lambda actual, value: bool(re.fullmatch(value, actual, re.DOTALL)),
    "notRegex": lambda actual, value: not re.fullmatch(value, actual, re.DOTALL),
}
SELECTIONS = ("node", "nodeAndPolicyServer")
COMPOSITIONS: dict[str, Callable[[list[bool]], bool]] = {"and": all, "or": any}
PREFIX = "Node query not correctly sent; cause was: "


def search(nodes: list[Node], params: Mapping[str, str]) -> list[Node]:
    """Return the nodes that a search finds: all without one; without policy servers unless it selects them.

    :param nodes: the nodes to search
    :param params: query parameters of the request
    :raises ApiError: if the search is invalid
    """
    if not {"query", "where"} & set(params):
        return nodes
    query = _parse(params["query"], dict) if "query" in params else {**params, "where": _parse(params["where"], list)}
    select, composition, where = query.get("select", "node"), query.get("composition", "and"), query.get("where")
    if not isinstance(where, list) or not where:
        raise _build_error("Query should at least contain one criteria; cause was: Unexpected: (Chunk was empty)")
    if select not in SELECTIONS or composition not in COMPOSITIONS:
        raise _build_error(f"Unexpected: Inconsistency: '{select}' and '{composition}' are no valid query")
    criteria = [_build_criterion(line) for line in where]
    matches = COMPOSITIONS[composition]
    found = [node for node in nodes if matches([criterion(node) for criterion in criteria])]
    return [node for node in found if select == "nodeAndPolicyServer" or not node.policy_server]


def _parse(text: str, kind: type) -> Any:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = None
    if not isinstance(value, kind):
        cause = f"Unexpected: (expected '{'[' if kind is list else '{'}' got '{text[:1]}')"
        raise _build_error(f"Query should at least contain one criteria; cause was: {cause}")
    return value


def _build_criterion(line: Any) -> Callable[[Node], bool]:
    texts = [line.get(key) for key in ("objectType", "attribute", "comparator")] if isinstance(line, dict) else []
    if len(texts) != 3 or not all(isinstance(text, str) for text in texts):
        raise _build_error("Unexpected: .where[0](missing)")
    kind, attribute, comparator = texts
    if kind != "node" or attribute not in ATTRIBUTES:
        raise _build_error(
            f"Unexpected: Inconsistency: the sandbox does not support the attribute '{kind}' '{attribute}'"
        )
    if comparator not in COMPARATORS:
        raise _build_error(
            f"Unexpected: Inconsistency: The comparator '{comparator}' is unknown for attribute '{attribute}'. "
            f"Possible comparators:: [{', '.join(sorted(COMPARATORS))}]"
        )
    value = line.get("value", "")
    return lambda node: COMPARATORS[comparator](ATTRIBUTES[attribute](node), value)


def _build_error(cause: str) -> ApiError:
    return ApiError(PREFIX + cause)
