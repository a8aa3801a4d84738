"""Attributes that the product's users have defined: found by their code, with their type and options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from typing import Any

from self_hosted.atrocore.api.metadata import Metadata
from self_hosted.atrocore.api.pages import Record
from self_hosted.atrocore.sync.lookups import is_in, list_all, look_up
from self_hosted.atrocore.sync.types import TYPES, limits, list_options
from self_hosted.core.http.flow import Flow
from self_hosted.core.sync.target import FieldType

ATTRIBUTE, OPTION = "Attribute", "ExtensibleEnumOption"
CODES = ("code", "systemName")
"""Fields with the code of an attribute, by version."""
VALUE_TYPES: Mapping[str, FieldType] = {
    **{name: kind for name, kind in TYPES.items() if kind not in {"reference", "references", "list", "object"}},
    "extensibleEnum": "option",
    "extensibleMultiEnum": "options",
}
"""Types of attributes whose values can be written."""
SHOWN_CODES = 5


@dataclass(frozen=True)
class AttributeDefinition:
    """An attribute.

    :param id: its id
    :param code: its code
    :param type: AtroCore's type of its values
    :param is_multilingual: whether it has a value per language
    :param is_read_only: whether its values cannot be written
    :param measure: id of the measure of its units; "" if it has none
    :param channel: id of the channel that its values are for by default; "" = all
    :param options: the values by spelling; empty = any value
    :param limits: further parameters of `core.sync.target.Field`
    """

    id: str
    code: str
    type: str
    is_multilingual: bool = False
    is_read_only: bool = False
    measure: str = ""
    channel: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)


def find_attributes(metadata: Metadata, codes: Sequence[str]) -> Flow[dict[str, AttributeDefinition]]:
    """Return attributes by their codes.

    :param metadata: of the entity that they belong to
    :param codes: the codes
    :raises ValueError: if the entity has no such attribute; it names similar ones
    """
    if not codes:
        return {}
    names = [name for name in CODES if name in metadata.fields_of(ATTRIBUTE)]
    if not names:
        raise ValueError(f"fields: the server has no attributes, so that {codes[0]!r} is unknown; declare a field")
    found = dict[str, Record]()
    for name in names:
        missing = [code for code in codes if code not in found]
        records = yield from look_up(ATTRIBUTE, missing, partial(is_in, name))
        found |= {str(record[name]): record for record in records if _belongs_to(metadata, record)}
    for code in codes:
        if code not in found:
            yield from _reject(metadata, names, code)
    definitions = {}
    for code in codes:
        definitions[code] = yield from _define(metadata, code, found[code])
    return definitions


def _belongs_to(metadata: Metadata, record: Record) -> bool:
    return record.get("entityId") in {None, "", metadata.entity}  # of any entity before core 2.0


def _reject(metadata: Metadata, names: Sequence[str], code: str) -> Flow[None]:
    records = yield from list_all(ATTRIBUTE, ())
    known = {str(record[name]) for record in records for name in names if record.get(name)}
    similar = ", ".join(get_close_matches(code, sorted(known), SHOWN_CODES, cutoff=0)) or "none"
    shown = metadata.clean(similar)
    raise ValueError(f"fields: {metadata.entity} has no attribute with the code {code!r}; similar codes are {shown}")


def _define(metadata: Metadata, code: str, record: Record) -> Flow[AttributeDefinition]:
    kind = str(record.get("type") or "")
    params = {**_read_data(record), **{name: value for name, value in record.items() if value is not None}}
    return AttributeDefinition(
        id=record["id"],
        code=code,
        type=kind,
        is_multilingual=bool(record.get("isMultilang")),
        is_read_only=bool(record.get("isReadOnly") or record.get("isProtected")),
        measure=str(record.get("measureId") or ""),
        channel=str(record.get("defaultChannelId") or ""),
        options=(yield from _list_options(metadata, kind, params)),
        limits=limits({**params, "type": kind}),
    )


def _read_data(record: Record) -> Record:
    """Return the parameters that some versions keep in a field of their own."""
    data = record.get("data")
    fields = data.get("field") if isinstance(data, dict) else None
    return fields if isinstance(fields, dict) else {}


def _list_options(metadata: Metadata, kind: str, params: Mapping[str, Any]) -> Flow[dict[str, str]]:
    if kind in {"enum", "multiEnum"}:
        return list_options({"options": params.get("typeValue"), **params})
    list_id = params.get("extensibleEnumId")
    if kind not in {"extensibleEnum", "extensibleMultiEnum"} or not list_id:
        return {}
    is_listed = {"type": "linkedWith", "attribute": "extensibleEnums", "value": [str(list_id)]}
    names = [name for name in ("name", "code") if name in metadata.fields_of(OPTION)]
    records = yield from list_all(OPTION, [is_listed], names)
    return dict(_list_spellings(records))


def _list_spellings(options: Sequence[Record]) -> Iterator[tuple[str, str]]:
    """Yield the spellings of options with their ids; the code of one is stronger than the name of another."""
    for spelling in ("name", "code"):
        for option in options:
            if option.get(spelling):
                yield str(option[spelling]), option["id"]
