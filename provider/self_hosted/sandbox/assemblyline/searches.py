"""The routes of searches: who may ask which index for what, and searches that go on page by page."""

from __future__ import annotations

import base64
import copy
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.answers import Refusal, body_of, denied, path_of
from self_hosted.sandbox.assemblyline.area import Area, Handler, Row
from self_hosted.sandbox.assemblyline.counting import facet, grouped, histogram, stats
from self_hosted.sandbox.assemblyline.fields import fields_of
from self_hosted.sandbox.assemblyline.indexes import ORDERS, ROLES
from self_hosted.sandbox.assemblyline.search import Index, found_in, index_of, search, shown, window
from self_hosted.sandbox.stand_in import Table

Counting = Callable[[Index, str, Mapping[str, Any]], dict[Any, Any]]
OF_ADMINISTRATORS = {"apikey", "emptyresult", "error", "user"}


class Searches(Area):
    """Searching all indexes. Keeps what a search by pages goes through: as it was when the search began."""

    name: ClassVar[str] = "searches"

    @classmethod
    def fresh(cls) -> dict[str, Any]:
        """No search is under way; one lives five minutes from page to page."""
        return {"keep_alive": 300.0, "number": 0, "under_way": {}}

    def seed(self, data: dict[str, Any]) -> None:
        """Change how long a search by pages lives.

        :param data: ``keep_alive``, in seconds
        """
        self.kept.update(data)

    def rows(self) -> Sequence[Row]:
        """The table."""
        return [
            Row("GET", "/search/fields/{index}/", self.fields),
            Row("GET POST", "/search/grouped/{index}/{field}/", self._counting(grouped, listed=True), counted=True),
            Row("GET POST", "/search/facet/{index}/{field}/", self._counting(facet), counted=True),
            Row("GET POST", "/search/histogram/{index}/{field}/", self._counting(histogram), counted=True),
            Row("GET POST", "/search/stats/{index}/{field}/", self._counting(stats), counted=True),
            Row("GET POST", "/search/{index}/", self.search, counted=True),
        ]

    def table(self) -> Table:
        """Searches by pages that are under way."""
        return [{"id": number, "documents": len(one["documents"])} for number, one in self.kept["under_way"].items()]

    async def search(self, request: Request, session: Session) -> Any:
        """Search an index, or read the next page of what a search found."""
        name = self._admitted(request, session, listed=True)
        asked = await _asked(request, session)
        if not asked.get("query"):
            raise Refusal(400, "There was no search query.")
        if asked.get("deep_paging_id") is None:
            return search(self.product.indexed(name), asked, name)
        return self._page(name, asked)

    async def fields(self, request: Request, session: Session) -> Any:
        """The fields of an index."""
        name = self._admitted(request, session)
        return {field: one.described() for field, one in fields_of(name, self.product.indexed(name)).items()}

    def _counting(self, count: Counting, *, listed: bool = False) -> Handler:
        async def handler(request: Request, session: Session) -> Any:
            name = self._admitted(request, session, listed=listed)
            asked = await _asked(request, session)
            index = index_of(name, self.product.indexed(name), whole=True)
            return count(index, request.path_params["field"], asked)

        return handler

    def _admitted(self, request: Request, session: Session, *, listed: bool = False) -> str:
        """The index, which the user may search."""
        path = path_of(request)
        if not set(ROLES.values()) & set(session.roles):
            raise denied(path, f"API {path} requires one of the following roles: {', '.join(ROLES.values())}")
        name = request.path_params["index"]
        role = ROLES.get(name, "administration")
        if role not in session.roles:
            raise denied(path, f"API {path} requires the role '{role}' for request on index '{name}'")
        if name not in {*ROLES, *OF_ADMINISTRATORS} or (listed and name not in ORDERS):
            raise Refusal(400, f"Not a valid index to search in: {name}")
        return str(name)

    # Page by page

    def _page(self, name: str, asked: dict[str, Any]) -> dict[str, Any]:
        offset, rows = window(asked)
        number, _, last = str(asked["deep_paging_id"]).partition(",")
        before = _decoded(last) if last else 0
        number = self._opened(number) if last else self._opening(name)
        index = index_of(name, self.kept["under_way"][number]["documents"])
        found = [shown(index, one, asked.get("fl")) for one in found_in(index, asked)[before : before + rows]]
        answer: dict[str, Any] = {"items": found, "offset": offset, "rows": rows, "total": None}
        if len(found) < rows:
            del self.kept["under_way"][number]
        elif found:
            answer["next_deep_paging_id"] = f"{number},{_encoded(before + rows)}"
        return answer

    def _opening(self, name: str) -> str:
        self.kept["number"] += 1
        number = base64.b64encode(f"pit{self.kept['number']}".encode()).decode().rstrip("=")
        documents = copy.deepcopy(self.product.indexed(name))
        self.kept["under_way"][number] = {"documents": documents, "until": self._until()}
        return number

    def _opened(self, number: str) -> str:
        now = time.monotonic()
        self.kept["under_way"] = {key: one for key, one in self.kept["under_way"].items() if one["until"] >= now}
        if number not in self.kept["under_way"]:
            words = f"No search context found for id [{number}]"
            error = f"NotFoundError(404, 'search_phase_execution_exception', '{words}')"
            raise Refusal(400, f"SearchException: collection: submission, query: {{}}, error: {error}")
        self.kept["under_way"][number]["until"] = self._until()
        return number

    def _until(self) -> float:
        return time.monotonic() + float(self.kept["keep_alive"])


async def _asked(request: Request, session: Session) -> dict[str, Any]:
    """What is asked for, in the body of a POST or in the address of a GET."""
    if request.method == "POST":
        asked: dict[str, Any] = await body_of(request)
    else:
        asked = {**request.query_params, "filters": request.query_params.getlist("filters")}
    archived = {name for name in ("use_archive", "archive_only") if str(asked.get(name)).lower() in {"true", ""}}
    if archived and "archive_view" not in session.roles:
        raise Refusal(403, "User is not allowed to view the archive", {})
    if "archive_only" in archived or not isinstance(asked.get("fl") or "", str):  # there is no archive
        raise Refusal(500, "Internal Server Error")
    return asked


def _encoded(position: int) -> str:
    return base64.b64encode(json.dumps([position]).encode()).decode()


def _decoded(position: str) -> int:
    try:
        return int(json.loads(base64.b64decode(position))[0])
    except ValueError:
        raise Refusal(500, "Internal Server Error") from None
