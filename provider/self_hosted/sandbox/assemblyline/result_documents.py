"""Results, errors and files of the stand-in as documents: what its one service says of each file of a submission."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from self_hosted.sandbox.assemblyline.dates import moment
from self_hosted.sandbox.assemblyline.scan import Findings, Scanned
from self_hosted.sandbox.assemblyline.services import SERVICE, VERSION

CONFIGURED = f"{SERVICE}.v{VERSION.replace('.', '_')}.c194ZBEYk2AF"
CLASSIFICATION = "TLP:C"
ATTACK = {"attack_id": "T1059", "categories": ["execution"], "pattern": "Command and Scripting Interpreter"}
TAGS = {
    "attribution.family": "RIGFAMILY",
    "av.virus_name": "Rig.Test",
    "network.static.domain": "rig.example.com",
    "network.static.uri": "http://rig.example.com/x",
}


def result_key(found: Scanned) -> str | None:
    """The key of what is said of a file; None when the service failed on it."""
    if found.error and not found.children and found.score is None:
        return None
    is_empty = found.score is None and not found.children
    return f"{found.sha256}.{CONFIGURED}{'.e' if is_empty else ''}"


def error_key(found: Scanned) -> str | None:
    """The key of what went wrong with a file, if anything did."""
    return f"{found.sha256}.{CONFIGURED}.e1" if found.error else None


def files_of(findings: Findings) -> Iterator[Scanned]:
    """The files of a submission, the submitted one first. Of what came in a bundle nothing is known."""
    return (findings.files[sha256] for sha256 in findings.scores if sha256 in findings.files)


def keys_of(findings: Findings) -> tuple[list[str], list[str]]:
    """The keys of a submission's results and errors."""
    found = list(files_of(findings))
    results, errors = map(result_key, found), map(error_key, found)
    return [key for key in results if key], [key for key in errors if key]


def result(found: Scanned, at: str) -> dict[str, Any]:
    """The result of the service on a file.

    :param found: the file
    :param at: when it was made
    """
    return {
        **_response(found, at),
        "drop_file": False,
        "from_archive": False,
        "partial": False,
        "result": {"score": found.score or 0, "sections": [] if found.score is None else [_section(found.score)]},
        "classification": CLASSIFICATION,
        "size": found.size,
        "type": kind_of(found),
    }


def error(found: Scanned, at: str) -> dict[str, Any]:
    """What the service says of a file on which it failed.

    :param found: the file
    :param at: when it was made
    """
    told = _response(found, at)
    service = {name: told["response"][name] for name in ("service_name", "service_tool_version", "service_version")}
    why = {"message": found.error, "service_debug_info": None, "status": "FAIL_NONRECOVERABLE"}
    return {**told, "response": {**service, **why}, "severity": "error", "type": "EXCEPTION"}


def _response(found: Scanned, at: str) -> dict[str, Any]:
    extracted = [
        {
            "allow_dynamic_recursion": False,
            "classification": CLASSIFICATION,
            "description": f"Extracted by {SERVICE}",
            "is_section_image": False,
            "name": name,
            "parent_relation": "EXTRACTED",
            "sha256": sha256,
        }
        for name, sha256 in found.children
    ]
    response = {
        "extracted": extracted,
        "milestones": {"service_completed": at, "service_started": at},
        "service_context": None,
        "service_debug_info": None,
        "service_name": SERVICE,
        "service_tool_version": None,
        "service_version": VERSION,
        "supplementary": [],
    }
    return {
        "archive_ts": None,
        "created": at,
        "expiry_ts": moment("now+30d"),
        "response": response,
        "sha256": found.sha256,
    }


def _section(score: int) -> dict[str, Any]:
    heuristic = {
        "attack": [ATTACK],
        "heur_id": "RIGSCAN.1",
        "name": "Rig marker found",
        "score": score,
        "signature": [{"frequency": 1, "name": "RIG_MARKER", "safe": False}],
    }
    tags = [
        {"safelisted": False, "short_type": type_.rsplit(".", 1)[-1], "type": type_, "value": value}
        for type_, value in TAGS.items()
    ]
    return {
        "auto_collapse": False,
        "body": f"Found by {SERVICE}",
        "body_config": None,
        "body_format": "TEXT",
        "classification": CLASSIFICATION,
        "depth": 0,
        "heuristic": heuristic,
        "promote_to": None,
        "tags": tags,
        "title_text": f"Marker worth {score}",
    }


def file_record(found: Scanned) -> dict[str, Any]:
    """A file that is seen for the first time, as the index of files has it."""
    start, now = found.words[:64], moment("now")
    return {
        "archive_ts": None,
        "ascii": "".join(chr(byte) if 32 <= byte < 127 else "." for byte in start),
        "classification": CLASSIFICATION,
        "comments": [],
        "entropy": 4.0,
        "expiry_ts": moment("now+30d"),
        "from_archive": False,
        "hex": start.hex(),
        "is_section_image": False,
        "is_supplementary": False,
        "label_categories": {"attribution": [], "info": [], "technique": []},
        "labels": [],
        "magic": "ASCII text",
        "md5": found.md5,
        "mime": "text/plain",
        "seen": {"count": 1, "first": now, "last": now},
        "sha1": found.sha1,
        "sha256": found.sha256,
        "size": found.size,
        "ssdeep": None,
        "tlsh": None,
        "type": kind_of(found),
        "uri_info": None,
    }


def kind_of(found: Scanned) -> str:
    """What kind of file it is, by its beginning."""
    return "archive/zip" if found.words.startswith(b"PK\x03\x04") else "text/plain"
