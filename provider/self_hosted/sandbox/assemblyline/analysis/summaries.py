"""Summaries of several results: tags, techniques and heuristics of a submission or of a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from self_hosted.sandbox.assemblyline.analysis.files import AnalyzedFile
from self_hosted.sandbox.assemblyline.analysis.result_documents import ATTACK, CLASSIFICATION, TAGS

TAG_GROUPS = {
    "attribution.family": "attribution",
    "av.virus_name": "attribution",
    "network.static.domain": "ioc",
    "network.static.uri": "ioc",
}
LEVELS = ("safe", "info", "suspicious", "malicious")
HEURISTIC = ["RIGSCAN.1", "Rig marker found"]
LABELS = [f"attack_pattern__{ATTACK['attack_id']}", "heuristic__RIGSCAN.1", "heuristic.signature__RIG_MARKER"]


def get_level(score: int, thresholds: Mapping[str, int]) -> str:
    """Return the level of a heuristic. Heuristics have no level "highly_suspicious".

    :param score: score of the heuristic
    :param thresholds: minimum score of each verdict
    """
    reached = [name for name in LEVELS[1:] if score >= thresholds[name]]
    return reached[-1] if reached else "safe"


def get_highest_level(levels: Iterable[str], default: str) -> str:
    """Return the highest of several levels.

    :param levels: the levels
    :param default: result for no levels
    """
    return max(levels, key=LEVELS.index, default=default)


def build_submission_summary(files: Iterable[AnalyzedFile], thresholds: Mapping[str, int]) -> dict[str, Any]:
    """Return the summary of a submission.

    :param files: files of the submission
    :param thresholds: minimum score of each verdict
    """
    scored = [file for file in files if file.score is not None]
    levels = list(dict.fromkeys(get_level(file.score or 0, thresholds) for file in scored))
    return {
        "attack_matrix": _build_attack_matrix(levels),
        "classification": CLASSIFICATION,
        "filtered": False,
        "heuristic_name_map": {HEURISTIC[1]: [HEURISTIC[0]]} if scored else {},
        "heuristic_sections": {},
        "heuristics": {level: [HEURISTIC] for level in levels},
        "map": _build_map([file.sha256 for file in scored]),
        "partial": False,
        "tags": _build_tags(levels),
    }


def build_file_summary(score: int | None, thresholds: Mapping[str, int]) -> dict[str, Any]:
    """Return the summary of a file: tags, techniques, heuristics and signatures.

    :param score: score of its heuristic, or None
    :param thresholds: minimum score of each verdict
    """
    levels = [] if score is None else [get_level(score, thresholds)]
    tags = {type_: values for group in _build_tags(levels).values() for type_, values in group.items()}
    return {
        "attack_matrix": _build_attack_matrix(levels),
        "heuristics": {level: [HEURISTIC] for level in levels},
        "signatures": [["RIG_MARKER", level, False] for level in levels],
        "tags": tags,
    }


def _build_attack_matrix(levels: Sequence[str]) -> dict[str, list[list[str]]]:
    """Return the techniques; a technique appears once per level."""
    return {"execution": [["T1059", str(ATTACK["pattern"]), level] for level in levels]} if levels else {}


def _build_tags(levels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the tags; a tag appears once, with the highest level."""
    tags: dict[str, dict[str, Any]] = {"attribution": {}, "behavior": {}, "ioc": {}}
    for type_, value in TAGS.items() if levels else ():
        level = get_highest_level(levels, "safe")
        tags[TAG_GROUPS[type_]][type_] = [[value, level, False, CLASSIFICATION]]
    return tags


def _build_map(hashes: Sequence[str]) -> dict[str, list[str]]:
    """Return the labels of each file, and the files of each label."""
    labels = [*LABELS, *(f"{type_}__{value}" for type_, value in TAGS.items())]
    files_of_labels = {label: list(hashes) for label in labels} if hashes else {}
    return {**{sha256: labels for sha256 in hashes}, **files_of_labels}
