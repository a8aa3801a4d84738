"""The typed results that operators and sensors extend; this module imports no flows, so that they may import it."""

from __future__ import annotations

from typing import TypedDict

import typing_extensions


class FileHash(typing_extensions.TypedDict):
    """The shape of a file of a submission, as far as waits use it."""

    sha256: str


class SubmissionScore(typing_extensions.TypedDict):
    """The shape of a submission in a response: its state and its score."""

    sid: str
    state: str
    max_score: int
    file_count: int
    error_count: int
    to_be_deleted: typing_extensions.NotRequired[bool | None]


class SubmissionOutcome(SubmissionScore):
    """The shape of a submission in a response: the fields that waits use."""

    files: typing_extensions.NotRequired[list[FileHash]]


class Ioc(TypedDict):
    """An indicator of compromise; a list of them is the argument ``entries`` of the list operators.

    :param type: type of the tag, such as "network.static.domain"
    :param value: its value
    :param classification: of the tag; None if the server does not show it
    """

    type: str
    value: str
    classification: str | None


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
    :param sha256: SHA-256 of the submitted file; None if the server does not show it
    :param max_score: the highest score of its files
    :param verdict: safe, info, suspicious, highly_suspicious or malicious
    :param bands: lowest score of each verdict
    :param file_count: how many files were analysed
    :param error_count: how many services failed
    :param heuristics: names by kind: malicious, suspicious, info, safe
    :param attack: ids of MITRE ATT&CK techniques
    :param iocs: `Ioc` each, the worst ones of each type
    :param ioc_counts: how many there are, by type
    :param attribution: `TagValues` by type of attribution
    :param failed_services: `FailedService` each
    :param partial: whether results are missing
    :param filtered: whether the user may not see all
    """

    sid: str
    sha256: str | None
    max_score: int
    verdict: str
    bands: dict[str, int]
    file_count: int
    error_count: int
    heuristics: dict[str, list[str]]
    attack: list[str]
    iocs: list[Ioc]
    ioc_counts: dict[str, int]
    attribution: dict[str, TagValues]
    failed_services: list[FailedService]
    partial: bool
    filtered: bool


class AnalysisResult(TypedDict):
    """The result of a completed submission.

    :param sid: id of the submission
    :param sha256: SHA-256 of the submitted file; None if the server does not show it
    :param state: "completed"
    :param max_score: the highest score of its files
    :param verdict: safe, info, suspicious, highly_suspicious or malicious, by the server's bands
    :param file_count: how many files were analysed, extracted ones included
    :param error_count: how many services failed
    :param url: page of the submission
    """

    sid: str
    sha256: str | None
    state: str
    max_score: int
    verdict: str
    file_count: int
    error_count: int
    url: str


class IngestResult(AnalysisResult):
    """The result of an analysed ingest: an `AnalysisResult` of its file, and these keys.

    :param ingest_id: id of the ingest
    :param deduplicated: whether the submission is of an earlier ingest
    """

    ingest_id: str
    deduplicated: bool


class IdleResult(TypedDict):
    """The result of an idle server.

    :param query: which submissions count
    :param idle_seconds: for how long none was analysed, at least
    """

    query: str
    idle_seconds: int
