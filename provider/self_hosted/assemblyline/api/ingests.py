"""What became of ingests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from self_hosted.assemblyline.api.searching import any_of, search
from self_hosted.assemblyline.api.submissions import OUTCOME, is_ghost, search_submissions
from self_hosted.core.flow import Flow

EACH = 10  # submissions of one ingest, or of one file in a day, among which is the one that is looked for

# An ingest that makes no submission leaves no trace, so that it looks like one that still waits for its turn. What
# tells them apart is the time since the file was handed in, as the server has it: the ingester decides in a second or
# two, and the index takes one more. A minute bears some load, too.
SETTLED = "now-1m"

# How long the ingester takes an analysis for good, by default. The server's settings can change it, but do not tell.
REUSED = "[now-1d TO now]"


def ingest_key(ingest_id: str, sha256: str | None = None) -> str:
    """What a wait calls an ingest: its id and, if the file was perhaps known already, the file's SHA-256.

    >>> ingest_key("3vfIpcfpMsHbsZnGHQYr34", "AB12")
    '3vfIpcfpMsHbsZnGHQYr34/ab12'

    :param ingest_id: its id
    :param sha256: of the file
    """
    return f"{ingest_id}/{sha256.lower()}" if sha256 else ingest_id


def ingest_parts(key: str) -> tuple[str, str]:
    """Id and SHA-256, which is "" when it is not known, of an `ingest_key`."""
    ingest_id, _, sha256 = key.partition("/")
    return ingest_id, sha256


def ingested_submissions(ingest_ids: Sequence[str]) -> Flow[dict[str, dict[str, Any]]]:
    """The submissions that came of ingests, by the id of the ingest: the fields of their outcome.

    :param ingest_ids: ids of ingests
    """
    if not ingest_ids:
        return {}
    query = f"metadata.ingest_id:{any_of(ingest_ids)}"
    found = yield from search_submissions(query, f"{OUTCOME},metadata.ingest_id", rows=EACH * len(ingest_ids))
    # what is submitted anew has the same metadata; the first is what came of the ingest
    return {one["metadata"]["ingest_id"]: one for one in reversed(found)}


def reused_submissions(sha256s: Sequence[str]) -> Flow[dict[str, dict[str, Any]]]:
    """The submissions that stand for ingests of files that were ingested before, by the file's SHA-256.

    Files that somebody handed in within the last minute are left out: their ingests may still become submissions.

    :param sha256s: SHA-256 of files, in lower case
    """
    if not sha256s:
        return {}
    handed_in = {"query": f"sha256:{any_of(sha256s)} AND seen.last:[* TO {SETTLED}]", "fl": "sha256"}
    settled = [one["sha256"] for one in (yield from search("file", {**handed_in, "rows": len(sha256s)}))]
    if not settled:
        return {}
    # only what was ingested is reused: the ingester does not know of what was submitted
    query = f"files.sha256:{any_of(settled)} AND state:completed AND metadata.ingest_id:* AND times.completed:{REUSED}"
    found = yield from search_submissions(query, f"{OUTCOME},files.sha256", rows=EACH * len(settled))
    return {one["files"][0]["sha256"]: one for one in found if not is_ghost(one)}
