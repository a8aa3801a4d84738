"""The results of other tasks as the verdict branch reads them: each file or submission with its verdict, or without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from self_hosted.assemblyline.operators.references import parse_result
from self_hosted.core.arguments import MISSING_RESULT, is_set, parse_bool, parse_id, parse_int, parse_list

UNKNOWN = "unknown"
"""The verdict of a file without a verdict."""

ARGUMENT = "submission"
MIN_SCORE = -1_000_000  # safelisted findings subtract from a score
IDENTIFYING_KEYS = {"sid", "hash", "ingest_id"}


def list_results(value: Any) -> list[dict[str, Any]]:
    """Return the files or submissions of a result; none for the result of a task that was skipped, or had no input.

    Each has some of ``sid``, ``verdict``, ``max_score``, ``error_count``, ``malicious``, ``ingest_id`` and ``sha256``.

    :param value: the id of a submission, the result of a task, or a list of them
    :raises ValueError: for anything else
    """
    if not is_set(value) or value == MISSING_RESULT:
        return []
    result = parse_result(ARGUMENT, value)
    if result is not None:
        return _list_parts(_parse_values(result))
    items = parse_list(value)
    if isinstance(items, list) and not (isinstance(value, str) and items == [value]):
        return [part for item in items for part in list_results(item)]
    return [{"sid": parse_id(ARGUMENT, value, "a submission, or the result of a task")}]


def _list_parts(result: dict[str, Any]) -> list[dict[str, Any]]:
    if {"total", "completed"} <= set(result):
        return _split_bulk_result(result)
    if "hashes" in result:
        return _split_look_up(result)
    if result.get("skipped") or result.get("error"):  # a line of a bulk report
        return [{"verdict": UNKNOWN}]
    if "hash" in result and not result.get("sid") and "verdict" not in result:
        return [{**result, "verdict": "safe" if result.get("safelisted") else UNKNOWN}]
    if not IDENTIFYING_KEYS & set(result):
        raise ValueError(f"{ARGUMENT} must be an id, or the result of a task with a sid, such as scan.output")
    return [result]


def _split_bulk_result(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the worst file, and one without a verdict if there are such files."""
    count = {name: _parse_number(name, result.get(name, 0)) for name in ("total", "completed", "with_failed_services")}
    worst = parse_result(ARGUMENT, result.get("worst"))
    parts = [{**_parse_values(worst), "error_count": count["with_failed_services"]}] if worst else []
    return [*parts, *([{"verdict": UNKNOWN}] if count["completed"] < count["total"] else [])]


def _split_look_up(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the worst file, and one without a verdict if there are such files."""
    is_incomplete = any(parse_list(result.get(name)) for name in ("unknown", "pending"))
    missing = [{"verdict": UNKNOWN}] if is_incomplete else []
    if result.get("verdict") or result.get("malicious"):
        return [dict(result), *missing]
    is_safelisted = bool(parse_list(result["hashes"])) and not is_incomplete
    return [{**result, "verdict": "safe"}] if is_safelisted else missing


def _parse_values(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result without missing values; in a mapping of templates, its values are text."""
    present = {name: value for name, value in result.items() if is_set(value) and value != MISSING_RESULT}
    parsers = {
        "max_score": _parse_number,
        "error_count": _parse_number,
        "malicious": _parse_malicious,
        "safelisted": _parse_flag,
    }
    return {**present, **{name: parse(name, present[name]) for name, parse in parsers.items() if name in present}}


def _parse_flag(name: str, value: Any) -> bool:
    return parse_bool(f"{ARGUMENT}: {name}", value)


def _parse_number(name: str, value: Any) -> int:
    return parse_int(f"{ARGUMENT}: {name}", value, minimum=MIN_SCORE)


def _parse_malicious(name: str, value: Any) -> bool:
    """Return whether a look-up found a malicious file: its result has their number, a report of one file a boolean."""
    is_number = not isinstance(value, bool) and str(value).strip().isdigit()
    return _parse_number(name, value) > 0 if is_number else _parse_flag(name, value)
