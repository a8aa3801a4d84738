"""The intake of submissions: a file is submitted exactly once."""

from __future__ import annotations

import io
import json

import pytest

from self_hosted.assemblyline.api import recovery
from self_hosted.assemblyline.api.submissions import idempotency, intake
from self_hosted.core.http.errors import (
    ConcurrencyQuotaError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    UnavailableError,
)
from self_hosted.core.http.flow import Pause, Upload
from tests.assemblyline.flows import CONFIGURATION, UPLOAD, items, reply, result_of, tagged

LARGE = Upload("a", io.BytesIO, 101)
SHA256 = tagged()["files"][0]["sha256"]


def submits(steps):
    return sum(getattr(step, "path", "") == "/api/v4/submit/" for step in steps)


def pauses(steps):
    return [step.seconds for step in steps if isinstance(step, Pause)]


def test_a_file_is_submitted_with_its_tag_if_no_submission_has_it():
    flow = intake.submit_once(UPLOAD, {"name": "n", "metadata": {"k": "v"}}, "t1")
    result, (search, _, submit) = result_of(flow, items(), reply(CONFIGURATION), reply({"sid": "s"}))
    assert result == {"sid": "s", "sha256": None, "doubtful": False, "left_alone": []}
    assert search.json["query"] == 'metadata.airflow_task:"t1"'
    assert json.loads(submit.parts["json"]) == {"name": "n", "metadata": {"k": "v", "airflow_task": "t1"}}
    assert submit.parts["bin"] is UPLOAD


def test_an_earlier_submission_is_found_and_not_repeated():
    result, steps = result_of(intake.submit_once(UPLOAD, {}, "t1"), items(tagged()), reply(tagged()))
    assert result == {"sid": "s", "sha256": SHA256, "doubtful": True, "left_alone": []}
    assert [step.path for step in steps] == ["/api/v4/search/submission/", "/api/v4/submission/s/"]


@pytest.mark.parametrize(
    "earlier",
    [NotFoundError("gone"), reply(tagged("old", state="completed", max_score=0, to_be_deleted=True))],
)
def test_deleted_and_cancelled_submissions_do_not_count(earlier):
    replies = items(tagged("old")), earlier, reply(CONFIGURATION), reply({"sid": "new"})
    assert result_of(intake.submit_once(UPLOAD, {}, "t1"), *replies)[0]["sid"] == "new"


@pytest.mark.parametrize("params", [{"psid": "old"}, {"description": "Resubmit a.txt for analysis"}])
def test_a_copy_of_the_submission_does_not_count(params):
    replies = items(tagged("other", params=params)), reply(CONFIGURATION), reply({"sid": "new"})
    assert result_of(intake.submit_once(UPLOAD, {}, "t1"), *replies)[0]["sid"] == "new"


def test_a_copy_for_the_archive_is_no_duplicate():
    found = items(tagged("kept"), tagged("archived", params={"auto_archive": True}))
    assert result_of(idempotency.end_duplicates("t1", "kept"), found)[0] == []


def test_an_archived_submission_is_no_copy():
    own = tagged("own", params={"auto_archive": True})
    assert result_of(idempotency.list_by_tag("t1"), items(own))[0] == [own]


def test_the_oldest_of_several_submissions_counts():
    found, steps = result_of(idempotency.get("t1"), items(tagged("a"), tagged("b")), reply(tagged("a")))
    assert found == tagged("a")
    assert steps[0].json["sort"] == "times.submitted asc"


# Lost responses


def test_a_lost_response_is_read_back_until_the_index_shows_the_submission():
    replies = (
        items(),
        reply(CONFIGURATION),
        OutcomeUnknownError("lost"),
        items(),
        items(tagged()),
        reply(tagged()),
    )
    result, steps = result_of(intake.submit_once(UPLOAD, {}, "t1"), *replies)
    assert result == {"sid": "s", "sha256": SHA256, "doubtful": True, "left_alone": []}
    assert pauses(steps) == [1.0]
    assert submits(steps) == 1


def test_a_submit_without_an_effect_for_a_minute_is_repeated():
    looks = [items() for _ in range(1 + len(recovery.RECHECK_DELAYS_SECONDS))]
    replies = items(), reply(CONFIGURATION), OutcomeUnknownError("lost"), *looks, reply({"sid": "s"})
    result, steps = result_of(intake.submit_once(UPLOAD, {}, "t1"), *replies)
    assert result == {"sid": "s", "sha256": None, "doubtful": True, "left_alone": []}
    assert submits(steps) == 2
    assert sum(pauses(steps)) >= 60


def test_two_lost_responses_are_read_back_twice():
    looks = [items() for _ in range(1 + len(recovery.RECHECK_DELAYS_SECONDS))]
    replies = (
        items(),
        reply(CONFIGURATION),
        OutcomeUnknownError("lost"),
        *looks,
        OutcomeUnknownError("again"),
        items(tagged()),
    )
    result, _ = result_of(intake.submit_once(UPLOAD, {}, "t1"), *replies, reply(tagged()))
    assert result == {"sid": "s", "sha256": SHA256, "doubtful": True, "left_alone": []}


def test_two_lost_responses_without_an_effect_leave_the_outcome_unknown():
    looks = [items() for _ in range(1 + len(recovery.RECHECK_DELAYS_SECONDS))]
    replies = (
        items(),
        reply(CONFIGURATION),
        OutcomeUnknownError("lost"),
        *looks,
        OutcomeUnknownError("lost again"),
        *looks,
    )
    with pytest.raises(OutcomeUnknownError, match="lost again"):
        result_of(intake.submit_once(UPLOAD, {}, "t1"), *replies)


def test_an_interrupted_submit_is_searched_before_another_one_is_sent():
    replies = items(), items(), items(tagged()), reply(tagged())
    result, steps = result_of(intake.submit_once(UPLOAD, {}, "t1", previous_attempt_unknown=True), *replies)
    assert result == {"sid": "s", "sha256": SHA256, "doubtful": True, "left_alone": []}
    assert pauses(steps) == [1.0, 2.0]
    assert submits(steps) == 0


def test_a_submit_after_an_interrupted_one_is_doubtful():
    looks = [items() for _ in range(1 + len(recovery.RECHECK_DELAYS_SECONDS))]
    replies = *looks, reply(CONFIGURATION), reply({"sid": "s"})
    result, steps = result_of(intake.submit_once(UPLOAD, {}, "t1", previous_attempt_unknown=True), *replies)
    assert result == {"sid": "s", "sha256": None, "doubtful": True, "left_alone": []}
    assert submits(steps) == 1


# The quota of running submissions

SUBMISSIONS = ConcurrencyQuotaError("You've exceeded your maximum concurrent submission quota of 5")
CALLS = ConcurrencyQuotaError("You've exceeded your maximum concurrent API calls quota of 10")


def test_a_full_quota_of_submissions_is_waited_for():
    replies = items(), reply(CONFIGURATION), SUBMISSIONS, SUBMISSIONS, SUBMISSIONS, reply({"sid": "s"})
    result, steps = result_of(intake.submit_once(UPLOAD, {}, "t1", quota_timeout=3600), *replies)
    assert result == {"sid": "s", "sha256": None, "doubtful": False, "left_alone": []}
    assert len(pauses(steps)) == 3
    assert max(pauses(steps)) <= 30


@pytest.mark.parametrize(
    ("rejection", "timeout"), [(SUBMISSIONS, 0), (CALLS, 3600), (UnavailableError("a proxy"), 3600)]
)
def test_other_rejections_and_the_quota_timeout_are_errors(rejection, timeout):
    with pytest.raises(type(rejection), match=rejection.message):
        result_of(intake.submit_once(UPLOAD, {}, "t1", timeout), items(), reply(CONFIGURATION), rejection)


# Checks before the upload


def test_a_file_above_the_servers_limit_is_not_sent():
    with pytest.raises(ValueError, match="101 bytes; this server accepts at most 100"):
        result_of(intake.submit_once(LARGE, {}, "t1"), items(), reply(CONFIGURATION))


def test_ignore_size_lifts_the_limit():
    flow = intake.submit_once(LARGE, {"params": {"ignore_size": True}}, "t1")
    assert result_of(flow, items(), reply(CONFIGURATION), reply({"sid": "s"}))[0]["sid"] == "s"


def test_a_profile_is_checked_before_the_file_is_sent():
    flow = intake.submit_once(UPLOAD, {"submission_profile": "nosuch"}, "t1")
    with pytest.raises(InvalidRequestError, match="Select one of"):
        result_of(flow, items(), reply(CONFIGURATION), InvalidRequestError("Select one of ['static']"))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"prio": 1}, "params: unknown prio; valid are auto_archive"),
        ({"psid": "s"}, "params: unknown psid"),
        ({"description": "Resubmit all"}, "description must not start with 'Resubmit '"),
    ],
)
def test_params_that_would_be_ignored_or_misread_are_rejected(params, message):
    with pytest.raises(ValueError, match=message):
        result_of(intake.submit_once(UPLOAD, {"params": params}, "t1"), items())
