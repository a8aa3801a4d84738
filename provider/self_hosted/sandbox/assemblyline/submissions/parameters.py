"""Parameters and metadata of submissions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEFAULT_SERVICES = ["Filtering", "Antivirus", "Static Analysis", "Extraction", "Networking"]
DYNAMIC_ANALYSIS = "Dynamic Analysis"
ADDED_SERVICES = {
    "static": [],
    "static_with_dynamic": [DYNAMIC_ANALYSIS],
    "static_with_internet": ["Internet Connected"],
    "static_and_dynamic_with_internet": ["Internet Connected", DYNAMIC_ANALYSIS],
}
PROFILES = {"default": DEFAULT_SERVICES, **{name: [*DEFAULT_SERVICES, *more] for name, more in ADDED_SERVICES.items()}}
DEFAULT_PARAMS: dict[str, Any] = {
    "classification": "TLP:C",
    "deep_scan": False,
    "description": "",
    "filetype_override": None,
    "generate_alert": False,
    "groups": [],
    "ignore_cache": False,
    "ignore_filtering": False,
    "ignore_recursion_prevention": False,
    "ignore_size": False,
    "initial_data": None,
    "malicious": False,
    "max_extracted": 500,
    "max_supplementary": 500,
    "never_drop": False,
    "priority": 1000,
    "psid": None,
    "service_spec": {},
    "services": {"selected": DEFAULT_SERVICES},
    "trace": False,
    "ttl": 30,
    "type": "USER",
}


def build_params(params: Mapping[str, Any] | None, user: str, name: str) -> dict[str, Any]:
    """Return the parameters of a submission. The server ignores unknown parameters and the classification.

    :param params: parameters of the request
    :param user: submitter
    :param name: name of the file
    """
    known = {key: value for key, value in (params or {}).items() if key in DEFAULT_PARAMS}
    fixed = {"submitter": user, "classification": DEFAULT_PARAMS["classification"]}
    return {**DEFAULT_PARAMS, "description": f"Inspection of file: {name}", **known, **fixed}


def flatten_metadata(metadata: Mapping[str, Any] | None, prefix: str = "") -> dict[str, str]:
    """Return metadata as the server stores it: with flat keys, and values as text.

    :param metadata: metadata of the request
    :param prefix: prefix of the keys
    """
    flat: dict[str, str] = {}
    for name, value in (metadata or {}).items():
        if isinstance(value, Mapping):
            flat.update(flatten_metadata(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = str(value).lower() if isinstance(value, bool) else str(value)
    return flat
