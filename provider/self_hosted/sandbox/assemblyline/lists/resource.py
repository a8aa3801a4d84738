"""The routes that the badlist and the safelist have in common."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.dates import get_current_time
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.lists.entries import LOWEST_CLASSIFICATION, find_source, put, put_many
from self_hosted.sandbox.assemblyline.lists.hashes import create_id
from self_hosted.sandbox.assemblyline.request_parsing import read_json
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.fake_server import Table
from self_hosted.sandbox.routing import route

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.\d{6}Z")
ADMIN_ROLES = {"administration", "signature_manage"}
TABLE_COLUMNS = ("type", "enabled", "expiry_ts")


class ListResource(Resource):
    """A list. The state has the entries by id. Subclasses set ``base_path`` and ``role_prefix``."""

    def seed(self, data: Any) -> None:
        """Add entries.

        :param data: [entry of a request]
        """
        put_many(self.state, self.name, data)

    def get_documents(self) -> dict[str, list[dict[str, Any]]]:
        """Return the entries."""
        return {self.name: [{**entry, "id": id_} for id_, entry in self.state.items()]}

    def build_table(self) -> Table:
        """Return the entries, newest first."""
        return [
            {"id": id_, **{column: entry[column] for column in TABLE_COLUMNS}}
            for id_, entry in reversed(self.state.items())
        ]

    @route(["POST", "PUT"], "/", role="manage")
    async def put_entry(self, request: Request, session: Session) -> Any:
        """Add an entry, or merge it into the existing one. Only this handler checks the sources."""
        body = await read_json(request)
        for source in body.get("sources", []):
            _check_source(source, session)
        id_, operation = put(self.state, self.name, body)
        return {"success": True, "op": operation, "hash": id_}

    @route(["POST", "PUT"], "/add_update_many/", role="manage")
    async def put_entries(self, request: Request, session: Session) -> Any:
        """Add entries, or merge them into the existing ones."""
        body = await read_json(request)
        if not isinstance(body, list):
            raise ApiError(400, "Could not get the list of hashes", None)
        return {"success": put_many(self.state, self.name, body), "errors": False}

    @route("PUT", "/enable/{id}/", role="manage")
    async def enable(self, request: Request, session: Session) -> Any:
        """Enable or disable an entry."""
        return self._update(self.get_id(request), enabled=await read_json(request))

    @route(["PUT", "DELETE"], "/expiry/{id}/", role="manage")
    async def set_expiry(self, request: Request, session: Session) -> Any:
        """Set or remove the expiry date of an entry."""
        expiry = await read_json(request) if request.method == "PUT" else None
        if expiry is not None and not DATE.match(expiry):
            message = "Invalid date format, must match ISO9660 format (0000-00-00T00:00:00.000000Z)"
            raise ApiError(400, message, None)
        return self._update(self.get_id(request), expiry_ts=expiry)

    @route("PUT", "/classification/{id}/{source}/{kind}/", role="manage")
    async def classify_source(self, request: Request, session: Session) -> Any:
        """Set the classification of a source, always to the lowest."""
        self._check_owner(request, session, "change the classification for this {} item")
        self._find_source(request)["classification"] = LOWEST_CLASSIFICATION
        return {"success": True}

    @route("DELETE", "/source/{id}/{source}/{kind}/", role="manage")
    async def remove_source(self, request: Request, session: Session) -> Any:
        """Remove a source that is not the last one."""
        self._check_owner(request, session, "remove this source from this {} item")
        entry = self.get_modifiable(self.get_id(request))
        if len(entry["sources"]) == 1:
            raise ApiError(403, f"You are not allowed to remove the last source from this {self.name} item", None)
        entry["sources"].remove(self._find_source(request))
        return {"success": True}

    @route("GET", "/{tag_type}/{tag_value}/", role="view")
    async def get_entry_of_tag(self, request: Request, session: Session) -> Any:
        """Return the entry of a tag with its stored value."""
        return self.get_entry(create_id(f"{request.path_params['tag_type']}: {request.path_params['tag_value']}"))

    @route("GET", "/{id}/", role="view")
    async def get_entry_by_id(self, request: Request, session: Session) -> Any:
        """Return an entry."""
        return self.get_entry(self.get_id(request))

    @route("DELETE", "/{id}/", role="manage")
    async def delete(self, request: Request, session: Session) -> Any:
        """Delete an entry; without an administrative role, only the sources of the user."""
        id_ = self.get_id(request)
        if ADMIN_ROLES & set(session.roles):
            self.state.pop(id_, None)
            return {"success": True}
        if id_ not in self.state:
            return {"success": False}
        entry = self.state[id_]
        entry["sources"] = [source for source in entry["sources"] if source["name"] != session.user]
        if not entry["sources"]:
            del self.state[id_]
        return {"success": True}

    def get_id(self, request: Request) -> str:
        """Return the id in the path."""
        return str(request.path_params["id"])

    def get_entry(self, id_: str) -> dict[str, Any]:
        """Return an entry.

        :param id_: id of the entry
        :raises ApiError: if there is none
        """
        if id_ not in self.state:
            raise ApiError(404, f"The hash was not found in the {self.name}.", None)
        return self.state[id_]  # type: ignore[no-any-return]

    def get_modifiable(self, id_: str) -> dict[str, Any]:
        """Return an entry to modify it.

        :param id_: id of the entry
        :raises ApiError: if there is none, with another message than `get_entry`
        """
        if id_ not in self.state:
            raise ApiError(404, f"The {self.name} item your are trying to modify does not exists", {})
        return self.state[id_]  # type: ignore[no-any-return]

    def _update(self, id_: str, **values: Any) -> dict[str, bool]:
        if id_ in self.state:
            self.state[id_].update(values, updated=get_current_time())
        return {"success": id_ in self.state}

    def _check_owner(self, request: Request, session: Session, action: str) -> None:
        is_own = (request.path_params["source"], request.path_params["kind"]) == (session.user, "user")
        if not is_own and "administration" not in session.roles:
            raise ApiError(403, f"You are not allowed to {action.format(self.name)}", None)

    def _find_source(self, request: Request) -> dict[str, Any]:
        entry = self.get_modifiable(self.get_id(request))
        source = find_source(entry, request.path_params["source"], request.path_params["kind"])
        if source is None:
            raise ApiError(404, f"The specified source does not exist in the specified {self.name} item", {})
        return source


def _check_source(source: dict[str, Any], session: Session) -> None:
    if source["type"] == "user" and source["name"] != session.user:
        message = f"You cannot add a source for another user. {source['name']} != {session.user}"
        raise ApiError(400, message, None)
    if source["type"] != "user" and "signature_import" not in session.roles:
        raise ApiError(403, "You do not have sufficient priviledges to add an external source.", None)
