"""Idempotency: tags of submissions; and submits and ingests of one of many sources."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.assemblyline.api import recovery
from self_hosted.assemblyline.api.files import hash_kinds
from self_hosted.assemblyline.api.submissions import idempotency, ingests, intake, resubmissions, validation
from self_hosted.assemblyline.api.submissions.contents import Content
from self_hosted.core.http.errors import ConcurrencyQuotaError, OutcomeUnknownError, UnavailableError
from self_hosted.core.http.flow import Pause, Request
from tests.assemblyline.flows import CONFIGURATION, UPLOAD, items, reply, result_of, tagged

SID = {"sid": "s1"}


def of_any_content(*tags: str) -> dict[str, Content]:
    return {tag: Content(None) for tag in tags}


def test_one_of_many_is_submitted_without_checks():
    result, [request] = result_of(intake.submit_fail_fast(UPLOAD, {}, "t1"), reply(SID))
    assert result == {"sid": "s1", "sha256": None, "doubtful": False, "left_alone": []}
    assert isinstance(request, Request)
    assert request.fail_fast_on_quota


def test_a_lost_response_is_read_back_by_tag():
    found, steps = result_of(
        intake.submit_fail_fast(UPLOAD, {}, "t1"), OutcomeUnknownError("lost"), items(tagged()), reply(tagged())
    )
    assert found == {"sid": "s", "sha256": found["sha256"], "doubtful": True, "left_alone": []}
    assert '"t1"' in steps[1].json["query"]


def test_a_full_quota_is_an_error_at_once():
    flow = intake.submit_fail_fast(UPLOAD, {}, "t1")
    next(flow)
    with pytest.raises(ConcurrencyQuotaError):
        flow.throw(ConcurrencyQuotaError("full"))


def test_one_of_many_is_ingested_without_checks():
    found, [request] = result_of(ingests.create_fail_fast(UPLOAD, {}, "t1"), reply({"ingest_id": "i1"}))
    assert (found, request.fail_fast_on_quota) == ("i1", True)


@pytest.mark.parametrize(
    ("message", "quota"),
    [
        ("You've exceeded your maximum concurrent submission quota of 5", 5),
        ("You've exceeded your maximum async concurrent submission quota of 7", 7),
        ("You've exceeded your maximum concurrent API calls quota of 10", None),
        ("not available at the moment", None),
    ],
)
def test_the_quota_is_read_from_the_error(message, quota):
    assert intake.parse_quota(UnavailableError(message)) == quota


def test_500_tags_cost_one_search():
    tags = [f"t{number}" for number in range(1001)]
    replies = [items(tagged("s0", "t0")), items(tagged("s500", "t500"), tagged("s501", "t501")), items()]
    found, steps = result_of(idempotency.get_many(of_any_content(*tags)), *replies)
    assert {tag: document["sid"] for tag, document in found.items()} == {"t0": "s0", "t500": "s500", "t501": "s501"}
    assert len(steps) == 3


def test_the_oldest_submission_counts_without_cancelled_ones_and_copies():
    rows = [
        tagged("cancelled", "t1", to_be_deleted=True),
        tagged("oldest", "t1"),
        tagged("younger", "t1"),
        tagged("copy", "t2", params={"description": "Resubmit a for analysis"}),
    ]
    found, _ = result_of(idempotency.get_many(of_any_content("t1", "t2")), items(*rows))
    assert {tag: document["sid"] for tag, document in found.items()} == {"t1": "oldest"}


def test_after_an_interruption_missing_submissions_are_searched_again():
    replies = [items(tagged("s1", "t1")), items(), items(tagged("s2", "t2"))]
    found, steps = result_of(idempotency.get_many(of_any_content("t1", "t2"), previous_attempt_unknown=True), *replies)
    assert set(found) == {"t1", "t2"}
    requests = [step for step in steps if isinstance(step, Request)]
    assert '"t1"' not in requests[1].json["query"]
    assert [step.seconds for step in steps if isinstance(step, Pause)] == list(recovery.RECHECK_DELAYS_SECONDS[:2])


@pytest.mark.parametrize(("params", "limit"), [({}, 100), ({"ignore_size": True}, None)])
def test_the_configuration_determines_the_largest_file(params, limit):
    assert result_of(validation.get_size_limit({"params": params}), reply(CONFIGURATION))[0] == limit


def test_invalid_params_are_rejected_before_any_request():
    with pytest.raises(ValueError, match="params: unknown prio"):
        next(validation.get_size_limit({"params": {"prio": 1}}))


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
def test_the_form_of_a_hash_determines_its_kind(value, kind):
    assert set(hash_kinds.identify(value)) == {kind}


def test_only_options_that_a_submit_accepts_are_copied():
    document: Any = {
        "sid": "s1",
        "files": [{"name": "a.exe", "sha256": "ab" * 32}],
        "params": {
            "priority": 5,
            "description": "Resubmit a",
            "psid": "s0",
            "submitter": "bo",
            "filetype_override": None,
        },
        "metadata": {"case": "7", idempotency.METADATA_KEY: "t0", "ingest_id": "i1", "ts": "2026", "type": "INGEST"},
    }
    assert resubmissions.copy_options(document) == {
        "name": "a.exe",
        "metadata": {"case": "7"},
        "params": {"priority": 5},
    }


@pytest.mark.parametrize(
    ("params", "services"),
    [
        ({}, {"selected": ["Dynamic Analysis"]}),
        ({"services": {"selected": ["A", "Dynamic Analysis"], "excluded": ["B"]}},
         {"selected": ["A", "Dynamic Analysis"], "excluded": ["B"]}),
    ],
)  # fmt: skip
def test_dynamic_analysis_is_added_once(params, services):
    assert resubmissions.add_dynamic_analysis(params)["services"] == services
