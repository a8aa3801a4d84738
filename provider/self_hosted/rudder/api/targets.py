"""The targets of a rule, in the form that Rudder stores: a list of groups equals the same groups in its "include"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MAX_DEPTH = 20
_NAME = re.compile(r"special:(all|all_exceptPolicyServers|all_policyServers)|(group|policyServer):[^\s/]+")
_CURRENT_NAMES = {
    "special:all_nodes_without_role": "special:all_exceptPolicyServers",
    "special:all_servers_with_role": "special:all_policyServers",
}


def normalize(targets: Sequence[Any]) -> dict[str, dict[str, list[str]]]:
    """Return the targets in the form that Rudder stores, sorted, so that equal targets compare equal.

    :param targets: each a text ("group:<id>", "policyServer:<node id>", "special:all", ...), an object
        ``{"include": {"or": [...]}, "exclude": {"or": [...]}}`` or an object ``{"or": [...]}``
    :return: ``{"include": {"or": [...]}, "exclude": {"or": [...]}}``
    :raises ValueError: for an "and", which Rudder would store as "or", and for an invalid target
    """
    if isinstance(targets, str) or not isinstance(targets, Sequence):
        raise ValueError(f"targets must be a list, not {targets!r}")
    included, excluded = set[str](), set[str]()
    for target in targets:
        if isinstance(target, Mapping) and {"include", "exclude"} & set(target):
            _require_keys(target, {"include", "exclude"})
            included.update(_members(target.get("include", {"or": []})))
            excluded.update(_members(target.get("exclude", {"or": []})))
        else:
            included.update(_members(target))
    return {"include": {"or": sorted(included)}, "exclude": {"or": sorted(excluded)}}


def _members(target: Any, depth: int = 0) -> Iterator[str]:
    if depth > MAX_DEPTH:
        raise ValueError(f"targets: nested in more than {MAX_DEPTH} levels")
    if isinstance(target, str):
        yield _normalize_name(target)
        return
    if not isinstance(target, Mapping):
        raise ValueError(f"targets: {target!r} is not a target")
    if "and" in target:
        raise ValueError('targets: Rudder stores an "and" as "or"; create a group of these nodes instead')
    _require_keys(target, {"or"})
    members = target.get("or", [])
    if not isinstance(members, list | tuple):
        raise ValueError(f"targets: {dict(target)!r} is not a target")
    for member in members:
        yield from _members(member, depth + 1)


def _normalize_name(target: str) -> str:
    name = _CURRENT_NAMES.get(target, target)
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"targets: {target!r} is not a target; valid are group:<id>, policyServer:<node id>, special:all, "
            "special:all_exceptPolicyServers, special:all_policyServers"
        )
    return name


def _require_keys(target: Mapping[str, Any], valid: set[str]) -> None:
    if not target or set(target) - valid:
        raise ValueError(f"targets: {dict(target)!r} is not a target")
