"""The flows for one of many, run by hand."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline import api
from self_hosted.core.errors import Busy, QuotaInUse, Uncertain
from self_hosted.core.flow import Pause, Request
from tests.assemblyline.flows import CONFIGURATION, UPLOAD, items, reply, result_of

SID = {"sid": "s1"}


def under(tag: str, sid: str, **more):
    return {"sid": sid, "metadata": {api.TAG: tag}, **more}


def test_one_of_many_is_sent_without_a_look_before():
    found, [request] = result_of(api.submit_in_turn(UPLOAD, {}, "t1"), reply(SID))
    assert found == {"sid": "s1", "doubtful": False}
    assert isinstance(request, Request)
    assert request.in_turn


def test_a_lost_answer_is_read_back_by_the_tag_of_the_one():
    found, steps = result_of(api.submit_in_turn(UPLOAD, {}, "t1"), Uncertain("lost"), items(SID), reply(SID))
    assert found == {"sid": "s1", "doubtful": True}
    assert '"t1"' in steps[1].json["query"]


def test_a_full_quota_is_told_at_once():
    flow = api.submit_in_turn(UPLOAD, {}, "t1")
    next(flow)
    with pytest.raises(QuotaInUse):
        flow.throw(QuotaInUse("full"))


def test_one_of_many_is_ingested_without_a_look_before():
    found, [request] = result_of(api.ingest_in_turn(UPLOAD, {}, "t1"), reply({"ingest_id": "i1"}))
    assert (found, request.in_turn) == ("i1", True)


@pytest.mark.parametrize(
    ("words", "most"),
    [
        ("You've exceeded your maximum concurrent submission quota of 5", 5),
        ("You've exceeded your maximum async concurrent submission quota of 7", 7),
        ("You've exceeded your maximum concurrent API calls quota of 10", None),
        ("not available at the moment", None),
    ],
)
def test_the_refusal_tells_how_many_may_run(words, most):
    assert api.quota_told(Busy(words)) == most


def test_many_tags_are_looked_up_by_one_search_for_each_five_hundred():
    tags = [f"t{number}" for number in range(1001)]
    replies = [items(under("t0", "s0")), items(under("t500", "s500"), under("t501", "s501")), items()]
    found, steps = result_of(api.submissions_by_tag(tags), *replies)
    assert {tag: one["sid"] for tag, one in found.items()} == {"t0": "s0", "t500": "s500", "t501": "s501"}
    assert len(steps) == 3


def test_the_oldest_under_a_tag_counts_and_neither_ghosts_nor_what_was_submitted_anew():
    rows = [
        under("t1", "ghost", to_be_deleted=True),
        under("t1", "oldest"),
        under("t1", "younger"),
        under("t2", "anew", params={"description": "Resubmit a for analysis"}),
    ]
    found, _ = result_of(api.submissions_by_tag(["t1", "t2"]), items(*rows))
    assert {tag: one["sid"] for tag, one in found.items()} == {"t1": "oldest"}


def test_after_an_interruption_those_that_are_missing_are_looked_for_again():
    replies = [items(under("t1", "s1")), items(), items(under("t2", "s2"))]
    found, steps = result_of(api.submissions_by_tag(["t1", "t2"], interrupted=True), *replies)
    assert set(found) == {"t1", "t2"}
    requests = [step for step in steps if isinstance(step, Request)]
    assert '"t1"' not in requests[1].json["query"]
    assert [step.seconds for step in steps if isinstance(step, Pause)] == list(api.LOOKS[:2])


def test_all_but_those_that_stay_are_ended():
    rows = [under("t1", "s1"), under("t1", "other"), under("t2", "s2")]
    ended, steps = result_of(api.end_all_duplicates({"t1": "s1", "t2": "s2"}), items(*rows), reply({"success": True}))
    assert ended == ["other"]
    assert steps[-1].path.endswith("/submission/other/")


@pytest.mark.parametrize(("params", "limit"), [({}, 100), ({"ignore_size": True}, None)])
def test_settings_tell_how_large_a_file_may_be(params, limit):
    assert result_of(api.size_limit({"params": params}), reply(CONFIGURATION))[0] == limit


def test_wrong_params_are_told_before_anything_is_asked():
    with pytest.raises(ValueError, match="Assemblyline takes no prio"):
        next(api.size_limit({"params": {"prio": 1}}))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("AB" * 32, "sha256"),
        ("ab" * 20, "sha1"),
        ("ab" * 16, "md5"),
        ("3:AIO9AJraNvsgzsVqSwFRBFOHs:AeO9AJvdzsVqSwjOR", "ssdeep"),
        ("t1" + "0A" * 35, "tlsh"),
    ],
)
def test_the_kind_of_a_hash_is_told_by_its_form(value, kind):
    assert set(api.hash_source(value)) == {kind}


def test_what_is_taken_over_of_a_submission_is_what_a_submit_takes():
    document = {
        "sid": "s1",
        "files": [{"name": "a.exe", "sha256": "ab" * 32}],
        "params": {
            "priority": 5,
            "description": "Resubmit a",
            "psid": "s0",
            "submitter": "bo",
            "filetype_override": None,
        },
        "metadata": {"case": "7", api.TAG: "t0", "ingest_id": "i1", "ts": "2026", "type": "INGEST"},
    }
    assert api.copied_options(document) == {"name": "a.exe", "metadata": {"case": "7"}, "params": {"priority": 5}}


@pytest.mark.parametrize(
    ("params", "services"),
    [
        ({}, {"selected": ["Dynamic Analysis"]}),
        ({"services": {"selected": ["A", "Dynamic Analysis"], "excluded": ["B"]}},
         {"selected": ["A", "Dynamic Analysis"], "excluded": ["B"]}),
    ],
)  # fmt: skip
def test_dynamic_analysis_is_added_once(params, services):
    assert api.for_dynamic_analysis(params)["services"] == services
