"""What the campaign says of itself, and when it is content."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from chaos import waits
from chaos.effects import Effects
from chaos.report import Figures, report

ONCE = Effects("projects", ["a", "b"], Counter(["a", "b"]))


def figures(*, state: str = "success", effects: Effects = ONCE, tasks: int = 2) -> Figures:
    done = [{"task_id": "create_project", "state": "success", "try_number": 1} for _ in range(tasks - 1)]
    last = [{"task_id": "create_project", "state": state, "try_number": 4}] if tasks else []
    return Figures(
        tasks=[*done, *last],
        effects=[effects],
        counts={"requests": {"ayon": 150, "rudder": 50}, "faults": {"drop": 10, "status 502": 3}},
        kills={"task": 2, "task and worker": 1},
        restarts=6,
        outage=30.4,
        seconds=99.6,
    )


@pytest.mark.parametrize(
    ("changes", "right"),
    [
        ({}, True),
        ({"state": "failed"}, False),
        ({"state": "upstream_failed"}, False),
        ({"tasks": 0}, False),
        ({"effects": Effects("projects", ["a", "b"], Counter(["a"]))}, False),
        ({"effects": Effects("projects", ["a"], Counter(["a", "a"]))}, False),
        ({"effects": Effects("projects", ["a"], Counter(["a", "somebody's", "somebody's"]))}, True),
    ],
)
def test_it_is_content_only_if_every_task_succeeded_and_each_effect_is_there_once(changes, right):
    assert figures(**changes).right is right


def test_tasks_effects_and_trouble_are_told_in_numbers():
    text = report(figures(state="failed"))
    assert "| create_project | 2 | 1 | 1 | 5 | 4 |" in text
    assert "| projects | 2 | 2 | 0 | 0 |" in text
    for line in ("requests | 200", "fault: drop | 10 (5.0%)", "fault: status 502 | 3 (1.5%)", "killed: task | 2"):
        assert f"| {line} |" in text
    for line in ("restarts of the triggerer | 6", "outage of the sandbox | 30 s", "duration | 100 s"):
        assert f"| {line} |" in text


def test_what_is_missing_or_doubled_is_named():
    wrong = Effects("projects", ["a", "b", "c"], Counter(["a", "a", "c"]))
    assert report(figures(effects=wrong)).endswith("projects: missing: b; doubled: a")


def waited(state: str = "success", try_number: int = 1) -> dict[str, Any]:
    return {"task_id": "wait", "state": state, "try_number": try_number}


@pytest.mark.parametrize(
    ("task", "content"), [(waited(), True), (waited(try_number=2), False), (waited("failed"), False)]
)
def test_a_wait_counts_only_at_its_first_try(task, content):
    assert waits.at_first_try(task) is content


def test_the_waits_are_told_in_numbers():
    text = waits.report([waited(), waited(try_number=2)], 29, 2, 61.7)
    assert "| succeeded at their first try | 1 |" in text
    assert "| tried more than once, or failed | 1 |" in text
    assert "| requests for the waits | 29 |" in text
