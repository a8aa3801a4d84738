"""The typed results that operators and sensors extend; this module imports no flows, so that they may import it."""

from __future__ import annotations

from typing import TypedDict


class SourceFinding(TypedDict):
    """The finding of a data source, in short.

    :param malicious: whether one of its items says so
    :param confirmed: whether one of its items is confirmed
    :param descriptions: of its first five items
    :param error: why the source failed; None if it did not
    """

    malicious: bool
    confirmed: bool
    descriptions: list[str]
    error: str | None


class FileFinding(TypedDict):
    """The finding for one hash; None for each value that does not exist.

    ``verdict``, ``max_score``, ``error_count`` and ``sid`` come from the worst submission of the file. For a file that
    was only extracted from others, the score is the sum of its services' newest results, and there is no sid.

    :param hash: as it was given
    :param known: whether the server knows the file
    :param malicious: whether the verdict, the badlist or a data source says so
    :param verdict: safe, info, suspicious, highly_suspicious or malicious
    :param max_score: score
    :param error_count: how many services failed
    :param sid: id of the submission
    :param sha256: SHA-256 of the file
    :param analysed: when the analysis was completed
    :param last_seen: when the file was last submitted or extracted
    :param badlisted: whether it is on the badlist; None if the user may not see the list
    :param safelisted: whether it is on the safelist; None if the user may not see the list
    :param sources: `SourceFinding` by name of the data source
    """

    hash: str
    known: bool
    malicious: bool
    verdict: str | None
    max_score: int | None
    error_count: int | None
    sid: str | None
    sha256: str | None
    analysed: str | None
    last_seen: str | None
    badlisted: bool | None
    safelisted: bool | None
    sources: dict[str, SourceFinding]
