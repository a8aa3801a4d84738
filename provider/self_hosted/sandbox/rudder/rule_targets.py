"""The targets of a rule in a request, and the only object that Rudder stores for them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from self_hosted.sandbox.rudder.decoding import DecodingError, decode_list

CURRENT_NAMES = {
    "special:all_nodes_without_role": "special:all_exceptPolicyServers",
    "special:all_servers_with_role": "special:all_policyServers",
}
TARGET = re.compile(r"special:(all|all_exceptPolicyServers|all_policyServers)|(group|policyServer):.+")


def decode_targets(targets: list[Any]) -> dict[str, Any]:
    """Return the targets as Rudder stores them: a single composition as it is, anything else as one union.

    :raises DecodingError: if a target is malformed
    """
    decoded = [_decode_target(f".targets[{i}]", target) for i, target in enumerate(targets)]
    compositions = [target for target in decoded if isinstance(target, dict) and "include" in target]
    if len(decoded) == 1 and compositions:
        return compositions[0]
    included = [target["include"] if target in compositions else target for target in decoded]
    return {"include": {"or": included}, "exclude": {"or": [target["exclude"] for target in compositions]}}


def to_change_json(targets: list[Any]) -> list[str]:
    """Return targets as change requests show them: objects as texts of JSON, with sorted members.

    :param targets: the targets of a rule
    """
    return [target if isinstance(target, str) else _to_text(_sort(target)) for target in targets]


def list_names(targets: Any) -> Iterator[str]:
    """Yield the names of all included targets.

    :param targets: targets of a rule, or a part of them
    """
    if isinstance(targets, str):
        yield targets
    elif isinstance(targets, list):
        for target in targets:
            yield from list_names(target)
    else:
        yield from list_names(targets.get("include") or targets.get("or", []))


def _decode_target(path: str, target: Any) -> Any:
    if isinstance(target, str):
        return _decode_name(path, target)
    if not isinstance(target, dict):
        raise DecodingError(f"{path}(expected a target)")
    if not {"include", "exclude"} & set(target):
        return _decode_union(path, target)
    for name in ("include", "exclude"):
        if name not in target:
            raise DecodingError(f"{path}.{name}(missing)")
    return {name: _decode_union(f"{path}.{name}", target[name]) for name in ("include", "exclude")}


def _decode_union(path: str, target: Any) -> dict[str, list[Any]]:
    """Return a union; Rudder reads an "and" as one."""
    names = [name for name in ("or", "and") if isinstance(target, dict) and name in target]
    if not names:
        raise DecodingError(f"{path}(expected a composition of targets)")
    members = decode_list(f"{path}.{names[0]}", target[names[0]])
    return {"or": [_decode_target(f"{path}.{names[0]}[{i}]", member) for i, member in enumerate(members)]}


def _decode_name(path: str, target: str) -> str:
    name = CURRENT_NAMES.get(target, target)
    if not TARGET.fullmatch(name):
        raise DecodingError(
            f"{path}('{target}' can not be decoded as a simple rule target: "
            f"Inconsistency: Invalid target string: '{target}')"
        )
    return name


def _sort(target: Any) -> Any:
    if isinstance(target, dict):
        return {name: _sort(value) for name, value in target.items()}
    return sorted(map(_sort, target), key=_to_text) if isinstance(target, list) else target


def _to_text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
