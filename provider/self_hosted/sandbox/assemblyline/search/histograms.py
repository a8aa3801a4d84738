"""Histograms of search results."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from self_hosted.sandbox.assemblyline.dates import format_date, parse_date, parse_interval
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.search.documents import get_values
from self_hosted.sandbox.assemblyline.search.engine import MATCH_ALL, Index, list_filters, match_documents
from self_hosted.sandbox.assemblyline.search.facets import get_field_type

MAX_STEPS = 100
NUMBER_DEFAULTS = {"start": 0, "end": 2000, "gap": 100}
DATE_DEFAULTS = {"start": "now-1d", "end": "now", "gap": "+1h"}


class Range(NamedTuple):
    """The range of a histogram, in numbers or in seconds since 1970."""

    start: float
    end: float
    gap: float

    def round_down(self, number: float) -> float:
        """Return the start of the step that contains a number."""
        return math.floor(number / self.gap) * self.gap

    def list_steps(self) -> list[float]:
        """Return the starts of all steps."""
        steps, step = [], self.round_down(self.start)
        while step <= self.end:
            steps.append(step)
            step += self.gap
        return steps


def build_histogram(index: Index, field: str, params: Mapping[str, Any]) -> dict[Any, int]:
    """Return the number of documents in each step.

    :param index: the index
    :param field: name of a field with integers or dates
    :param params: query, filters, mincount, start, end, gap
    """
    field_type = get_field_type(index, field)
    if field_type not in {"integer", "date"}:
        raise ApiError(400, f"Field '{field}' is of type '{field_type}'. Only 'integer' or 'date' are acceptable.")
    is_date = field_type == "date"
    limits = {**(DATE_DEFAULTS if is_date else NUMBER_DEFAULTS), **_select_limits(params)}
    range_ = _read_range(limits, is_date=is_date)
    range_filter = f"{field}:[{limits['start']} TO {limits['end']}]"
    convert = parse_date if is_date else float
    counts = Counter[float](dict.fromkeys(range_.list_steps(), 0) if int(params.get("mincount", 1)) == 0 else ())
    for item in match_documents(index, {**params, "filters": [*list_filters(params), range_filter]}, MATCH_ALL):
        counts.update({range_.round_down(convert(value)) for value in get_values(item, field)})
    return {_format_step(step, is_date=is_date): counts[step] for step in sorted(counts)}


def _select_limits(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: params[name] for name in NUMBER_DEFAULTS if name in params}


def _read_range(limits: Mapping[str, Any], *, is_date: bool) -> Range:
    start, end, gap = (str(limits[name]) for name in ("start", "end", "gap"))
    try:
        range_ = (
            Range(parse_date(start), parse_date(end), parse_interval(gap))
            if is_date
            else Range(float(start), float(end), float(gap))
        )
    except ValueError:
        details = f"(start='{start}', end='{end}', gap='{gap}')"
        raise ApiError(400, f"SearchException: Could not parse histogram ranges. {details}") from None
    steps = int((range_.end - range_.start) / range_.gap)
    if steps > MAX_STEPS:
        limit = f"Histograms are limited to a maximum of {MAX_STEPS} steps."
        raise ApiError(400, f"SearchException: {limit} Current settings would generate {steps} steps")
    return range_


def _format_step(step: float, *, is_date: bool) -> Any:
    return format_date(step).replace("Z", ".000Z") if is_date else int(step)
