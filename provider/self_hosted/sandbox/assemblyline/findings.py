"""What was found in several files of the stand-in, taken together: trees, tags, techniques and heuristics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from self_hosted.sandbox.assemblyline.result_documents import ATTACK, CLASSIFICATION, TAGS, kind_of
from self_hosted.sandbox.assemblyline.scan import Findings, Scanned

GROUPS = {
    "attribution.family": "attribution",
    "av.virus_name": "attribution",
    "network.static.domain": "ioc",
    "network.static.uri": "ioc",
}
RANKS = ("safe", "info", "suspicious", "malicious")
HEURISTIC = ["RIGSCAN.1", "Rig marker found"]
LABELS = [f"attack_pattern__{ATTACK['attack_id']}", "heuristic__RIGSCAN.1", "heuristic.signature__RIG_MARKER"]


def kind(score: int, bands: Mapping[str, int]) -> str:
    """What a heuristic's score makes it; there is no "highly suspicious" among heuristics.

    :param score: of the heuristic
    :param bands: the least score of each verdict
    """
    reached = [name for name in RANKS[1:] if score >= bands[name]]
    return reached[-1] if reached else "safe"


def tree(findings: Findings, names: Sequence[str], sha256: str) -> dict[str, Any]:
    """A file and all that is in it.

    :param findings: of the submission
    :param names: what the file is called
    :param sha256: the file's
    """
    found = findings.files[sha256]
    return {
        "children": {child: tree(findings, _names(found, child), child) for _, child in found.children},
        "name": list(names),
        "score": findings.scores[sha256],
        "sha256": sha256,
        "size": found.size,
        "truncated": False,
        "type": kind_of(found),
    }


def _names(found: Scanned, child: str) -> list[str]:
    return [name for name, sha256 in found.children if sha256 == child]


def names(findings: Findings, name: str) -> dict[str, list[str]]:
    """What each file of a submission is called.

    :param findings: of the submission
    :param name: of the submitted file
    """
    called: dict[str, list[str]] = {findings.sha256: [name]}
    for found in findings.files.values():
        for child_name, child in found.children:
            called.setdefault(child, []).append(child_name)
    return called


def summary(found: Iterable[Scanned], bands: Mapping[str, int]) -> dict[str, Any]:
    """The summary of a submission.

    :param found: its files
    :param bands: the least score of each verdict
    """
    marked = [one for one in found if one.score is not None]
    kinds = list(dict.fromkeys(kind(one.score or 0, bands) for one in marked))
    return {
        "attack_matrix": _attack_matrix(kinds),
        "classification": CLASSIFICATION,
        "filtered": False,
        "heuristic_name_map": {HEURISTIC[1]: [HEURISTIC[0]]} if marked else {},
        "heuristic_sections": {},
        "heuristics": {one: [HEURISTIC] for one in kinds},
        "map": _map([one.sha256 for one in marked]),
        "partial": False,
        "tags": _tags(kinds),
    }


def _attack_matrix(kinds: Sequence[str]) -> dict[str, list[list[str]]]:
    """A technique is there once for each kind."""
    return {"execution": [["T1059", str(ATTACK["pattern"]), one] for one in kinds]} if kinds else {}


def _tags(kinds: Sequence[str]) -> dict[str, dict[str, Any]]:
    """A tag is there once, of the worst kind."""
    tags: dict[str, dict[str, Any]] = {"attribution": {}, "behavior": {}, "ioc": {}}
    for type_, value in TAGS.items() if kinds else ():
        tags[GROUPS[type_]][type_] = [[value, max(kinds, key=RANKS.index), False, CLASSIFICATION]]
    return tags


def _map(sha256s: Sequence[str]) -> dict[str, list[str]]:
    labels = [*LABELS, *(f"{type_}__{value}" for type_, value in TAGS.items())]
    return {**{one: labels for one in sha256s}, **({label: list(sha256s) for label in labels} if sha256s else {})}


def of_file(score: int | None, bands: Mapping[str, int]) -> dict[str, Any]:
    """What the view of one file tells, besides its results: tags, techniques, heuristics and signatures.

    :param score: of its heuristic, if it has one
    :param bands: the least score of each verdict
    """
    kinds = [] if score is None else [kind(score, bands)]
    tags = {type_: values for group in _tags(kinds).values() for type_, values in group.items()}
    return {
        "attack_matrix": _attack_matrix(kinds),
        "heuristics": {one: [HEURISTIC] for one in kinds},
        "signatures": [["RIG_MARKER", one, False] for one in kinds],
        "tags": tags,
    }


def report(found: Sequence[Scanned], called: Mapping[str, Sequence[str]], bands: Mapping[str, int]) -> dict[str, Any]:
    """What the report on a submission tells, besides its document.

    :param found: its files
    :param called: what each is called
    :param bands: the least score of each verdict
    """
    marked = [one for one in found if one.score is not None]
    files = [[name, one.sha256] for one in marked for name in called[one.sha256]]
    kinds = [kind(one.score or 0, bands) for one in marked]
    worst = {"files": files, "h_type": max(kinds, key=RANKS.index, default="info")}
    heuristics: dict[str, dict[str, Any]] = {name: {} for name in RANKS}
    for one, of_kind in zip(marked, kinds, strict=True):
        named = heuristics[of_kind].setdefault(HEURISTIC[1], [])
        named.extend([name, one.sha256] for name in called[one.sha256])
    groups = {"attribution": "attributions", "ioc": "indicators_of_compromise"}
    tags: dict[str, dict[str, Any]] = {}
    for type_, value in TAGS.items() if marked else ():
        tags.setdefault(groups[GROUPS[type_]], {})[type_] = {value: worst}
    return {
        "attack_matrix": {"execution": {ATTACK["pattern"]: worst}} if marked else {},
        "heuristics": heuristics,
        "important_files": [one.sha256 for one in marked if one is not found[0]],
        "promoted_sections": [],
        "report_filtered": False,
        "tags": tags,
    }
