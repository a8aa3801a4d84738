"""Binds declarations to what they name: fields, units, attributes and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from self_hosted.atrocore.sync.attribute_bindings import bind_value, bind_value_unit, has_rows
from self_hosted.atrocore.sync.attribute_definitions import AttributeDefinition, find_attributes
from self_hosted.atrocore.sync.bindings import Binding
from self_hosted.atrocore.sync.file_fields import bind_file
from self_hosted.atrocore.sync.schema import Entity
from self_hosted.atrocore.sync.units import bind_unit, find_units, get_measure
from self_hosted.core.http.flow import Flow
from self_hosted.core.sync.field_spec import FieldSpec

PRODUCT = "Product"
Attributes = Mapping[str, AttributeDefinition]
"""By code."""


def bind_all(entity: Entity, specs: Sequence[FieldSpec]) -> Flow[list[Binding]]:
    """Return the bindings of declarations.

    :param entity: the entity
    :param specs: the declarations; that of a unit follows that of its number
    :raises ValueError: for an unknown field or attribute, and a declaration of another kind than the field
    """
    metadata, codes = entity.metadata, [spec.field for spec in specs if spec.kind == "attribute"]
    if codes and has_rows(metadata) and metadata.entity != PRODUCT:
        raise ValueError(f"fields: only products have attributes on this server; {codes[0]!r} is none of a product")
    attributes = yield from find_attributes(metadata, list(dict.fromkeys(codes)))
    declared = [_Declared(spec, before.kind == "attribute") for before, spec in pairwise((*specs[:1], *specs))]
    measures = [_get_measure(entity, attributes, one) if one.spec.kind == "unit" else "" for one in declared]
    units = yield from find_units([measure for measure in measures if measure])
    return [
        _bind(entity, attributes, one, units.get(measure, {})) for one, measure in zip(declared, measures, strict=True)
    ]


class _Declared(NamedTuple):
    """A declaration, and whether the one before it is an attribute: a unit follows its number."""

    spec: FieldSpec
    follows_attribute: bool


def _get_measure(entity: Entity, attributes: Attributes, unit: _Declared) -> str:
    if not unit.follows_attribute:
        return get_measure(entity, unit.spec.field)
    measure = attributes[unit.spec.field].measure
    if not measure:
        raise ValueError(f"fields: the attribute {unit.spec.field} has no unit; leave out unit and unit_column")
    return measure


def _bind(entity: Entity, attributes: Attributes, declared: _Declared, units: Mapping[str, str]) -> Binding:
    spec, metadata = declared.spec, entity.metadata
    if spec.kind == "attribute":
        return bind_value(metadata, spec, attributes[spec.field])
    if spec.kind == "unit" and declared.follows_attribute:
        return bind_value_unit(metadata, spec, attributes[spec.field], units)
    if spec.kind == "unit":
        return bind_unit(entity, spec, units)
    return bind_file(entity, spec) if spec.kind == "file" else entity.bind(spec)
