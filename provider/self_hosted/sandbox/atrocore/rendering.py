"""Records as the responses contain them: the names of linked records, other languages, fields that a role hides.

The response to a create has only the values that are set, in the form of the request. That to an update lacks some
relations.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from self_hosted.sandbox.atrocore.access import Access
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.fields import Attribute, get_language_suffix
from self_hosted.sandbox.atrocore.hooks import get_hooks
from self_hosted.sandbox.atrocore.lookups import find_existing
from self_hosted.sandbox.atrocore.record_store import Saved
from self_hosted.sandbox.atrocore.schema import Entity
from self_hosted.sandbox.atrocore.state import Record, State

MAIN_LANGUAGE = "en_US"


class Renderer:
    """Renders the records of an entity for one request.

    :param entity: name of the entity
    :param access: the rights of the user
    :param language: content language of the request; empty for the main language
    :raises ApiError: if the language is not active
    """

    def __init__(self, state: State, entity: str, access: Access, language: str = "") -> None:
        if language and language not in {MAIN_LANGUAGE, *state.languages}:
            raise ApiError(400, "No such language is available.")
        self.state, self.schema = state, state.schema.entity(entity)
        self.hidden = access.denied_attributes(entity, "read")
        self.language = "" if language == MAIN_LANGUAGE else language

    def render(self, record: Record) -> dict[str, Any]:
        """Return a record that is read."""
        rendered = {**self._identify(record), **self.schema.view.read_constants}
        for name, attribute in self.schema.attributes.items():
            if not attribute.params.get("noLoad") and name not in self.schema.view.hidden:
                rendered[name] = self._read(record, attribute)
        return self._finish(record, rendered)

    def render_created(self, saved: Saved) -> dict[str, Any]:
        """Return the response to a create. Numbers are text if they are defaults."""
        record, view, attributes = saved.record, self.schema.view, self.schema.attributes
        rendered = {**view.created_constants, **{name: value for name, value in record.items() if value is not None}}
        for name in view.created:
            if name in attributes:
                rendered[name] = self._read(record, attributes[name])
        for name, value in self.schema.defaults.items():
            if attributes[name].type == "float" and name not in saved.echo:
                rendered[name] = str(value)
        for name, attribute in attributes.items():
            if attribute.type == "ids" and name in rendered:
                rendered[name] = self._read(record, attribute)
        return self._finish(record, {**rendered, **self._get_echo(saved)})

    def render_updated(self, saved: Saved) -> dict[str, Any]:
        """Return the response to an update."""
        rendered = self.render(saved.record) | self._get_echo(saved)
        if self.state.is_new:
            rendered |= {name: ids for name, ids in saved.previous.items() if name in rendered}
        # the names are those from before the update
        given = [name for name in saved.echo if f"{name.removesuffix('Id')}Name" in rendered and name.endswith("Id")]
        loaded = {f"{name.removesuffix('Id')}Name": None for name in given if name != "mainImageId"}
        kept = {name: value for name, value in rendered.items() if name not in self.schema.view.not_updated}
        unloaded = {name: value for name, value in saved.echo.items() if name in self.schema.view.not_updated}
        return self._finish(saved.record, {**kept, **loaded, **unloaded})

    def render_listed(self, record: Record, selected: list[Attribute]) -> dict[str, Any]:
        """Return a record with the selected attributes, and those that lists always contain."""
        constants = self.schema.view.read_constants
        rendered = {
            "id": record["id"],
            **{name: constants[name] for name in self.schema.view.listed if name in constants},
        }
        for attribute in selected:
            rendered[attribute.name] = self._read(record, attribute)
        if rendered.get("mainImageId"):
            rendered |= {"imageId": record.get("imageId"), "imageName": None}
            rendered["mainImagePathsData"] = _read_paths(self.state, rendered["mainImageId"])
        return self._finish(record, rendered)

    def _identify(self, record: Record) -> dict[str, Any]:
        return {"id": record["id"], "deleted": record["deleted"]}

    def _get_echo(self, saved: Saved) -> dict[str, Any]:
        """Return the values of the request that the response repeats: in new cores, relations that exist only."""
        attributes = self.schema.attributes
        names = [
            name
            for name in saved.echo
            if not (self.state.is_new and name in attributes and _is_relation(attributes[name]))
        ]
        return {name: saved.echo[name] for name in names if saved.echo[name] is not None or name in saved.record}

    def _read(self, record: Record, attribute: Attribute) -> Any:
        if attribute.type == "name":
            return _read_name(self.state, attribute, record.get(f"{attribute.field}Id"))
        if attribute.type == "ids":
            return list(find_existing(self.state, attribute, _get_ids(record, attribute)))
        if attribute.type == "names":
            ids = find_existing(self.state, attribute, _get_ids(record, attribute))
            return {one: _read_name(self.state, attribute, one) for one in ids}
        if attribute.type == "paths":
            return _read_paths(self.state, record.get(f"{attribute.field}Id"))
        if attribute.name == "parentId":
            return next(iter(record.get("parentsIds") or ()), record.get("parentId"))
        return record.get(attribute.name)

    def _finish(self, record: Record, rendered: dict[str, Any]) -> dict[str, Any]:
        rendered = get_hooks(self.schema.name).render(self.state, record, rendered)
        if self.language:
            rendered = _localize(self.schema, record, rendered, get_language_suffix(self.language))
        return {name: value for name, value in rendered.items() if name not in self.hidden} if self.hidden else rendered


def _get_ids(record: Record, attribute: Attribute) -> list[str]:
    default = [record["createdById"]] if attribute.field == "followers" else []
    return record.get(f"{attribute.field}Ids") or default


def _is_relation(attribute: Attribute) -> bool:
    return attribute.type == "ids"


def _localize(schema: Entity, record: Record, rendered: dict[str, Any], suffix: str) -> dict[str, Any]:
    """Return a record with the texts of one language in the main fields, and without the fields of languages."""
    names = [name for name, one in schema.attributes.items() if one.params.get("isMultilang")]
    variants = {name for name, one in schema.attributes.items() if one.params.get("multilangField")}
    kept = {name: value for name, value in rendered.items() if name not in variants}
    selected = {name: record.get(f"{name}{suffix}") for name in names if name in kept}
    return {**dict.fromkeys(names), **kept, **selected}


def _read_name(state: State, attribute: Attribute, record_id: Any) -> Any:
    target = state.records[attribute.target].get(record_id) if record_id and attribute.target in state.records else None
    return target.get("name") if target and not target["deleted"] else None


def _read_paths(state: State, file_id: Any) -> dict[str, Any] | None:
    file = state.records["File"].get(file_id) if file_id else None
    if file is None:
        return None
    download = file.get("downloadUrl") or f"/?entryPoint=download&id={file_id}"
    return {"download": download, "thumbnails": dict.fromkeys(("small", "medium", "large"))}


def select_attributes(schema: Entity, names: str, core_is_new: bool) -> list[Attribute]:
    """Return the attributes of a list: the selected ones, and those that lists always contain.

    :param names: separated by commas; all by default
    :raises ApiError: if a selected field does not exist
    """
    attributes = schema.attributes
    if not names:
        return [one for one in attributes.values() if not one.type.startswith(("ids", "names")) and one.type != "paths"]
    selected = [name for name in names.split(",") if name not in {"id", "deleted"}]
    for name in selected:
        if name not in attributes and name not in schema.fields:
            old = f'Field "{name}" does not exist on the entity "{schema.name}".'
            raise ApiError(400, "fieldDoesNotExist" if core_is_new else old)
    always: Iterable[str] = (name for name in schema.view.listed if name in attributes)
    return [attributes[name] for name in dict.fromkeys([*selected, *always]) if name in attributes]
