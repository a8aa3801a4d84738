"""Changes and settled rows as lines of a plan file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from self_hosted.core.sync.target import JSON, Change

Verdict = Literal["ambiguous", "forbidden", "failed", "pending", "skipped"]
REMOVALS = frozenset({"deactivate", "delete"})
OPTIONAL: Mapping[str, Any] = {"stamp": None, "stage": 0, "parent": None, "row": None, "collection": ""}
"""Parts of a change that are left out of its line if they have these values."""


@dataclass(frozen=True)
class Settled:
    """A row or record that the plan does not change, although it differs or cannot be compared.

    :param verdict: why
    :param key: the key
    :param row: number of the row in the source, from 1; None for a record that the source lacks
    :param message: the reason, with what to do about it
    :param field: the field that it is about; "" = the row as a whole
    :param value: the value of the field
    :param ticket: the request that waits for people, if it is pending
    """

    verdict: Verdict
    key: str
    row: int | None
    message: str
    field: str = ""
    value: JSON = None
    ticket: str | None = None


def change_to_json(number: int, change: Change) -> dict[str, Any]:
    """Return a change as a line of a plan file.

    :param number: number of the change in the file, from 1
    :param change: the change; a removal has no new values, and a new record no old ones
    """
    names = change.old if change.do in REMOVALS else change.new
    optional = {name: getattr(change, name) for name in OPTIONAL}
    return {
        **{"n": number, "do": change.do, "key": change.key, "ref": change.ref},
        "fields": {name: [change.old.get(name), change.new.get(name)] for name in names},
        **{name: value for name, value in optional.items() if value != OPTIONAL[name]},
    }


def change_from_json(line: Mapping[str, Any]) -> Change:
    """Return the change of a line.

    :param line: see `change_to_json`
    """
    do, fields = line["do"], line["fields"]
    return Change(
        do=do,
        key=line["key"],
        ref=line["ref"],
        new={} if do in REMOVALS else {name: new for name, (_, new) in fields.items()},
        old={} if do == "create" else {name: old for name, (old, _) in fields.items()},
        **{name: line[name] for name in OPTIONAL if name in line},
    )


def settled_to_json(settled: Settled) -> dict[str, Any]:
    """Return a settled row as a line of a plan file.

    :param settled: the row
    """
    line = {"verdict": settled.verdict, "key": settled.key, "row": settled.row, "message": settled.message}
    optional = {"field": settled.field, "value": settled.value} if settled.field else {}
    return {**line, **optional, **({"ticket": settled.ticket} if settled.ticket else {})}
