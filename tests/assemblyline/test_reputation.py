"""Reputation of files by hash, and data sources."""

from __future__ import annotations

import hashlib

import pytest

from self_hosted.assemblyline.api.files import data_sources, reputation
from self_hosted.core.http.errors import NotFoundError, PermissionDeniedError, ServerError
from tests.assemblyline.conftest import upload
from tests.assemblyline.flows import CONFIGURATION, items, reply, result_of

A, B, C = "a" * 64, "b" * 64, "c" * 64
MD5 = "d" * 32
EXTERNAL = {"confirmed": True, "data": {}, "description": "seen in the wild", "malicious": True}


def digest(kind: str, text: str) -> str:
    return hashlib.new(kind, text.encode(), usedforsecurity=False).hexdigest()


def file(sha256, **hashes):
    return {"sha256": sha256, "seen": {"last": "2026-11-24T10:00:00Z"}, **hashes}


def submission(sid, score, *sha256s):
    return {
        "sid": sid,
        "max_score": score,
        "error_count": 1,
        "times": {"completed": "2026-11-24T11:00:00Z"},
        "files": [{"sha256": sha256} for sha256 in sha256s],
    }


def result(sha256, service, score, created="2026-11-24T09:00:00Z"):
    return {"sha256": sha256, "created": created, "result": {"score": score}, "response": {"service_name": service}}


def test_many_hashes_cost_a_few_searches():
    replies = (
        reply(CONFIGURATION),
        items(file(A, md5=MD5), file(B)),
        items(submission("bad", 1200, A), submission("good", 0, B, A)),
        items(),
        items({"hashes": {"sha256": B, "md5": None}}),
    )
    flow = reputation.look_up([MD5.upper(), B, C])
    # the third has no submission, so its results are searched
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


def test_the_score_of_an_extracted_file_is_the_sum_of_its_newest_results():
    found = [result(A, "X", 300), result(A, "Y", 50), result(A, "X", 9000, "2026-11-01T09:00:00Z")]
    replies = reply(CONFIGURATION), items(file(A)), items(), items(*found), items(), items()
    ([finding], _) = result_of(reputation.look_up([A]), *replies)
    assert (finding["known"], finding["max_score"], finding["verdict"], finding["sid"]) == (
        True,
        350,
        "suspicious",
        None,
    )
    assert finding["analysed"] == "2026-11-24T09:00:00Z"


def test_older_results_do_not_count():
    replies = reply(CONFIGURATION), items(file(A)), items(), items(), items(), items()
    ([finding], steps) = result_of(reputation.look_up([A], max_age="30d"), *replies)
    assert (finding["known"], finding["verdict"]) == (True, None)
    assert "times.completed:[now-30d TO *]" in steps[2].json["filters"]
    assert steps[3].json["filters"] == ["created:[now-30d TO *]"]


def test_a_list_that_the_user_may_not_see_is_none():
    replies = (
        reply(CONFIGURATION),
        items(),
        items(),
        items(),
        PermissionDeniedError("badlist_view"),
        PermissionDeniedError("safelist_view"),
    )
    ([finding], _) = result_of(reputation.look_up([A]), *replies)
    assert (finding["badlisted"], finding["safelisted"], finding["malicious"]) == (None, None, False)


def test_a_badlisted_file_is_malicious_even_if_unknown():
    entry = items({"hashes": {"sha256": A}})
    replies = reply(CONFIGURATION), items(), items(), items(), entry, items()
    ([finding], _) = result_of(reputation.look_up([A]), *replies)
    assert (finding["known"], finding["malicious"], finding["badlisted"], finding["verdict"]) == (
        False,
        True,
        True,
        None,
    )


def test_pages_of_submissions_are_read_until_each_file_is_found():
    def page(found, following):
        return reply({"items": [found], "next_deep_paging_id": following})

    found = [
        page(submission("a", 900, A), "p,1"),
        page(submission("a2", 800, A), "p,2"),
        page(submission("b", 5, B), "p"),
    ]
    replies = reply(CONFIGURATION), items(file(A), file(B)), *found, items(), items()
    (finding, other), _ = result_of(reputation.look_up([A, B]), *replies)
    assert (finding["sid"], other["sid"]) == ("a", "b")


def test_a_hundred_hashes_are_one_batch():
    hashes = [f"{number:064x}" for number in range(101)]
    hundred = (items(), items(), items(), items(), items())
    found, steps = result_of(reputation.look_up(hashes), reply(CONFIGURATION), *hundred, *hundred)
    assert [finding["hash"] for finding in found] == hashes
    assert len(steps) == 11


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["xyz"],), "hash must be a SHA-256, SHA-1, MD5, ssdeep or TLSH, not 'xyz'"),
        (([A], "soon"), "max_age must be a time span such as 12h or 30d"),
        (([A], "0d"), "max_age must be a time span"),
        (([A], 30), "max_age must be a time span"),
    ],
)
def test_an_invalid_hash_or_age_is_rejected(arguments, message):
    with pytest.raises(ValueError, match=message):
        result_of(reputation.look_up(*arguments))


def test_an_unknown_data_source_is_rejected_because_the_server_would_ignore_it():
    with pytest.raises(ValueError, match=r"unknown x.vt; this server has al, alert"):
        result_of(reputation.look_up([A], sources=["al", "x.vt"]), reply(["al", "alert"]))


# Data sources


def test_an_ssdeep_with_a_slash_can_be_looked_up_except_in_data_sources(served, hook):
    assert hook.look_up_hashes(["3:a/b:c"])[0]["known"] is False
    with pytest.raises(ValueError, match=r"data sources cannot be queried for '3:a/b:c'"):
        hook.search_data_sources("3:a/b:c")
    with pytest.raises(ValueError, match="its slash"):
        hook.look_up_hashes([A, "3:a/b:c"], sources=["al"])


def test_an_unknown_path_is_no_unknown_hash():
    with pytest.raises(NotFoundError, match="Api does not exist"):
        result_of(data_sources.search(A), NotFoundError("Api does not exist (/api/v4/hash_search/)"))


def test_data_sources_are_queried_for_one_hash():
    results = {"al": {"error": None, "items": [EXTERNAL]}, "x.vt": {"error": "Transport timeout", "items": []}}
    flow = data_sources.search(A.upper(), ["al", "x.vt"], "TLP:C", 2.5, 10)
    found, (request,) = result_of(flow, reply(results, message=None))
    assert found == results
    assert request.target == f"/api/v4/hash_search/{A}/?db=al%7Cx.vt&classification=TLP%3AC&max_timeout=2.5&limit=10"


def test_an_unknown_hash_is_no_error():
    assert result_of(data_sources.search(A), NotFoundError("File hash not found."))[0] == {}
    results = {"x.vt": {"error": "File hash not found.", "items": []}}
    assert result_of(data_sources.search(A), reply(results, 404))[0] == {"x.vt": {"error": None, "items": []}}


def test_the_failure_of_all_data_sources_is_an_error():
    results = {"x.vt": {"error": "Transport timeout", "items": []}, "x.b": {"error": "no key", "items": []}}
    with pytest.raises(ServerError, match=r"all data sources failed: x.vt: Transport timeout; x.b: no key"):
        result_of(data_sources.search(A), reply(results, 500))


SEED = {
    "x.knows": {A: [EXTERNAL]},
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
def test_results_of_working_data_sources_are_kept_for_every_status(served, hook, sources, items_and_errors):
    served.seed({"hash_sources": SEED})
    found = hook.run(data_sources.search(A, sources))
    assert {name: (len(result["items"]), result["error"]) for name, result in found.items()} == items_and_errors


def test_the_failure_of_the_only_data_source_is_an_error(served, hook):
    served.seed({"hash_sources": SEED})
    with pytest.raises(ServerError, match=r"x.fails: Transport timeout"):
        hook.run(data_sources.search(A, ["x.fails"]))


def test_an_external_data_source_makes_a_file_malicious(served, hook):
    served.seed({"hash_sources": SEED})
    finding, other = hook.look_up_hashes([A, B], sources=["x.knows", "x.fails"][:1])
    assert (finding["known"], finding["malicious"], finding["verdict"]) == (False, True, None)
    assert finding["sources"] == {
        "x.knows": {"malicious": True, "confirmed": True, "descriptions": ["seen in the wild"], "error": None}
    }
    assert other["malicious"] is False


def test_each_hash_of_a_file_finds_its_worst_submission(served, hook):
    served.seed({"delay": 0})
    text = "RIG-SCORE:400"
    hook.submit(upload(text), {})
    sid = hook.submit(upload(text), {})["sid"]
    served.product.store.submissions[sid].analysis.scores[digest("sha256", text)] = 900
    hook.is_submission_completed(sid)
    hashes = [digest(kind, text) for kind in ("sha256", "sha1", "md5")]
    found = hook.look_up_hashes([*hashes, A])
    assert [(finding["sid"], finding["max_score"], finding["verdict"]) for finding in found[:3]] == [
        (sid, 900, "highly_suspicious")
    ] * 3
    assert found[3]["known"] is False


def test_a_cancelled_submission_does_not_count(served, hook):
    text = "RIG-SCORE:400"
    sid = hook.submit(upload(text), {})["sid"]
    hook.delete_submission(sid)
    served.product.store.submissions[sid].completed_at = 0
    [found] = hook.look_up_hashes([digest("sha256", text)])
    assert (found["known"], found["sid"]) == (True, None)


def test_the_page_is_that_of_the_submission_or_else_of_the_file():
    finding = {"sid": "s", "sha256": A}
    assert reputation.build_page_url("http://al", finding) == "http://al/submission/detail/s"
    assert reputation.build_page_url("http://al", {**finding, "sid": None}) == f"http://al/file/detail/{A}"
    assert reputation.build_page_url("http://al", {"sid": None, "sha256": None}) == "http://al"
