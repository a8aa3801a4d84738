"""Alerts as documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from self_hosted.sandbox.assemblyline.dates import evaluate_date, get_current_time
from self_hosted.sandbox.assemblyline.submissions.submission import Submission

USER_NAMES = {"admin": "Administrator", "user": "Sandbox User"}
LIST_FIELDS = (
    "attrib",
    "av",
    "behavior",
    "domain",
    "domain_dynamic",
    "domain_static",
    "ip",
    "ip_dynamic",
    "ip_static",
    "uri",
    "uri_dynamic",
    "uri_static",
    "yara",
)
DETAIL_FIELDS = (
    "attack_category",
    "attack_pattern",
    "attrib",
    "av",
    "behavior",
    "domain",
    "heuristic",
    "ip",
    "uri",
    "yara",
)


def build_empty_alert(alert_id: str) -> dict[str, Any]:
    """Return an alert without any findings.

    :param alert_id: id of the alert, also of its submission
    """
    now = get_current_time()
    return {
        "alert_id": alert_id,
        "al": {
            **{name: [] for name in LIST_FIELDS},
            "detailed": {name: [] for name in DETAIL_FIELDS},
            "request_end_time": now,
            "score": 0,
        },
        "archive_ts": None,
        "attack": {"category": [], "pattern": []},
        "classification": "TLP:C",
        "events": [],
        "expiry_ts": evaluate_date("now+90d"),
        "extended_scan": "skipped",
        "file": {"md5": "", "name": "", "screenshots": [], "sha1": "", "sha256": "", "size": 0, "type": "text/plain"},
        "filtered": False,
        "heuristic": {"name": []},
        "label": [],
        "metadata": {},
        "owner": None,
        "priority": None,
        "reporting_ts": now,
        "sid": alert_id,
        "status": None,
        "submission_relations": [],
        "ts": now,
        "type": "USER",
        "verdict": {"malicious": [], "non_malicious": []},
        "workflows_completed": False,
    }


def get_alert_id(submission: Submission, source: Submission) -> str:
    """Return the id of the alert of a submission; the parameters are those of `build_alert`."""
    return str(source.ingest_id or submission.params["psid"] or submission.sid)


def build_alert(submission: Submission, source: Submission) -> dict[str, Any]:
    """Return the alert of a submission.

    :param submission: the analyzed submission
    :param source: the same submission, or an ingest that reuses it
    """
    document, analysis = submission.document, submission.analysis
    alert = build_empty_alert(get_alert_id(submission, source))
    metadata = dict(source.document["metadata"])
    type_, ts = metadata.pop("type", source.params["type"]), metadata.pop("ts", document["times"]["submitted"])
    hashes = {"md5": analysis.md5, "sha1": analysis.sha1, "sha256": analysis.sha256, "size": analysis.size}
    return {
        **alert,
        "al": {**alert["al"], "request_end_time": document["times"]["completed"], "score": analysis.max_score},
        "classification": document["classification"],
        "file": {**alert["file"], **hashes, "name": source.name},
        "metadata": metadata,
        "sid": submission.sid,
        "submission_relations": [{"child": submission.sid, "parent": submission.params["psid"]}],
        "ts": ts,
        "type": type_,
    }


def apply_changes(alert: dict[str, Any], user: str, changes: Mapping[str, Any]) -> None:
    """Change labels, priority and status of an alert, and add an event to its history.

    :param alert: the alert
    :param user: user who changes it
    :param changes: labels, labels_removed, priority, status
    """
    added, removed = changes.get("labels") or [], changes.get("labels_removed") or []
    alert.update({name: changes[name] for name in ("priority", "status") if changes.get(name)})
    labels = [*alert["label"], *(label for label in added if label not in alert["label"])]
    alert["label"] = [label for label in labels if label not in removed]
    event = {
        "entity_id": user,
        "entity_name": USER_NAMES.get(user, user),
        "entity_type": "user",
        "labels": list(added),
        "labels_removed": list(removed),
        "priority": changes.get("priority"),
        "status": changes.get("status"),
        "ts": get_current_time(),
    }
    alert["events"] = [*alert["events"], event]
