"""What is submitted besides files, by hand."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline import api
from self_hosted.core.errors import Uncertain
from tests.assemblyline.flows import CONFIGURATION, items, reply, result_of

SHA256 = "ab" * 32


@pytest.mark.parametrize(
    ("source", "sent"),
    [
        ({"url": "https://a.example/x"}, {"url": "https://a.example/x"}),
        ({"url": "hxxps[:]//a[.]example/x"}, {"url": "hxxps[:]//a[.]example/x"}),
        ({"url": "hxxp[://]a.example"}, {"url": "hxxp[://]a.example"}),
        ({"plaintext": " "}, {"plaintext": " "}),
        ({"base64": "AAE="}, {"base64": "AAE="}),
        ({"sha256": SHA256.upper()}, {"sha256": SHA256}),
        ({"sha1": "A" * 40}, {"sha1": "a" * 40}),
        ({"md5": "A" * 32}, {"md5": "a" * 32}),
        ({"tlsh": f"t1{'a' * 70}"}, {"tlsh": f"T1{'A' * 70}"}),
        (
            {"ssdeep": "3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C"},
            {"ssdeep": "3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C"},
        ),
    ],
)
def test_what_is_no_file_is_sent_as_json_with_hashes_as_the_server_has_them(source, sent):
    options = {"name": "n", "metadata": {api.TAG: "t1"}}
    result, (request,) = result_of(api.submit(source, options), reply({"sid": "s"}))
    assert result == {"sid": "s"}
    assert (request.path, request.json) == ("/api/v4/submit/", {**options, **sent})
    assert not request.may_be_repeated


def test_each_submit_has_a_tag_of_its_own_by_which_a_lost_answer_is_found():
    replies = Uncertain("lost"), reply({"items": [{"sid": "s"}]}), reply({"sid": "s"})
    result, (submit, search, _) = result_of(api.submit({"plaintext": "x"}, {"metadata": {"case": 7}}), *replies)
    assert result == {"sid": "s"}
    assert submit.json["metadata"]["case"] == 7
    assert submit.json["metadata"][api.TAG] in search.json["query"]
    _, (another,) = result_of(api.submit({"plaintext": "x"}, {}), reply({"sid": "s"}))
    assert another.json["metadata"][api.TAG] != submit.json["metadata"][api.TAG]


WRONG = [
    ({}, "exactly one of url, plaintext"),
    ({"url": "http://a.example", "plaintext": "b"}, "exactly one of .*, not url, plaintext"),
    ({"uri": "http://a.example"}, "exactly one of .*, not uri"),
    ({"url": "a.example"}, "'a.example' is no url"),
    ({"plaintext": ""}, "plaintext must be text, and not empty"),
    ({"base64": ""}, "base64 must be text, and not empty"),
    ({"base64": b"AAE="}, "base64 must be text"),
    ({"base64": "A A E ="}, "base64 holds what is none"),
    ({"base64": "ä"}, "base64 holds what is none"),
    ({"sha256": "ab"}, "'ab' is no sha256"),
    ({"md5": SHA256}, "is no md5"),
    ({"ssdeep": '3:a" OR b:c'}, "is no ssdeep"),
]


@pytest.mark.parametrize(("source", "words"), WRONG)
def test_what_the_server_would_misread_is_refused(source, words):
    with pytest.raises(ValueError, match=words):
        result_of(api.submit(source, {}))
    with pytest.raises(ValueError, match=words):
        result_of(api.submit_once(source, {}, "t1"), items())


def test_a_url_is_submitted_once_with_its_tag():
    flow = api.submit_once({"url": "http://a.example"}, {"metadata": {"k": "v"}}, "t1")
    result, (_, _, submit) = result_of(flow, items(), reply(CONFIGURATION), reply({"sid": "s"}))
    assert result == {"sid": "s", "doubtful": False}
    assert submit.json == {"url": "http://a.example", "metadata": {"k": "v", "airflow_task": "t1"}}


@pytest.mark.parametrize(("source", "size"), [({"plaintext": "é" * 51}, 102), ({"base64": "A" * 136}, 102)])
def test_text_larger_than_the_server_takes_is_not_sent(source, size):
    with pytest.raises(ValueError, match=f"has {size} bytes, and this server takes 100"):
        result_of(api.submit_once(source, {}, "t1"), items(), reply(CONFIGURATION))


def test_options_that_would_be_ignored_are_refused():
    with pytest.raises(ValueError, match="a submit takes no profile; it takes metadata, name"):
        result_of(api.submit_once({"plaintext": "x"}, {"profile": "static"}, "t1"), items())


# Submitting anew


@pytest.mark.parametrize(
    ("flow", "first", "target"),
    [
        (api.resubmit("a/b"), [], "GET /api/v4/submit/resubmit/a%2Fb/"),
        (api.resubmit_for_dynamic(SHA256.upper()), [], f"GET /api/v4/submit/dynamic/{SHA256}/"),
        (
            api.resubmit_for_dynamic(SHA256, copy_sid="s", name="n"),
            [reply({"sid": "s"})],
            f"GET /api/v4/submit/dynamic/{SHA256}/?copy_sid=s&name=n",
        ),
        (
            api.resubmit_with_profile("static", SHA256, copy_sid="s"),
            [reply({}), reply({"sid": "s"})],
            f"PUT /api/v4/submit/static/{SHA256}/?copy_sid=s",
        ),
    ],
)
def test_submitting_anew_is_never_repeated_whatever_its_method(flow, first, target):
    result, steps = result_of(flow, *first, reply({"sid": "new"}))
    assert result == {"sid": "new"}
    assert f"{steps[-1].method} {steps[-1].target}" == target
    assert not steps[-1].may_be_repeated


def test_a_lost_answer_to_a_resubmit_stays_uncertain():
    with pytest.raises(Uncertain):
        result_of(api.resubmit("s"), Uncertain("lost"))


def test_the_default_profile_which_the_server_fails_on_is_refused():
    with pytest.raises(ValueError, match="profile must be one of the server's"):
        result_of(api.resubmit_with_profile("default", SHA256))
