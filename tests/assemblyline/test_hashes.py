"""Looking files up by their hashes: the flows by hand, and against the stand-in."""

from __future__ import annotations

import hashlib

import pytest

from self_hosted.assemblyline import api
from self_hosted.core.errors import Broken, Forbidden, NotFound
from tests.assemblyline.conftest import upload
from tests.assemblyline.flows import CONFIGURATION, items, reply, result_of

A, B, C = "a" * 64, "b" * 64, "c" * 64
MD5 = "d" * 32
OUTSIDE = {"confirmed": True, "data": {}, "description": "seen in the wild", "malicious": True}


def digest(kind: str, words: str) -> str:
    return hashlib.new(kind, words.encode(), usedforsecurity=False).hexdigest()


def file(sha256, **hashes):
    return {"sha256": sha256, "seen": {"last": "2026-11-24T10:00:00Z"}, **hashes}


def submission(sid, score, *sha256s):
    return {
        "sid": sid,
        "max_score": score,
        "error_count": 1,
        "times": {"completed": "2026-11-24T11:00:00Z"},
        "files": [{"sha256": one} for one in sha256s],
    }


def result(sha256, service, score, created="2026-11-24T09:00:00Z"):
    return {"sha256": sha256, "created": created, "result": {"score": score}, "response": {"service_name": service}}


def test_many_hashes_are_looked_up_by_a_few_searches():
    replies = (
        reply(CONFIGURATION),
        items(file(A, md5=MD5), file(B)),
        items(submission("bad", 1200, A), submission("good", 0, B, A)),
        items(),
        items({"hashes": {"sha256": B, "md5": None}}),
    )
    flow = api.look_up_hashes([MD5.upper(), B, C])
    # the third has no submission, so that its results are looked for
    (first, second, third), steps = result_of(flow, *replies[:3], items(), *replies[3:])
    assert first == {
        "hash": MD5.upper(),
        "known": True,
        "malicious": True,
        "verdict": "malicious",
        "max_score": 1200,
        "error_count": 1,
        "sid": "bad",
        "sha256": A,
        "analysed": "2026-11-24T11:00:00Z",
        "last_seen": "2026-11-24T10:00:00Z",
        "badlisted": False,
        "safelisted": False,
        "sources": {},
    }
    assert (second["verdict"], second["sid"], second["safelisted"]) == ("info", "good", True)
    assert (third["known"], third["verdict"], third["sha256"], third["last_seen"]) == (False, None, C, None)
    paths = [step.path.split("/")[-2] for step in steps]
    assert paths == ["configuration", "file", "submission", "result", "badlist", "safelist"]
    assert steps[1].json["query"] == f'md5:("{MD5}") OR sha256:("{B}" OR "{C}")'
    assert "NOT to_be_deleted:true" in steps[2].json["filters"]


def test_a_file_that_was_only_found_within_others_has_the_sum_of_its_newest_results():
    found = [result(A, "X", 300), result(A, "Y", 50), result(A, "X", 9000, "2026-11-01T09:00:00Z")]
    replies = reply(CONFIGURATION), items(file(A)), items(), items(*found), items(), items()
    ([one], _) = result_of(api.look_up_hashes([A]), *replies)
    assert (one["known"], one["max_score"], one["verdict"], one["sid"]) == (True, 350, "suspicious", None)
    assert one["analysed"] == "2026-11-24T09:00:00Z"


def test_results_that_are_too_old_do_not_count():
    replies = reply(CONFIGURATION), items(file(A)), items(), items(), items(), items()
    ([one], steps) = result_of(api.look_up_hashes([A], max_age="30d"), *replies)
    assert (one["known"], one["verdict"]) == (True, None)
    assert "times.completed:[now-30d TO *]" in steps[2].json["filters"]
    assert steps[3].json["filters"] == ["created:[now-30d TO *]"]


def test_a_list_that_the_user_may_not_see_is_left_open():
    replies = reply(CONFIGURATION), items(), items(), items(), Forbidden("badlist_view"), Forbidden("safelist_view")
    ([one], _) = result_of(api.look_up_hashes([A]), *replies)
    assert (one["badlisted"], one["safelisted"], one["malicious"]) == (None, None, False)


def test_what_is_badlisted_is_malicious_though_nothing_else_is_known_of_it():
    entry = items({"hashes": {"sha256": A}})
    replies = reply(CONFIGURATION), items(), items(), items(), entry, items()
    ([one], _) = result_of(api.look_up_hashes([A]), *replies)
    assert (one["known"], one["malicious"], one["badlisted"], one["verdict"]) == (False, True, True, None)


def test_pages_of_submissions_are_read_until_each_file_is_found():
    def page(found, following):
        return reply({"items": [found], "next_deep_paging_id": following})

    found = [
        page(submission("a", 900, A), "p,1"),
        page(submission("a2", 800, A), "p,2"),
        page(submission("b", 5, B), "p"),
    ]
    replies = reply(CONFIGURATION), items(file(A), file(B)), *found, items(), items()
    (one, other), _ = result_of(api.look_up_hashes([A, B]), *replies)
    assert (one["sid"], other["sid"]) == ("a", "b")


def test_hashes_are_looked_up_by_the_hundred():
    hashes = [f"{number:064x}" for number in range(101)]
    hundred = (items(), items(), items(), items(), items())
    found, steps = result_of(api.look_up_hashes(hashes), reply(CONFIGURATION), *hundred, *hundred)
    assert [one["hash"] for one in found] == hashes
    assert len(steps) == 11


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((["xyz"],), "hash must be a SHA-256, SHA-1, MD5, ssdeep or TLSH, not 'xyz'"),
        (([A], "soon"), "max_age must be a span such as 12h or 30d"),
        (([A], "0d"), "max_age must be a span"),
        (([A], 30), "max_age must be a span"),
    ],
)
def test_what_is_no_hash_and_no_age_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        result_of(api.look_up_hashes(*arguments))


def test_a_source_that_is_unknown_is_refused_since_the_server_would_leave_it_out():
    with pytest.raises(ValueError, match=r"there is no x.vt on this server, which has al, alert"):
        result_of(api.look_up_hashes([A], sources=["al", "x.vt"]), reply(["al", "alert"]))


# The server's sources


def test_an_ssdeep_with_a_slash_can_be_looked_up_but_sources_cannot_be_asked_for_it(served, hook):
    assert hook.look_up_hashes(["3:a/b:c"])[0]["known"] is False
    with pytest.raises(ValueError, match=r"sources cannot be asked for '3:a/b:c': it holds a slash"):
        hook.hash_search("3:a/b:c")
    with pytest.raises(ValueError, match="it holds a slash"):
        hook.look_up_hashes([A, "3:a/b:c"], sources=["al"])


def test_an_address_that_the_server_does_not_know_is_no_unknown_hash():
    with pytest.raises(NotFound, match="Api does not exist"):
        result_of(api.hash_search(A), NotFound("Api does not exist (/api/v4/hash_search/)"))


def test_sources_are_asked_for_one_hash():
    told = {"al": {"error": None, "items": [OUTSIDE]}, "x.vt": {"error": "Transport timeout", "items": []}}
    flow = api.hash_search(A.upper(), ["al", "x.vt"], "TLP:C", 2.5, 10)
    found, (request,) = result_of(flow, reply(told, words=None))
    assert found == told
    assert request.target == f"/api/v4/hash_search/{A}/?db=al%7Cx.vt&classification=TLP%3AC&max_timeout=2.5&limit=10"


def test_a_hash_that_nobody_knows_is_no_error():
    assert result_of(api.hash_search(A), NotFound("File hash not found."))[0] == {}
    told = {"x.vt": {"error": "File hash not found.", "items": []}}
    assert result_of(api.hash_search(A), reply(told, 404))[0] == {"x.vt": {"error": None, "items": []}}


def test_it_is_an_error_when_no_source_could_answer():
    told = {"x.vt": {"error": "Transport timeout", "items": []}, "x.b": {"error": "no key", "items": []}}
    with pytest.raises(Broken, match=r"no source could answer: x.vt: Transport timeout; x.b: no key"):
        result_of(api.hash_search(A), reply(told, 500))


SEED = {
    "x.knows": {A: [OUTSIDE]},
    "x.knows-nothing": {"other": []},
    "x.fails": {"error": "Transport timeout"},
    "x.other-kind": {"error": "Unsupported hash type."},
}


@pytest.mark.parametrize(
    ("sources", "items_and_errors"),
    [
        (["x.knows"], {"x.knows": (1, None)}),
        (["x.knows-nothing"], {"x.knows-nothing": (0, None)}),  # 404
        (["x.other-kind"], {"x.other-kind": (0, None)}),  # 422
        (["al", "x.fails"], {"al": (0, None), "x.fails": (0, "Transport timeout")}),  # 500
        (["x.knows", "x.fails"], {"x.knows": (1, None), "x.fails": (0, "Transport timeout")}),
        (["x.nosuch"], {}),
    ],
)
def test_what_the_good_sources_say_is_kept_whatever_the_status_is(served, hook, ask, sources, items_and_errors):
    served.seed({"hash_sources": SEED})
    found = ask(hook, api.hash_search(A, sources))
    assert {name: (len(one["items"]), one["error"]) for name, one in found.items()} == items_and_errors


def test_a_source_that_alone_fails_is_an_error(served, hook, ask):
    served.seed({"hash_sources": SEED})
    with pytest.raises(Broken, match=r"x.fails: Transport timeout"):
        ask(hook, api.hash_search(A, ["x.fails"]))


def test_a_source_outside_makes_a_file_malicious(served, hook):
    served.seed({"hash_sources": SEED})
    one, other = hook.look_up_hashes([A, B], sources=["x.knows", "x.fails"][:1])
    assert (one["known"], one["malicious"], one["verdict"]) == (False, True, None)
    assert one["sources"] == {
        "x.knows": {"malicious": True, "confirmed": True, "descriptions": ["seen in the wild"], "error": None}
    }
    assert other["malicious"] is False


def test_a_file_is_known_by_each_of_its_hashes_with_its_worst_submission(served, hook):
    served.seed({"delay": 0})
    words = "RIG-SCORE:400"
    hook.submit(upload(words), {})
    sid = hook.submit(upload(words), {})["sid"]
    served.product.submissions[sid].findings.scores[digest("sha256", words)] = 900
    hook.is_completed(sid)
    hashes = [digest(kind, words) for kind in ("sha256", "sha1", "md5")]
    found = hook.look_up_hashes([*hashes, A])
    assert [(one["sid"], one["max_score"], one["verdict"]) for one in found[:3]] == [
        (sid, 900, "highly_suspicious")
    ] * 3
    assert found[3]["known"] is False


def test_a_submission_that_was_cancelled_does_not_count(served, hook):
    words = "RIG-SCORE:400"
    sid = hook.submit(upload(words), {})["sid"]
    hook.delete_submission(sid)
    served.product.submissions[sid].completed_at = 0
    [found] = hook.look_up_hashes([digest("sha256", words)])
    assert (found["known"], found["sid"]) == (True, None)


def test_pages_are_those_of_submissions_or_else_of_files():
    finding = {"sid": "s", "sha256": A}
    assert api.finding_url("http://al", finding) == "http://al/submission/detail/s"
    assert api.finding_url("http://al", {**finding, "sid": None}) == f"http://al/file/detail/{A}"
    assert api.finding_url("http://al", {"sid": None, "sha256": None}) == "http://al"
