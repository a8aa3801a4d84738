"""What people review of a version. The stand-in looks at no file: what it is, its media type says."""

from __future__ import annotations

import uuid

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.answers import refused
from self_hosted.sandbox.ayon.entities import found_entity
from self_hosted.sandbox.ayon.studio import Record, Studio, settled

AVAILABILITY = {"image/png": "ready", "image/jpeg": "ready", "video/mp4": "conversionRecommended"}


def add_reviewable(version: Record, given: Record) -> Record:
    """Give a version a reviewable.

    :param version: the version
    :param given: {filename, label, mimetype, availability, processing, activityId, ...}
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
        **given,
    }
    version.setdefault("reviewables", []).append(reviewable)
    return reviewable


async def upload(studio: Studio, request: Request, user: Record) -> Response:
    """Take a file as a reviewable; the same file again is another one."""
    _, version = found_entity(studio, request, user, "version")
    kind = request.headers.get("content-type", "")
    if not kind.startswith(("image/", "video/")):
        raise refused(400, "Only videos and images are supported for reviewables now")
    given = {"filename": request.headers["x-file-name"], "label": request.query_params.get("label"), "mimetype": kind}
    return JSONResponse(
        add_reviewable(version, {**given, "availability": AVAILABILITY.get(kind, "conversionRequired")})
    )


async def listed(studio: Studio, request: Request, user: Record) -> Response:
    """A version with its reviewables."""
    _, version = found_entity(studio, request, user, "version")
    found = [settled(one) for one in version.get("reviewables", [])]
    return JSONResponse({"id": version["id"], "status": version["status"], "reviewables": found})
