"""Bindings of attribute values, which are stored beside the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from self_hosted.atrocore.api.metadata import Metadata
from self_hosted.atrocore.sync.attribute_definitions import VALUE_TYPES, AttributeDefinition
from self_hosted.atrocore.sync.bindings import Binding, Guard
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.target import Field

VALUE, UNIT_ID = "value", "valueUnitId"
MAIN = "main"
"""The main language."""
VALUE_ENTITY = "ProductAttributeValue"
"""The entity of values before core 2.0, which only products have."""


@dataclass(frozen=True, kw_only=True)
class AttributeBinding(Binding):
    """A value of an attribute, or its unit.

    :param definition: the attribute
    :param value_name: the name of the value in responses and requests, such as "value", "valueDeDe" or "valueUnitId"
    :param language: of the value, such as "main" or "de_DE"
    :param is_row: whether values are records of their own, as before core 2.0
    """

    definition: AttributeDefinition
    value_name: str
    language: str
    is_row: bool

    @property
    def is_in_record(self) -> bool:
        """Whether records have it as an attribute, which an upsert of the record writes."""
        return False

    @property
    def guard(self) -> Guard:
        """What keeps an update from overwriting another value than the old one."""
        return "writer" if self.is_row else "engine"


def bind_value(metadata: Metadata, spec: FieldSpec, definition: AttributeDefinition) -> AttributeBinding:
    """Return the binding of an attribute's value.

    :param metadata: of the entity
    :param spec: the declaration
    :param definition: the attribute
    :raises ValueError: if it has no value in the language
    """
    language, is_row = _get_language(metadata, spec, definition), has_rows(metadata)
    name = f"attributes.{definition.code}" + (f".{language}" if language != MAIN else "")
    kind = VALUE_TYPES.get(definition.type)
    forbidden = "" if kind else f"attributes of the type {definition.type or 'unknown'} cannot be written"
    field = Field(
        name=name,
        type=kind or "text",
        spec=spec,
        label=f"the attribute {definition.code}",
        forbidden=metadata.clean(forbidden) or ("the attribute is read-only" if definition.is_read_only else ""),
        options=definition.options,
        **definition.limits,
    )
    suffix = "" if language == MAIN or is_row else to_suffix(language)
    return AttributeBinding(
        field=field,
        attribute=name,
        definition=definition,
        value_name=VALUE + suffix,
        language=language,
        is_row=is_row,
    )


def bind_value_unit(
    metadata: Metadata, spec: FieldSpec, definition: AttributeDefinition, units: Mapping[str, str]
) -> AttributeBinding:
    """Return the binding of the unit of an attribute's value.

    :param metadata: of the entity
    :param spec: the declaration of the unit
    :param definition: the attribute
    :param units: ids of the valid units by name and code
    """
    value = bind_value(metadata, spec, definition)
    name, label = f"{value.field.name}.unit", f"the unit of {value.field.label}"
    field = Field(name, "option", spec, label, forbidden=value.field.forbidden, options=units)
    return replace(value, field=field, attribute=name, value_name=UNIT_ID)


def has_rows(metadata: Metadata) -> bool:
    """Return whether attribute values are records of their own.

    :param metadata: of the entity
    """
    return bool(metadata.fields_of(VALUE_ENTITY))


def to_suffix(language: str) -> str:
    """Return what names of values in a language end with: "DeDe" for "de_DE".

    :param language: the language
    """
    return "".join(part.capitalize() for part in language.replace("-", "_").split("_"))


def _get_language(metadata: Metadata, spec: FieldSpec, definition: AttributeDefinition) -> str:
    if not spec.locale:
        return MAIN
    fields = (one for entity in (metadata.entity, "Attribute") for one in metadata.fields_of(entity).values())
    languages = sorted({str(one["multilangLocale"]) for one in fields if one.get("multilangLocale")})
    if not definition.is_multilingual:
        raise ValueError(f"fields: the attribute {definition.code} has one value for all languages; leave out locale")
    if spec.locale not in languages:
        valid = metadata.clean(", ".join(languages)) or "none"
        raise ValueError(
            f"fields: the attribute {definition.code} has no value in the language {spec.locale!r}; further languages "
            f"are {valid}. Without a locale, it is the main language"
        )
    return spec.locale
