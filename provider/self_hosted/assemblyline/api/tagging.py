"""How a task recognises its own work: by a tag in the metadata."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import uuid4

from self_hosted.assemblyline.api.submissions import (
    delete_submission,
    phrase,
    search_submissions,
    submission_if_any,
)
from self_hosted.core.errors import NotFound, Uncertain
from self_hosted.core.flow import Flow
from self_hosted.core.lost_answers import looked_for

T = TypeVar("T")

TAG = "airflow_task"
"""The metadata key that says which piece of work of which task a submission belongs to."""

# Most answers are lost when the work is done, and the search index lags about a second behind. But who stopped waiting
# for an answer, as a proxy does after a minute, may have done so while the server was still storing the file: it gets
# as long again. What comes to light later than that is a duplicate, which `end_duplicates` ends.
LOOKS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each further look for what came of a request whose answer was lost."""

RESUBMITTED = "Resubmit "
"""What the server lets the description of a submission begin with that somebody made anew from another one."""


def tagged(options: Mapping[str, Any], tag: str) -> dict[str, Any]:
    """The options of a submit or an ingest, with the tag among the metadata.

    :param options: as the server takes them
    :param tag: what tells this piece of work from all others
    """
    return {**options, "metadata": {**options.get("metadata", {}), TAG: tag}}


def own_tag(options: Mapping[str, Any]) -> str:
    """The tag that the options of a submit or an ingest hold, or else a new one.

    :param options: as the server takes them
    """
    return str(options.get("metadata", {}).get(TAG) or uuid4().hex)


def tagged_submissions(tag: str) -> Flow[list[dict[str, Any]]]:
    """The submissions that carry a tag, oldest first: sid, params and, if they were ingested, metadata.ingest_id.

    Without those that the server, or a person in its UI, made anew from one of them: these carry the tag as well, but
    they are not the task's own.

    :param tag: what tells this piece of work from all others
    """
    fields = "sid,metadata.ingest_id,params.description,params.psid"
    found = yield from search_submissions(f"metadata.{TAG}:{phrase(tag)}", fields=fields)
    return [one for one in found if not _is_resubmitted(one.get("params", {}))]


def _is_resubmitted(params: Mapping[str, Any]) -> bool:
    return bool(params.get("psid")) or str(params.get("description")).startswith(RESUBMITTED)


def tagged_submission(tag: str) -> Flow[dict[str, Any] | None]:
    """The oldest submission that carries a tag and still exists, or None.

    :param tag: see `tagged_submissions`
    """
    for found in (yield from tagged_submissions(tag)):
        # the index may still hold what was deleted a moment ago
        document = yield from submission_if_any(found["sid"])
        if document:
            return document
    return None


def end_duplicates(tag: str, sid: str) -> Flow[list[str]]:
    """End all other submissions of a piece of work, which came of requests whose answers were lost; their ids.

    :param tag: see `tagged_submissions`
    :param sid: the one that stays
    """
    others = [found["sid"] for found in (yield from tagged_submissions(tag)) if found["sid"] != sid]
    for other in others:
        try:
            yield from delete_submission(other)
        except NotFound:
            continue  # it is gone, only the index does not know yet
    return others


def read_back(send: Callable[[], Flow[T]], find: Callable[[], Flow[T | None]]) -> Flow[tuple[T, bool]]:
    """Send what leaves a tag. When the answer is lost, find what came of it; send once more only if nothing did.

    :param send: makes the flow that sends
    :param find: makes the flow that looks for what came of it
    :return: what was answered or found, and whether an answer was lost
    """
    try:
        return (yield from send()), False
    except Uncertain:
        found = yield from looked_for(find, LOOKS)
    try:
        return found or (yield from send()), True
    except Uncertain:
        found = yield from looked_for(find, LOOKS)
        if found is None:
            raise
        return found, True
