"""Limits of a sync: what would change too much is not sent."""

from __future__ import annotations

import pytest

from self_hosted.core.sync import diff
from self_hosted.core.sync.diff_counts import DiffCounts
from self_hosted.core.sync.limits import (
    LimitExceededError,
    SyncLimits,
    check_limits,
    check_stored_limits,
    parse_limits,
    require_rows,
    require_scope,
)
from tests.core.sync.comparing import compared
from tests.core.sync.toy_server import ToyServer

COUNTS = DiffCounts(total=1000, records=2000, update=90, restore=10, create=900, deactivate=60, delete=40, emptied=7)


def name_keys(kind):
    return [f"{kind} {number}" for number in range(30)]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (
            {"max_missing": 99},
            "100 of 2000 records would be removed, more than max_missing=99: 'removed 0', 'removed 1'",
        ),
        ({"max_missing": 0}, "more than max_missing=0"),
        ({"max_missing_ratio": 0.049}, "100 of 2000 records would be removed, more than max_missing_ratio=0.049"),
        (
            {"max_changed_ratio": 0.099},
            "100 of 1000 rows would change their record, more than max_changed_ratio=0.099: 'ch",
        ),
        ({"max_emptied": 6}, "7 values would become empty, more than max_emptied=6: 'emptied 0'"),
        ({"min_rows": 1001}, "the source has 1000 rows, fewer than min_rows=1001: nothing is sent"),
    ],
)
def test_a_plan_beyond_a_limit_is_refused(limits, message):
    with pytest.raises(LimitExceededError) as raised:
        check_limits(SyncLimits(**limits), COUNTS, name_keys)
    assert message in str(raised.value)


def test_the_first_20_keys_are_named():
    with pytest.raises(LimitExceededError, match=r"'removed 19', \.\.\.\. Nothing is sent: check the source"):
        check_limits(SyncLimits(max_missing=1), COUNTS, name_keys)
    with pytest.raises(LimitExceededError, match=r"max_missing=0: 'only one'\. Nothing is sent"):
        check_limits(SyncLimits(max_missing=0), DiffCounts(total=1, delete=1), lambda kind: ["only one"])


def test_all_limits_that_are_exceeded_are_named():
    with pytest.raises(LimitExceededError, match=r"max_missing=1: .*; 7 values .* max_emptied=2: "):
        check_limits(SyncLimits(max_missing=1, max_emptied=2), COUNTS, name_keys)


def test_a_long_key_is_shortened():
    with pytest.raises(LimitExceededError) as raised:
        check_limits(SyncLimits(max_missing=0), DiffCounts(total=1, delete=1), lambda kind: ["k" * 500])
    assert len(str(raised.value)) < 250


@pytest.mark.parametrize(
    "limits",
    [
        SyncLimits(100, 0.05, 0.1, 7, 1000),
        SyncLimits(None),
        SyncLimits(),
    ],
    ids=["exact", "none", "default"],
)
def test_a_plan_within_the_limits_is_accepted(limits):
    check_limits(limits, COUNTS, name_keys)


def test_more_than_500_missing_records_are_refused_by_default():
    counts = DiffCounts(total=10, records=600, delete=501)
    with pytest.raises(LimitExceededError, match="501 of 600 records would be removed, more than max_missing=500"):
        check_limits(SyncLimits(), counts, name_keys)


def test_a_first_load_changes_nothing():
    check_limits(SyncLimits(max_changed_ratio=0.01), DiffCounts(total=1000, create=1000), name_keys)


def test_an_empty_source_is_refused():
    with pytest.raises(LimitExceededError, match="the source has 0 rows, fewer than min_rows=1"):
        require_rows(SyncLimits(), 0)
    require_rows(SyncLimits(min_rows=0), 0)


@pytest.mark.parametrize("scope", [None, "", {}, []])
def test_a_deletion_needs_a_filter(scope):
    with pytest.raises(ValueError, match="on_missing='delete' needs a filter"):
        require_scope("delete", scope, True)
    require_scope("deactivate", scope, False)
    require_scope("ignore", scope, False)


def test_a_deletion_needs_a_confirmation():
    with pytest.raises(ValueError, match="confirm must be true: records that the source lacks are deleted"):
        require_scope("delete", {"brand": "x"}, False)
    require_scope("delete", {"brand": "x"}, "true")


def test_arguments_may_be_texts():
    limits = parse_limits("20", "0.1", "0.25", "0", "5")
    assert limits == SyncLimits(20, 0.1, 0.25, 0, 5)
    assert parse_limits() == SyncLimits()
    assert parse_limits(None, "", "None").max_missing is None


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        *(("max_missing", "-1"), ("max_missing", "many"), ("max_missing_ratio", "1.5"), ("max_changed_ratio", 0)),
        *(("max_changed_ratio", "50%"), ("max_emptied", 1.5), ("min_rows", None)),
    ],
)
def test_an_invalid_argument_is_named(argument, value):
    with pytest.raises(ValueError, match=f"{argument} must be"):
        parse_limits(**{argument: value})


def test_limits_are_part_of_a_plan():
    assert SyncLimits(max_emptied=3).to_json() == {
        **{"max_missing": 500, "max_missing_ratio": None, "max_changed_ratio": None, "max_emptied": 3, "min_rows": 1}
    }


def test_the_keys_of_a_plan_are_named():
    server = ToyServer()
    for number in range(25):
        server.put(f"k{number:02}", name="n", price=1)
    rows = {"k00": {"name": None}, "k01": {"price": 2}, "new": {"name": "n"}}
    with compared(server, rows, mode="mirror", on_missing="delete") as result:
        assert diff.examples(result.workspace, "removed") == [f"k{number:02}" for number in range(2, 22)]
        assert diff.examples(result.workspace, "changed") == ["k00", "k01"]
        assert diff.examples(result.workspace, "emptied") == ["k00"]
        with pytest.raises(LimitExceededError, match=r"23 of 25 records .*: 'k02', 'k03'"):
            check_limits(SyncLimits(22), result.counts, lambda kind: diff.examples(result.workspace, kind))


def test_a_stored_plan_is_checked_against_its_own_limits():
    counts = DiffCounts(total=1, records=9, delete=5).to_json()
    check_stored_limits(SyncLimits(max_missing=5).to_json(), counts)
    with pytest.raises(LimitExceededError, match="more than max_missing=4: see the plan"):
        check_stored_limits(SyncLimits(max_missing=4).to_json(), counts)
