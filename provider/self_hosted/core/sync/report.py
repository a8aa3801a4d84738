"""What became of each row and record: counts and samples for the task's result, all of it for a file.

The outcomes are kept in the sync's temporary database, so that memory does not depend on their number.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from self_hosted.core.http.logs import get_logger, shorten
from self_hosted.core.http.redact import MAX_EXAMINED_CHARACTERS, clean_text, redact_all, strip_control_characters
from self_hosted.core.sync.output_files import open_output
from self_hosted.core.sync.plan_lines import Settled
from self_hosted.core.sync.target import JSON, Change, Outcome

log = get_logger(__name__)

PROBLEMS = ("failed", "conflict", "altered", "forbidden", "ambiguous", "skipped", "pending")
"""Results that are not as planned, the most serious first."""
MAX_SAMPLES = 20
MAX_SAMPLE_CHARACTERS = 200
MAX_SAMPLE_FIELDS = 5


class Report:
    """The outcomes of one sync.

    :param connection: the sync's temporary database
    :param keeps_all: whether outcomes that are as planned are kept for the file, too
    """

    def __init__(self, connection: sqlite3.Connection, *, keeps_all: bool = True) -> None:
        self.connection, self._keeps_all = connection, keeps_all
        self.counts: Counter[str] = Counter()
        self.samples: dict[str, list[dict[str, Any]]] = {}
        self.are_failures_final = True
        connection.execute("CREATE TABLE outcomes(n INTEGER PRIMARY KEY, line TEXT)")
        connection.execute("CREATE TABLE rejects(row INTEGER PRIMARY KEY, error TEXT)")

    def count(self, result: str, number: int) -> None:
        """Count rows or records that are not listed, such as unchanged ones.

        :param result: their result
        :param number: how many
        """
        self.counts[result] += number

    def add(self, outcome: Outcome, change: Change) -> None:
        """Add what became of a change.

        :param outcome: its outcome
        :param change: the change
        """
        line = outcome_to_json(outcome, change)
        self._add(line)
        if outcome.result == "failed" and not outcome.is_final:
            self.are_failures_final = False
        if outcome.result in {"failed", "conflict", "altered", "skipped"}:
            self._reject(change.row, describe_line(line))

    def add_settled(self, settled: Settled) -> None:
        """Add a row or record that the plan does not change.

        :param settled: the row
        """
        line = {"key": settled.key, "result": settled.verdict, "message": settled.message, "row": settled.row}
        ticket = {"ticket": settled.ticket} if settled.ticket else {}
        self._add(line | ticket | ({"field": settled.field, "value": settled.value} if settled.field else {}))
        if settled.verdict in {"ambiguous", "forbidden", "failed"}:  # the others are as the options want them
            self._reject(settled.row, describe_line(line))

    def describe(self) -> str:
        """Return the counts as text, such as "3 created, 1 failed"."""
        return ", ".join(f"{count} {result}" for result, count in self.counts.items() if count) or "nothing"

    def summarize(self) -> dict[str, Any]:
        """Return the counts and samples: small enough for an XCom."""
        return {"counts": dict(self.counts), "samples": self.samples, "are_failures_final": self.are_failures_final}

    @property
    def problems(self) -> list[dict[str, Any]]:
        """The first rows that were not carried out as planned: at most 20, those that need attention first."""
        return [sample for result in PROBLEMS for sample in self.samples.get(result, [])][:MAX_SAMPLES]

    def lines(self) -> Iterator[str]:
        """Return the outcomes as JSON, in the order in which they were added."""
        return (line for (line,) in self.connection.execute("SELECT line FROM outcomes ORDER BY n"))

    def rejects(self) -> Iterator[tuple[int, str]]:
        """Return the numbers of the rows that were not carried out as planned, and the reason of each."""
        return iter(self.connection.execute("SELECT row, error FROM rejects ORDER BY row"))

    def find_reject(self, row: int | None) -> str | None:
        """Return why a row was not carried out as planned; None if it was.

        :param row: number of the row
        """
        found = self.connection.execute("SELECT error FROM rejects WHERE row = ?", (row,)).fetchone()
        return found[0] if found else None

    def write(self, uri: str) -> int:
        """Write the outcomes as JSON lines, and return their number. The file appears only when it is complete.

        :param uri: path or URI; a name that ends with ``.gz`` is compressed
        """
        number = 0
        with open_output(uri) as file:
            for line in self.lines():
                number += 1
                file.write(line.encode() + b"\n")
        log.info("Report of %d outcomes written to %s", number, uri)
        return number

    def _add(self, line: Mapping[str, Any]) -> None:
        result = line["result"]
        self.counts[result] += 1
        if self._keeps_all or result in PROBLEMS:
            # keys, ids and values of the server are in it
            self.connection.execute("INSERT INTO outcomes(line) VALUES (?)", (redact_all(json.dumps(line)),))
        samples = self.samples.setdefault(result, []) if result in PROBLEMS else []
        if len(samples) < MAX_SAMPLES:
            samples.append(_shorten_line(line))

    def _reject(self, row: int | None, error: str) -> None:
        if row is not None:
            error = strip_control_characters(error)
            both = "UPDATE SET error = error || '; ' || excluded.error"
            self.connection.execute(f"INSERT INTO rejects VALUES (?, ?) ON CONFLICT(row) DO {both}", (row, error))  # noqa: S608


def outcome_to_json(outcome: Outcome, change: Change) -> dict[str, Any]:
    """Return an outcome as a line of a report: only what is set.

    :param outcome: the outcome
    :param change: its change
    """
    altered = {name: list(pair) for name, pair in outcome.altered.items()}
    message = clean_text(redact_all(outcome.message))
    optional = {"message": message, "ref": outcome.ref, "ticket": outcome.ticket, "altered": altered}
    line = {"key": outcome.key, "do": change.do, "result": outcome.result, "collection": change.collection, **optional}
    final = {} if outcome.is_final else {"is_final": False}
    return {name: value for name, value in line.items() if value} | {"row": change.row} | final


def describe_line(line: Mapping[str, Any]) -> str:
    """Return the result of a line and its reason, such as "failed: rejected".

    :param line: see `outcome_to_json`
    """
    altered = "; ".join(
        f"{name}: sent {_show(sent)}, stored {_show(stored)}"
        for name, (sent, stored) in line.get("altered", {}).items()
    )
    return ": ".join(text for text in (line["result"], line.get("message", ""), altered) if text)


def _shorten_line(line: Mapping[str, Any]) -> dict[str, Any]:
    short: dict[str, Any] = {"key": line["key"], "result": line["result"], "message": line.get("message", "")}
    short = {name: show_text(value) for name, value in short.items()} | {"row": line["row"]}
    short |= {name: line[name] for name in ("ticket", "field") if name in line}
    altered = list(line.get("altered", {}).items())[:MAX_SAMPLE_FIELDS]
    return short | ({"altered": {name: [_show(each) for each in pair] for name, pair in altered}} if altered else {})


def show_text(text: str) -> str:
    """Return a text as results show it: without secrets and control characters, and short.

    :param text: of a source or a server
    """
    return clean_text(redact_all(text[:MAX_EXAMINED_CHARACTERS]))[:MAX_SAMPLE_CHARACTERS]


def show_value(value: JSON) -> JSON:
    """Return a value as results show it; see `show_text`.

    :param value: of a field
    """
    if isinstance(value, list | dict):
        text = json.dumps(value, ensure_ascii=False)
        return value if show_text(text) == text else show_text(text)
    return show_text(value) if isinstance(value, str) else value


def _show(value: Any) -> str:
    return shorten(clean_text(redact_all(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))))
