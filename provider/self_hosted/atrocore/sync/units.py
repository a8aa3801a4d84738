"""Units of numbers: their ids by name and code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from self_hosted.atrocore.sync.bindings import Binding
from self_hosted.atrocore.sync.lookups import is_in, look_up
from self_hosted.atrocore.sync.schema import Entity
from self_hosted.core.http.flow import Flow
from self_hosted.core.sync.field_spec import FieldSpec

UNIT = "Unit"
UnitsByMeasure = Mapping[str, Mapping[str, str]]
"""By the id of a measure: the ids of its units by name and code."""


def find_units(measures: Sequence[str]) -> Flow[UnitsByMeasure]:
    """Return the units of measures.

    :param measures: ids of measures
    """
    found: dict[str, dict[str, str]] = {measure: {} for measure in measures}
    distinct = list(found)
    units = yield from look_up(UNIT, distinct, lambda part: is_in("measureId", part), ["name", "code", "measureId"])
    for spelling in ("code", "name"):  # the name is what users see
        for unit in units:
            if unit.get(spelling) and unit.get("measureId") in found:
                found[unit["measureId"]][str(unit[spelling])] = unit["id"]
    return found


def get_measure(entity: Entity, field: str) -> str:
    """Return the id of the measure that the units of a number belong to.

    :param entity: the entity
    :param field: name of the number
    :raises ValueError: if it has no unit
    """
    measure = entity.metadata.fields.get(field, {}).get("measureId")
    if not measure:
        raise ValueError(f"fields: {field} has no unit; leave out unit and unit_column")
    return str(measure)


def bind_unit(entity: Entity, spec: FieldSpec, units: Mapping[str, str]) -> Binding:
    """Return the binding of a number's unit.

    :param entity: the entity
    :param spec: the declaration of the unit
    :param units: ids of the valid units by name and code
    """
    fields = entity.metadata.fields
    is_unit = (name for name, one in fields.items() if one.get("unitIdField") and one.get("mainField") == spec.field)
    binding = entity.bind(replace(spec, field=next(is_unit, f"{spec.field}Unit"), kind="auto"))
    field = replace(
        binding.field, type="option", options=units, spec=spec, label=f"the unit of {spec.field}", collection=""
    )
    return replace(binding, field=field)
