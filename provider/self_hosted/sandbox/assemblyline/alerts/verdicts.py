"""Verdicts of users on alerts and submissions."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.assemblyline.errors import ApiError

OPPOSITES = {"malicious": "non_malicious", "non_malicious": "malicious"}


def check_verdict(verdict: str) -> None:
    """Check that a verdict exists.

    :param verdict: verdict of the request
    :raises ApiError: if it does not
    """
    if verdict not in OPPOSITES:
        raise ApiError(400, f"'{verdict}' is not a valid verdict.", {"success": False})


def set_verdict(document: dict[str, Any], user: str, verdict: str) -> None:
    """Set the verdict of a user, and remove the opposite one of the same user.

    :param document: an alert or a submission
    :param user: the user
    :param verdict: malicious or non_malicious
    """
    users, others = document["verdict"], OPPOSITES[verdict]
    users[others] = [name for name in users[others] if name != user]
    users[verdict] = [*(name for name in users[verdict] if name != user), user]
