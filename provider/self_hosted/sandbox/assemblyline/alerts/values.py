"""Labels, priorities and statuses in requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from self_hosted.sandbox.assemblyline.errors import ApiError, internal_error

PRIORITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
STATUSES = ("MALICIOUS", "NON-MALICIOUS", "ASSESS", "TRIAGE")


def parse_labels(value: Any) -> list[str]:
    """Return labels in upper case without duplicates. The server treats a text as a list of its characters.

    :param value: value of the request
    :raises ApiError: if it is not a list of texts, which the real server does not handle
    """
    try:
        return list(dict.fromkeys(label.upper() for label in value))
    except (AttributeError, TypeError):
        raise internal_error() from None


def parse_value(value: Any, name: str, allowed: Sequence[str]) -> str:
    """Return a priority or a status in upper case.

    :param value: value of the request
    :param name: "priority" or "status"
    :param allowed: allowed values
    :raises ApiError: if it is not an allowed value
    """
    if not isinstance(value, str):
        raise internal_error()
    if value.upper() not in allowed:
        raise ApiError(400, f"Invalid {name} received.", {"success": False})
    return value.upper()


def parse_optional_value(value: Any, allowed: Sequence[str], message: str) -> str | None:
    """Return a priority or a status in upper case, or None.

    :param value: value of the request
    :param allowed: allowed values
    :param message: error message with a placeholder for the value
    :raises ApiError: if it is not an allowed value
    """
    upper = str(value or "").upper() or None
    if upper not in {None, *allowed}:
        raise ApiError(400, message.format(upper), {"success": False})
    return upper
