"""The flows, by hand: replies are sent in, requests are looked at."""

from __future__ import annotations

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
    QuotaInUse,
    QuotaSpent,
    Uncertain,
)
from self_hosted.core.flow import Request
from tests.assemblyline.flows import CONFIGURATION, UPLOAD, html, items, reply, result_of


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
        ("You've exceeded your maximum concurrent submission quota of 5", QuotaInUse),
        ("You've exceeded your maximum async concurrent submission quota of 5", QuotaInUse),
        ("You've exceeded your maximum concurrent API calls quota of 10", QuotaInUse),
        ("", Busy),
    ],
)
def test_the_words_of_a_503_tell_for_how_long_it_holds(words, kind):
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
        api.submit(UPLOAD, {}),
        api.ingest(UPLOAD, {}),
        api.paused_components(),
        api.is_taken_up("a/b"),
    ],
)
def test_every_path_ends_with_a_slash_and_is_quoted(flow):
    request = next(flow)
    assert request.path.endswith("/")
    assert "a/b" not in request.path


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


@pytest.mark.parametrize(
    "flow", [api.submissions([]), api.ingested_submissions([]), api.reused_submissions([]), api.retrohunts([])]
)
def test_of_nothing_nothing_is_asked(flow):
    with pytest.raises(StopIteration) as end:
        next(flow)
    assert not end.value.value


def test_a_phrase_cannot_be_broken_out_of():
    assert api.phrase('x" OR sid:*\\') == '"x\\" OR sid:*\\\\"'


def test_a_submission_is_not_to_be_repeated_by_the_transport():
    request = next(api.submit(UPLOAD, {}))
    assert isinstance(request, Request)
    assert not request.may_be_repeated


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

FOUND = {
    "sid": "s",
    "state": "completed",
    "max_score": 750,
    "verdict": "highly_suspicious",
    "file_count": 2,
    "error_count": 1,
}


def test_the_result_holds_verdict_counts_and_link_and_nothing_else():
    assert api.judged({**FOUND, "doubtful": True}, "http://al/s") == {**FOUND, "url": "http://al/s"}


@pytest.mark.parametrize(
    "limits", [(750, None), ("750", None), (0, None), (None, "highly_suspicious"), (None, "info"), (9999, "suspicious")]
)
def test_a_limit_that_is_reached_is_an_error_with_verdict_and_link(limits):
    with pytest.raises(Final, match="highly_suspicious, with a score of 750: http://al/s"):
        api.judged(FOUND, "http://al/s", *limits)


@pytest.mark.parametrize("limits", [(751, None), (None, "malicious"), (None, None), ("", "")])
def test_a_limit_that_is_not_reached_is_none(limits):
    assert api.judged(FOUND, "u", *limits)["max_score"] == 750


def test_a_submission_that_failed_is_an_error():
    with pytest.raises(Final, match="ended as 'failed'"):
        api.judged({**FOUND, "state": "failed"}, "u")


@pytest.mark.parametrize("limits", [("many", None), ([1], None), (None, "safe"), (None, "bad")])
def test_limits_that_mean_nothing_are_refused(limits):
    with pytest.raises(ValueError, match="fail_on_"):
        api.check_limits(*limits)
