"""Searches of all indexes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.errors import ApiError, access_denied, internal_error, missing_role
from self_hosted.sandbox.assemblyline.request_parsing import get_path, read_json
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.search.cursors import create_cursors, read_page
from self_hosted.sandbox.assemblyline.search.engine import Index, build_index, search
from self_hosted.sandbox.assemblyline.search.facets import build_facet, build_groups, build_stats
from self_hosted.sandbox.assemblyline.search.fields import collect_fields
from self_hosted.sandbox.assemblyline.search.histograms import build_histogram
from self_hosted.sandbox.assemblyline.search.indexes import DEFAULT_SORT, INDEX_ROLES
from self_hosted.sandbox.fake_server import Table
from self_hosted.sandbox.routing import route

METHODS = ("GET", "POST")
ADMIN_INDEXES = {"apikey", "emptyresult", "error", "user"}
ARCHIVE_PARAMS = ("use_archive", "archive_only")
Aggregate = Callable[[Index, str, Mapping[str, Any]], dict[Any, Any]]


class Searches(Resource):
    """The searches. The state is described in `create_cursors`."""

    name: ClassVar[str] = "searches"

    @classmethod
    def create_state(cls) -> dict[str, Any]:
        """Return no searches."""
        return create_cursors()

    def seed(self, data: dict[str, Any]) -> None:
        """Change the expiry of searches with deep paging.

        :param data: ``keep_alive``: seconds between two pages
        """
        self.state.update(data)

    def build_table(self) -> Table:
        """Return the searches that are not completed."""
        return [{"id": key, "documents": len(cursor["documents"])} for key, cursor in self.state["open"].items()]

    @route("GET", "/search/fields/{index}/", counted=False)
    async def list_fields(self, request: Request, session: Session) -> Any:
        """Return the fields of an index."""
        name = _check_index(request, session)
        fields = collect_fields(name, self.server.get_documents(name))
        return {field_name: field.describe() for field_name, field in fields.items()}

    @route(METHODS, "/search/grouped/{index}/{field}/")
    async def group(self, request: Request, session: Session) -> Any:
        """Return the documents grouped by a field."""
        _check_index(request, session, is_listed=True)
        return await self._aggregate(build_groups, request, session)

    @route(METHODS, "/search/facet/{index}/{field}/")
    async def get_facet(self, request: Request, session: Session) -> Any:
        """Return the most frequent values of a field."""
        return await self._aggregate(build_facet, request, session)

    @route(METHODS, "/search/histogram/{index}/{field}/")
    async def get_histogram(self, request: Request, session: Session) -> Any:
        """Return the histogram of a field."""
        return await self._aggregate(build_histogram, request, session)

    @route(METHODS, "/search/stats/{index}/{field}/")
    async def get_stats(self, request: Request, session: Session) -> Any:
        """Return the statistics of a field."""
        return await self._aggregate(build_stats, request, session)

    @route(METHODS, "/search/{index}/")
    async def search(self, request: Request, session: Session) -> Any:
        """Return a page of documents."""
        name = _check_index(request, session, is_listed=True)
        params = await _read_params(request, session)
        if not params.get("query"):
            raise ApiError(400, "There was no search query.")
        if params.get("deep_paging_id") is None:
            return search(self.server.get_documents(name), params, name)
        return read_page(self.state, name, lambda: self.server.get_documents(name), params)

    async def _aggregate(self, aggregate: Aggregate, request: Request, session: Session) -> Any:
        name = _check_index(request, session)
        params = await _read_params(request, session)
        index = build_index(name, self.server.get_documents(name), with_added_fields=True)
        return aggregate(index, request.path_params["field"], params)


def _check_index(request: Request, session: Session, *, is_listed: bool = False) -> str:
    """Return the index of the path, which the user may search.

    :param is_listed: whether the response lists documents, which some indexes do not support
    """
    path, name = get_path(request), str(request.path_params["index"])
    roles = tuple(INDEX_ROLES.values())
    if not set(roles) & set(session.roles):
        raise missing_role(path, *roles)
    role = INDEX_ROLES.get(name, "administration")
    if role not in session.roles:
        raise access_denied(path, f"API {path} requires the role '{role}' for request on index '{name}'")
    if name not in {*INDEX_ROLES, *ADMIN_INDEXES} or (is_listed and name not in DEFAULT_SORT):
        raise ApiError(400, f"Not a valid index to search in: {name}")
    return name


async def _read_params(request: Request, session: Session) -> dict[str, Any]:
    """Return the parameters in the body of a POST, or in the query of a GET."""
    if request.method == "POST":
        params: dict[str, Any] = await read_json(request)
    else:
        params = {**request.query_params, "filters": request.query_params.getlist("filters")}
    archive_params = {name for name in ARCHIVE_PARAMS if str(params.get(name)).lower() in {"true", ""}}
    if archive_params and "archive_view" not in session.roles:
        raise ApiError(403, "User is not allowed to view the archive", {})
    # the real server has an unhandled exception for a list of fields, and without an archive for a search of it
    if "archive_only" in archive_params or not isinstance(params.get("fl") or "", str):
        raise internal_error()
    return params
