"""Attribute values of records since core 2.0: assigned, read, changed and removed by routes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.attribute_values import to_field
from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.fields import get_language_suffix
from self_hosted.sandbox.atrocore.record_index import to_text
from self_hosted.sandbox.atrocore.record_store import get_record
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_not_modified, build_response
from self_hosted.sandbox.atrocore.state import Record, State
from self_hosted.sandbox.atrocore.values import cast, check_options, to_stored
from self_hosted.sandbox.atrocore.versions import V2, V2_3
from self_hosted.sandbox.routing import route

ASSIGNMENT = "AttributeValue"
"""The table of the assigned attributes, which is no entity of the API."""

VALUES, OLD_VALUES = "/api/{entity}/{id}/attributeValues", "/api/v1/{entity}/{id}/attributeValues"
ADD, OLD_ADD = "/api/{entity}/{id}/addAttributes", "/api/v1/{entity}/{id}/addAttributes"
UPSERT, OLD_UPSERT = "/api/{entity}/{id}/upsertAttributeValues", "/api/v1/{entity}/{id}/upsertAttributeValues"
VALUE_NAMES = ("value", "valueUnitId", "valueId", "valueIds", "valueFrom", "valueTo")


class Attributes(Resource):
    """The attributes of a record."""

    @route("GET", VALUES, since=V2_3)
    @route("GET", OLD_VALUES, since=V2, until=V2_3)
    def list_all(self, call: Call) -> Response:
        """Return all assigned attributes with their values."""
        call.access.check(call.entity, "read")
        record = get_record(self.state, call.entity, call.id)
        return build_response([_describe(self.state, one) for one in list_assigned(self.state, call.entity, record)])

    @route("POST", ADD, since=V2_3, json_body=True)
    @route("POST", OLD_ADD, since=V2, until=V2_3)
    def assign(self, call: Call) -> Response:
        """Assign attributes without values."""
        record, ids = self._get(call), call.require_properties("attributeIds")["attributeIds"]
        if not ids:
            raise ApiError(400)
        for one in ids:
            attribute = get_record(self.state, "Attribute", one)
            assign_attribute(self.state, call.entity, record, attribute)
        return build_response(True)

    @route("POST", UPSERT, since=V2_3, json_body=True)
    @route("POST", OLD_UPSERT, since=V2, until=V2_3)
    def change(self, call: Call) -> Response:
        """Change values. Those of attributes that are not assigned are skipped silently."""
        record = self._get(call)
        if not isinstance(call.body, list):
            raise call.wrong_type("array", call.body)
        if not call.body:
            raise ApiError(400)
        assigned = {one["attributeId"]: one for one in list_assigned(self.state, call.entity, record)}
        changes = [(assigned[one["attributeId"]], one) for one in call.body if one.get("attributeId") in assigned]
        prepared = [(row, self._prepare(row, values)) for row, values in changes]
        changed = [(row, values) for row, values in prepared if any(row.get(name) != values[name] for name in values)]
        for row, values in changed:
            row.update(values)
        if not changed:
            return build_not_modified()
        record["modifiedAt"] = self.state.timestamp()
        self.state.index.update(call.entity, record)
        return build_response(True)

    @route("DELETE", VALUES, since=V2_3, json_body=True)
    @route("DELETE", OLD_VALUES, since=V2, until=V2_3)
    def remove(self, call: Call) -> Response:
        """Remove attributes with their values."""
        record, ids = self._get(call), call.require_properties("attributeIds")["attributeIds"]
        if not ids:
            raise ApiError(400)
        for one in list_assigned(self.state, call.entity, record):
            if one["attributeId"] in ids:
                one["deleted"] = True
        record["modifiedAt"] = self.state.timestamp()
        self.state.index.update(call.entity, record)
        return build_response(True)

    def _get(self, call: Call) -> Record:
        call.access.check(call.entity, "edit")
        return get_record(self.state, call.entity, call.id)

    def _prepare(self, row: Record, values: dict[str, Any]) -> dict[str, Any]:
        attribute = get_record(self.state, "Attribute", row["attributeId"])
        languages = self.state.languages if attribute.get("isMultilang") else []
        texts = ("value", *(f"value{get_language_suffix(language)}" for language in languages))
        prepared = {name: values[name] for name in (*VALUE_NAMES, *texts) if name in values}
        field = to_field(attribute)
        for name in texts:
            if name in prepared:
                check_options(self.state.core, field, prepared[name])
                prepared[name] = to_stored(self.state.core, field, cast(self.state.core, field, prepared[name]))
        return prepared


def list_assigned(state: State, entity: str, record: Record) -> list[Record]:
    """Return the rows of the attributes that are assigned to a record."""
    key = _build_key(entity, record)
    rows = state.index.find(ASSIGNMENT, "record", [key], to_text)
    return [row for row in rows if row["record"] == key and not row["deleted"]]


def assign_attribute(state: State, entity: str, record: Record, attribute: Record) -> Record:
    """Assign an attribute to a record, unless it is assigned already.

    :return: the row
    """
    rows = list_assigned(state, entity, record)
    found = next((row for row in rows if row["attributeId"] == attribute["id"]), None)
    if found is not None:
        return found
    key = _build_key(entity, record)
    row = {"id": state.new_id(), "deleted": False, "record": key, "attributeId": attribute["id"], "value": None}
    state.records[ASSIGNMENT][row["id"]] = row
    state.index.add(ASSIGNMENT, row)
    record["modifiedAt"] = state.timestamp()
    return row


def flatten(state: State, call: Call, entity: str, record: Record, *, is_list: bool = True) -> dict[str, Any]:
    """Return the attributes that a response contains as fields, named by their codes, with ``attributesDefs``.

    :param is_list: whether the response contains only attributes that the request names
    :return: empty without the header ``Flatten-Attributes``
    """
    if call.headers.get("flatten-attributes") != "true" or state.core < V2:
        return {}
    wanted = call.parameter("attributes").split(",")
    has_all = not is_list or call.parameter("allAttributes") in {"true", "1"}
    fields: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    for row in list_assigned(state, entity, record):
        attribute = state.find_record("Attribute", row["attributeId"])
        if attribute is not None and (has_all or attribute["id"] in wanted):
            name = str(attribute.get("code") or attribute.get("systemName"))
            definitions[name] = {"attributeId": attribute["id"], "type": attribute["type"]}
            fields[name] = row["value"]
            fields |= {key.replace("value", name, 1): value for key, value in _list_values(row)}
    return {**fields, "attributesDefs": definitions}


def _describe(state: State, row: Record) -> dict[str, Any]:
    attribute = state.records["Attribute"].get(row["attributeId"], {})
    described = {"attributeId": row["attributeId"], "type": attribute.get("type")}
    described |= dict(_list_values(row))
    if unit_id := row.get("valueUnitId"):
        described["valueUnitName"] = (state.find_record("Unit", unit_id) or {}).get("name")
    return {
        **described,
        "required": bool(attribute.get("isRequired")),
        "visible": True,
        "readOnly": bool(attribute.get("isReadOnly")),
        "protected": bool(attribute.get("isProtected")),
    }


def _list_values(row: Record) -> Iterator[tuple[str, Any]]:
    """Yield the value, its unit and its variants in other languages, by name."""
    return ((name, value) for name, value in row.items() if name.startswith("value"))


def _build_key(entity: str, record: Record) -> str:
    return f"{entity}/{record['id']}"
