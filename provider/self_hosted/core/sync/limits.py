"""Limits of a sync: they are checked after the whole plan is made, and before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from self_hosted.core.arguments import is_set, parse_float, parse_int, parse_optional, require_confirm
from self_hosted.core.http.logs import shorten
from self_hosted.core.sync.diff_counts import DiffCounts

DEFAULT_MAX_MISSING = 500
MAX_EXAMPLES = 20

Examples = Callable[[str], Sequence[str]]
"""Returns the first keys of "removed", "changed" or "emptied"."""


class LimitExceededError(ValueError):
    """A sync would change more than its limits allow. Another attempt has the same result."""


@dataclass(frozen=True)
class SyncLimits:
    """What a sync may change at most; None = no limit.

    :param max_missing: records that are deactivated or deleted because the source lacks them
    :param max_missing_ratio: the same, as a part of the records in the scope, up to 1
    :param max_changed_ratio: existing records that change, as a part of the rows; new ones do not count
    :param max_emptied: values that become empty
    :param min_rows: rows that the source must have
    """

    max_missing: int | None = DEFAULT_MAX_MISSING
    max_missing_ratio: float | None = None
    max_changed_ratio: float | None = None
    max_emptied: int | None = None
    min_rows: int = 1

    def to_json(self) -> dict[str, Any]:
        """Return the limits by name."""
        return asdict(self)


def parse_limits(
    max_missing: Any = DEFAULT_MAX_MISSING,
    max_missing_ratio: Any = None,
    max_changed_ratio: Any = None,
    max_emptied: Any = None,
    min_rows: Any = 1,
) -> SyncLimits:
    """Return the limits of an operator's arguments.

    :param max_missing: see `SyncLimits`
    :param max_missing_ratio: see `SyncLimits`
    :param max_changed_ratio: see `SyncLimits`
    :param max_emptied: see `SyncLimits`
    :param min_rows: see `SyncLimits`
    :raises ValueError: naming the argument
    """
    return SyncLimits(
        parse_optional("max_missing", max_missing, _parse_count),
        parse_optional("max_missing_ratio", max_missing_ratio, _parse_ratio),
        parse_optional("max_changed_ratio", max_changed_ratio, _parse_ratio),
        parse_optional("max_emptied", max_emptied, _parse_count),
        parse_int("min_rows", min_rows, minimum=0),
    )


def require_scope(on_missing: str, scope: Any, confirm: Any) -> None:
    """Check that a sync that deletes says where, and that its author has confirmed it.

    :param on_missing: what becomes of records without a row
    :param scope: see `Target.scope`
    :param confirm: of the argument ``confirm``
    :raises ValueError: otherwise
    """
    if on_missing != "delete":
        return
    if not is_set(scope) or scope in ({}, []):
        raise ValueError("on_missing='delete' needs a filter of the records that the sync is about")
    require_confirm(confirm, "records that the source lacks are deleted")


def require_rows(limits: SyncLimits, rows: int) -> None:
    """Check that the source has enough rows; before the target is read.

    :param limits: the limits
    :param rows: number of rows
    :raises LimitExceededError: otherwise
    """
    if rows < limits.min_rows:
        raise LimitExceededError(
            f"the source has {rows} rows, fewer than min_rows={limits.min_rows}: nothing is sent; check the source"
        )


def check_limits(limits: SyncLimits, counts: DiffCounts, examples: Examples) -> None:
    """Check a plan.

    :param limits: the limits
    :param counts: of the whole plan
    :param examples: the first keys, for the error
    :raises LimitExceededError: naming count, limit, argument and the first keys of each limit that is exceeded
    """
    require_rows(limits, counts.total)
    exceeded = [
        f"{check.number} {check.effect}, more than {check.argument}={check.limit:g}: {_list_keys(check, examples)}"
        for check in _list_checks(limits, counts)
        if check.limit is not None and check.number > check.limit * check.whole
    ]
    if exceeded:
        raise LimitExceededError(f"{'; '.join(exceeded)}. Nothing is sent: check the source, or raise the limit")


def check_stored_limits(limits: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    """Check a stored plan against its own limits: it is kept even if it exceeds them.

    :param limits: of its header
    :param counts: of its header
    :raises LimitExceededError: see `check_limits`
    """
    check_limits(SyncLimits(**limits), DiffCounts(**counts), lambda _: ())


class _Check(NamedTuple):
    argument: str
    limit: float | None
    kind: str
    number: int
    effect: str
    whole: int = 1


def _list_checks(limits: SyncLimits, counts: DiffCounts) -> list[_Check]:
    removed = ("removed", counts.removed, f"of {counts.records} records would be removed")
    changed = ("changed", counts.changed, f"of {counts.total} rows would change their record")
    return [
        _Check("max_missing", limits.max_missing, *removed),
        _Check("max_missing_ratio", limits.max_missing_ratio, *removed, counts.records),
        _Check("max_changed_ratio", limits.max_changed_ratio, *changed, counts.total),
        _Check("max_emptied", limits.max_emptied, "emptied", counts.emptied, "values would become empty"),
    ]


def _list_keys(check: _Check, examples: Examples) -> str:
    keys = examples(check.kind)[:MAX_EXAMPLES]
    if not keys:
        return "see the plan"
    return ", ".join(repr(shorten(key)) for key in keys) + (", ..." if check.number > len(keys) else "")


def _parse_count(argument: str, value: Any) -> int:
    return parse_int(argument, value, minimum=0)


def _parse_ratio(argument: str, value: Any) -> float:
    return parse_float(argument, value, maximum=1)
