"""Signatures and sources that the tests of them share."""

from __future__ import annotations

from typing import Any

RULE = {"type": "yara", "source": "community", "signature_id": "evil", "name": "evil", "data": "rule evil {}"}
ID = "yara_community_evil"
SOURCE: dict[str, Any] = {
    "name": "community",
    "uri": "https://eva:token@example.com/rules.git",
    "password": "top-secret",
    "private_key": "top-secret\n",
    "headers": [{"name": "X-Token", "value": "top-secret"}],
    "default_classification": "TLP:C",
    "enabled": True,
}


def signature(name: str, **changes: Any) -> dict[str, Any]:
    """Return a signature to add."""
    return {"name": name, "data": f"rule {name} {{ condition: true }}", **changes}
