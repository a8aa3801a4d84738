"""What the server tells about itself: metadata, settings, labels."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.fields import split_name
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_response
from self_hosted.sandbox.atrocore.schema import Entity
from self_hosted.sandbox.atrocore.state import State
from self_hosted.sandbox.atrocore.versions import V2_3
from self_hosted.sandbox.routing import route

MAX_MASS_RECORDS = 200
SETTINGS = {
    "mainLanguage": "en_US",
    "language": "en_US",
    "dateFormat": "DD.MM.YYYY",
    "timeZone": "UTC",
    "decimalMark": ",",
    "applicationName": "AtroPIM",
    "chunkFileSize": 2,
    "recordsPerPage": 50,
}
LIMITS = {"massUpdateMaxCountWithoutJob": MAX_MASS_RECORDS, "massDeleteMaxCountWithoutJob": MAX_MASS_RECORDS}


class Descriptions(Resource):
    """The descriptions."""

    @route("GET", "/api/metadata", since=V2_3)
    @route("GET", "/api/v1/Metadata", until=V2_3)
    def get_metadata(self, call: Call) -> Response:
        """Return all entities, their fields and relations."""
        entities = self.state.schema.entities()
        return build_response({
            "entityDefs": {entity.name: _describe(self.state, entity) for entity in entities},
            "scopes": {entity.name: entity.definition.scope for entity in entities},
        })

    @route("GET", "/api/settings", since=V2_3, public=True)
    @route("GET", "/api/v1/Settings", until=V2_3, public=True)
    def get_settings(self, call: Call) -> Response:
        """Return the settings, which need no authentication."""
        return build_response(build_settings(self.state))

    @route("GET", "/api/i18n", since=V2_3, public=True)
    @route("GET", "/api/v1/I18n", until=V2_3, public=True)
    def get_labels(self, call: Call) -> Response:
        """Return the labels of all fields, which need no authentication."""
        labels: dict[str, Any] = {
            entity.name: {
                "fields": {name: field.label or split_name(name) for name, field in entity.fields.items()},
            }
            for entity in self.state.schema.entities()
        }
        return build_response({**labels, "Global": {"labels": {"Save": "Save"}}})

    @route("GET", "/api/v1/", until=V2_3)
    def get_base_path(self, call: Call) -> Response:
        """Return a greeting, which is no JSON in spite of its content type."""
        return Response("REST API", media_type="application/json")


def build_settings(state: State) -> dict[str, Any]:
    """Return the settings."""
    return {
        "inputLanguageList": list(state.languages),
        "isMultilangActive": bool(state.languages),
        **SETTINGS,
        **LIMITS,
    }


def _describe(state: State, entity: Entity) -> dict[str, Any]:
    fields = {name: field.description for name, field in entity.fields.items()}
    for name in state.unique.get(entity.name, ()):
        if name in fields:
            fields[name] = {**fields[name], "unique": True}
    return {"fields": fields, "links": entity.links}
