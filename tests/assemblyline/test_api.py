"""The flows, by hand: replies are sent in, requests are looked at."""

from __future__ import annotations

import io
import json

import pytest

from self_hosted.assemblyline import api
from self_hosted.core.errors import (
    Broken,
    Busy,
    Final,
    Forbidden,
    Invalid,
    LoginRefused,
    NotFound,
    QuotaSpent,
    Uncertain,
)
from self_hosted.core.flow import Pause, Request, Upload
from tests.assemblyline.conftest import html, reply

BANDS = {"info": 0, "suspicious": 300, "highly_suspicious": 700, "malicious": 1000}
CONFIGURATION = {
    "submission.max_file_size": 100,
    **{f"submission.verdicts.{name}": least for name, least in BANDS.items()},
}
UPLOAD = Upload("a.txt", lambda: io.BytesIO(b"hello"), 5)


def result_of(flow, *replies):
    """Run a flow with these replies (or errors), and return its result and its requests and pauses."""
    steps = [next(flow)]
    try:
        for given in replies:
            while isinstance(steps[-1], Pause):
                steps.append(flow.send(None))
            steps.append(flow.throw(given) if isinstance(given, Exception) else flow.send(given))
        while isinstance(steps[-1], Pause):
            steps.append(flow.send(None))
    except StopIteration as end:
        return end.value, steps
    raise AssertionError(f"the flow goes on with {steps[-1]}")


def items(*found):
    return reply({"items": list(found), "offset": 0, "rows": 25, "total": len(found)})


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (reply(status=401, words="Session not found"), LoginRefused, "Session not found"),
        (reply(status=403, words="Access Denied (/x) [Invalid XSRF token]"), Forbidden, "Invalid XSRF token"),
        (reply(status=404, words="Api does not exist (/api/v4/x/)"), NotFound, "Api does not exist"),
        (reply(status=400, words="File empty."), Invalid, "File empty."),
        (reply(status=413, words="File too big to be scanned (2 > 1)."), Invalid, "File too big"),
        (reply(status=500, words="Internal Server Error"), Broken, "Internal Server Error"),
        (reply(status=200, words="415 Unsupported Media Type: ..."), Invalid, "415 Unsupported"),
        (html(308, location="https://al/api/v4/x/"), Invalid, "https://al/api/v4/x/"),
        (html(405), Invalid, "check the base URL"),
        (html(404), NotFound, "check the base URL"),
        (html(502), Uncertain, "check the base URL"),
        (html(503), Busy, "not available"),
    ],
)
def test_an_error_is_told_from_status_and_words(answer, kind, words):
    error = api.error_of(answer)
    assert type(error) is kind
    assert words in str(error)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("You've exceeded your daily maximum API calls quota of 10", QuotaSpent),
        ("You've reached your daily maximum submission quota of 10", QuotaSpent),
        ("You've exceeded your maximum concurrent submission quota of 5", Busy),
        ("You've exceeded your maximum async concurrent submission quota of 5", Busy),
        ("You've exceeded your maximum concurrent API calls quota of 10", Busy),
        ("", Busy),
    ],
)
def test_a_503_is_spent_only_when_it_names_a_daily_quota(words, kind):
    assert type(api.error_of(reply(status=503, words=words))) is kind


@pytest.mark.parametrize("answer", [reply({"a": 1}), reply(None, words=None), html(200)])
def test_a_success_is_no_error(answer):
    assert api.error_of(answer) is None


@pytest.mark.parametrize("body", [b"[]", b'{"detail": "other"}'])
def test_an_answer_without_envelope_is_not_taken_for_a_result(body):
    flow = api.configuration()
    next(flow)
    with pytest.raises(Broken, match="base URL"):
        flow.send(type(reply())(200, {"content-type": "application/json"}, body, Request("GET", "/")))


def test_a_page_instead_of_json_is_not_taken_for_a_result():
    flow = api.configuration()
    next(flow)
    with pytest.raises(Broken, match="no JSON"):
        flow.send(html(200))


@pytest.mark.parametrize(
    "flow",
    [
        api.whoami(),
        api.configuration(),
        api.submission_profile("a/b"),
        api.submission("a/b"),
        api.is_completed("a"),
        api.delete_submission("a"),
        api.search_submissions("*"),
        api.submit_file(UPLOAD, {}),
    ],
)
def test_every_path_ends_with_a_slash_and_is_quoted(flow):
    request = next(flow)
    assert request.path.endswith("/")
    assert "a/b" not in request.path


def test_who_am_i_names_user_roles_and_version():
    result, _ = result_of(api.whoami(), reply({"username": "eva", "roles": ["a"], "avatar": "..."}))
    assert result == {"username": "eva", "roles": ["a"], "version": "4.7.4.25"}


@pytest.mark.parametrize(
    ("score", "verdict"),
    [(-1, "safe"), (0, "info"), (299, "info"), (300, "suspicious"), (700, "highly_suspicious"), (1000, "malicious")],
)
def test_a_score_is_judged_by_the_bands_of_the_server(score, verdict):
    bands, _ = result_of(api.verdict_bands(), reply(CONFIGURATION))
    assert api.verdict_of(score, bands) == verdict


def test_many_submissions_are_asked_for_by_one_search_that_may_be_repeated():
    result, (request,) = result_of(api.submissions(["a", 'b"c']), items({"sid": "a"}))
    assert result == [{"sid": "a"}]
    assert request.json["query"] == r'sid:("a" OR "b\"c")'
    assert request.json["rows"] == 2
    assert request.may_be_repeated


def test_a_phrase_cannot_be_broken_out_of():
    assert api.phrase('x" OR sid:*\\') == '"x\\" OR sid:*\\\\"'


def test_a_submission_is_not_to_be_repeated_by_the_transport():
    request = next(api.submit_file(UPLOAD, {}))
    assert isinstance(request, Request)
    assert not request.may_be_repeated


# Once


def test_a_file_is_submitted_with_its_tag_when_there_is_no_submission_with_it():
    flow = api.submit_file_once(UPLOAD, {"name": "n", "metadata": {"k": "v"}}, "t1")
    result, (search, _, submit) = result_of(flow, items(), reply(CONFIGURATION), reply({"sid": "s"}))
    assert result == {"sid": "s"}
    assert search.json["query"] == 'metadata.airflow_task:"t1"'
    assert json.loads(submit.parts["json"]) == {"name": "n", "metadata": {"k": "v", "airflow_task": "t1"}}
    assert submit.parts["bin"] is UPLOAD


def test_what_was_submitted_before_is_found_and_not_submitted_again():
    result, steps = result_of(api.submit_file_once(UPLOAD, {}, "t1"), items({"sid": "s"}), reply({"sid": "s"}))
    assert result == {"sid": "s"}
    assert [step.path for step in steps] == ["/api/v4/search/submission/", "/api/v4/submission/s/"]


def test_what_the_index_still_holds_of_a_deleted_submission_does_not_count():
    replies = items({"sid": "old"}), NotFound("gone"), reply(CONFIGURATION), reply({"sid": "new"})
    assert result_of(api.submit_file_once(UPLOAD, {}, "t1"), *replies)[0] == {"sid": "new"}


def test_a_cancelled_submission_that_came_back_does_not_count():
    ghost = reply({"sid": "old", "state": "completed", "max_score": 0, "to_be_deleted": True})
    replies = items({"sid": "old"}), ghost, reply(CONFIGURATION), reply({"sid": "new"})
    assert result_of(api.submit_file_once(UPLOAD, {}, "t1"), *replies)[0] == {"sid": "new"}


def test_a_lost_answer_is_read_back_until_the_index_has_caught_up():
    replies = items(), reply(CONFIGURATION), Uncertain("lost"), items(), items({"sid": "s"}), reply({"sid": "s"})
    result, steps = result_of(api.submit_file_once(UPLOAD, {}, "t1"), *replies)
    assert result == {"sid": "s"}
    assert [step.seconds for step in steps if isinstance(step, Pause)] == [0.0, 1.0]
    assert sum(getattr(step, "path", "") == "/api/v4/submit/" for step in steps) == 1


def test_what_left_no_trace_is_submitted_once_more():
    looks = [items() for _ in api.LOOKS]
    replies = items(), reply(CONFIGURATION), Uncertain("lost"), *looks, reply({"sid": "s"})
    result, steps = result_of(api.submit_file_once(UPLOAD, {}, "t1"), *replies)
    assert result == {"sid": "s"}
    assert sum(getattr(step, "path", "") == "/api/v4/submit/" for step in steps) == 2


def test_what_is_lost_twice_without_a_trace_stays_uncertain():
    looks = [items() for _ in api.LOOKS]
    replies = items(), reply(CONFIGURATION), Uncertain("lost"), *looks, Uncertain("lost again"), *looks
    with pytest.raises(Uncertain, match="lost again"):
        result_of(api.submit_file_once(UPLOAD, {}, "t1"), *replies)


def test_a_file_larger_than_the_server_takes_is_not_sent():
    large = Upload("a", io.BytesIO, 101)
    with pytest.raises(ValueError, match="101 bytes, and this server takes 100"):
        result_of(api.submit_file_once(large, {}, "t1"), items(), reply(CONFIGURATION))


def test_ignore_size_lifts_the_limit():
    large = Upload("a", io.BytesIO, 101)
    flow = api.submit_file_once(large, {"params": {"ignore_size": True}}, "t1")
    assert result_of(flow, items(), reply(CONFIGURATION), reply({"sid": "s"}))[0] == {"sid": "s"}


def test_a_profile_is_looked_up_before_the_file_is_sent():
    flow = api.submit_file_once(UPLOAD, {"submission_profile": "nosuch"}, "t1")
    with pytest.raises(Invalid, match="Select one of"):
        result_of(flow, items(), reply(CONFIGURATION), Invalid("Select one of ['static']"))


# Cancel and delete


def test_a_running_submission_is_cancelled_by_deleting_it():
    _, steps = result_of(api.cancel_submission("s"), reply(False), reply({"success": True}))
    assert [step.method for step in steps] == ["GET", "DELETE"]


def test_a_completed_submission_is_not_deleted_by_a_cancel():
    _, steps = result_of(api.cancel_submission("s"), reply(True))
    assert [step.method for step in steps] == ["GET"]


@pytest.mark.parametrize("replies", [[NotFound("gone")], [reply(False), NotFound("gone")]])
def test_cancelling_what_is_gone_is_fine(replies):
    assert result_of(api.cancel_submission("s"), *replies)[0] is None


def test_a_lost_answer_to_a_delete_is_fine_when_the_submission_is_gone():
    assert result_of(api.delete_submission("s"), Uncertain("lost"), NotFound("gone"))[0] is None


def test_a_lost_answer_to_a_delete_is_an_error_while_the_submission_is_there():
    with pytest.raises(Uncertain):
        result_of(api.delete_submission("s"), Uncertain("lost"), reply({"sid": "s"}))


# Judging

FOUND = {"sid": "s", "state": "completed", "max_score": 750, "file_count": 2, "error_count": 1}


def test_the_result_holds_verdict_counts_and_link():
    result, _ = result_of(api.judged(FOUND, "http://al/s"), reply(CONFIGURATION))
    assert result == {**FOUND, "verdict": "highly_suspicious", "url": "http://al/s"}


@pytest.mark.parametrize(
    "limits", [(750, None), ("750", None), (0, None), (None, "highly_suspicious"), (None, "info"), (9999, "suspicious")]
)
def test_a_limit_that_is_reached_is_an_error_with_verdict_and_link(limits):
    with pytest.raises(Final, match="highly_suspicious, with a score of 750: http://al/s"):
        result_of(api.judged(FOUND, "http://al/s", *limits), reply(CONFIGURATION))


@pytest.mark.parametrize("limits", [(751, None), (None, "malicious"), (None, None), ("", "")])
def test_a_limit_that_is_not_reached_is_none(limits):
    assert result_of(api.judged(FOUND, "u", *limits), reply(CONFIGURATION))[0]["max_score"] == 750


def test_a_submission_that_is_gone_is_an_error():
    with pytest.raises(NotFound, match="was deleted"):
        next(api.judged({"sid": "s", "state": api.GONE}, "u"))


def test_a_submission_that_failed_is_an_error():
    with pytest.raises(Final, match="ended as 'failed'"):
        next(api.judged({**FOUND, "state": "failed"}, "u"))


@pytest.mark.parametrize("limits", [("many", None), ([1], None), (None, "safe"), (None, "bad")])
def test_limits_that_mean_nothing_are_refused(limits):
    with pytest.raises(ValueError, match="fail_on_"):
        api.check_limits(*limits)
