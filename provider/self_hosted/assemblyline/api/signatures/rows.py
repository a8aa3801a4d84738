"""Signatures as they are sent to the server, checked: it drops unknown fields and replaces invalid values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.assemblyline.api import ids
from self_hosted.assemblyline.api.signatures.statuses import STATUSES
from self_hosted.core.arguments import check_id, parse_choice

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""Names of types and sources; the server makes file names of them."""

REQUIRED_KEYS, OPTIONAL_KEYS = ("name", "data"), ("signature_id", "revision", "classification", "status")
MAX_RULE_CHARACTERS = 5_000_000


def parse_many(
    source: str, signature_type: str, signatures: Sequence[Mapping[str, Any]], status: str
) -> dict[str, dict[str, Any]]:
    """Return signatures as they are sent, by id.

    :param source: name of the source
    :param signature_type: such as "yara"
    :param signatures: see `additions.add_many`
    :param status: of a signature without a status of its own
    :raises ValueError: naming the argument
    """
    check_name("source", source)
    check_name("signature_type", signature_type)
    parse_choice("status", status, STATUSES)
    if isinstance(signatures, str | Mapping) or not isinstance(signatures, Sequence):
        raise ValueError(f"signatures must be a list of dictionaries, not {type(signatures).__name__}")
    common = {"source": source, "type": signature_type}
    parsed: dict[str, dict[str, Any]] = {}
    names: set[str] = set()
    for order, signature in enumerate(signatures, start=1):
        row = {**parse(signature, status), **common, "order": order}
        signature_id = ids.check_segment("signature_id", f"{signature_type}_{source}_{row['signature_id']}")
        if signature_id in parsed or row["name"] in names:
            raise ValueError(f"signatures: two have the id {row['signature_id']!r} or the name {row['name']!r}")
        names.add(row["name"])
        parsed[signature_id] = row
    return parsed


def check_name(argument: str, name: Any) -> None:
    """Check the name of a source or type.

    :param argument: name of the argument
    :param name: its value
    :raises ValueError: naming the argument
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"{argument} must consist of letters, digits, '_', '-' and '.', not {name!r:.100}")


def parse(signature: Any, status: str) -> dict[str, Any]:
    """Return a signature as it is sent, without source and type.

    :param signature: see `additions.add_many`
    :param status: of a signature without a status of its own
    :raises ValueError: naming the argument
    """
    if not isinstance(signature, Mapping):
        raise ValueError(f"signatures: each must be a dictionary, not {type(signature).__name__}")
    unknown = sorted(map(str, set(signature) - {*REQUIRED_KEYS, *OPTIONAL_KEYS}))
    if unknown:
        valid = ", ".join((*REQUIRED_KEYS, *OPTIONAL_KEYS))
        raise ValueError(f"signatures: unknown {', '.join(unknown)}; valid are {valid}")
    name, data = check_id("signatures: name", signature.get("name")), signature.get("data")
    if not isinstance(data, str) or not data.strip():
        raise ValueError(f"signatures: data of {name!r} must be the text of its rule, not {data!r:.100}")
    if len(data) > MAX_RULE_CHARACTERS:
        raise ValueError(f"signatures: the rule {name!r} has {len(data)} characters; at most {MAX_RULE_CHARACTERS}")
    row = {
        "name": name,
        "data": data,
        "signature_id": check_id("signatures: signature_id", signature.get("signature_id", name)),
        "status": parse_choice("signatures: status", signature.get("status", status), STATUSES),
    }
    given = {name: signature[name] for name in ("revision", "classification") if signature.get(name) is not None}
    return {**row, **{name: check_id(f"signatures: {name}", value) for name, value in given.items()}}
