"""The first line of a plan file: what was compared with what, and how."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from self_hosted import __version__
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.target import Target

PLAN_VERSION = 1
FLEETING = ("made", "read", "counts")
"""What may differ between two plans of the same changes: records that they are not about may come and go."""


@dataclass(frozen=True)
class PlanHeader:
    """What a plan is about.

    :param target: see `Target.name`
    :param scope: see `Target.scope`
    :param mode: upsert, create, update or mirror
    :param fields: the declarations; the key field is among them
    :param options: further options of the sync, by the name of their argument
    :param made: when the plan was made, ISO 8601
    :param source: name, rows, hash (of the rows in any order) and sha256 (of the file, if it is one)
    :param read: when the target was read (from, to), and the number of its records
    :param limits: see `limits.SyncLimits`
    :param counts: number of rows and records by verdict; of all parts, if the plan has several
    :param shard: number of this part, from 1, and of all parts
    :param engine: version of this package
    """

    target: str
    scope: Any
    mode: str
    fields: Sequence[FieldSpec]
    options: Mapping[str, Any] = field(default_factory=dict)
    made: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)
    read: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    shard: Sequence[int] = (1, 1)
    engine: str = __version__

    def to_json(self) -> dict[str, Any]:
        """Return the header as the first line of a plan file."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {"plan": PLAN_VERSION, **values, "fields": [_spec_to_json(spec) for spec in self.fields]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PlanHeader:
        """Return the header of a plan file.

        :param value: the first line
        :raises ValueError: for a plan that another version of the engine made
        """
        version, values = value.get("plan"), {name: each for name, each in value.items() if name != "plan"}
        if version != PLAN_VERSION:
            raise ValueError(f"the plan has version {version}, not {PLAN_VERSION}: make a new plan")
        try:
            return cls(**{**values, "fields": [FieldSpec(**spec) for spec in values["fields"]]})
        except (KeyError, TypeError) as error:
            raise ValueError(f"version {values.get('engine')} made the plan: make a new plan ({error})") from None

    def require_target(self, target: Target) -> None:
        """Check that the plan is about a target, and made by this major version of the engine.

        :param target: the target that the plan is applied to
        :raises ValueError: otherwise
        """
        scope = json.loads(json.dumps(target.scope))  # as a file holds it
        for name, planned, actual in (("target", self.target, target.name), ("scope", self.scope, scope)):
            if planned != actual:
                raise ValueError(f"the plan is for the {name} {planned!r}, not {actual!r}: make a new plan")
        if self.engine.partition(".")[0] != __version__.partition(".")[0]:
            raise ValueError(f"version {self.engine} made the plan, this is {__version__}: make a new plan")


def _spec_to_json(spec: FieldSpec) -> dict[str, Any]:
    given = {each.name: (getattr(spec, each.name), each.default) for each in fields(spec)}
    return {name: value for name, (value, default) in given.items() if default is MISSING or value != default}
