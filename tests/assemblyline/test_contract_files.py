"""What must hold on the stand-in and on a real server of files, results, reports and verdicts."""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.triggers import SUBMISSION
from self_hosted.core.errors import Busy, Forbidden, NotFound
from self_hosted.core.storage import written
from self_hosted.core.wait import Waiter, wait
from tests.assemblyline.conftest import upload

NO_SID, NO_SHA256 = "0123456789abcdefABCDEF", "0" * 64


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


@pytest.fixture
def impatient(server, connect) -> AssemblylineHook:
    """The same, without retries."""
    connection = json.loads(os.environ[f"AIRFLOW_CONN_{server.upper()}"])
    extra = {**connection["extra"], "retry_budget": 0}
    return AssemblylineHook(connect("impatient", {**connection, "extra": extra}))


@pytest.fixture
def submitted(hook):
    """Submit words that no other test submits and wait: submission's id, the words, and their SHA-256."""

    def submit(words: str) -> tuple[str, str, str]:
        unique = f"{uuid.uuid4().hex} {words}"
        sid = hook.submit(upload(unique), {})["sid"]
        wait(hook, SUBMISSION, Waiter(sid, time.time() + 30, 0.2))
        return sid, unique, hashlib.sha256(unique.encode()).hexdigest()

    return submit


@pytest.fixture
def saved(tmp_path):
    """Ask for a download, and read it."""

    def save(hook, ask, sha256, **options):
        path = tmp_path / uuid.uuid4().hex
        assert ask(hook, api.download_file(sha256, lambda: written(str(path)), **options)) is None
        return path.read_bytes()

    return save


def test_a_submission_is_told_whole(hook, ask, submitted):
    sid, words, sha256 = submitted("RIG-SCORE:700\nRIG-CHILD:inner")
    found = ask(hook, api.full_submission(sid, full_tree=True))
    child = hashlib.sha256(b"inner").hexdigest()
    assert set(found["file_infos"]) == {sha256, child}
    assert found["file_infos"][sha256]["size"] == len(words)
    assert found["file_tree"][sha256]["score"] == 700
    assert found["file_tree"][sha256]["children"][child]["name"] == ["child.txt"]
    assert found["missing_result_keys"] == []
    assert {one["sha256"] for one in found["results"].values()} == {sha256, child}


def test_a_summary_tells_tags_techniques_and_heuristics(hook, ask, submitted):
    sid, *_ = submitted("RIG-SCORE:700\nRIG-CHILD:RIG-SCORE:30")
    found = ask(hook, api.submission_summary(sid))
    assert found["tags"]["ioc"]["network.static.domain"] == [["rig.example.com", "suspicious", False, "TLP:C"]]
    assert found["tags"]["attribution"]["attribution.family"][0][0] == "RIGFAMILY"
    assert sorted(one[2] for one in found["attack_matrix"]["execution"]) == ["info", "suspicious"]
    assert found["heuristics"]["suspicious"] == [["RIGSCAN.1", "Rig marker found"]]
    assert (found["partial"], found["filtered"]) == (False, False)


def test_a_summary_of_what_is_harmless_is_empty(hook, ask, submitted):
    sid, *_ = submitted("nothing")
    found = ask(hook, api.submission_summary(sid))
    assert (found["attack_matrix"], found["heuristics"], found["map"]) == ({}, {}, {})
    assert found["tags"] == {"attribution": {}, "behavior": {}, "ioc": {}}


def test_a_tree_tells_the_files(hook, ask, submitted):
    sid, _, sha256 = submitted("RIG-CHILD:inner")
    found = ask(hook, api.submission_tree(sid))
    assert list(found["tree"]) == [sha256]
    assert [one["name"] for one in found["tree"][sha256]["children"].values()] == [["child.txt"]]


def test_a_report_tells_the_files_of_each_finding(hook, ask, submitted):
    sid, _, sha256 = submitted("RIG-SCORE:700")
    found = ask(hook, api.submission_report(sid))
    assert found["heuristics"]["suspicious"]["Rig marker found"] == [["a.txt", sha256]]
    uris = found["tags"]["indicators_of_compromise"]["network.static.uri"]
    assert uris == {"http://rig.example.com/x": {"files": [["a.txt", sha256]], "h_type": "suspicious"}}


def test_a_report_before_the_end_is_too_early(hook, impatient, ask):
    sid = hook.submit(upload(f"{uuid.uuid4().hex} RIG-SLEEP:8"), {})["sid"]
    with pytest.raises(Busy, match="too early"):
        ask(impatient, api.submission_report(sid))
    hook.delete_submission(sid)


def test_a_submissions_view_of_a_file(hook, ask, submitted):
    sid, _, sha256 = submitted("RIG-SCORE:700")
    for extra in ([], [f"{sha256}.Other.v1.c0"]):
        found = ask(hook, api.submission_file(sid, sha256.upper(), extra))
        assert found["file_info"]["sha256"] == sha256
        assert [one["result"]["score"] for one in found["results"]] == [700]
        assert found["heuristics"] == {"suspicious": [["RIGSCAN.1", "Rig marker found"]]}
        assert ["RIG_MARKER", "suspicious", False] in found["signatures"]
    with pytest.raises(NotFound, match="missing from the system"):
        ask(hook, api.submission_file(sid, NO_SHA256))


@pytest.mark.parametrize(
    "flow", [api.full_submission, api.submission_summary, api.submission_tree, api.submission_report]
)
def test_what_is_asked_of_no_submission(hook, ask, flow):
    with pytest.raises(NotFound, match=f"Submission ID {NO_SID} does not exists"):
        ask(hook, flow(NO_SID))


def test_submissions_are_listed_by_user_and_by_group(hook, ask, submitted):
    submitted("RIG-SCORE:41")
    sid, *_ = submitted("RIG-SCORE:42")
    time.sleep(1.5)  # until the index has it
    for flow in (api.user_submissions("admin", rows=1), api.group_submissions(rows=1)):
        found = ask(hook, flow)
        assert (len(found["items"]), found["rows"], found["offset"]) == (1, 1, 0)
    found = ask(hook, api.user_submissions("admin", query=f'sid:"{sid}"'))
    assert [one["max_score"] for one in found["items"]] == [42]
    assert ask(hook, api.group_submissions("NOSUCH"))["items"] == []


def test_submissions_of_somebody_else_are_not_listed(hook, ask):
    with pytest.raises(Forbidden, match="does not match"):
        ask(hook, api.user_submissions("somebody"))


def test_results_and_errors_are_read_by_their_keys(hook, ask, submitted):
    good, _, sha256 = submitted("RIG-SCORE:5")
    bad, _, failed = submitted("RIG-FAIL")
    [result], [error] = hook.submission(good)["results"], hook.submission(bad)["errors"]
    assert api.result_key(result)[:2] == (sha256, "RigScan")
    assert api.result_key(error) == (failed, "RigScan", "4.7.0.1", False, "exception")
    assert ask(hook, api.service_result(result))["result"]["score"] == 5
    assert ask(hook, api.service_error(error))["response"]["message"] == "RIG-FAIL asked for an error"
    found = ask(hook, api.service_results([result, f"{NO_SHA256}.X.v1.c0"], [error]))
    assert (list(found["result"]), list(found["error"])) == ([result], [error])
    assert found["error"][error]["response"]["status"] == "FAIL_NONRECOVERABLE"


def test_an_empty_result_is_told_by_its_key(hook, ask, submitted):
    sid, *_ = submitted("nothing")
    [key] = hook.submission(sid)["results"]
    assert api.result_key(key).is_empty
    assert ask(hook, api.service_results([key]))["result"][key]["result"]["sections"] == []


@pytest.mark.parametrize("flow", [api.service_result, api.service_error])
def test_a_key_that_nobody_knows(hook, ask, flow):
    with pytest.raises(NotFound, match="does not exists"):
        ask(hook, flow(f"{NO_SHA256}.X.v1.c0.e1"))


def test_a_file_is_known_with_its_results(hook, ask, submitted):
    _, words, sha256 = submitted("RIG-SCORE:350\nRIG-CHILD:inner")
    time.sleep(1.5)  # until the index has it
    info = ask(hook, api.file_info(sha256.upper()))
    assert (info["size"], info["type"], info["md5"]) == (
        len(words),
        "text/plain",
        hashlib.md5(words.encode(), usedforsecurity=False).hexdigest(),
    )
    assert ask(hook, api.file_score(sha256))["score"] == 350
    assert [one["name"] for one in ask(hook, api.file_children(sha256))] == ["child.txt"]
    found = ask(hook, api.file_results(sha256))
    assert [one["result"]["score"] for one in found["results"]] == [350]
    assert found["tags"]["network.static.domain"][0][0] == "rig.example.com"
    for every in (False, True):
        of_service = ask(hook, api.file_results_of_service(sha256, "RigScan", every=every))
        assert [one["result"]["score"] for one in of_service["results"]] == [350]
    assert ask(hook, api.file_results_of_service(sha256, "Nobody"))["results"] == []


def test_what_is_written_in_a_file(hook, ask, submitted):
    _, words, sha256 = submitted("some words\nand more")
    assert ask(hook, api.file_ascii(sha256)) == {"content": words, "truncated": False}
    first, *_ = ask(hook, api.file_hex(sha256, length=4))["content"].splitlines()
    assert first == f"00000000:  {words[:4].encode().hex(' ')}   {words[:4]}"
    assert ask(hook, api.file_hex(sha256, bytes_only=True))["content"] == words.encode().hex(" ")
    assert ask(hook, api.file_strings(sha256, length=10))["content"] == words.splitlines()[0]


def test_a_file_is_downloaded_as_it_is_and_neutered(hook, ask, submitted, saved):
    sid, words, sha256 = submitted("RIG-SCORE:900")
    assert saved(hook, ask, sha256, encoding="raw") == words.encode()
    neutered = saved(hook, ask, sha256, name="a b.exe", sid=sid)
    assert api.cart_header(neutered)["name"] == "a b.exe"
    assert words.encode() not in neutered
    assert saved(hook, ask, sha256, encoding="zip", password="a&b c").startswith(b"PK")


@pytest.mark.parametrize(
    "flow",
    [
        api.file_info,
        api.file_results,
        api.file_score,
        api.file_children,
        api.file_hex,
        api.file_ascii,
        api.file_strings,
        lambda sha256: api.file_results_of_service(sha256, "RigScan"),
        lambda sha256: api.download_file(sha256, lambda: written("never")),
    ],
)
def test_a_file_that_nobody_knows(hook, ask, flow):
    with pytest.raises(NotFound, match=r"not found in the system|does not exists"):
        ask(hook, flow(NO_SHA256))


def test_purging_needs_a_role_that_ordinary_keys_lack(hook, ask):
    with pytest.raises(Forbidden, match="file_purge"):
        ask(hook, api.purge_file(NO_SHA256))


def test_a_users_verdict_replaces_the_one_before(hook, ask, submitted):
    sid, *_ = submitted("nothing")
    assert ask(hook, api.set_verdict(sid, "malicious")) is True
    assert ask(hook, api.set_verdict(sid, "malicious")) is False
    assert ask(hook, api.set_verdict(sid, "non_malicious")) is True
    assert hook.submission(sid)["verdict"] == {"malicious": [], "non_malicious": ["admin"]}
    with pytest.raises(NotFound):
        ask(hook, api.set_verdict(NO_SID, "malicious"))


def test_a_digest_tells_the_worst(hook, ask, submitted):
    sid, *_ = submitted("RIG-SCORE:700\nRIG-CHILD:RIG-SCORE:30")
    found = ask(hook, api.submission_digest(sid))
    assert (found["max_score"], found["verdict"], found["file_count"]) == (700, "highly_suspicious", 2)
    assert found["heuristics"] == {"suspicious": ["Rig marker found"], "info": ["Rig marker found"]}
    assert found["attack"] == ["T1059"]
    assert found["iocs"]["network.static.domain"] == {"count": 1, "first": ["rig.example.com"]}
    assert found["attribution"]["attribution.family"]["first"] == ["RIGFAMILY"]
    assert (found["error_count"], found["failed_services"]) == (0, [])


def test_a_digest_tells_which_services_failed(hook, ask, submitted):
    sid, _, sha256 = submitted("RIG-FAIL")
    found = ask(hook, api.submission_digest(sid))
    [failed] = found["failed_services"]
    assert found["error_count"] == 1
    assert failed == {
        "service": "RigScan",
        "sha256": sha256,
        "error": "exception",
        "message": "RIG-FAIL asked for an error",
        "status": "FAIL_NONRECOVERABLE",
    }


def test_many_are_deleted_and_what_is_gone_is_told(hook, ask, submitted):
    sids = [submitted("x")[0] for _ in range(2)]
    assert ask(hook, api.delete_submissions([*sids, NO_SID])) == {"deleted": sids, "absent": [NO_SID]}
    assert [ask(hook, api.submission_if_any(sid)) for sid in sids] == [None, None]
