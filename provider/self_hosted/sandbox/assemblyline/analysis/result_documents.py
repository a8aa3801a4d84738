"""Results and errors of the service as documents."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.assemblyline.analysis.files import AnalyzedFile
from self_hosted.sandbox.assemblyline.analysis.results import AnalysisResult
from self_hosted.sandbox.assemblyline.dates import evaluate_date
from self_hosted.sandbox.assemblyline.service_data import SERVICE_NAME, SERVICE_VERSION

SERVICE_KEY = f"{SERVICE_NAME}.v{SERVICE_VERSION.replace('.', '_')}.c194ZBEYk2AF"
CLASSIFICATION = "TLP:C"
ATTACK: dict[str, Any] = {
    "attack_id": "T1059",
    "categories": ["execution"],
    "pattern": "Command and Scripting Interpreter",
}
TAGS = {
    "attribution.family": "RIGFAMILY",
    "av.virus_name": "Rig.Test",
    "network.static.domain": "rig.example.com",
    "network.static.uri": "http://rig.example.com/x",
}


def get_result_key(file: AnalyzedFile) -> str | None:
    """Return the key of the result of a file; None if the service failed on it."""
    if file.error and not file.children and file.score is None:
        return None
    is_empty = file.score is None and not file.children
    return f"{file.sha256}.{SERVICE_KEY}{'.e' if is_empty else ''}"


def get_error_key(file: AnalyzedFile) -> str | None:
    """Return the key of the error of a file; None if there is no error."""
    return f"{file.sha256}.{SERVICE_KEY}.e1" if file.error else None


def get_keys(result: AnalysisResult) -> tuple[list[str], list[str]]:
    """Return the keys of the results and of the errors of a submission."""
    files = list(result.iterate_files())
    results, errors = map(get_result_key, files), map(get_error_key, files)
    return [key for key in results if key], [key for key in errors if key]


def build_result(file: AnalyzedFile, created: str) -> dict[str, Any]:
    """Return the result of the service for a file.

    :param file: the file
    :param created: date of the result
    """
    return {
        **_build_common_part(file, created),
        "drop_file": False,
        "from_archive": False,
        "partial": False,
        "result": {"score": file.score or 0, "sections": [] if file.score is None else [_build_section(file.score)]},
        "classification": CLASSIFICATION,
        "size": file.size,
        "type": file.type,
    }


def build_error(file: AnalyzedFile, created: str) -> dict[str, Any]:
    """Return the error of the service for a file.

    :param file: a file with an error
    :param created: date of the error
    """
    document = _build_common_part(file, created)
    names = ("service_name", "service_tool_version", "service_version")
    service = {name: document["response"][name] for name in names}
    error = {"message": file.error, "service_debug_info": None, "status": "FAIL_NONRECOVERABLE"}
    return {**document, "response": {**service, **error}, "severity": "error", "type": "EXCEPTION"}


def _build_common_part(file: AnalyzedFile, created: str) -> dict[str, Any]:
    response = {
        "extracted": [_build_extracted(name, sha256) for name, sha256 in file.children],
        "milestones": {"service_completed": created, "service_started": created},
        "service_context": None,
        "service_debug_info": None,
        "service_name": SERVICE_NAME,
        "service_tool_version": None,
        "service_version": SERVICE_VERSION,
        "supplementary": [],
    }
    return {
        "archive_ts": None,
        "created": created,
        "expiry_ts": evaluate_date("now+30d"),
        "response": response,
        "sha256": file.sha256,
    }


def _build_extracted(name: str, sha256: str) -> dict[str, Any]:
    return {
        "allow_dynamic_recursion": False,
        "classification": CLASSIFICATION,
        "description": f"Extracted by {SERVICE_NAME}",
        "is_section_image": False,
        "name": name,
        "parent_relation": "EXTRACTED",
        "sha256": sha256,
    }


def _build_section(score: int) -> dict[str, Any]:
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
        "body": f"Found by {SERVICE_NAME}",
        "body_config": None,
        "body_format": "TEXT",
        "classification": CLASSIFICATION,
        "depth": 0,
        "heuristic": heuristic,
        "promote_to": None,
        "tags": tags,
        "title_text": f"Marker worth {score}",
    }
