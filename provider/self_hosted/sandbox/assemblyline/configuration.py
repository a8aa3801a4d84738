"""The configuration of the server, with flat keys as the API returns it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from self_hosted.sandbox.assemblyline.service_data import CATEGORIES, MEMBERS, STAGES

VERDICT_PREFIX = "submission.verdicts."
DEFAULT_CONFIGURATION: dict[str, Any] = {
    "submission.dtl": 30,
    "submission.max_dtl": 0,
    "submission.max_file_size": 104_857_600,
    f"{VERDICT_PREFIX}info": 0,
    f"{VERDICT_PREFIX}suspicious": 300,
    f"{VERDICT_PREFIX}highly_suspicious": 700,
    f"{VERDICT_PREFIX}malicious": 1000,
    "ui.enforce_quota": True,
    "services.categories": [[name, MEMBERS.get(name, [])] for name in CATEGORIES],
    "services.stages": [[name, MEMBERS.get(name, [])] for name in STAGES],
}


def select_section(prefix: str, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings whose keys start with a prefix, without the prefix.

    :param prefix: prefix with a dot at the end
    :param configuration: settings with flat keys
    """
    return {key.removeprefix(prefix): value for key, value in configuration.items() if key.startswith(prefix)}


def get_thresholds(configuration: Mapping[str, Any]) -> dict[str, int]:
    """Return the minimum score of each verdict.

    :param configuration: settings with flat keys
    """
    return select_section(VERDICT_PREFIX, configuration)
