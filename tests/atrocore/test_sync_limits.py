"""Limits are checked before the first write: the plan is kept, and nothing is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from tests.atrocore.conftest import counts, products, rows

MIRROR = {"mode": "mirror", "on_missing": "deactivate"}

LIMITS: dict[str, tuple[list[dict[str, Any]], dict[str, Any], str]] = {
    "max_missing": (rows(2), {**MIRROR, "max_missing": 3}, "4 of 6 records would be removed, more than max_missing=3"),
    "max_missing_ratio": (rows(2), {**MIRROR, "max_missing_ratio": 0.5}, "more than max_missing_ratio=0.5: 'W-2'"),
    "max_changed_ratio": (rows(6, price=9), {"max_changed_ratio": "0.5"}, "6 of 6 rows would change their record"),
    "max_emptied": (rows(6, price=None), {"max_emptied": 2, "empty": "clear"}, "more than max_emptied=2"),
    "min_rows": (rows(6), {"min_rows": 7}, "the source has 6 rows, fewer than min_rows=7"),
}


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("task", ["sync", "plan"])
def test_nothing_is_sent_and_the_plan_is_kept(served, sync, plan, tmp_path, task, limit):
    sync(rows(6, isActive=True))
    before = products(served)
    given, arguments, message = LIMITS[limit]
    plan_uri = tmp_path / "plan.jsonl"
    with pytest.raises(AirflowFailException, match=message):
        {"sync": sync, "plan": plan}[task](given, plan_uri=plan_uri, **arguments)
    assert products(served) == before
    if limit != "min_rows":  # that is known before anything is compared
        assert json.loads(plan_uri.read_text().splitlines()[0])["limits"][limit] is not None


@pytest.mark.parametrize("limit", [name for name in LIMITS if name != "min_rows"])
def test_the_same_changes_are_made_if_the_limit_is_raised(sync, limit):
    sync(rows(6, isActive=True))
    given, arguments, _ = LIMITS[limit]
    raised = {name: value for name, value in arguments.items() if name != limit}
    assert set(counts(sync(given, **raised))) - {"unchanged"}


def test_a_dry_run_reports_that_a_limit_is_exceeded(served, sync):
    with pytest.raises(AirflowFailException, match="min_rows"):
        sync([], dry_run=True)


def test_new_products_are_within_the_limit_of_changes(sync):
    assert counts(sync(rows(6), max_changed_ratio=0.1, max_missing=0, max_emptied=0)) == {"created": 6}


@pytest.mark.parametrize("limit", [name for name in LIMITS if name != "min_rows"])
def test_a_kept_plan_that_exceeds_its_limits_is_never_applied(served, sync, plan, apply, tmp_path, limit):
    sync(rows(6, isActive=True))
    before = products(served)
    given, arguments, _ = LIMITS[limit]
    plan_uri = tmp_path / "plan.jsonl"
    with pytest.raises(AirflowFailException, match=limit):
        plan(given, plan_uri=plan_uri, **arguments)
    with pytest.raises(AirflowFailException, match=limit):
        apply({"plan_uri": str(plan_uri), "sha256": json.loads(plan_uri.read_text().splitlines()[-1])["end"]["sha256"]})
    assert products(served) == before
