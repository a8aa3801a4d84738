"""Reputation of files by their hashes: known or not, and how malicious; few searches for many hashes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired

from typing_extensions import TypedDict

from self_hosted.assemblyline.api.files import data_sources, files, hash_kinds, ratings
from self_hosted.assemblyline.api.files.data_sources import SourceResult
from self_hosted.assemblyline.api.files.ratings import Rating
from self_hosted.assemblyline.api.files.types import FileFinding, SourceFinding
from self_hosted.assemblyline.api.search import lucene, search
from self_hosted.assemblyline.api.submissions import submissions, verdicts
from self_hosted.core.arguments import check_ids
from self_hosted.core.http.errors import PermissionDeniedError
from self_hosted.core.http.flow import Flow

BATCH_SIZE = 100  # hashes per search: Elasticsearch accepts 1024 terms, and a file has five hashes
MAX_DESCRIPTIONS = 5  # of a data source: the finding is part of a task's result
AGE = re.compile(r"[1-9]\d*[mhdw]")
Hashes = Mapping[str, Any]
"""The hashes of a file, by kind; further keys are ignored."""


class _ListedHashes(TypedDict):
    md5: NotRequired[str | None]
    sha1: NotRequired[str | None]
    sha256: NotRequired[str | None]
    ssdeep: NotRequired[str | None]
    tlsh: NotRequired[str | None]


class _ListEntry(TypedDict):
    hashes: _ListedHashes


class _Seen(TypedDict):
    last: str


class _File(TypedDict):
    md5: NotRequired[str | None]
    sha1: NotRequired[str | None]
    sha256: str
    ssdeep: NotRequired[str | None]
    tlsh: NotRequired[str | None]
    seen: _Seen


def check_age(max_age: str | None) -> None:
    """Check the maximum age of a result.

    :param max_age: a number with the unit m, h, d or w; None = no limit
    :raises ValueError: if it is malformed
    """
    if max_age is not None and not (isinstance(max_age, str) and AGE.fullmatch(max_age)):
        raise ValueError(f"max_age must be a time span such as 12h or 30d (m, h, d or w), not {max_age!r}")


def look_up(hashes: Sequence[str], max_age: str | None = None, sources: Sequence[str] = ()) -> Flow[list[FileFinding]]:
    """Return the findings for files, in the order of their hashes. An unknown file is a finding, not an error.

    Four or five searches per 100 hashes; with data sources, also one ``GET /api/v4/hash_search/<hash>/`` per hash.

    :param hashes: SHA-256, SHA-1, MD5, ssdeep or TLSH, in upper or lower case
    :param max_age: maximum age of a result, such as "30d"; None = no limit
    :param sources: names of data sources to query as well, see `data_sources.list_all`
    :return: a list of `FileFinding`
    :raises ValueError: for an invalid hash, age or data source
    """
    check_age(max_age)
    check_ids("hashes", hashes)
    identified = [hash_kinds.identify(value) for value in hashes]
    for value in hashes if sources else ():
        data_sources.parse_hash(value)
    yield from data_sources.check_names(sources)
    bands = yield from verdicts.get_bands()
    findings: list[FileFinding] = []
    for start in range(0, len(identified), BATCH_SIZE):
        batch = identified[start : start + BATCH_SIZE]
        findings += yield from _look_up_batch(hashes[start : start + BATCH_SIZE], batch, max_age, bands)
    for finding in findings if sources else ():
        finding["sources"] = _summarize((yield from data_sources.search(finding["hash"], sources)))
        finding["malicious"] |= any(source["malicious"] for source in finding["sources"].values())
    return findings


def build_page_url(base_url: str, finding: Mapping[str, Any]) -> str:
    """Return the URL of the page with the most details: that of the submission, or else of the file.

    :param base_url: the connection's base URL
    :param finding: a `FileFinding`
    """
    if finding["sid"]:
        return submissions.build_page_url(base_url, finding["sid"])
    return files.build_page_url(base_url, finding["sha256"]) if finding["sha256"] else base_url


def _look_up_batch(
    given: Sequence[str], identified: Sequence[Hashes], max_age: str | None, bands: Mapping[str, int]
) -> Flow[list[FileFinding]]:
    documents = yield from _search_files(identified)
    sha256s = {hashes["sha256"] for hashes in (*identified, *documents) if "sha256" in hashes}
    by_sha256 = yield from ratings.rate(sha256s, max_age)
    badlist = yield from _search_list("badlist", (*identified, *documents))
    safelist = yield from _search_list("safelist", (*identified, *documents))
    return [
        _build_finding(value, hashes, documents, by_sha256, badlist, safelist, bands)
        for value, hashes in zip(given, identified, strict=True)
    ]


def _build_finding(
    given: str,
    hashes: Hashes,
    documents: Sequence[_File],
    by_sha256: Mapping[str, Rating],
    badlist: Sequence[Hashes] | None,
    safelist: Sequence[Hashes] | None,
    bands: Mapping[str, int],
) -> FileFinding:
    own = [document for document in documents if _share_hash(document, hashes)]
    rated = [by_sha256[spec["sha256"]] for spec in (*own, hashes) if spec.get("sha256") in by_sha256]
    worst = max(rated, key=lambda rating: rating["max_score"], default=None)
    verdict = verdicts.classify(worst["max_score"], bands) if worst else None
    badlisted = _is_listed(badlist, (*own, hashes))
    return FileFinding(
        hash=given,
        known=bool(own or worst),
        malicious=verdict == "malicious" or bool(badlisted),
        verdict=verdict,
        max_score=worst["max_score"] if worst else None,
        error_count=worst["error_count"] if worst else None,
        sid=worst["sid"] if worst else None,
        sha256=worst["sha256"] if worst else next((document["sha256"] for document in own), hashes.get("sha256")),
        analysed=worst["analysed"] if worst else None,
        last_seen=max((document["seen"]["last"] for document in own), default=None),
        badlisted=badlisted,
        safelisted=_is_listed(safelist, (*own, hashes)),
        sources={},
    )


def _is_listed(entries: Sequence[Hashes] | None, specs: Sequence[Hashes]) -> bool | None:
    return None if entries is None else any(_share_hash(entry, spec) for entry in entries for spec in specs)


def _share_hash(left: Hashes, right: Hashes) -> bool:
    return any(left.get(kind) and left[kind] == right.get(kind) for kind in hash_kinds.PATTERNS)


def _search_files(identified: Sequence[Hashes]) -> Flow[list[_File]]:
    fields = ",".join([*hash_kinds.PATTERNS, "seen.last"])
    arguments = {"query": _match_any_hash(identified), "fl": fields, "rows": 10 * BATCH_SIZE}
    return search.find_shaped("file", {**arguments, "sort": "seen.last desc"}, _File)


def _match_any_hash(specs: Sequence[Hashes], prefix: str = "") -> str:
    """Return the query for documents with any of the hashes."""
    by_kind = {kind: sorted({spec[kind] for spec in specs if spec.get(kind)}) for kind in hash_kinds.PATTERNS}
    return " OR ".join(f"{prefix}{kind}:{lucene.quote_any(values)}" for kind, values in by_kind.items() if values)


def _search_list(list_name: str, specs: Sequence[Hashes]) -> Flow[list[_ListedHashes] | None]:
    """Return the hashes of a list's enabled entries for these files; None if the user may not see the list."""
    query = _match_any_hash(specs, "hashes.")
    arguments = {"query": query, "filters": ["enabled:true"], "fl": "hashes", "rows": 10 * BATCH_SIZE}
    try:
        return [entry["hashes"] for entry in (yield from search.find_shaped(list_name, arguments, _ListEntry))]
    except PermissionDeniedError:
        return None


def _summarize(results: Mapping[str, SourceResult]) -> dict[str, SourceFinding]:
    return {
        name: SourceFinding(
            malicious=any(item["malicious"] for item in result["items"]),
            confirmed=any(item["confirmed"] for item in result["items"]),
            descriptions=[item["description"] for item in result["items"]][:MAX_DESCRIPTIONS],
            error=result["error"],
        )
        for name, result in results.items()
    }
