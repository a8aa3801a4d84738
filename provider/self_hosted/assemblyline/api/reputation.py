"""Whether files are known by their hashes, and how bad they were: of many hashes by a few searches."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.assemblyline.api.files import file_url
from self_hosted.assemblyline.api.hashes import check_sources, checked_for_sources, hash_search
from self_hosted.assemblyline.api.searching import BEGINNING, any_of, search, search_page
from self_hosted.assemblyline.api.sources import HASHES, hash_source
from self_hosted.assemblyline.api.submissions import submission_url
from self_hosted.assemblyline.api.verdicts import verdict_bands, verdict_of
from self_hosted.core.errors import Forbidden
from self_hosted.core.flow import Flow

CHUNK = 100  # hashes in one search: Elasticsearch takes 1024 terms, and a file has five of them
AGE = re.compile(r"[1-9]\d*[mhdw]")
Hashes = Mapping[str, Any]


def check_age(max_age: str | None) -> None:
    """Validate how old a result may be.

    :raises ValueError: naming the argument
    """
    if max_age is not None and not (isinstance(max_age, str) and AGE.fullmatch(max_age)):
        raise ValueError(f"max_age must be a span such as 12h or 30d (m, h, d or w), not {max_age!r}")


def look_up_hashes(
    hashes: Sequence[str], max_age: str | None = None, sources: Sequence[str] = ()
) -> Flow[list[dict[str, Any]]]:
    """What is known of files, in the order of their hashes; that nothing is known is a result like any other.

    Each is {hash, known, malicious, verdict, max_score, error_count, sid, sha256, analysed, last_seen, badlisted,
    safelisted, sources}. ``verdict``, ``max_score``, ``error_count`` and ``sid`` are those of the worst submission of
    the file; of one that was only found within others, the score is what its services' newest results add up to, and
    there is no sid. What there is none of is None, as is the standing in a list that the user may not see.
    ``malicious`` is whether the verdict, the badlist or a source says so.

    Four or five searches for each 100 hashes; with sources, one ``GET /api/v4/hash_search/<hash>/`` for each besides

    :param hashes: SHA-256, SHA-1, MD5, ssdeep or TLSH, in any case
    :param max_age: how old a result may be to count, such as "30d"; any age if None
    :param sources: whom to ask besides, see `list_data_sources`
    :raises ValueError: for what is no hash, no age or no source
    """
    check_age(max_age)
    wanted = [hash_source(one) for one in hashes]
    for value in hashes if sources else ():
        checked_for_sources(value)
    yield from check_sources(sources)
    bands = yield from verdict_bands()
    found: list[dict[str, Any]] = []
    for start in range(0, len(wanted), CHUNK):
        found += yield from _known(wanted[start : start + CHUNK], max_age, bands)
    for given, one in zip(hashes, found, strict=True):
        one["sources"] = _told((yield from hash_search(given, sources))) if sources else {}
        one["malicious"] |= any(told["malicious"] for told in one["sources"].values())
    return [{"hash": given, **one} for given, one in zip(hashes, found, strict=True)]


def finding_url(base_url: str, finding: Mapping[str, Any]) -> str:
    """The page that shows most of what `look_up_hashes` found: that of the submission, or else of the file.

    :param base_url: the connection's base URL
    :param finding: one of its findings
    """
    if finding["sid"]:
        return submission_url(base_url, finding["sid"])
    return file_url(base_url, finding["sha256"]) if finding["sha256"] else base_url


def _known(wanted: Sequence[Hashes], max_age: str | None, bands: Mapping[str, int]) -> Flow[list[dict[str, Any]]]:
    files = yield from _files(wanted)
    sha256s = {one["sha256"] for one in (*wanted, *files) if "sha256" in one}
    scores = yield from _of_submissions(sha256s, max_age)
    scores |= yield from _of_results(sha256s - set(scores), max_age)
    lists = {}
    for name in ("badlist", "safelist"):
        lists[f"{name}ed"] = yield from _listed(name, (*wanted, *files))
    return [_finding(one, files, scores, lists, bands) for one in wanted]


def _finding(
    wanted: Hashes,
    files: Sequence[Hashes],
    scores: Mapping[str, Mapping[str, Any]],
    lists: Mapping[str, Sequence[Hashes] | None],
    bands: Mapping[str, int],
) -> dict[str, Any]:
    same = [one for one in files if _share(one, wanted)]
    judged = [scores[one["sha256"]] for one in (*same, wanted) if one.get("sha256") in scores]
    worst = max(judged, key=lambda one: one["max_score"], default=None)
    verdict = verdict_of(worst["max_score"], bands) if worst else None
    standing = {
        name: None if entries is None else any(_share(entry, one) for entry in entries for one in (*same, wanted))
        for name, entries in lists.items()
    }
    sha256 = worst["sha256"] if worst else next((one["sha256"] for one in same), wanted.get("sha256"))
    return {
        "known": bool(same or worst),
        "malicious": verdict == "malicious" or bool(standing["badlisted"]),
        "verdict": verdict,
        **{name: worst[name] if worst else None for name in ("max_score", "error_count", "sid", "analysed")},
        "sha256": sha256,
        "last_seen": max((one["seen"]["last"] for one in same), default=None),
        **standing,
    }


def _share(one: Hashes, other: Hashes) -> bool:
    return any(one.get(kind) and one[kind] == other.get(kind) for kind in HASHES)


def _files(wanted: Sequence[Hashes]) -> Flow[list[dict[str, Any]]]:
    fields = ",".join([*HASHES, "seen.last"])
    return search("file", {"query": _any_hash(wanted), "fl": fields, "rows": 10 * CHUNK, "sort": "seen.last desc"})


def _any_hash(wanted: Sequence[Hashes], start: str = "") -> str:
    """A query for what has one of these hashes."""
    by_kind = {kind: sorted({one[kind] for one in wanted if one.get(kind)}) for kind in HASHES}
    return " OR ".join(f"{start}{kind}:{any_of(values)}" for kind, values in by_kind.items() if values)


def _of_submissions(sha256s: set[str], max_age: str | None) -> Flow[dict[str, dict[str, Any]]]:
    """The worst submission of each file that was handed in."""
    wanted = {
        "query": f"files.sha256:{any_of(sorted(sha256s))}",
        "filters": ["state:completed", "NOT to_be_deleted:true", *_younger("times.completed", max_age)],
        "fl": "sid,max_score,error_count,times.completed,files.sha256",
        "sort": "max_score desc,times.completed desc",
    }
    found: dict[str, dict[str, Any]] = {}
    paging_id = BEGINNING if sha256s else None
    while paging_id and set(found) < sha256s:
        items, paging_id = yield from search_page("submission", wanted, paging_id)
        for one in items:
            told = {name: one[name] for name in ("sid", "max_score", "error_count")}
            for sha256 in sha256s.intersection(file["sha256"] for file in one["files"]):
                found.setdefault(sha256, {"sha256": sha256, "analysed": one["times"]["completed"], **told})
    return found


def _of_results(sha256s: set[str], max_age: str | None) -> Flow[dict[str, dict[str, Any]]]:
    """What each of the other files was given by its services: the newest result of each counts."""
    wanted = {
        "query": f"sha256:{any_of(sorted(sha256s))}",
        "filters": _younger("created", max_age),
        "fl": "sha256,created,result.score,response.service_name",
        "sort": "created desc",
    }
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    paging_id = BEGINNING if sha256s else None
    while paging_id:
        items, paging_id = yield from search_page("result", wanted, paging_id)
        for one in items:
            newest.setdefault((one["sha256"], one["response"]["service_name"]), one)
    found: dict[str, dict[str, Any]] = {}
    for (sha256, _), one in newest.items():
        nothing = {"sid": None, "sha256": sha256, "max_score": 0, "error_count": None, "analysed": one["created"]}
        found.setdefault(sha256, nothing)["max_score"] += one["result"]["score"]
    return found


def _younger(field: str, max_age: str | None) -> list[str]:
    return [f"{field}:[now-{max_age} TO *]"] if max_age else []


def _listed(list_name: str, wanted: Sequence[Hashes]) -> Flow[list[dict[str, Any]] | None]:
    """The hashes of the entries in force that a list has for these files; None when the user may not see it."""
    query = _any_hash(wanted, "hashes.")
    asked = {"query": query, "filters": ["enabled:true"], "fl": "hashes", "rows": 10 * CHUNK}
    try:
        return [one["hashes"] for one in (yield from search(list_name, asked))]
    except Forbidden:
        return None


def _told(by_source: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What sources said, as small as a task's result may be."""
    return {
        source: {
            "malicious": any(item["malicious"] for item in told["items"]),
            "confirmed": any(item["confirmed"] for item in told["items"]),
            "descriptions": [item["description"] for item in told["items"]][:5],
            "error": told["error"],
        }
        for source, told in by_source.items()
    }
