"""The badlist: attributions and similar files, in addition to the common routes of lists."""

from __future__ import annotations

from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.errors import ApiError, internal_error
from self_hosted.sandbox.assemblyline.lists.entries import ATTRIBUTION_TYPES
from self_hosted.sandbox.assemblyline.lists.resource import ListResource
from self_hosted.sandbox.routing import route


class Badlist(ListResource):
    """The badlist."""

    name: ClassVar[str] = "badlist"
    base_path: ClassVar[str] = "/api/v4/badlist"
    role_prefix: ClassVar[str] = "badlist_"

    @route("GET", "/ssdeep/{value:path}/", role="view")
    async def list_by_ssdeep(self, request: Request, session: Session) -> Any:
        """Return the entries with the same middle part; the real server returns all similar entries."""
        value = str(request.path_params["value"])
        if value.count(":") != 2:
            raise ApiError(400, f"Invalid SSDEEP hash provided: {value}", None)
        return [
            entry for entry in self._list_with("ssdeep") if _get_middle(entry["hashes"]["ssdeep"]) == _get_middle(value)
        ]

    @route("GET", "/tlsh/{value}/", role="view")
    async def list_by_tlsh(self, request: Request, session: Session) -> Any:
        """Return the entries with a TLSH."""
        value = request.path_params["value"]
        return [entry for entry in self._list_with("tlsh") if entry["hashes"]["tlsh"] == value]

    @route("PUT", "/attribution/{id}/{kind}/{value}/", role="manage")
    async def add_attribution(self, request: Request, session: Session) -> Any:
        """Add an attribution in upper case."""
        attribution, type_ = self._get_attribution(request)
        names = {*(attribution[type_] or []), str(request.path_params["value"])}
        attribution[type_] = [name.upper() for name in names]
        return {"success": True}

    @route("DELETE", "/attribution/{id}/{kind}/{value}/", role="manage")
    async def remove_attribution(self, request: Request, session: Session) -> Any:
        """Remove an attribution. Without any, the real server has an unhandled exception."""
        attribution, type_ = self._get_attribution(request)
        if attribution[type_] is None:
            raise internal_error()
        attribution[type_] = [name for name in attribution[type_] if name != request.path_params["value"]]
        return {"success": True}

    def _get_attribution(self, request: Request) -> tuple[dict[str, Any], str]:
        """Return the attributions of an entry, and the type in the path."""
        type_ = request.path_params["kind"]
        if type_ not in ATTRIBUTION_TYPES:
            raise ApiError(400, f"Invalid attribution type, must in : {list(ATTRIBUTION_TYPES)}", None)
        entry = self.get_modifiable(self.get_id(request))
        entry["attribution"] = entry["attribution"] or dict.fromkeys(ATTRIBUTION_TYPES)
        return entry["attribution"], type_

    def _list_with(self, hash_type: str) -> list[dict[str, Any]]:
        return [entry for entry in self.state.values() if entry["hashes"][hash_type]]


def _get_middle(ssdeep: str) -> str:
    return ssdeep.split(":")[1]
