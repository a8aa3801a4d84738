"""Alerts of the stand-in as documents: what a submission raises, and what becomes of it when somebody changes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from self_hosted.sandbox.assemblyline.dates import moment
from self_hosted.sandbox.assemblyline.submissions import Submission

NAMES = {"admin": "Administrator", "user": "Sandbox User"}
OPPOSITE = {"malicious": "non_malicious", "non_malicious": "malicious"}
LISTS = ("attrib", "av", "behavior", "domain", "domain_dynamic", "domain_static", "ip", "ip_dynamic", "ip_static")
MORE_LISTS = ("uri", "uri_dynamic", "uri_static", "yara")
DETAILED = ("attack_category", "attack_pattern", "attrib", "av", "behavior", "domain", "heuristic", "ip", "uri", "yara")


def blank(alert_id: str) -> dict[str, Any]:
    """An alert of which nothing is known but its id."""
    return {
        "alert_id": alert_id,
        "al": {
            **{name: [] for name in (*LISTS, *MORE_LISTS)},
            "detailed": {name: [] for name in DETAILED},
            "request_end_time": moment("now"),
            "score": 0,
        },
        "archive_ts": None,
        "attack": {"category": [], "pattern": []},
        "classification": "TLP:C",
        "events": [],
        "expiry_ts": moment("now+90d"),
        "extended_scan": "skipped",
        "file": {"md5": "", "name": "", "screenshots": [], "sha1": "", "sha256": "", "size": 0, "type": "text/plain"},
        "filtered": False,
        "heuristic": {"name": []},
        "label": [],
        "metadata": {},
        "owner": None,
        "priority": None,
        "reporting_ts": moment("now"),
        "sid": alert_id,
        "status": None,
        "submission_relations": [],
        "ts": moment("now"),
        "type": "USER",
        "verdict": {"malicious": [], "non_malicious": []},
        "workflows_completed": False,
    }


def raised(submission: Submission, handed_in: Submission) -> dict[str, Any]:
    """The alert of a submission.

    :param submission: what was analysed
    :param handed_in: what the alert is raised for: the same, or an ingest that it stands for
    """
    document, findings = submission.document, submission.findings
    psid = submission.params["psid"]
    alert = blank(handed_in.ingest_id or psid or submission.sid)
    metadata = dict(handed_in.document["metadata"])
    kind, ts = metadata.pop("type", handed_in.params["type"]), metadata.pop("ts", document["times"]["submitted"])
    hashes = {"md5": findings.md5, "sha1": findings.sha1, "sha256": findings.sha256, "size": findings.size}
    return {
        **alert,
        "al": {**alert["al"], "request_end_time": document["times"]["completed"], "score": findings.max_score},
        "classification": document["classification"],
        "file": {**alert["file"], **hashes, "name": handed_in.document["files"][0]["name"]},
        "metadata": metadata,
        "sid": submission.sid,
        "submission_relations": [{"child": submission.sid, "parent": psid}],
        "ts": ts,
        "type": kind,
    }


def mark(alert: dict[str, Any], user: str, changes: Mapping[str, Any]) -> None:
    """Change labels, priority and status, and note it in the alert's history, whether it made a difference or not.

    :param alert: the alert
    :param user: who does it
    :param changes: labels, labels_removed, priority, status
    """
    added, removed = changes.get("labels") or [], changes.get("labels_removed") or []
    alert.update({name: changes[name] for name in ("priority", "status") if changes.get(name)})
    labels = [*alert["label"], *(label for label in added if label not in alert["label"])]
    alert["label"] = [label for label in labels if label not in removed]
    event = {
        "entity_id": user,
        "entity_name": NAMES.get(user, user),
        "entity_type": "user",
        "labels": list(added),
        "labels_removed": list(removed),
        "priority": changes.get("priority"),
        "status": changes.get("status"),
        "ts": moment("now"),
    }
    alert["events"] = [*alert["events"], event]


def judge(verdicts: dict[str, Any], user: str, verdict: str) -> None:
    """Note what a user says, which replaces what the user said before.

    :param verdicts: of an alert or a submission
    :param user: who says it
    :param verdict: malicious or non_malicious
    """
    verdicts[OPPOSITE[verdict]] = _without(verdicts[OPPOSITE[verdict]], user)
    verdicts[verdict] = [*_without(verdicts[verdict], user), user]


def _without(users: Collection[str], user: str) -> list[str]:
    return [one for one in users if one != user]
