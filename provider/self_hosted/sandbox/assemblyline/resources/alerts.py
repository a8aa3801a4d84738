"""Alerts: single alerts, lists, groups and counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.alerts.queries import build_search_params
from self_hosted.sandbox.assemblyline.alerts.store import DEFAULT_DELAY_SECONDS, STATE_NAME, AlertStore
from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.dates import evaluate_date, get_current_time
from self_hosted.sandbox.assemblyline.errors import ApiError, internal_error
from self_hosted.sandbox.assemblyline.ports import Server
from self_hosted.sandbox.assemblyline.request_parsing import get_path
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.search.documents import get_values
from self_hosted.sandbox.assemblyline.search.engine import match_documents, search
from self_hosted.sandbox.assemblyline.search.facets import build_facet, build_groups
from self_hosted.sandbox.fake_server import Table
from self_hosted.sandbox.routing import route

VIEW = "alert_view"
COUNTED_FIELDS = {"labels": "label", "priorities": "priority", "statuses": "status"}
STATISTICS_FIELDS = (
    "al.attrib",
    "al.av",
    "al.behavior",
    "al.domain",
    "al.ip",
    "al.yara",
    "file.name",
    "file.md5",
    "owner",
)
HASH_FIELDS = {"file.md5", "file.sha1", "file.sha256"}
TABLE_COLUMNS = ("alert_id", "sid", "label", "priority", "status", "owner")


class Alerts(Resource):
    """The alerts. The state is described in `AlertStore.state`."""

    name: ClassVar[str] = STATE_NAME

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.store = AlertStore(server)

    @classmethod
    def create_state(cls) -> dict[str, Any]:
        """Return no alerts, and the delay of the real server."""
        return {"alerts": {}, "indexed_at": {}, "delay": DEFAULT_DELAY_SECONDS}

    def seed(self, data: Mapping[str, Any]) -> None:
        """Add alerts, and change the delay of lists.

        :param data: see `AlertStore.seed`
        """
        self.store.seed(data)

    def get_documents(self) -> dict[str, list[dict[str, Any]]]:
        """Return the alerts that searches find."""
        return {"alert": self.store.list_indexed()}

    def build_table(self) -> Table:
        """Return the alerts, newest first."""
        alerts = reversed(self.store.list_all().values())
        return [{column: alert[column] for column in TABLE_COLUMNS} for alert in alerts]

    @route("GET", "/alert/list/", role=VIEW)
    async def list_alerts(self, request: Request, session: Session) -> Any:
        """Return a page of alerts. The newest are hidden unless there is a parameter ``no_delay`` with any value."""
        return search(self.store.list_indexed(), {**self._build_params(request), "fl": "*"}, "alert")

    @route("GET", "/alert/grouped/{field}/", role=VIEW)
    async def list_groups(self, request: Request, session: Session) -> Any:
        """Return the newest alert of each group. For a field with lists, the real server has an unhandled exception."""
        field, params = request.path_params["field"], self._build_params(request)
        params.update(group_sort=params["sort"], fl="*")
        groups = build_groups(self.store.build_index(), field, params)
        if any(isinstance(group["items"][0].get(field), list) for group in groups["items"]):
            raise internal_error()
        owned = self._list_owned_values(field)
        items = [
            {**group["items"][0], "group_count": group["total"], "hint_owner": group["value"] in owned}
            for group in groups["items"]
        ]
        total = sum(group["total"] for group in groups["items"])
        start = request.query_params.get("tc_start") or self._get_end(request) or get_current_time()
        return {**groups, "items": items, "counted_total": total, "tc_start": start}

    @route("GET", "/alert/statistics/", role=VIEW)
    async def get_statistics(self, request: Request, session: Session) -> Any:
        """Return the most frequent values of several fields."""
        index, params = self.store.build_index(), self._build_params(request)
        return {field: build_facet(index, field, params) for field in STATISTICS_FIELDS}

    @route("GET", "/alert/related/", role=VIEW)
    async def list_related(self, request: Request, session: Session) -> Any:
        """Return the ids of all matching alerts, without delay."""
        query, *filters = [request.query_params.get("q"), *request.query_params.getlist("fq")]
        if not query and not filters:
            raise ApiError(400, "You need to at least provide a query to filter the data", [])
        params = {**build_search_params(request), "query": query or filters[0]}
        try:
            return [alert["alert_id"] for alert in match_documents(self.store.build_index(), params)]
        except ApiError:
            raise internal_error() from None

    @route("GET", "/alert/labels/", role=VIEW)
    @route("GET", "/alert/priorities/", role=VIEW)
    @route("GET", "/alert/statuses/", role=VIEW)
    async def count_values(self, request: Request, session: Session) -> Any:
        """Return the most frequent values of a field."""
        field = COUNTED_FIELDS[get_path(request).strip("/").rpartition("/")[2]]
        return build_facet(self.store.build_index(), field, self._build_params(request))

    @route("GET", "/alert/{alert_id}/", role=VIEW)
    async def get_alert(self, request: Request, session: Session) -> Any:
        """Return an alert, without delay."""
        alert = self.store.list_all().get(request.path_params["alert_id"])
        if not alert:
            raise ApiError(404, "This alert does not exists...")
        return alert

    def _build_params(self, request: Request) -> dict[str, Any]:
        return build_search_params(request, self._get_end(request))

    def _get_end(self, request: Request) -> str | None:
        """Return the date after which lists hide alerts, or None."""
        is_delayed = self.state["delay"] and "no_delay" not in request.query_params
        delayed = evaluate_date(f"now-{self.state['delay']}s") if is_delayed else None
        return request.query_params.get("tc_start") or delayed

    def _list_owned_values(self, field: str) -> set[Any]:
        """Return the values of a hash that alerts with an owner have."""
        owned = [alert for alert in self.store.list_indexed() if alert["owner"]] if field in HASH_FIELDS else []
        return {value for alert in owned for value in get_values(alert, field)}
