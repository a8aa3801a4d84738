"""How a task recognises its own work: by a tag in the metadata."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import uuid4

from self_hosted.assemblyline.api.searching import any_of, phrase
from self_hosted.assemblyline.api.submissions import (
    delete_submission,
    is_ghost,
    search_submissions,
    submission_if_any,
)
from self_hosted.core.errors import NotFound, Uncertain
from self_hosted.core.flow import Flow, Pause
from self_hosted.core.lost_answers import looked_for

T = TypeVar("T")

TAG = "airflow_task"
"""The metadata key that says which piece of work of which task a submission belongs to."""

# Most answers are lost when the work is done, and the search index lags about a second behind. But who stopped waiting
# for an answer, as a proxy does after a minute, may have done so while the server was still storing the file: it gets
# as long again. What comes to light later than that is a duplicate, which `end_duplicates` ends.
LOOKS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each further look for what came of a request whose answer was lost."""

TOLD = f"sid,metadata.{TAG},metadata.ingest_id,params.description,params.psid,params.auto_archive,to_be_deleted"
TOGETHER, EACH = 500, 10  # tags in one search, of which Elasticsearch takes 1024; submissions under each, at most

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
    return _own((yield from search_submissions(f"metadata.{TAG}:{phrase(tag)}", fields=TOLD)))


def submissions_by_tag(tags: Sequence[str], *, interrupted: bool = False) -> Flow[dict[str, dict[str, Any]]]:
    """The oldest submission under each of many tags, by the tag: sid and, if it was ingested, metadata.ingest_id.

    :param tags: those of pieces of work; under which there is none is left out
    :param interrupted: whether some may be under way still, their client being gone: they are then looked for as after
        a lost answer
    """
    found = yield from _by_tag(tags)
    for pause in LOOKS if interrupted else ():
        if len(found) == len(tags):
            break
        yield Pause(pause)
        found.update((yield from _by_tag([tag for tag in tags if tag not in found])))
    return found


def _by_tag(tags: Sequence[str]) -> Flow[dict[str, dict[str, Any]]]:
    # the first is the oldest
    return {one["metadata"][TAG]: one for one in reversed((yield from _all_under(tags)))}


def _all_under(tags: Sequence[str]) -> Flow[list[dict[str, Any]]]:
    found: list[dict[str, Any]] = []
    for start in range(0, len(tags), TOGETHER):
        some = tags[start : start + TOGETHER]
        found += yield from search_submissions(f"metadata.{TAG}:{any_of(some)}", TOLD, rows=EACH * len(some))
    return [one for one in _own(found) if not is_ghost(one)]


def _own(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of submissions, oldest first, those that were not made anew from one of the others."""
    own, tags = [], set()
    for one in found:
        params, tag = one.get("params", {}), one.get("metadata", {}).get(TAG)
        anew = params.get("psid") or str(params.get("description")).startswith(RESUBMITTED)
        # what the server makes for its archive has nothing else by which to tell; the task's own may be archived, too
        archived = params.get("auto_archive") and tag in tags
        if not (anew or archived):
            own.append(one)
            tags.add(tag)
    return own


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
    return (yield from _ended([one["sid"] for one in (yield from tagged_submissions(tag)) if one["sid"] != sid]))


def end_all_duplicates(kept: Mapping[str, str]) -> Flow[list[str]]:
    """As `end_duplicates`, for many pieces of work.

    :param kept: the ids of those that stay, by their tags
    """
    found = yield from _all_under(list(kept))
    return (yield from _ended([one["sid"] for one in found if one["sid"] != kept[one["metadata"][TAG]]]))


def _ended(others: list[str]) -> Flow[list[str]]:
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
