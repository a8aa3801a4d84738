"""Global parameters. With validation, each of their changes needs it, the creation included."""

from __future__ import annotations

import json
import re
from typing import Any

from self_hosted.sandbox.routing import route
from self_hosted.sandbox.rudder.calls import Call, Result
from self_hosted.sandbox.rudder.changes import open_change_request
from self_hosted.sandbox.rudder.decoding import DecodingError, decode_object, decode_text
from self_hosted.sandbox.rudder.errors import ApiError
from self_hosted.sandbox.rudder.resource import Resource

INHERIT_MODE = re.compile(r"[mo][oap][oap]")
TEXT_FIELDS = ("id", "description", "inheritMode")


class Parameters(Resource):
    """Global parameters: list, read, create, update, delete."""

    @route("GET", "/parameters", action="listParameters")
    def list_all(self, call: Call) -> Result:
        """Return all parameters."""
        return Result({"parameters": list(self.state.parameters.values())})

    @route("PUT", "/parameters", action="createParameter")
    def create(self, call: Call) -> Result:
        """Create a parameter."""
        fields = _parse_fields(call)
        name = fields.get("id")
        if not name:
            raise ApiError("'id' is mandatory but was empty")
        if name in self.state.parameters:
            raise ApiError(
                f"Cannot create a global parameter with name {name} : there is already a parameter with the same name"
            )
        return self._store(call, None, {"value": "", "description": "", **fields})

    @route("GET", "/parameters/{id}", action="parameterDetails")
    def get(self, call: Call) -> Result:
        """Return one parameter."""
        name = call.path["id"]
        if name not in self.state.parameters:
            raise ApiError(f"Could not find Parameter {name}")
        return self._result(self.state.parameters[name])

    @route("POST", "/parameters/{id}", action="updateParameter")
    def update(self, call: Call) -> Result:
        """Update the given fields of a parameter."""
        name = call.path["id"]
        if name not in self.state.parameters:
            raise ApiError(f"Could not find Parameter '{name}''")
        before = self.state.parameters[name]
        return self._store(call, before, {**before, **_parse_fields(call), "id": name})

    @route("DELETE", "/parameters/{id}", action="deleteParameter")
    def delete(self, call: Call) -> Result:
        """Delete a parameter. The deletion of a missing parameter succeeds."""
        name = call.path["id"]
        if name not in self.state.parameters:
            return self._result({"id": name, "value": "", "description": ""})
        request = open_change_request(self.state, call, "parameters", self.state.parameters[name], None)
        if request is not None:
            return self._result({"changeRequestId": str(request.id), **self.state.parameters[name]})
        return self._result(self.state.parameters.pop(name))

    def _store(self, call: Call, before: dict[str, Any] | None, after: dict[str, Any]) -> Result:
        request = open_change_request(self.state, call, "parameters", before, after)
        if request is not None:
            return self._result({"changeRequestId": str(request.id), **after})
        self.state.parameters[after["id"]] = after
        return self._result(after)

    def _result(self, parameter: dict[str, Any]) -> Result:
        return Result({"parameters": [parameter]}, parameter["id"])


def _parse_fields(call: Call) -> dict[str, Any]:
    try:
        return _decode_fields(call)
    except DecodingError as error:
        raise ApiError(f"Could not extract a global parameter from request; cause was: Unexpected: {error}") from None


def _decode_fields(call: Call) -> dict[str, Any]:
    given = decode_object(call)
    fields: dict[str, Any] = {name: decode_text(f".{name}", given[name]) for name in TEXT_FIELDS if name in given}
    mode = fields.get("inheritMode")
    if mode is not None and not INHERIT_MODE.fullmatch(mode):
        raise DecodingError(
            ".inheritMode(Inconsistency: Impossible to parse string as inherit mode option, "
            f"expecting: [mo][oap][oap] but got: {mode})"
        )
    if "value" in given:
        fields["value"] = _parse_form_value(given["value"]) if call.body is None else _without_nulls(given["value"])
    return fields


def _parse_form_value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _without_nulls(value: Any) -> Any:
    """Return the value as Rudder stores it: null inside becomes an empty text."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return "" if value is None else value
