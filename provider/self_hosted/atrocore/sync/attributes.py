"""Names of fields: what a declaration names, and the attribute of a record that holds its values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from self_hosted.atrocore.api.metadata import Definition, Metadata
from self_hosted.core.sync.field_spec import FieldSpec

SUFFIXES: Mapping[str, str] = {"link": "Id", "file": "Id", "linkMultiple": "Ids"}
"""What the name of a relation's attribute has behind the name of its field, by type."""
NAMES = {"Id": "Name", "Ids": "Names"}
"""The attributes with the names of related records, which only the server sets."""
SHOWN_NAMES = 5


@dataclass(frozen=True)
class Attribute:
    """An attribute of records.

    :param name: its name in records
    :param field: the name of its field in the metadata
    :param definition: the parameters of its field
    :param is_id: whether the declaration names ids, such as "brandId", instead of the relation
    :param is_name: whether it holds the names of related records
    """

    name: str
    field: str
    definition: Definition
    is_id: bool = False
    is_name: bool = False

    @property
    def type(self) -> str:
        """AtroCore's type of the field, such as "varchar"; "" if it has none."""
        return str(self.definition.get("type") or "")


def find_attribute(metadata: Metadata, spec: FieldSpec) -> Attribute:
    """Return the attribute that a declaration names.

    :param metadata: of the entity
    :param spec: the declaration; its field may be that of a relation ("brand") or its ids ("brandId")
    :raises ValueError: for an unknown field or language; it names the similar ones
    """
    name = _localize(metadata, spec) if spec.locale else spec.field
    for attribute in _list_attributes(metadata, name):
        return attribute
    known = [attribute.name for field in metadata.fields for attribute in _list_attributes(metadata, field)]
    similar = ", ".join(get_close_matches(name, sorted({*metadata.fields, *known}), SHOWN_NAMES, cutoff=0))
    raise ValueError(f"{metadata.entity} has no field {name!r}; similar fields are {metadata.clean(similar)}")


def _list_attributes(metadata: Metadata, name: str) -> Iterator[Attribute]:
    """Yield what a name may stand for, the most likely first."""
    definition = metadata.fields.get(name)
    if definition is not None:
        yield Attribute(name + SUFFIXES.get(str(definition.get("type")), ""), name, definition)
    for suffix, names_suffix in NAMES.items():
        field, names_field = name.removesuffix(suffix), name.removesuffix(names_suffix)
        if name.endswith(suffix) and _has_suffix(metadata, field, suffix):
            yield Attribute(name, field, metadata.fields[field], is_id=True)
        if name.endswith(names_suffix) and _has_suffix(metadata, names_field, suffix):
            yield Attribute(name, names_field, metadata.fields[names_field], is_name=True)


def _has_suffix(metadata: Metadata, field: str, suffix: str) -> bool:
    return SUFFIXES.get(str(metadata.fields.get(field, {}).get("type"))) == suffix


def _localize(metadata: Metadata, spec: FieldSpec) -> str:
    """Return the name of a field's variant for a language, such as "nameDeDe" for "name" and "de_DE"."""
    name = spec.field + "".join(part.capitalize() for part in spec.locale.replace("-", "_").split("_"))
    variants = {
        variant: str(definition.get("multilangLocale") or variant)
        for variant, definition in metadata.fields.items()
        if definition.get("multilangField") == spec.field
    }
    if name in variants:
        return name
    find_attribute(metadata, FieldSpec(spec.field))  # an unknown field is the more likely mistake
    languages = metadata.clean(", ".join(sorted(variants.values()))) or "none"
    raise ValueError(
        f"{spec.field}: there is no field for the language {spec.locale!r}; further languages are {languages}. "
        "Without a locale, it is the main language"
    )
