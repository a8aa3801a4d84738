"""The targets of a rule, whose two forms mean the same: a list of groups, or what is included and what is excluded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_NAMES = re.compile(r"special:(all|all_exceptPolicyServers|all_policyServers)|(group|policyServer):.+")
_OLD_NAMES = {
    "special:all_nodes_without_role": "special:all_exceptPolicyServers",
    "special:all_servers_with_role": "special:all_policyServers",
}


def normalised(targets: Sequence[Any]) -> dict[str, dict[str, list[str]]]:
    """The targets in the one form Rudder stores them in, sorted, so that equal targets compare equal.

    :param targets: items that are each a string ("group:<id>", "policyServer:<node id>", "special:all", ...), an object
        ``{"include": {"or": [...]}, "exclude": {"or": [...]}}`` or an object ``{"or": [...]}``
    :return: one ``{"include": {"or": [...]}, "exclude": {"or": [...]}}``
    :raises ValueError: for an "and", which Rudder would store as "or", and for what is no target
    """
    if isinstance(targets, str) or not isinstance(targets, Sequence):
        raise ValueError(f"targets must be a list, not {targets!r}")
    included, excluded = set[str](), set[str]()
    for target in targets:
        if isinstance(target, Mapping) and {"include", "exclude"} & set(target):
            _known_keys(target, {"include", "exclude"})
            included.update(_members(target.get("include", {"or": []})))
            excluded.update(_members(target.get("exclude", {"or": []})))
        else:
            included.update(_members(target))
    return {"include": {"or": sorted(included)}, "exclude": {"or": sorted(excluded)}}


def _members(target: Any) -> Iterator[str]:
    if isinstance(target, str):
        yield _name(target)
        return
    if not isinstance(target, Mapping):
        raise ValueError(f"targets: {target!r} is no target")
    if "and" in target:
        raise ValueError('targets: Rudder takes an "and" and stores it as "or"; make a group of the nodes you mean')
    _known_keys(target, {"or"})
    for member in target.get("or", ()):
        yield from _members(member)


def _name(target: str) -> str:
    name = _OLD_NAMES.get(target, target)
    if not _NAMES.fullmatch(name):
        raise ValueError(
            f"targets: {target!r} is no target; right are group:<id>, policyServer:<node id>, special:all, "
            "special:all_exceptPolicyServers and special:all_policyServers"
        )
    return name


def _known_keys(target: Mapping[str, Any], known: set[str]) -> None:
    if not target or set(target) - known:
        raise ValueError(f"targets: {dict(target)!r} is no target")
