"""Reviewables of versions. The sandbox ignores the content of files and relies on their media types."""

from __future__ import annotations

import uuid

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.entities import EntityResource
from self_hosted.sandbox.ayon.errors import ApiError
from self_hosted.sandbox.ayon.projects import PROJECT
from self_hosted.sandbox.ayon.state import Record
from self_hosted.sandbox.routing import route

REVIEWABLES = f"{PROJECT}/versions/{{entity}}/reviewables"
AVAILABILITY = {"image/png": "ready", "image/jpeg": "ready", "video/mp4": "conversionRecommended"}


class Reviewables(EntityResource):
    """The reviewables of a version."""

    @route("GET", REVIEWABLES)
    async def list_all(self, request: Request, user: Record) -> Response:
        """Return a version with its reviewables."""
        _, version = self.get_entity(request, user, "version")
        reviewables = version.get("reviewables", [])
        return JSONResponse({"id": version["id"], "status": version["status"], "reviewables": reviewables})

    @route("POST", REVIEWABLES)
    async def upload(self, request: Request, user: Record) -> Response:
        """Add a file as a reviewable. A second upload of the same file adds another one."""
        _, version = self.get_entity(request, user, "version")
        media_type = request.headers.get("content-type", "")
        if not media_type.startswith(("image/", "video/")):
            raise ApiError(400, "Only videos and images are supported for reviewables now")
        fields = {
            "filename": request.headers["x-file-name"],
            "label": request.query_params.get("label"),
            "mimetype": media_type,
            "availability": AVAILABILITY.get(media_type, "conversionRequired"),
        }
        return JSONResponse(add_reviewable(version, fields))


def add_reviewable(version: Record, fields: Record) -> Record:
    """Add a reviewable to a version.

    :param version: the version to change
    :param fields: {filename, label, mimetype, availability, processing, activityId, ...}; all have defaults
    :return: the stored reviewable
    """
    reviewable = {
        "fileId": uuid.uuid4().hex,
        "activityId": uuid.uuid4().hex,
        "filename": "review.png",
        "label": None,
        "mimetype": "image/png",
        "availability": "ready",
        "processing": None,
        "createdFrom": None,
        **fields,
    }
    version.setdefault("reviewables", []).append(reviewable)
    return reviewable
