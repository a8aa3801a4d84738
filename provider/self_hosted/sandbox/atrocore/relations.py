"""Requests that list, add and remove relations between records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.conditions import normalize
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.filters import build_matcher
from self_hosted.sandbox.atrocore.lists import list_records
from self_hosted.sandbox.atrocore.record_store import get_record
from self_hosted.sandbox.atrocore.relation_store import Relation, find_relation, list_related, relate, unrelate
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_response
from self_hosted.sandbox.atrocore.state import Record, State
from self_hosted.sandbox.atrocore.versions import V2_3
from self_hosted.sandbox.routing import route

Change = Callable[[State, Relation, Record, Record], None]
OLD_LINK, OLD_BULK = "/api/v1/{entity}/{id}/{link}", "/api/v1/{entity}/{link}/relation"
LINK, BULK = "/api/entityRelation", "/api/entityRelationBulk"
MESSAGE = (
    '<button type="button" class="close" data-dismiss="modal" aria-hidden="true">&times;</button><span>{}</span><br>'
)


class Relations(Resource):
    """Relations of records of any entity."""

    @route("GET", OLD_LINK, until=V2_3)
    def list_old(self, call: Call) -> Response:
        """Return a page of the related records; none if the record is unknown."""
        return list_relation(self.state, call, call.entity, call.id, call.link)

    @route("GET", LINK, since=V2_3)
    def list_all(self, call: Call) -> Response:
        """Return a page of the related records; none if the record is unknown."""
        entity, record_id, link = (call.required_parameter(name) for name in ("entityName", "id", "link"))
        return list_relation(self.state, call, entity, record_id, link)

    @route("POST", OLD_LINK, until=V2_3)
    def add_old(self, call: Call) -> Response:
        """Add relations, in order, until one fails."""
        return self._change(call, relate, call.entity, call.id, call.link, _read_ids(call))

    @route("DELETE", OLD_LINK, until=V2_3)
    def remove_old(self, call: Call) -> Response:
        """Remove relations, in order, until one fails."""
        return self._change(call, unrelate, call.entity, call.id, call.link, _read_ids(call))

    @route("POST", LINK, since=V2_3, json_body=True)
    def add(self, call: Call) -> Response:
        """Add relations, in order, until one fails."""
        body = call.require_properties("entityName", "id", "link")
        return self._change(call, relate, body["entityName"], body["id"], body["link"], _read_ids(call))

    @route("DELETE", LINK, since=V2_3)
    def remove(self, call: Call) -> Response:
        """Remove relations, in order, until one fails; all of them with ``all=true``."""
        entity, record_id, link = (call.parameter(name) for name in ("entityName", "id", "link"))
        ids = _read_ids(call)
        if call.parameter("all") == "true":
            ids = [record["id"] for record in list_related(self.state, self._find(entity, link), record_id)]
        return self._change(call, unrelate, entity, record_id, link, ids, all_of_them=call.parameter("all") == "true")

    @route("POST", "/api/v1/{entity}/action/unlinkAll", until=V2_3)
    def remove_all(self, call: Call) -> Response:
        """Remove all relations of a record."""
        body = call.body or {}
        relation, record = self._find(call.entity, body.get("link", "")), self._get(call, call.entity, body.get("id"))
        for other in list_related(self.state, relation, record["id"]):
            unrelate(self.state, relation, record, other)
        return build_response(True)

    @route("POST", OLD_BULK, until=V2_3)
    def add_bulk_old(self, call: Call) -> Response:
        """Relate all records of two filters."""
        return self._change_old_bulk(call, relate, "added")

    @route("DELETE", OLD_BULK, until=V2_3)
    def remove_bulk_old(self, call: Call) -> Response:
        """Remove the relations between the records of two filters."""
        return self._change_old_bulk(call, unrelate, "removed")

    @route("POST", BULK, since=V2_3, json_body=True)
    def add_bulk(self, call: Call) -> Response:
        """Relate all records of two lists; without counts."""
        return self._change_bulk(call, relate, "Added")

    @route("DELETE", BULK, since=V2_3, json_body=True)
    def remove_bulk(self, call: Call) -> Response:
        """Remove the relations between the records of two lists; without counts."""
        return self._change_bulk(call, unrelate, "Removed")

    def _change(
        self,
        call: Call,
        change: Change,
        entity: str,
        record_id: str,
        link: str,
        ids: list[str],
        *,
        all_of_them: bool = False,
    ) -> Response:
        record, relation = self._get(call, entity, record_id), self._find(entity, link)
        if not ids and not all_of_them:
            raise ApiError(500)
        for one in ids:
            change(self.state, relation, record, get_record(self.state, relation.target, one))
        return build_response(True)

    def _change_old_bulk(self, call: Call, change: Change, verb: str) -> Response:
        body, link = call.body or {}, call.link
        if not body.get("where") or not body.get("foreignWhere"):
            raise ApiError(400)
        relation = self._find(call.entity, link)
        records = self._select(call.entity, body["where"])
        others = self._select(relation.target, body["foreignWhere"])
        count = self._change_each(change, relation, records, others)
        return build_response({"message": MESSAGE.format(f"{count} relations were successfully {verb}.")})

    def _change_bulk(self, call: Call, change: Change, verb: str) -> Response:
        body = call.require_properties("entityName", "link", "ids", "foreignIds")
        relation = self._find(body["entityName"], body["link"])
        records = self._find_all(body["entityName"], body["ids"])
        count = self._change_each(change, relation, records, self._find_all(relation.target, body["foreignIds"]))
        return build_response({"message": MESSAGE.format(f"relations{verb}{'Plural' if count > 1 else ''}")})

    def _change_each(self, change: Change, relation: Relation, records: list[Record], others: list[Record]) -> int:
        """Change all relations that can be changed, and return their number."""
        count = 0
        for record in records:
            for other in others:
                try:
                    change(self.state, relation, record, other)
                except ApiError:
                    continue
                count += 1
        return count

    def _find(self, entity: str, link: str) -> Relation:
        relation = find_relation(self.state, entity, link)
        if relation is None:
            raise ApiError(500, f"Entity '{entity}' has not relation '{link}'.")
        return relation

    def _get(self, call: Call, entity: str, record_id: Any) -> Record:
        call.access.check(entity, "edit")
        return get_record(self.state, entity, str(record_id))

    def _select(self, entity: str, where: Any) -> list[Record]:
        matches = build_matcher(self.state, entity, normalize(where))
        return [one for one in self.state.records[entity].values() if not one["deleted"] and matches(one)]

    def _find_all(self, entity: str, ids: list[str]) -> list[Record]:
        return [record for one in ids if (record := self.state.find_record(entity, one))]


def list_relation(state: State, call: Call, entity: str, record_id: str, link: str) -> Response:
    """Return a page of related records; none if the record is unknown.

    :raises ApiError: if the entity does not have the relation
    """
    state.schema.entity(entity)
    if state.find_record(entity, record_id) is None:
        return build_response({"total": 0, "list": []})
    relation = find_relation(state, entity, link)
    if relation is None:
        raise ApiError(403)
    condition = {"type": "in", "attribute": "id", "value": relation.list_ids(state, record_id)}
    return build_response(list_records(state, call, relation.target, [condition]))


def _read_ids(call: Call) -> list[str]:
    """Return the ids in the body or in the query."""
    body = call.body if isinstance(call.body, dict) else {}
    if call.method == "DELETE" and call.parameter("ids"):
        return call.parameter("ids").split(",")
    ids = body.get("ids") or ([body["id"]] if body.get("id") and call.link else [])
    return [str(one) for one in ids]
