"""Reviewables of versions: images and videos, some of which a transcoder converts before they can be viewed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from self_hosted.ayon.api import shapes
from self_hosted.core.arguments import check_id
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.shape import check_shape


class Reviewable(TypedDict):
    """One reviewable.

    :param activity_id: id of the activity that uploaded it
    :param file_id: id of its file
    :param filename: name of its file
    :param label: its label
    :param state: "ready", "conversionRecommended", "conversionRequired", "unknown", or the status of its conversion
    :param description: AYON's explanation of the conversion, if there is one
    """

    activity_id: str
    file_id: str
    filename: str
    label: str | None
    state: str
    description: str | None


def list_all(project: str, version_id: str) -> Flow[list[dict[str, Any]]]:
    """Return the reviewables of a version (``GET /api/projects/{project}/versions/{id}/reviewables``).

    :param project: name of the project
    :param version_id: id of the version
    :return: AYON's JSON: ``[{fileId, activityId, filename, label, mimetype, availability: "ready" |
        "conversionRecommended" | "conversionRequired" | "unknown", processing: None or {eventId, status, description},
        createdFrom, ...}, ...]``
    :raises NotFoundError: if there is no such version
    """
    ids = check_id("project", project), check_id("version_id", version_id)
    reply = yield Request("GET", f"/api{url_path('projects', ids[0], 'versions', ids[1], 'reviewables')}")
    found = check_shape(reply, reply.json(), shapes.ReviewableList)["reviewables"]
    for processing in (reviewable["processing"] for reviewable in found):
        if processing and processing.get("description"):
            processing["description"] = reply.clean(processing["description"] or "")
    return found  # type: ignore[return-value]


def summarize(reviewable: Mapping[str, Any]) -> Reviewable:
    """Return the summary of a reviewable.

    :param reviewable: an item of the result of `list_all`
    """
    processing = reviewable["processing"] or {}
    state = processing.get("status") or reviewable["availability"]
    return {
        "activity_id": reviewable["activityId"],
        "file_id": reviewable["fileId"],
        "filename": reviewable["filename"],
        "label": reviewable["label"],
        # a finished conversion adds the converted file as another reviewable of the same activity
        "state": "ready" if state == "finished" else state,
        "description": processing.get("description"),
    }
