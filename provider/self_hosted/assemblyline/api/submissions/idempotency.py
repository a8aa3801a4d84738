"""Idempotency: a tag in the metadata identifies the submissions of one piece of work, so that retries find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from self_hosted.assemblyline.api import recovery
from self_hosted.assemblyline.api.search import lucene
from self_hosted.assemblyline.api.submissions import submissions
from self_hosted.core.http.errors import NotFoundError
from self_hosted.core.http.flow import Flow, Pause

METADATA_KEY = "airflow_task"
"""The metadata key of the tag."""

FIELDS = (
    f"sid,metadata.{METADATA_KEY},metadata.ingest_id,params.description,params.psid,params.auto_archive,to_be_deleted"
)
BATCH_SIZE = 500  # tags per search; Elasticsearch accepts 1024
MAX_SUBMISSIONS_EACH = 10  # under one tag

RESUBMITTED_PREFIX = "Resubmit "
"""The server starts the description of a submission that is a copy of another one with this prefix."""


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
    """Return the submissions with a tag, oldest first: sid, params and, for ingests, metadata.ingest_id.

    Copies that the server, or a user in the UI, made of one of them carry the tag, too. They are left out.

    :param tag: identifies the piece of work
    """
    query = f"metadata.{METADATA_KEY}:{lucene.quote(tag)}"
    return _leave_out_copies((yield from submissions.search(query, fields=FIELDS)))


def get(tag: str) -> Flow[dict[str, Any] | None]:
    """Return the oldest submission that has a tag and still exists, or None.

    :param tag: identifies the piece of work
    """
    for found in (yield from list_by_tag(tag)):
        # the index may still hold a submission that was deleted a moment ago
        document = yield from submissions.get_if_present(found["sid"])
        if document:
            return document
    return None


def get_many(tags: Sequence[str], *, previous_attempt_unknown: bool = False) -> Flow[dict[str, dict[str, Any]]]:
    """Return the oldest submission of each of many tags, by tag: sid and, for ingests, metadata.ingest_id.

    :param tags: identify the pieces of work; those without a submission are left out
    :param previous_attempt_unknown: whether an earlier client may have died during a submission: missing ones are then
        looked for as after a lost response
    """
    found = yield from _search_oldest(tags)
    for delay in recovery.RECHECK_DELAYS_SECONDS if previous_attempt_unknown else ():
        if len(found) == len(tags):
            break
        yield Pause(delay)
        found.update((yield from _search_oldest([tag for tag in tags if tag not in found])))
    return found


def _search_oldest(tags: Sequence[str]) -> Flow[dict[str, dict[str, Any]]]:
    newest_first = reversed((yield from _list_by_tags(tags)))
    return {document["metadata"][METADATA_KEY]: document for document in newest_first}


def _list_by_tags(tags: Sequence[str]) -> Flow[list[dict[str, Any]]]:
    found: list[dict[str, Any]] = []
    for start in range(0, len(tags), BATCH_SIZE):
        batch = tags[start : start + BATCH_SIZE]
        query = f"metadata.{METADATA_KEY}:{lucene.quote_any(batch)}"
        found += yield from submissions.search(query, FIELDS, rows=MAX_SUBMISSIONS_EACH * len(batch))
    return [document for document in _leave_out_copies(found) if not submissions.is_marked_deleted(document)]


def _leave_out_copies(documents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the submissions, oldest first, that are no copies of earlier ones."""
    originals, tags = [], set()
    for document in documents:
        params, tag = document.get("params", {}), document.get("metadata", {}).get(METADATA_KEY)
        is_resubmitted = params.get("psid") or str(params.get("description")).startswith(RESUBMITTED_PREFIX)
        # copies for the server's archive have no other mark; the original may be archived, too
        is_archive_copy = params.get("auto_archive") and tag in tags
        if not (is_resubmitted or is_archive_copy):
            originals.append(document)
            tags.add(tag)
    return originals


def end_duplicates(tag: str, sid: str) -> Flow[list[str]]:
    """Delete all other submissions of a tag, which come from requests whose responses were lost; return their ids.

    :param tag: identifies the piece of work
    :param sid: id of the submission that remains
    """
    found = yield from list_by_tag(tag)
    return (yield from _delete([document["sid"] for document in found if document["sid"] != sid]))


def end_all_duplicates(kept: Mapping[str, str]) -> Flow[list[str]]:
    """Delete all other submissions of many tags, see `end_duplicates`; return their ids.

    :param kept: ids of the submissions that remain, by tag
    """
    found = yield from _list_by_tags(list(kept))
    duplicates = [document["sid"] for document in found if document["sid"] != kept[document["metadata"][METADATA_KEY]]]
    return (yield from _delete(duplicates))


def _delete(sids: list[str]) -> Flow[list[str]]:
    for sid in sids:
        try:
            yield from submissions.delete(sid)
        except NotFoundError:
            continue  # it is gone; the index lags behind
    return sids
