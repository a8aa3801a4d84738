"""Hierarchies of records: their parents, and the trees that result. Categories have one in all versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.hooks import HOOKS, Hooks, Values
from self_hosted.sandbox.atrocore.pages import DEFAULT_PAGE_SIZE
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_response
from self_hosted.sandbox.atrocore.state import Record, State
from self_hosted.sandbox.atrocore.versions import V2_3
from self_hosted.sandbox.routing import route

PARENTS = "parentsIds"
UNKNOWN_PARENT = "_unknownParent"  # among the values of a create
INHERITED_FIELDS = ["description", "files", "isActive", "catalogs", "products", "channels"]


class Trees(Resource):
    """Trees of hierarchical entities."""

    @route("GET", "/api/v1/{entity}/action/tree", until=V2_3)
    def get_old_level(self, call: Call) -> Response:
        """Return the records below a node; without a node, those at the root."""
        return build_response(self._build_level(call, call.entity, {}))

    @route("GET", "/api/entityTree", since=V2_3)
    def get_level(self, call: Call) -> Response:
        """Return the records below a node; without a node, those at the root."""
        entity = call.required_parameter("entityName")
        return build_response(self._build_level(call, entity, {"scope": entity}))

    @route("GET", "/api/{entity}/treeData", since=V2_3)
    def get_paths(self, call: Call) -> Response:
        """Return the trees that lead to records."""
        ids = [value for name, value in call.query if name in {"ids", "ids[]"} or name.startswith("ids[")]
        records = [record for one in ids if (record := self.state.find_record(call.entity, one))]
        tree = [self._build_path(call.entity, record) for record in records]
        return build_response({"total": len(ids), "tree": tree})

    def _build_level(self, call: Call, entity: str, scope: dict[str, str]) -> dict[str, Any]:
        call.access.check(entity, "read")
        found = list(list_children(self.state, entity, call.parameter("node")))
        offset, size = int(call.parameter("offset", "0")), int(call.parameter("maxSize", str(DEFAULT_PAGE_SIZE)))
        items = [
            {
                "id": record["id"],
                "name": record.get("name"),
                "offset": position,
                "total": len(found),
                "disabled": False,
                "load_on_demand": has_children(self.state, entity, record),
                **scope,
            }
            for position, record in enumerate(found)
        ]
        return {"list": items[offset : offset + size], "total": len(found)}

    def _build_path(self, entity: str, record: Record) -> dict[str, Any]:
        node = {"id": record["id"], "name": record.get("name"), "scope": entity, "disabled": False, "children": []}
        for parent in list_ancestors(self.state, entity, record):
            node = {
                "id": parent["id"],
                "name": parent.get("name"),
                "scope": entity,
                "disabled": False,
                "children": [node],
            }
        return node


class CategoryHooks(Hooks):
    """The parents of categories. Before 2.3, a create has ``parentId`` and ignores ``parentsIds``."""

    def before_create(self, state: State, values: Values) -> Values:
        """Set the parent.

        :raises ApiError: if the parent is unknown, since 2.3
        """
        if not state.is_new:
            values.pop(PARENTS, None)
        parent = values.pop("parentId", None)
        parents = [parent] if parent else values.get(PARENTS) or []
        if all(state.find_record("Category", one) for one in parents):
            return {**values, PARENTS: parents}
        if state.is_new:
            raise ApiError(404)
        return {**values, UNKNOWN_PARENT: parent}

    def after_create(self, state: State, record: Record, values: Values) -> None:
        """Fail after the record was stored, if the parent is unknown.

        :raises ApiError: if the parent is unknown, before 2.3
        """
        if UNKNOWN_PARENT in values:
            raise ApiError(500, hidden=True)

    def before_update(self, state: State, record: Record, values: Values) -> Values:
        """Set the parent, and check that the result is a tree.

        :raises ApiError: if the parent is below the category
        """
        if "parentId" in values:
            parent = values.pop("parentId")
            values[PARENTS] = [parent] if parent else []
        for one in values.get(PARENTS) or ():
            parent = state.find_record("Category", one)
            chain = [parent, *list_ancestors(state, "Category", parent)] if parent else []
            if record in chain:
                raise ApiError(400, "Child record cannot be chosen as a parent.")
        return values

    def render(self, state: State, record: Record, rendered: Values) -> Values:
        """Add what follows from the parents, unless fields were selected."""
        if "createdAt" not in rendered:
            return rendered
        ancestors = list(list_ancestors(state, "Category", record))
        parents = [one for one in record.get(PARENTS) or () if state.find_record("Category", one)]
        rendered = {**rendered, PARENTS: parents, "parentId": next(iter(parents), None)}
        if state.is_new:
            return rendered
        if not rendered.get("channelsNames", True):
            rendered["channelsNames"] = []  # of PHP, whose arrays are objects unless they are empty
        route_ids = "".join(f"{one['id']}|" for one in reversed(ancestors))
        return {
            "parentName": None,
            **rendered,
            "isRoot": not parents,
            "hasChildren": has_children(state, "Category", record),
            "hierarchyRoute": {one["id"]: one.get("name") for one in reversed(ancestors)},
            "categoryRoute": f"|{route_ids}" if ancestors else None,
            "categoryRouteName": " / ".join(str(one.get("name")) for one in reversed(ancestors)) or None,
            "inheritedFields": INHERITED_FIELDS,
        }


HOOKS["Category"] = CategoryHooks()


def list_children(state: State, entity: str, parent_id: str) -> Iterator[Record]:
    """Yield the records below a parent; without a parent, those at the root."""
    for record in state.records[entity].values():
        parents = [one for one in record.get(PARENTS) or () if state.find_record(entity, one)]
        if not record["deleted"] and (parent_id in parents if parent_id else not parents):
            yield record


def has_children(state: State, entity: str, record: Record) -> bool:
    """Return whether there are records below a record."""
    return next(list_children(state, entity, record["id"]), None) is not None


def list_ancestors(state: State, entity: str, record: Record) -> Iterator[Record]:
    """Yield the parent of a record, its parent, and so on."""
    while parents := [found for one in record.get(PARENTS) or () if (found := state.find_record(entity, one))]:
        record = parents[0]
        yield record
