"""Sources other than files, and resubmissions."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline.api.submissions import idempotency, intake, resubmissions
from self_hosted.core.http.errors import OutcomeUnknownError
from tests.assemblyline.flows import CONFIGURATION, items, reply, result_of, tagged

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
def test_other_sources_than_files_are_sent_as_json_with_hashes_in_the_servers_spelling(source, sent):
    options = {"name": "n", "metadata": {idempotency.METADATA_KEY: "t1"}}
    result, (request,) = result_of(intake.submit(source, options), reply({"sid": "s"}))
    assert result == {"sid": "s"}
    assert (request.path, request.json) == ("/api/v4/submit/", {**options, **sent})
    assert not request.is_idempotent


def test_each_submit_has_a_new_tag_by_which_its_submission_is_found():
    found = tagged(text="x")
    replies = OutcomeUnknownError("lost"), items(found), reply(found)
    result, (submit, search, _) = result_of(intake.submit({"plaintext": "x"}, {"metadata": {"case": 7}}), *replies)
    assert result == found
    assert submit.json["metadata"]["case"] == 7
    assert submit.json["metadata"][idempotency.METADATA_KEY] in search.json["query"]
    _, (another,) = result_of(intake.submit({"plaintext": "x"}, {}), reply({"sid": "s"}))
    assert another.json["metadata"][idempotency.METADATA_KEY] != submit.json["metadata"][idempotency.METADATA_KEY]


INVALID = [
    ({}, "exactly one of url, plaintext"),
    ({"url": "http://a.example", "plaintext": "b"}, "exactly one of .*, not url, plaintext"),
    ({"uri": "http://a.example"}, "exactly one of .*, not uri"),
    ({"url": "a.example"}, "url must start like https://example.com, not 'a.example'"),
    ({"plaintext": ""}, "plaintext must be a text, not ''"),
    ({"base64": ""}, "base64 must be a text, not ''"),
    ({"base64": b"AAE="}, "base64 must be a text, not b'AAE='"),
    ({"base64": "A A E ="}, "base64 is invalid"),
    ({"base64": "ä"}, "base64 is invalid"),
    ({"sha256": "ab"}, "'ab' is not a valid sha256"),
    ({"md5": SHA256}, "is not a valid md5"),
    ({"ssdeep": '3:a" OR b:c'}, "is not a valid ssdeep"),
]


@pytest.mark.parametrize(("source", "message"), INVALID)
def test_a_source_that_the_server_would_misread_is_rejected(source, message):
    with pytest.raises(ValueError, match=message):
        result_of(intake.submit(source, {}))
    with pytest.raises(ValueError, match=message):
        result_of(intake.submit_once(source, {}, "t1"), items())


def test_a_url_is_submitted_once_with_its_tag():
    flow = intake.submit_once({"url": "http://a.example"}, {"metadata": {"k": "v"}}, "t1")
    result, (_, _, submit) = result_of(flow, items(), reply(CONFIGURATION), reply({"sid": "s"}))
    assert result == {"sid": "s", "sha256": None, "doubtful": False, "left_alone": []}
    assert submit.json == {"url": "http://a.example", "metadata": {"k": "v", "airflow_task": "t1"}}


@pytest.mark.parametrize(("source", "size"), [({"plaintext": "é" * 51}, 102), ({"base64": "A" * 136}, 102)])
def test_a_text_above_the_servers_limit_is_not_sent(source, size):
    with pytest.raises(ValueError, match=f"has {size} bytes; this server accepts at most 100"):
        result_of(intake.submit_once(source, {}, "t1"), items(), reply(CONFIGURATION))


def test_options_that_would_be_ignored_are_rejected():
    with pytest.raises(ValueError, match="options: unknown profile; valid are metadata, name"):
        result_of(intake.submit_once({"plaintext": "x"}, {"profile": "static"}, "t1"), items())


# Resubmissions


@pytest.mark.parametrize(
    ("flow", "first", "target"),
    [
        (resubmissions.create("a b"), [], "GET /api/v4/submit/resubmit/a%20b/"),
        (resubmissions.create_for_dynamic_analysis(SHA256.upper()), [], f"GET /api/v4/submit/dynamic/{SHA256}/"),
        (
            resubmissions.create_for_dynamic_analysis(SHA256, copy_sid="s", name="n"),
            [reply({"sid": "s"})],
            f"GET /api/v4/submit/dynamic/{SHA256}/?copy_sid=s&name=n",
        ),
        (
            resubmissions.create_with_profile("static", SHA256, copy_sid="s"),
            [reply({}), reply({"sid": "s"})],
            f"PUT /api/v4/submit/static/{SHA256}/?copy_sid=s",
        ),
    ],
)
def test_a_resubmission_is_never_idempotent(flow, first, target):
    result, steps = result_of(flow, *first, reply({"sid": "new"}))
    assert result == {"sid": "new"}
    assert f"{steps[-1].method} {steps[-1].target}" == target
    assert not steps[-1].is_idempotent


def test_a_lost_response_to_a_resubmission_leaves_the_outcome_unknown():
    with pytest.raises(OutcomeUnknownError):
        result_of(resubmissions.create("s"), OutcomeUnknownError("lost"))


def test_the_default_profile_is_rejected_because_the_server_fails_on_it():
    with pytest.raises(ValueError, match="profile must be one of the server's"):
        result_of(resubmissions.create_with_profile("default", SHA256))
