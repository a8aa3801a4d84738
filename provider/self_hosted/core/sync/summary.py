"""A plan in short, for people: Markdown for an approval, and lines for a log.

No value acts as Markdown, HTML, a link or a template: each is a code span, whose content Markdown does not interpret.
Airflow's UI makes links even of escaped URLs, but not in code spans.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from self_hosted.core.http.logs import describe_changes, shorten
from self_hosted.core.http.redact import redact_all, strip_control_characters
from self_hosted.core.sync.plan_file import PlanInfo
from self_hosted.core.sync.plan_lines import Settled
from self_hosted.core.sync.target import Change

MAX_SUMMARY_BYTES = 20_000
MAX_CHANGES = 20
MAX_FIELDS = 10
MAX_MESSAGE_CHARACTERS = 300
REST = "\nThe rest is in the plan.\n"

LABELS = {
    "total": "rows of the source",
    "records": "records that were read",
    "missing": "records without a row",
    "related": "related records to create",
    "emptied": "values that become empty",
}
"""Counts whose names do not explain themselves."""
BACKTICKS = re.compile(r"`+")
JINJA = re.compile(r"\{(?=[{%#])|[}%#](?=\})")


def summarize(info: PlanInfo, changes: Iterable[Change], settled: Iterable[Settled] = ()) -> str:
    """Return a plan as Markdown of at most 20 kB.

    :param info: the plan
    :param changes: its changes; only the first are read
    :param settled: its rows that are not changed; likewise
    """
    lines = [*_list_facts(info), *_list_section("First changes", map(_describe_change, changes))]
    return _limit([*lines, *_list_section("First problems", map(_describe_settled, settled))])


def log_lines(info: PlanInfo, changes: Iterable[Change], settled: Iterable[Settled] = ()) -> Iterator[str]:
    """Return a plan as lines for a log.

    :param info: the plan
    :param changes: see `summarize`
    :param settled: see `summarize`
    """
    counts = ", ".join(f"{name} {count}" for name, count in info.counts.items() if count)
    yield f"Plan for {info.header.target}: {counts or 'nothing to compare'}"
    for change in islice(changes, MAX_CHANGES):
        values = describe_changes(change.old, change.new) if change.new else ""
        yield f"{_describe_action(change)} {shorten(change.key)}{f': {values}' if values else ''}"
    for row in islice(settled, MAX_CHANGES):
        yield f"{row.verdict} {shorten(row.key)}{_describe_row(row.row)}: {row.message}"


def _list_facts(info: PlanInfo) -> list[str]:
    header, limits = info.header, {name: value for name, value in info.header.limits.items() if value is not None}
    source = f"{_code(header.source.get('name', ''))}, {header.source.get('rows', 0)} rows"
    return [
        f"**Plan for {_code(header.target)}**",
        "",
        f"- Source: {source}",
        f"- Scope: {_code(_to_json(header.scope)) if header.scope is not None else 'all records'}",
        f"- Mode: {_code(header.mode)}",
        f"- Limits: {', '.join(f'{_code(name)} {_code(value)}' for name, value in limits.items()) or 'none'}",
        f"- File: {_code(info.uri, MAX_MESSAGE_CHARACTERS)}, SHA-256 {_code(info.sha256)}",
        "",
        "| result of the comparison | number |",
        "|---|---:|",
        *(f"| {LABELS.get(name, name)} | {count} |" for name, count in info.counts.items() if count),
    ]


def _list_section(title: str, lines: Iterable[str]) -> list[str]:
    shown = list(islice(lines, MAX_CHANGES + 1))
    more = ["- and more, which the plan lists"] if len(shown) > MAX_CHANGES else []
    return ["", f"**{title}**", "", *shown[:MAX_CHANGES], *more] if shown else []


def _describe_change(change: Change) -> str:
    names = list(change.new)
    fields = [f"{_code(name)} {_describe_value(change, name)}" for name in names[:MAX_FIELDS]]
    more = [f"and {len(names) - MAX_FIELDS} more fields"] if len(names) > MAX_FIELDS else []
    return f"- {_describe_action(change, _code)} {_code(change.key)}{': ' if fields else ''}{', '.join(fields + more)}"


def _describe_value(change: Change, name: str) -> str:
    new = _code(_to_json(change.new[name]))
    return new if change.do == "create" else f"{_code(_to_json(change.old.get(name)))} → {new}"


def _describe_action(change: Change, show: Any = str) -> str:
    return f"{change.do} {show(change.collection)}" if change.collection else change.do


def _describe_settled(row: Settled) -> str:
    return f"- {row.verdict} {_code(row.key)}{_describe_row(row.row)}: {_code(row.message, MAX_MESSAGE_CHARACTERS)}"


def _describe_row(row: int | None) -> str:
    return "" if row is None else f" (row {row})"


def _limit(lines: list[str]) -> str:
    text, size = "", len(REST.encode())
    for line in lines:
        size += len(line.encode()) + 1
        if size > MAX_SUMMARY_BYTES:
            return text + REST
        text += f"{line}\n"
    return text


def _code(value: Any, max_characters: int | None = None) -> str:
    """Return a value as a code span of one line."""
    text = strip_control_characters(redact_all(str(value)))
    text = JINJA.sub(r"\g<0> ", " ".join(text.split()))
    text = shorten(text) if max_characters is None else text[:max_characters]
    fence = "`" * (max(map(len, BACKTICKS.findall(text)), default=0) + 1)
    # blanks at both ends belong to the fence
    return f"{fence} {text} {fence}" if "`" in text or not text else f"{fence}{text}{fence}"


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
