"""What a studio has set up: server facts, attributes, access groups, presets."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from self_hosted.sandbox.ayon import defaults
from self_hosted.sandbox.ayon.access import user_of
from self_hosted.sandbox.ayon.answers import Refusal, refused
from self_hosted.sandbox.ayon.studio import Record, Studio, is_manager

VERSION = "1.16.0"
PRESETS_VERSION = "1.0.0"


async def frontend(studio: Studio, request: Request) -> Response:
    """The web page that the official client looks for."""
    return HTMLResponse("<!doctype html><title>AYON</title>")


async def info(studio: Studio, request: Request) -> Response:
    """A little for everybody, bad credentials included; more for those who are signed in."""
    facts = {"version": VERSION, "uptime": 1.0}
    try:
        user = user_of(studio, request)
    except Refusal as refusal:
        if refusal.response.status_code == 500:
            raise
        return JSONResponse(facts)
    return JSONResponse({**facts, "user": user, "attributes": studio.attributes_in_force, "sites": []})


async def attributes(studio: Studio, request: Request, user: Record) -> Response:
    """All attributes, those that wait for a restart included."""
    return JSONResponse({"attributes": studio.attributes})


async def access_groups(studio: Studio, request: Request, user: Record) -> Response:
    """The studio's access groups."""
    if not is_manager(user):
        raise refused(403, "Only managers can access the studio level settings")
    return JSONResponse([{"name": name, "isProjectLevel": False} for name in studio.access_groups])


async def presets(studio: Studio, request: Request, user: Record) -> Response:
    """The list of presets; the built-in one is not in it."""
    found = [{"name": n, "primary": n == studio.primary_preset, "version": PRESETS_VERSION} for n in studio.presets]
    return JSONResponse({"version": PRESETS_VERSION, "presets": found})


async def get_preset(studio: Studio, request: Request, user: Record) -> Response:
    """One preset, complete."""
    name = request.path_params["preset"]
    if name == "__primary__":
        name = studio.primary_preset or "__builtin__"
    if name in {"__builtin__", "_"}:
        return JSONResponse(defaults.anatomy({}))
    if name not in studio.presets:
        raise refused(404, f"Anatomy preset {name} not found.")
    return JSONResponse(studio.presets[name])


async def put_preset(studio: Studio, request: Request, user: Record) -> Response:
    """Create or overwrite a preset; what is left out comes from the defaults, not from what was there."""
    if not is_manager(user):
        raise refused(403, "Only managers can update anatomy presets.")
    studio.presets[request.path_params["preset"]] = defaults.anatomy(await request.json())
    return Response(status_code=204)


async def unknown(studio: Studio, request: Request) -> Response:
    """Any other path of the API."""
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    raise refused(404, f"API endpoint {path} not found", path=path)
