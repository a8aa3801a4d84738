"""The reports of a hash look-up: one per file, and the result of the task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from self_hosted.assemblyline.api.files.types import FileFinding

NOTHING: Mapping[str, Any] = dict.fromkeys(("verdict", "max_score", "sid", "sha256", "url"))
"""The report of no file."""


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
    :param pending: ids of the submissions that the task did not wait for (``wait_for_completion=False``)
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
    pending: list[str]
    verdict: str | None
    max_score: int | None
    sid: str | None
    url: str
    hashes: list[HashReport]


def is_unknown(report: Mapping[str, Any]) -> bool:
    """Whether a file has no result and no submission, and neither a list nor a source rates it.

    :param report: a `HashReport`, or a finding of the look-up
    """
    has_result = report["verdict"] is not None or report.get("submitted")
    return not (has_result or report["malicious"] or report["safelisted"])


def find_worst(reports: Sequence[Any]) -> Any:
    """Return the report of the worst file: malicious ones first, then the highest score; `NOTHING` for no file.

    :param reports: `HashReport` or findings of the look-up
    """

    def badness(report: Any) -> tuple[bool, int]:
        return report["malicious"], -1 if report["max_score"] is None else report["max_score"]

    return max(reports, key=badness, default=NOTHING)


def build_hashes_result(reports: list[HashReport], unknown: list[str], base_url: str) -> HashesResult:
    """Return the task's result.

    :param reports: one per file
    :param unknown: the hashes of unknown files
    :param base_url: the server's address, the page of no file
    """
    worst = find_worst(reports)
    return HashesResult(
        count=len(reports),
        known=sum(report["known"] for report in reports),
        malicious=sum(report["malicious"] for report in reports),
        unknown=unknown,
        pending=[str(report["sid"]) for report in reports if report["submitted"] and report["verdict"] is None],
        verdict=worst["verdict"],
        max_score=worst["max_score"],
        sid=worst["sid"],
        url=worst["url"] or base_url,
        hashes=reports,
    )
