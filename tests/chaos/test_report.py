"""The report of the campaign, and the conditions of its success."""

from __future__ import annotations

from collections import Counter

import pytest

from chaos import waits
from chaos.effects import Effects
from chaos.report import CampaignResult, build_report
from chaos.results import Results
from tests.demo.tasks import build_task

RIGHT = Results("create_project", 2, [])
EXACT = Effects("projects", ["a", "b"], Counter(["a", "b"]))


def build_result(
    *, state: str = "success", effects: Effects = EXACT, results: Results = RIGHT, tasks: int = 2
) -> CampaignResult:
    finished = [build_task("create_project") for _ in range(tasks - 1)]
    last = [build_task("create_project", state=state, try_number=4)] if tasks else []
    return CampaignResult(
        tasks=[*finished, *last],
        effects=[effects],
        results=[results],
        counts={"requests": {"ayon": 150, "rudder": 50}, "faults": {"drop": 10, "status 502": 3}},
        kills={"task": 2, "task and worker": 1},
        restarts=6,
        rotations=4,
        outage_seconds=30.4,
        duration_seconds=99.6,
    )


@pytest.mark.parametrize(
    ("changes", "is_success"),
    [
        ({}, True),
        ({"state": "failed"}, False),
        ({"state": "upstream_failed"}, False),
        ({"tasks": 0}, False),
        ({"effects": Effects("projects", ["a", "b"], Counter(["a"]))}, False),
        ({"effects": Effects("projects", ["a"], Counter(["a", "a"]))}, False),
        ({"effects": Effects("projects", ["a"], Counter(["a", "unrelated", "unrelated"]))}, True),
        ({"results": Results("create_project", 2, ["a has code 1 instead of 2"])}, False),
    ],
)
def test_campaign_succeeds_only_if_each_task_succeeds_and_each_effect_exists_once(changes, is_success):
    assert build_result(**changes).is_success is is_success


def test_report_has_the_numbers_of_tasks_effects_and_disruptions():
    text = build_report(build_result(state="failed"))
    assert "| create_project | 2 | 1 | 1 | 5 | 4 |" in text
    assert "| projects | 2 | 2 | 0 | 0 |" in text
    for line in ("requests | 200", "fault: drop | 10 (5.0%)", "fault: status 502 | 3 (1.5%)", "killed: task | 2"):
        assert f"| {line} |" in text
    assert "| create_project | 2 | 0 |" in text
    for line in (
        "restarts of the triggerer | 6",
        "rotated credentials | 4",
        "outage of the sandbox | 30 s",
        "duration | 100 s",
    ):
        assert f"| {line} |" in text


def test_report_names_missing_and_duplicated_effects():
    wrong = Effects("projects", ["a", "b", "c"], Counter(["a", "a", "c"]))
    assert build_report(build_result(effects=wrong)).endswith("projects: missing: b; duplicated: a")


def test_report_names_wrong_results():
    wrong = Results("create_project", 2, ["a has code 1 instead of 2", "b has the result None"])
    text = build_report(build_result(results=wrong))
    assert text.endswith("create_project: wrong: a has code 1 instead of 2; b has the result None")


@pytest.mark.parametrize(
    ("state", "try_number", "is_success"), [("success", 1, True), ("success", 2, False), ("failed", 1, False)]
)
def test_wait_succeeds_only_at_its_first_try(state, try_number, is_success):
    assert waits.has_succeeded_at_first_try(build_task("wait", state=state, try_number=try_number)) is is_success


def test_report_of_the_waits_has_their_numbers():
    text = waits.build_report([build_task("wait"), build_task("wait", try_number=2)], 29, 2, 61.7)
    assert "| succeeded at their first try | 1 |" in text
    assert "| retried or failed | 1 |" in text
    assert "| requests for the waits | 29 |" in text
