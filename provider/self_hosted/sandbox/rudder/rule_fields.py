"""The fields of a rule in a request, normalized as Rudder stores them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from self_hosted.sandbox.rudder.calls import Call
from self_hosted.sandbox.rudder.errors import ApiError

TEXT_FIELDS = ("displayName", "categoryId", "shortDescription", "longDescription")
LIST_FIELDS = ("directives", "targets", "tags")
TARGET = re.compile(
    r"special:(all|all_exceptPolicyServers|all_policyServers|all_nodes_without_role|all_servers_with_role)"
    r"|(group|policyServer):.+"
)


def parse_fields(call: Call) -> dict[str, Any]:
    """Return the known fields of the body. Rudder ignores unknown fields, and JSON with another content type.

    :raises ApiError: if a boolean or a target is malformed
    """
    given = call.body if isinstance(call.body, dict) else _parse_form(call.params)
    if "category" in given:
        given = {"categoryId": given["category"], **given}
    fields = {name: given[name] for name in (*TEXT_FIELDS, "id", "source", "tags") if name in given}
    if "enabled" in given:
        fields["enabled"] = _parse_bool(given["enabled"])
    if "directives" in given:
        fields["directives"] = sorted(set(given["directives"]))
    if "targets" in given:
        fields["targets"] = [_merge_targets(given["targets"])]
    return fields


def _parse_form(params: Mapping[str, str]) -> dict[str, Any]:
    return {name: json.loads(value) if name in LIST_FIELDS else value for name, value in params.items()}


def _parse_bool(value: Any) -> bool:
    if value not in {True, False, "true", "false"}:
        raise ApiError("Unexpected: .enabled(expected 'true' or 'false')")
    return value in {True, "true"}


def _merge_targets(targets: list[Any]) -> dict[str, Any]:
    """Return all targets as one object of inclusions and exclusions. An "and" becomes an "or"."""
    included, excluded = set[str](), set[str]()
    for target in targets:
        is_composed = isinstance(target, dict) and "include" in target
        included.update(_list_target_names(target["include"] if is_composed else target))
        excluded.update(_list_target_names(target["exclude"]) if is_composed else ())
    return {"include": {"or": sorted(included)}, "exclude": {"or": sorted(excluded)}}


def _list_target_names(target: Any) -> list[str]:
    if isinstance(target, dict):
        members = target.get("or") or target.get("and") or []
        return [name for member in members for name in _list_target_names(member)]
    if not TARGET.fullmatch(target):
        raise ApiError(f"Inconsistency: Invalid target string: '{target}'")
    return [target]
