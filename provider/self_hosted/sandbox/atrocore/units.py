"""Rules of units, and the conversion of values into all units of a measure."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.atrocore.hooks import HOOKS, Hooks, Values
from self_hosted.sandbox.atrocore.record_index import to_text
from self_hosted.sandbox.atrocore.state import Record, State


class UnitHooks(Hooks):
    """The rules of units."""

    def before_create(self, state: State, values: Values) -> Values:
        """Make the first unit of a measure its main unit."""
        is_first = not list_units(state, values.get("measureId"))
        return {"isMain": is_first, **values}


HOOKS["Unit"] = UnitHooks()


def list_units(state: State, measure_id: Any) -> list[Record]:
    """Return the units of a measure."""
    found = state.index.find("Unit", "measureId", [measure_id], to_text)
    return [one for one in found if one.get("measureId") == measure_id and not one["deleted"]]


def convert_to_all_units(state: State, measure_id: str, value: float, unit_id: str) -> dict[str, float]:
    """Return a value in all units of its measure, by the names of the units."""
    units = list_units(state, measure_id)
    factors = {one["id"]: float(one.get("multiplier") or 1) for one in units}
    base = value / factors.get(unit_id, 1)
    return {str(one["name"]): base * factors[one["id"]] for one in units}
