"""What people review of a version: images and videos, some of which a transcoder has to convert first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.ayon.api.forms import parts_of
from self_hosted.core.errors import NotFound
from self_hosted.core.flow import Flow, Request, url_path
from self_hosted.core.question import GONE, Seen

AVAILABLE = {"ready", "conversionRecommended"}
FAILED = {"failed", "aborted"}


def reviewables(project: str, version_id: str) -> Flow[list[dict[str, Any]]]:
    """The reviewables of a version: ``GET /api/projects/{project}/versions/{id}/reviewables``.

    :param project: the project's name
    :param version_id: the version's
    :return: [{fileId, activityId, filename, label, mimetype, availability: "ready" | "conversionRecommended" |
        "conversionRequired" | "unknown", processing: None or {eventId, status, description}, createdFrom, ...}, ...]
    """
    path = url_path("projects", project, "versions", version_id, "reviewables")
    return (yield Request("GET", f"/api{path}")).json()["reviewables"]  # type: ignore[no-any-return]


def look_at_reviewables(keys: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """How far the reviewables of versions are; a version, or an activity, that has none yet is left out.

    :param keys: "project/version id", or "project/version id/activity id" for one reviewable
    """
    found: dict[tuple[str, ...], list[dict[str, Any]] | None] = {}
    seen = {}
    for key in keys:
        *version, activity_id = (*parts_of(key), "")[:3]
        place = tuple(version)
        if place not in found:
            found[place] = yield from _reviewables_if_any(*version)
        there = found[place]
        mine = [one for one in there or [] if activity_id in {"", one["activityId"]}]
        if there is None or mine:
            seen[key] = GONE if there is None else _seen_reviewables(mine)
    return seen


def _reviewables_if_any(project: str, version_id: str) -> Flow[list[dict[str, Any]] | None]:
    try:
        return (yield from reviewables(project, version_id))
    except NotFound:
        return None


def _seen_reviewables(found: Sequence[Mapping[str, Any]]) -> Seen:
    facts = {"reviewables": [_reviewable(one) for one in found]}
    states = [one["state"] for one in facts["reviewables"]]
    for state in states:
        if state in FAILED:
            return Seen(state, done=True, facts=facts)
    for state in states:
        if state not in AVAILABLE:
            return Seen(state, done=False, facts=facts)
    return Seen("ready", done=True, facts=facts)


def _reviewable(one: Mapping[str, Any]) -> dict[str, Any]:
    processing = one["processing"] or {}
    state = processing.get("status") or one["availability"]
    if state == "finished":  # its converted copy is another reviewable of the same activity
        state = "ready"
    names = {"activityId": "activity_id", "fileId": "file_id", "filename": "filename", "label": "label"}
    shown = {ours: one[theirs] for theirs, ours in names.items()}
    return {**shown, "state": state, "description": processing.get("description")}
