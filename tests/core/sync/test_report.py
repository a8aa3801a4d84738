"""The report: counts and samples for the result, every outcome for a file, in memory that does not grow with them."""

from __future__ import annotations

import gzip
import json
import sqlite3
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from self_hosted.core.http.redact import Secrets
from self_hosted.core.sync.plan_lines import Settled
from self_hosted.core.sync.report import MAX_SAMPLE_CHARACTERS, MAX_SAMPLES, PROBLEMS, Report, show_text, show_value
from self_hosted.core.sync.target import Change, Outcome
from self_hosted.core.sync.workspace import Workspace

CHANGE = Change("update", "A", "1", {"name": "b"}, {"name": "a"}, row=3)


def make_report(**options: Any) -> Report:
    return Report(sqlite3.connect(":memory:"), **options)


def lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
        return [json.loads(line) for line in file]


@pytest.mark.parametrize("name", ["report.jsonl", "report.jsonl.gz", "report.jsonl.GZ"])
def test_the_report_has_a_line_for_each_outcome(tmp_path: Path, name: str):
    report = make_report()
    report.add_settled(Settled("forbidden", "F", 1, "no permission", "name", "x"))
    report.add_settled(Settled("pending", "P", 2, "waits", ticket="T1"))
    report.add(Outcome("A", "updated", ref="1"), CHANGE)
    report.add(Outcome("A", "altered", ref="1", altered={"name": ("b", "c")}), CHANGE)
    report.add(Outcome("A", "failed", "no", is_final=False), CHANGE)
    report.count("unchanged", 7)
    assert report.write(str(tmp_path / name)) == 5
    assert lines(tmp_path / name) == [
        {"key": "F", "result": "forbidden", "message": "no permission", "row": 1, "field": "name", "value": "x"},
        {"key": "P", "result": "pending", "message": "waits", "row": 2, "ticket": "T1"},
        {"key": "A", "do": "update", "result": "updated", "ref": "1", "row": 3},
        {"key": "A", "do": "update", "result": "altered", "ref": "1", "altered": {"name": ["b", "c"]}, "row": 3},
        {"key": "A", "do": "update", "result": "failed", "message": "no", "row": 3, "is_final": False},
    ]
    assert report.counts == {"forbidden": 1, "pending": 1, "updated": 1, "altered": 1, "failed": 1, "unchanged": 7}


def test_the_file_appears_only_when_it_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    report = make_report()

    def lines_that_break() -> Any:
        yield "{}"
        raise OSError("disk full")

    monkeypatch.setattr(report, "lines", lines_that_break)
    with pytest.raises(OSError, match="disk full"):
        report.write(str(tmp_path / "report.jsonl"))
    assert list(tmp_path.iterdir()) == []


def test_without_a_file_only_problems_are_kept():
    report = make_report(keeps_all=False)
    report.add(Outcome("A", "updated"), CHANGE)
    report.add(Outcome("A", "conflict"), CHANGE)
    assert [json.loads(line)["result"] for line in report.lines()] == ["conflict"]
    assert report.describe() == "1 updated, 1 conflict"


def test_a_report_without_outcomes():
    assert make_report().describe() == "nothing"
    assert make_report().problems == []


def test_the_result_has_the_first_problems_of_each_kind_the_most_serious_first():
    report = make_report()
    for number in range(30):
        report.add(Outcome(f"A{number}", "skipped", "x" * 1000), CHANGE)
    report.add(Outcome("B", "failed", "no"), CHANGE)
    assert [len(samples) for samples in report.samples.values()] == [MAX_SAMPLES, 1]
    assert [problem["key"] for problem in report.problems][:2] == ["B", "A0"]
    assert len(report.problems) == MAX_SAMPLES
    assert report.problems[0] == {"key": "B", "result": "failed", "message": "no", "row": 3}


def test_the_result_is_small_whatever_the_values_are():
    report = make_report()
    altered = {f"field{number}": ("x" * 9000, "y" * 9000) for number in range(9)}
    for result in PROBLEMS:
        for _ in range(30):
            report.add(Outcome("k" * 512, result, "m" * 500, altered=altered), CHANGE)  # type: ignore[arg-type]
    assert len(json.dumps(report.summarize())) < 250_000
    assert len(json.dumps(report.problems)) < 40_000


@pytest.mark.parametrize(
    ("outcome", "is_final"),
    [
        (Outcome("A", "failed"), True),
        (Outcome("A", "failed", is_final=False), False),
        (Outcome("A", "skipped", is_final=False), True),  # its parent's failure counts
    ],
)
def test_failures_are_final_unless_one_may_pass(outcome: Outcome, is_final: bool):
    report = make_report()
    report.add(outcome, CHANGE)
    report.add(Outcome("B", "failed"), CHANGE)
    assert report.are_failures_final is is_final
    assert report.summarize()["are_failures_final"] is is_final


def test_texts_that_are_no_valid_unicode_are_reported():
    report = make_report()
    report.add(Outcome("A", "conflict", 'name "\ud800"'), CHANGE)
    assert json.loads(next(report.lines()))["message"] == 'name ""'
    assert list(report.rejects()) == [(3, 'conflict: name ""')]


def test_texts_of_the_target_show_no_secret():
    secrets = Secrets(["password-of-a-user"])
    report = make_report()
    altered = {"name": ("a", "password-of-a-user\x1b[31m")}
    report.add(Outcome("A", "altered", "password-of-a-user\x07", altered=altered), CHANGE)
    [(_, reason)] = report.rejects()
    shown = json.dumps(report.problems) + reason + json.loads(next(report.lines()))["message"]
    assert "***" in shown
    assert not [text for text in ("password-of-a-user", "\\u001b", "\x07") if text in shown]
    assert secrets


def test_rows_that_were_not_carried_out_are_rejected_with_all_their_reasons():
    report = make_report()
    for result in ("created", "pending", "unchanged", "failed", "conflict", "altered", "skipped"):
        report.add(Outcome("A", result, result), Change("update", "A", "1", {}, row=len(result)))
    report.add(Outcome("A", "failed", "also"), Change("update", "A", "1", {}, row=8))
    report.add(Outcome("A", "failed"), Change("delete", "A", "1", {}))
    for number, verdict in enumerate(("ambiguous", "forbidden", "failed", "pending", "skipped"), 20):
        report.add_settled(Settled(verdict, "A", number, verdict))  # type: ignore[arg-type]
    rejects = dict(report.rejects())
    assert rejects == {
        6: "failed: failed",
        7: "altered: altered; skipped: skipped",
        8: "conflict: conflict; failed: also",
        20: "ambiguous: ambiguous",
        21: "forbidden: forbidden",
        22: "failed: failed",
    }
    assert (report.find_reject(6), report.find_reject(1), report.find_reject(None)) == ("failed: failed", None, None)


def test_an_altered_row_is_rejected_with_what_is_stored():
    report = make_report()
    report.add(Outcome("A", "altered", altered={"name": ("b", "c"), "price": (1, None)}), CHANGE)
    assert list(report.rejects()) == [(3, "altered: name: sent b, stored c; price: sent 1, stored null")]


def test_memory_does_not_grow_with_the_outcomes(tmp_path: Path):
    with Workspace() as workspace:
        report = Report(workspace.connection)
        tracemalloc.start()
        for number in range(20_000):
            report.add(Outcome(f"K{number}", "failed", "m" * 100), Change("create", f"K{number}", None, {}, row=number))
        report.write(str(tmp_path / "report.jsonl"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (tmp_path / "report.jsonl").stat().st_size > 3_000_000
    assert peak < 500_000


def test_values_in_results_are_short_and_safe():
    assert show_value("a\x1b[31mb") == "a[31mb"
    assert len(show_value("x" * 1_000_000)) == MAX_SAMPLE_CHARACTERS
    assert show_value(["a", 1]) == ["a", 1]
    assert show_value({"a": "x" * 1000}) == show_text('{"a": "' + "x" * 1000)
    assert [show_value(each) for each in (None, True, 1.5)] == [None, True, 1.5]
