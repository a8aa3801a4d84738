"""The reports of a hash look-up: one per file, and the result of the task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from self_hosted.assemblyline.api.files.types import FileFinding


class HashReport(FileFinding):
    """What the server knows of one file: a `FileFinding`, and these keys.

    :param submitted: whether this task submitted it
    :param url: page of the submission, or else of the file
    """

    submitted: bool
    url: str


class HashesResult(TypedDict):
    """The result of a look-up.

    :param count: how many hashes
    :param known: how many of the files the server has
    :param malicious: how many are malicious
    :param unknown: hashes of the files without a result, which are on no list
    :param verdict: of the worst file
    :param max_score: of the worst file
    :param sid: of the worst file
    :param url: of the worst file
    :param hashes: all files
    """

    count: int
    known: int
    malicious: int
    unknown: list[str]
    verdict: str | None
    max_score: int | None
    sid: str | None
    url: str
    hashes: list[HashReport]


def is_unknown(report: Mapping[str, Any]) -> bool:
    """Whether a file has no result, and neither a list nor a source rates it.

    :param report: a `HashReport`, or a finding of the look-up
    """
    return report["verdict"] is None and not report["malicious"] and not report["safelisted"]


def find_worst(reports: Sequence[Any]) -> Any:
    """Return the report of the worst file: malicious ones first, then the highest score.

    :param reports: `HashReport` or findings of the look-up
    """

    def badness(report: Any) -> tuple[bool, int]:
        return report["malicious"], -1 if report["max_score"] is None else report["max_score"]

    return max(reports, key=badness)


def build_hashes_result(reports: list[HashReport], unknown: list[str]) -> HashesResult:
    """Return the task's result.

    :param reports: one per file
    :param unknown: the hashes of unknown files
    """
    worst = find_worst(reports)
    return HashesResult(
        count=len(reports),
        known=sum(report["known"] for report in reports),
        malicious=sum(report["malicious"] for report in reports),
        unknown=unknown,
        verdict=worst["verdict"],
        max_score=worst["max_score"],
        sid=worst["sid"],
        url=worst["url"],
        hashes=reports,
    )
