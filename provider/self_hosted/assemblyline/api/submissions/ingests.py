"""Ingests: sources that the server analyses when it has time, and the submissions that come from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from typing_extensions import TypedDict

from self_hosted.assemblyline.api import recovery
from self_hosted.assemblyline.api.search import lucene, search
from self_hosted.assemblyline.api.submissions import idempotency, sources, submissions, validation
from self_hosted.assemblyline.api.submissions.contents import Content
from self_hosted.assemblyline.api.submissions.sources import Source
from self_hosted.assemblyline.api.submissions.types import FileHash, SubmissionOutcome
from self_hosted.assemblyline.errors import call
from self_hosted.core.arguments import check_ids
from self_hosted.core.http.flow import Flow
from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)

OPTION_NAMES = validation.OPTION_NAMES | {"notification_queue", "notification_threshold", "type"}
MAX_SUBMISSIONS_EACH = 10  # of one ingest, or of one file in a day; the wanted one is among them

# An ingest that creates no submission leaves no trace, so it looks like a waiting one. Only the time since the file was
# ingested, by the server's clock, tells them apart: the ingester decides within two seconds, and the index takes one
# more. A minute leaves a margin for load.
SETTLED_BEFORE = "now-1m"

# How long the ingester reuses an analysis, by default. The server's settings can change it, but do not show it.
REUSE_PERIOD = "[now-1d TO now]"


class _Ingested(TypedDict):
    ingest_id: str


class _IngestMetadata(TypedDict):
    ingest_id: str


class CreatedSubmission(SubmissionOutcome):
    """The shape of a submission that an ingest created."""

    metadata: _IngestMetadata


def create(source: Source, options: Mapping[str, Any]) -> Flow[str]:
    """Ingest a source and return the id of the ingest. It is not the id of the submission.

    A file that was ingested with the same params within a day creates no new submission, unless ``params`` have
    ``ignore_cache``. The server limits the priority (250 by default) and the number of extracted files (100).

    ``POST /api/v4/ingest/``

    :param source: a file, or another source, see `intake.submit`
    :param options: all optional: name, metadata, params, submission_profile, notification_queue,
        notification_threshold, type
    :raises ValueError: if the source is invalid, or the server would ignore an option
    :raises NotFoundError: if the server has no file with this hash
    """
    check_options(options)
    tag = idempotency.get_or_create_tag(options)
    send = partial(_send, source, idempotency.add_tag(options, tag))
    ingest_id, _ = yield from recovery.read_back(send, partial(_find_by_tag, tag, Content(source)))
    log.info("Ingest %s: sent %s", ingest_id, sources.describe_content(source))
    return ingest_id


def create_fail_fast(source: Source, options: Mapping[str, Any], tag: str) -> Flow[str]:
    """Ingest one of many sources under a new tag and return the id of the ingest.

    Nothing is checked first: call `check_options` and `validation.get_size_limit` once for all of them.

    ``POST /api/v4/ingest/``

    :param source: see `create`
    :param options: see `create`
    :param tag: identifies the piece of work
    :raises ConcurrencyQuotaError: at once, if the user's quota of running ingests is full
    """
    send = partial(_send, source, idempotency.add_tag(options, tag), fail_fast_on_quota=True)
    ingest_id, _ = yield from recovery.read_back(send, partial(_find_by_tag, tag, Content(source)))
    log.debug("Ingest %s: sent %s", ingest_id, sources.describe_content(source))  # one of many
    return ingest_id


def create_once(source: Source, options: Mapping[str, Any], tag: str) -> Flow[str]:
    """Ingest a source, unless a submission of it with this tag exists, and return the id of the ingest.

    An ingest that is waiting, or that created no submission since the file was known, leaves no trace and is repeated.
    The server then recognises the file and analyses it once.

    ``POST /api/v4/ingest/``

    :param source: see `create`
    :param options: see `create`
    :param tag: identifies the piece of work
    :raises ValueError: see `create`; also if the file is too large
    """
    check_options(options)
    find = partial(_find_by_tag, tag, Content(source))
    ingest_id = yield from find()
    if ingest_id is not None:
        log.info("Ingest %s: found, an earlier try sent %s", ingest_id, sources.describe_content(source))
    else:
        yield from validation.check_upload(source, options)
        send = partial(_send, source, idempotency.add_tag(options, tag))
        ingest_id, _ = yield from recovery.read_back(send, find)
        log.info("Ingest %s: sent %s", ingest_id, sources.describe_content(source))
    return ingest_id


def check_options(options: Mapping[str, Any]) -> None:
    """Check the options of an ingest.

    :param options: see `create`
    :raises ValueError: if the server would ignore one
    """
    if "generate_alert" in options:
        raise ValueError("options: generate_alert belongs into params; the server ignores it here")
    unknown = sorted(set(options) - OPTION_NAMES)
    if unknown:
        raise ValueError(f"options: unknown {', '.join(unknown)}; valid are {', '.join(sorted(OPTION_NAMES))}")
    validation.check_params("params", options.get("params", {}))


def get_submissions(ingest_ids: Sequence[str]) -> Flow[dict[str, CreatedSubmission]]:
    """Return the outcome fields of the submissions that ingests created, by id of the ingest.

    ``POST /api/v4/search/submission/``

    :param ingest_ids: ids of ingests
    """
    check_ids("ingest_ids", ingest_ids)
    if not ingest_ids:
        return {}
    query = f"metadata.ingest_id:{lucene.quote_any(ingest_ids)}"
    fields = f"{submissions.OUTCOME_FIELDS},metadata.ingest_id"
    found = yield from submissions.search_shaped(
        query, CreatedSubmission, fields, MAX_SUBMISSIONS_EACH * len(ingest_ids)
    )
    # resubmissions have the same metadata; the oldest submission comes from the ingest
    return {document["metadata"]["ingest_id"]: document for document in reversed(found)}


def get_reused_submissions(sha256s: Sequence[str]) -> Flow[dict[str, SubmissionOutcome]]:
    """Return the outcome fields of the submissions that the ingester reused for known files, by SHA-256.

    Files that were submitted within the last minute are left out: their ingests may still become submissions.

    ``POST /api/v4/search/file/``, ``POST /api/v4/search/submission/``

    :param sha256s: SHA-256 of files, in lower case
    """
    check_ids("sha256s", sha256s)
    if not sha256s:
        return {}
    query = f"sha256:{lucene.quote_any(sha256s)} AND seen.last:[* TO {SETTLED_BEFORE}]"
    files = yield from search.find_shaped("file", {"query": query, "fl": "sha256", "rows": len(sha256s)}, FileHash)
    settled = [file["sha256"] for file in files]
    if not settled:
        return {}
    # only ingested files are reused: the ingester does not know about submitted ones
    is_reusable = f"state:completed AND metadata.ingest_id:* AND times.completed:{REUSE_PERIOD}"
    query = f"files.sha256:{lucene.quote_any(settled)} AND {is_reusable}"
    found = yield from submissions.search_shaped(query, SubmissionOutcome, rows=MAX_SUBMISSIONS_EACH * len(settled))
    present = [document for document in found if not submissions.is_marked_deleted(document)]
    by_sha256 = {submissions.get_sha256(document): document for document in present}
    return {sha256: document for sha256, document in by_sha256.items() if sha256}


def _send(source: Source, options: Mapping[str, Any], *, fail_fast_on_quota: bool = False) -> Flow[str]:
    request = sources.build_request("ingest", source, options, fail_fast_on_quota=fail_fast_on_quota)
    return (yield from call(request, _Ingested))["ingest_id"]


def _find_by_tag(tag: str, content: Content) -> Flow[str | None]:
    for found in (yield from idempotency.list_by_tag(tag)):
        if "ingest_id" in found["metadata"] and (yield from content.matches(found)):
            return str(found["metadata"]["ingest_id"])
    return None
