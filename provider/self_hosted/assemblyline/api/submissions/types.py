"""The typed results that operators and sensors extend; this module imports no flows, so that they may import it."""

from __future__ import annotations

from typing import TypedDict

import typing_extensions


class SubmissionOutcome(typing_extensions.TypedDict):
    """The shape of a submission in a response: the fields that waits use."""

    sid: str
    state: str
    max_score: int
    file_count: int
    error_count: int
    to_be_deleted: typing_extensions.NotRequired[bool | None]


class TagValues(TypedDict):
    """The values of one type of tag, without safelisted ones.

    :param count: how many there are
    :param first: the worst ones
    """

    count: int
    first: list[str]


class FailedService(TypedDict):
    """A service that failed on a file.

    :param service: name of the service
    :param sha256: SHA-256 of the file
    :param error: kind of the error, see `results.ERROR_CODES`
    :param message: the service's message, shortened
    :param status: "FAIL_NONRECOVERABLE", ...; None if the server does not show the error
    """

    service: str
    sha256: str
    error: str | None
    message: str
    status: str | None


class Digest(TypedDict):
    """The findings of a submission in short, the worst first and without safelisted ones.

    :param sid: id of the submission
    :param max_score: the highest score of its files
    :param verdict: safe, info, suspicious, highly_suspicious or malicious
    :param bands: lowest score of each verdict
    :param file_count: how many files were analysed
    :param error_count: how many services failed
    :param heuristics: names by kind: malicious, suspicious, info, safe
    :param attack: ids of MITRE ATT&CK techniques
    :param iocs: `TagValues` by type of indicator
    :param attribution: `TagValues` by type of attribution
    :param failed_services: `FailedService` each
    :param partial: whether results are missing
    :param filtered: whether the user may not see all
    """

    sid: str
    max_score: int
    verdict: str
    bands: dict[str, int]
    file_count: int
    error_count: int
    heuristics: dict[str, list[str]]
    attack: list[str]
    iocs: dict[str, TagValues]
    attribution: dict[str, TagValues]
    failed_services: list[FailedService]
    partial: bool
    filtered: bool
