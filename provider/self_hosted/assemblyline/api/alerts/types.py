"""The typed results that operators and sensors extend; this module imports no flows, so that they may import it."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict


class AlertDocument(TypedDict):
    """The shape of an alert in a response: the fields that flows use."""

    alert_id: str
    sid: NotRequired[str | None]
    priority: NotRequired[str | None]
    status: NotRequired[str | None]
    owner: NotRequired[str | None]
    label: NotRequired[list[str] | None]
    verdict: NotRequired[dict[str, list[str] | None] | None]


class AlertPayload(TypedDict):
    """The content of an event for an alert; None for values that the alert does not have.

    :param alert_id: id of the alert
    :param sid: id of its submission
    :param type: type of the alert
    :param priority: LOW, MEDIUM, HIGH or CRITICAL
    :param status: MALICIOUS, NON-MALICIOUS, ASSESS or TRIAGE
    :param extended_scan: state of the extended scan
    :param reporting_ts: when it was raised or last updated
    :param name: name of the file
    :param sha256: SHA-256 of the file
    :param score: score of the submission
    :param labels: its labels
    """

    alert_id: str
    sid: str | None
    type: str | None
    priority: str | None
    status: str | None
    extended_scan: str | None
    reporting_ts: str
    name: str | None
    sha256: str | None
    score: int | None
    labels: list[str]


class UpdatedAlert(TypedDict):
    """An alert after an update.

    :param alert_id: id of the alert
    :param sid: id of its submission; None without one
    :param priority: LOW, MEDIUM, HIGH or CRITICAL; None without one
    :param status: MALICIOUS, NON-MALICIOUS, ASSESS or TRIAGE; None without one
    :param owner: name of its owner; None without one
    :param labels: its labels
    :param changed: names of the fields of `AlertChanges` that changed the alert
    """

    alert_id: str
    sid: str | None
    priority: str | None
    status: str | None
    owner: str | None
    labels: list[str]
    changed: list[str]


class BatchUpdate(TypedDict):
    """The effect of an update by query.

    :param found: how many alerts the query found
    :param to_change: how many of them lacked a change
    :param changed: how many were changed; 0 in a dry run
    """

    found: int
    to_change: int
    changed: int
