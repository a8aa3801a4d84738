"""Idempotency: a tag in the metadata identifies the submissions of one piece of work, so that retries find them.

A submission with the tag, but with another content than the request, is not its own: it is neither used nor deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NotRequired
from uuid import uuid4

from typing_extensions import TypedDict

from self_hosted.assemblyline.api import recovery
from self_hosted.assemblyline.api.search import lucene
from self_hosted.assemblyline.api.submissions import contents, submissions
from self_hosted.assemblyline.api.submissions.contents import Content, SubmittedDocument, SubmittedFile
from self_hosted.assemblyline.api.submissions.sources import Source
from self_hosted.core.arguments import check_id
from self_hosted.core.http.errors import NotFoundError
from self_hosted.core.http.flow import Flow, Pause
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.shape import JsonObject

log = get_logger(__name__)

METADATA_KEY: Final = "airflow_task"
"""The metadata key of the tag."""

FIELDS = (
    f"sid,files.name,files.sha256,metadata.{METADATA_KEY},metadata.ingest_id,"
    "params.description,params.psid,params.auto_archive,to_be_deleted"
)
BATCH_SIZE = 500  # tags per search; Elasticsearch accepts 1024
MAX_SUBMISSIONS_EACH = 10  # under one tag

RESUBMITTED_PREFIX = "Resubmit "
"""The server starts the description of a submission that is a copy of another one with this prefix."""


class TagMetadata(TypedDict):
    """The shape of the metadata of a submission that was found by its tag."""

    airflow_task: NotRequired[str]
    ingest_id: NotRequired[str]


class TaggedSubmission(TypedDict):
    """The shape of a submission that was found by its tag."""

    sid: str
    files: list[SubmittedFile]
    metadata: TagMetadata
    params: NotRequired[JsonObject]
    to_be_deleted: NotRequired[bool]


def add_tag(options: Mapping[str, Any], tag: str) -> dict[str, Any]:
    """Return the options of a submission or an ingest, with the tag in the metadata.

    :param options: options as the server accepts them
    :param tag: identifies the piece of work
    """
    return {**options, "metadata": {**options.get("metadata", {}), METADATA_KEY: tag}}


def get_or_create_tag(options: Mapping[str, Any]) -> str:
    """Return the tag in the options of a submission or an ingest, or else a new one.

    :param options: options as the server accepts them
    """
    return str(options.get("metadata", {}).get(METADATA_KEY) or uuid4().hex)


def list_by_tag(tag: str) -> Flow[list[dict[str, Any]]]:
    """Return the submissions with a tag, oldest first: sid, files, params and, for ingests, metadata.ingest_id.

    Copies that the server, or a user in the UI, made of one of them carry the tag, too. They are left out.

    :param tag: identifies the piece of work
    """
    check_id("tag", tag)
    return [dict(found) for found in (yield from _search(f"metadata.{METADATA_KEY}:{lucene.quote(tag)}"))]


def get(tag: str, source: Source | None = None) -> Flow[dict[str, Any] | None]:
    """Return the oldest submission that has a tag and still exists, or None.

    :param tag: identifies the piece of work
    :param source: leave out submissions of anything else, see `intake.submit`; default: of whatever they are
    """
    return find(tag, Content(source))


def find(tag: str, content: Content) -> Flow[JsonObject | None]:
    """Return the oldest submission that has a tag and a content, and still exists, or None.

    :param tag: identifies the piece of work
    :param content: of the request
    """
    check_id("tag", tag)
    for found in (yield from list_by_tag(tag)):
        # the index may still hold a submission that was deleted a moment ago
        document = yield from _read_if_present(found["sid"])
        if document and (yield from content.matches(document)):
            return document
    return None


def _read_if_present(sid: str) -> Flow[JsonObject | None]:
    shape: type[Any] = SubmittedDocument  # the document is passed on as a whole
    try:
        document: JsonObject = yield from submissions.read(sid, shape)
    except NotFoundError:
        return None
    return None if submissions.is_marked_deleted(document) else document


def get_many(
    requests: Mapping[str, Content], *, previous_attempt_unknown: bool = False
) -> Flow[dict[str, TaggedSubmission]]:
    """Return the oldest submission of each of many tags, by tag: sid and, for ingests, metadata.ingest_id.

    :param requests: the content of each piece of work, by its tag; those without a submission are left out
    :param previous_attempt_unknown: whether an earlier client may have died during a submission: missing ones are then
        looked for as after a lost response
    """
    found = yield from _search_oldest(requests)
    for delay in recovery.RECHECK_DELAYS_SECONDS if previous_attempt_unknown else ():
        if len(found) == len(requests):
            break
        yield Pause(delay, reason=f"submissions of an earlier try may appear: looking for them again in {delay:g} s")
        missing = {tag: content for tag, content in requests.items() if tag not in found}
        found.update((yield from _search_oldest(missing)))
    return found


def _search_oldest(requests: Mapping[str, Content]) -> Flow[dict[str, TaggedSubmission]]:
    oldest: dict[str, TaggedSubmission] = {}
    for document in (yield from _list_by_tags(list(requests))):
        tag = document["metadata"][METADATA_KEY]
        if tag not in oldest and (yield from requests[tag].matches(document)):
            oldest[tag] = document
    return oldest


def _list_by_tags(tags: Sequence[str]) -> Flow[list[TaggedSubmission]]:
    found: list[TaggedSubmission] = []
    for start in range(0, len(tags), BATCH_SIZE):
        batch = tags[start : start + BATCH_SIZE]
        query = f"metadata.{METADATA_KEY}:{lucene.quote_any(batch)}"
        found += yield from _search(query, rows=MAX_SUBMISSIONS_EACH * len(batch))
    present = [document for document in found if not submissions.is_marked_deleted(document)]
    return [document for document in present if document["metadata"].get(METADATA_KEY) in set(tags)]


def _search(query: str, rows: int = MAX_SUBMISSIONS_EACH) -> Flow[list[TaggedSubmission]]:
    return _leave_out_copies((yield from submissions.search_shaped(query, TaggedSubmission, FIELDS, rows)))


def _leave_out_copies(documents: Sequence[TaggedSubmission]) -> list[TaggedSubmission]:
    """Return the submissions, oldest first, that are no copies of earlier ones."""
    originals, tags = [], set()
    for document in documents:
        params, tag = document.get("params", {}), document["metadata"].get(METADATA_KEY)
        is_resubmitted = params.get("psid") or str(params.get("description")).startswith(RESUBMITTED_PREFIX)
        # copies for the server's archive have no other mark; the original may be archived, too
        is_archive_copy = params.get("auto_archive") and tag in tags
        if not (is_resubmitted or is_archive_copy):
            originals.append(document)
            tags.add(tag)
    return originals


def end_duplicates(tag: str, sid: str) -> Flow[list[str]]:
    """Delete all duplicates of a submission, which come from requests whose responses were lost; return their ids.

    A duplicate has the same tag, files, params and user. All else with the tag is left alone.

    :param tag: identifies the piece of work
    :param sid: id of the submission that remains
    """
    check_id("tag", tag)
    check_id("sid", sid)
    return end_all_duplicates({tag: sid})


def end_all_duplicates(kept: Mapping[str, str]) -> Flow[list[str]]:
    """Delete all duplicates of many submissions, see `end_duplicates`; return their ids.

    :param kept: ids of the submissions that remain, by tag
    """
    others: dict[str, list[str]] = {}
    for document in (yield from _list_by_tags(list(kept))):
        sid = kept[document["metadata"][METADATA_KEY]]
        if document["sid"] != sid:
            others.setdefault(sid, []).append(document["sid"])
    deleted: list[str] = []
    for sid, candidates in others.items():
        deleted += yield from _delete_duplicates(sid, candidates)
    return deleted


def end_late_duplicates(kept: Mapping[str, str]) -> Flow[list[str]]:
    """Delete duplicates for as long as the server may still be working on a request whose response was lost.

    :param kept: see `end_all_duplicates`
    """
    deleted = yield from end_all_duplicates(kept)
    for delay in recovery.RECHECK_DELAYS_SECONDS:
        yield Pause(delay, reason=f"looking for late duplicates of a lost response in {delay:g} s")
        deleted += yield from end_all_duplicates(kept)
    return list(dict.fromkeys(deleted))


def _delete_duplicates(sid: str, candidates: Sequence[str]) -> Flow[list[str]]:
    deleted: list[str] = []
    kept = yield from _read_if_present(sid)
    for candidate in candidates if kept else ():
        other = yield from _read_if_present(candidate)
        if kept and other and contents.is_duplicate(kept, other):
            log.warning("Submission %s: a duplicate of %s, caused by a lost response; deleting it", candidate, sid)
            with suppress(NotFoundError):  # somebody else has deleted it
                yield from submissions.delete(candidate)
            deleted.append(candidate)
    return deleted
