"""The flows that submit a file once, by hand."""

from __future__ import annotations

import io
import json

import pytest

from self_hosted.assemblyline import api
from self_hosted.core.errors import Busy, Invalid, NotFound, QuotaInUse, Uncertain
from self_hosted.core.flow import Pause, Upload
from tests.assemblyline.flows import CONFIGURATION, UPLOAD, items, reply, result_of

LARGE = Upload("a", io.BytesIO, 101)


def submits(steps):
    return sum(getattr(step, "path", "") == "/api/v4/submit/" for step in steps)


def pauses(steps):
    return [step.seconds for step in steps if isinstance(step, Pause)]


def test_a_file_is_submitted_with_its_tag_when_there_is_no_submission_with_it():
    flow = api.submit_once(UPLOAD, {"name": "n", "metadata": {"k": "v"}}, "t1")
    result, (search, _, submit) = result_of(flow, items(), reply(CONFIGURATION), reply({"sid": "s"}))
    assert result == {"sid": "s", "doubtful": False}
    assert search.json["query"] == 'metadata.airflow_task:"t1"'
    assert json.loads(submit.parts["json"]) == {"name": "n", "metadata": {"k": "v", "airflow_task": "t1"}}
    assert submit.parts["bin"] is UPLOAD


def test_what_was_submitted_before_is_found_and_not_submitted_again():
    result, steps = result_of(api.submit_once(UPLOAD, {}, "t1"), items({"sid": "s"}), reply({"sid": "s"}))
    assert result == {"sid": "s", "doubtful": True}
    assert [step.path for step in steps] == ["/api/v4/search/submission/", "/api/v4/submission/s/"]


@pytest.mark.parametrize(
    "old", [NotFound("gone"), reply({"sid": "old", "state": "completed", "max_score": 0, "to_be_deleted": True})]
)
def test_what_was_deleted_or_cancelled_does_not_count(old):
    replies = items({"sid": "old"}), old, reply(CONFIGURATION), reply({"sid": "new"})
    assert result_of(api.submit_once(UPLOAD, {}, "t1"), *replies)[0]["sid"] == "new"


@pytest.mark.parametrize("params", [{"psid": "old"}, {"description": "Resubmit a.txt for analysis"}])
def test_what_somebody_made_anew_from_the_tasks_submission_is_not_the_tasks(params):
    replies = items({"sid": "other", "params": params}), reply(CONFIGURATION), reply({"sid": "new"})
    assert result_of(api.submit_once(UPLOAD, {}, "t1"), *replies)[0]["sid"] == "new"


def test_what_the_archive_made_of_the_tasks_submission_is_no_duplicate_of_it():
    found = items({"sid": "kept"}, {"sid": "archived", "params": {"auto_archive": True}})
    assert result_of(api.end_duplicates("t1", "kept"), found)[0] == []


def test_a_submission_that_is_to_be_archived_is_the_tasks_all_the_same():
    found = items({"sid": "own", "params": {"auto_archive": True}})
    assert result_of(api.tagged_submissions("t1"), found)[0] == [{"sid": "own", "params": {"auto_archive": True}}]


def test_of_several_the_oldest_is_taken():
    found, steps = result_of(api.tagged_submission("t1"), items({"sid": "a"}, {"sid": "b"}), reply({"sid": "a"}))
    assert found == {"sid": "a"}
    assert steps[0].json["sort"] == "times.submitted asc"


# Lost answers


def test_a_lost_answer_is_read_back_until_the_index_has_caught_up():
    replies = items(), reply(CONFIGURATION), Uncertain("lost"), items(), items({"sid": "s"}), reply({"sid": "s"})
    result, steps = result_of(api.submit_once(UPLOAD, {}, "t1"), *replies)
    assert result == {"sid": "s", "doubtful": True}
    assert pauses(steps) == [1.0]
    assert submits(steps) == 1


def test_what_left_no_trace_for_a_minute_is_submitted_once_more():
    looks = [items() for _ in range(1 + len(api.LOOKS))]
    replies = items(), reply(CONFIGURATION), Uncertain("lost"), *looks, reply({"sid": "s"})
    result, steps = result_of(api.submit_once(UPLOAD, {}, "t1"), *replies)
    assert result == {"sid": "s", "doubtful": True}
    assert submits(steps) == 2
    assert sum(pauses(steps)) >= 60


def test_what_is_lost_twice_is_read_back_twice():
    looks = [items() for _ in range(1 + len(api.LOOKS))]
    replies = items(), reply(CONFIGURATION), Uncertain("lost"), *looks, Uncertain("again"), items({"sid": "s"})
    result, _ = result_of(api.submit_once(UPLOAD, {}, "t1"), *replies, reply({"sid": "s"}))
    assert result == {"sid": "s", "doubtful": True}


def test_what_is_lost_twice_without_a_trace_stays_uncertain():
    looks = [items() for _ in range(1 + len(api.LOOKS))]
    replies = items(), reply(CONFIGURATION), Uncertain("lost"), *looks, Uncertain("lost again"), *looks
    with pytest.raises(Uncertain, match="lost again"):
        result_of(api.submit_once(UPLOAD, {}, "t1"), *replies)


def test_a_submit_that_may_be_under_way_still_is_looked_for_before_another_one_is_sent():
    replies = items(), items(), items({"sid": "s"}), reply({"sid": "s"})
    result, steps = result_of(api.submit_once(UPLOAD, {}, "t1", interrupted=True), *replies)
    assert result == {"sid": "s", "doubtful": True}
    assert pauses(steps) == [1.0, 2.0]
    assert submits(steps) == 0


def test_when_it_leaves_no_trace_the_one_that_is_sent_is_doubtful():
    looks = [items() for _ in range(1 + len(api.LOOKS))]
    replies = *looks, reply(CONFIGURATION), reply({"sid": "s"})
    result, steps = result_of(api.submit_once(UPLOAD, {}, "t1", interrupted=True), *replies)
    assert result == {"sid": "s", "doubtful": True}
    assert submits(steps) == 1


def test_duplicates_are_ended_and_nothing_else():
    found = items(
        {"sid": "kept"}, {"sid": "twin"}, {"sid": "gone"}, {"sid": "other", "params": {"description": "Resubmit a"}}
    )
    ended, steps = result_of(api.end_duplicates("t1", "kept"), found, reply(), NotFound("gone"))
    assert ended == ["twin", "gone"]
    deleted = [step.path for step in steps if step.method == "DELETE"]
    assert deleted == ["/api/v4/submission/twin/", "/api/v4/submission/gone/"]


# The quota of submissions at once

SUBMISSIONS = QuotaInUse("You've exceeded your maximum concurrent submission quota of 5")
CALLS = QuotaInUse("You've exceeded your maximum concurrent API calls quota of 10")


def test_a_place_for_a_submission_is_waited_for():
    replies = items(), reply(CONFIGURATION), SUBMISSIONS, SUBMISSIONS, SUBMISSIONS, reply({"sid": "s"})
    result, steps = result_of(api.submit_once(UPLOAD, {}, "t1", patience=3600), *replies)
    assert result == {"sid": "s", "doubtful": False}
    assert len(pauses(steps)) == 3
    assert max(pauses(steps)) <= 30


@pytest.mark.parametrize(("refusal", "patience"), [(SUBMISSIONS, 0), (CALLS, 3600), (Busy("a proxy"), 3600)])
def test_other_refusals_and_an_end_of_patience_are_errors(refusal, patience):
    with pytest.raises(type(refusal), match=refusal.words):
        result_of(api.submit_once(UPLOAD, {}, "t1", patience), items(), reply(CONFIGURATION), refusal)


# What is checked first


def test_a_file_larger_than_the_server_takes_is_not_sent():
    with pytest.raises(ValueError, match="101 bytes, and this server takes 100"):
        result_of(api.submit_once(LARGE, {}, "t1"), items(), reply(CONFIGURATION))


def test_ignore_size_lifts_the_limit():
    flow = api.submit_once(LARGE, {"params": {"ignore_size": True}}, "t1")
    assert result_of(flow, items(), reply(CONFIGURATION), reply({"sid": "s"}))[0]["sid"] == "s"


def test_a_profile_is_looked_up_before_the_file_is_sent():
    flow = api.submit_once(UPLOAD, {"submission_profile": "nosuch"}, "t1")
    with pytest.raises(Invalid, match="Select one of"):
        result_of(flow, items(), reply(CONFIGURATION), Invalid("Select one of ['static']"))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"prio": 1}, "params: Assemblyline takes no prio"),
        ({"psid": "s"}, "params: Assemblyline takes no psid"),
        ({"description": "Resubmit all"}, "description must not begin with 'Resubmit '"),
    ],
)
def test_params_that_would_be_ignored_or_misread_are_refused(params, words):
    with pytest.raises(ValueError, match=words):
        result_of(api.submit_once(UPLOAD, {"params": params}, "t1"), items())
