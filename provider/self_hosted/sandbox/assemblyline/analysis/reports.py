"""The report and the file tree of a submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.sandbox.assemblyline.analysis.files import AnalyzedFile
from self_hosted.sandbox.assemblyline.analysis.result_documents import ATTACK, TAGS
from self_hosted.sandbox.assemblyline.analysis.results import AnalysisResult
from self_hosted.sandbox.assemblyline.analysis.summaries import (
    HEURISTIC,
    LEVELS,
    TAG_GROUPS,
    get_highest_level,
    get_level,
)

REPORT_GROUPS = {"attribution": "attributions", "ioc": "indicators_of_compromise"}


def build_tree(result: AnalysisResult, names: Sequence[str], sha256: str) -> dict[str, Any]:
    """Return a file and the files in it.

    :param result: result of the submission
    :param names: names of the file
    :param sha256: hash of the file
    """
    file = result.files[sha256]
    return {
        "children": {child: build_tree(result, _get_names(file, child), child) for _, child in file.children},
        "name": list(names),
        "score": result.scores[sha256],
        "sha256": sha256,
        "size": file.size,
        "truncated": False,
        "type": file.type,
    }


def _get_names(parent: AnalyzedFile, child: str) -> list[str]:
    return [name for name, sha256 in parent.children if sha256 == child]


def collect_names(result: AnalysisResult, name: str) -> dict[str, list[str]]:
    """Return the names of each file of a submission.

    :param result: result of the submission
    :param name: name of the submitted file
    """
    names: dict[str, list[str]] = {result.sha256: [name]}
    for file in result.files.values():
        for child_name, child in file.children:
            names.setdefault(child, []).append(child_name)
    return names


def build_report(
    files: Sequence[AnalyzedFile], names: Mapping[str, Sequence[str]], thresholds: Mapping[str, int]
) -> dict[str, Any]:
    """Return the parts of the report that the document of the submission lacks.

    :param files: files of the submission, the submitted one first
    :param names: names of each file
    :param thresholds: minimum score of each verdict
    """
    scored = [file for file in files if file.score is not None]
    levels = [get_level(file.score or 0, thresholds) for file in scored]
    occurrences = {
        "files": [[name, file.sha256] for file in scored for name in names[file.sha256]],
        "h_type": get_highest_level(levels, "info"),
    }
    return {
        "attack_matrix": {"execution": {ATTACK["pattern"]: occurrences}} if scored else {},
        "heuristics": _build_heuristics(scored, levels, names),
        "important_files": [file.sha256 for file in scored if file is not files[0]],
        "promoted_sections": [],
        "report_filtered": False,
        "tags": _build_tags(occurrences) if scored else {},
    }


def _build_heuristics(
    files: Sequence[AnalyzedFile], levels: Sequence[str], names: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, Any]]:
    heuristics: dict[str, dict[str, Any]] = {level: {} for level in LEVELS}
    for file, level in zip(files, levels, strict=True):
        found = heuristics[level].setdefault(HEURISTIC[1], [])
        found.extend([name, file.sha256] for name in names[file.sha256])
    return heuristics


def _build_tags(occurrences: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    tags: dict[str, dict[str, Any]] = {}
    for type_, value in TAGS.items():
        tags.setdefault(REPORT_GROUPS[TAG_GROUPS[type_]], {})[type_] = {value: occurrences}
    return tags
