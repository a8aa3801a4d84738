"""Contract of files, results, reports and verdicts, on the fake server and on live ones."""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid

import pytest

from self_hosted.assemblyline import waits
from self_hosted.assemblyline.api.bundles import carts
from self_hosted.assemblyline.api.files import downloads, files
from self_hosted.assemblyline.api.submissions import digests, owners, reports, results, submissions, verdicts
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import NotFoundError, PermissionDeniedError, UnavailableError
from self_hosted.core.tasks.storage import atomic_writer
from self_hosted.core.wait.loop import wait_in_worker
from self_hosted.core.wait.pending import PendingWait
from tests.assemblyline.conftest import upload, wait_until

MISSING_SID, MISSING_SHA256 = "0123456789abcdefABCDEF", "0" * 64


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


@pytest.fixture
def impatient(server, connect) -> AssemblylineHook:
    """The hook without retries."""
    connection = json.loads(os.environ[f"AIRFLOW_CONN_{server.upper()}"])
    extra = {**connection["extra"], "retry_timeout": 0}
    return AssemblylineHook(connect("impatient", {**connection, "extra": extra}))


@pytest.fixture
def submitted(hook):
    """``submit("RIG-SCORE:5")`` submits a new file and waits; return id, text and SHA-256 of the file."""

    def submit(text: str) -> tuple[str, str, str]:
        unique = f"{uuid.uuid4().hex} {text}"
        sid = hook.submit(upload(unique), {})["sid"]
        wait_in_worker(hook, waits.SUBMISSION, PendingWait(sid, time.time() + 60, 0.2))
        return sid, unique, hashlib.sha256(unique.encode()).hexdigest()

    return submit


@pytest.fixture
def saved(tmp_path):
    """``save(hook, run_flow, sha256)`` downloads a file and returns its content."""

    def save(hook, run_flow, sha256, **options):
        path = tmp_path / uuid.uuid4().hex
        assert run_flow(hook, downloads.download(sha256, lambda: atomic_writer(str(path)), **options)) is None
        return path.read_bytes()

    return save


def test_the_full_submission_contains_files_and_results(hook, run_flow, submitted):
    sid, text, sha256 = submitted("RIG-SCORE:700\nRIG-CHILD:inner")
    found = run_flow(hook, reports.get_full(sid, full_tree=True))
    child = hashlib.sha256(b"inner").hexdigest()
    assert set(found["file_infos"]) == {sha256, child}
    assert found["file_infos"][sha256]["size"] == len(text)
    assert found["file_tree"][sha256]["score"] == 700
    assert found["file_tree"][sha256]["children"][child]["name"] == ["child.txt"]
    assert found["missing_result_keys"] == []
    assert {result["sha256"] for result in found["results"].values()} == {sha256, child}


def test_the_summary_contains_tags_techniques_and_heuristics(hook, run_flow, submitted):
    sid, *_ = submitted("RIG-SCORE:700\nRIG-CHILD:RIG-SCORE:30")
    found = run_flow(hook, reports.get_summary(sid))
    assert found["tags"]["ioc"]["network.static.domain"] == [["rig.example.com", "suspicious", False, "TLP:C"]]
    assert found["tags"]["attribution"]["attribution.family"][0][0] == "RIGFAMILY"
    assert sorted(technique[2] for technique in found["attack_matrix"]["execution"]) == ["info", "suspicious"]
    assert found["heuristics"]["suspicious"] == [["RIGSCAN.1", "Rig marker found"]]
    assert (found["partial"], found["filtered"]) == (False, False)


def test_the_summary_of_a_harmless_file_is_empty(hook, run_flow, submitted):
    sid, *_ = submitted("nothing")
    found = run_flow(hook, reports.get_summary(sid))
    assert (found["attack_matrix"], found["heuristics"], found["map"]) == ({}, {}, {})
    assert found["tags"] == {"attribution": {}, "behavior": {}, "ioc": {}}


def test_the_tree_contains_the_files(hook, run_flow, submitted):
    sid, _, sha256 = submitted("RIG-CHILD:inner")
    found = run_flow(hook, reports.get_tree(sid))
    assert list(found["tree"]) == [sha256]
    assert [child["name"] for child in found["tree"][sha256]["children"].values()] == [["child.txt"]]


def test_the_report_contains_the_files_of_each_finding(hook, run_flow, submitted):
    sid, _, sha256 = submitted("RIG-SCORE:700")
    found = run_flow(hook, reports.get(sid))
    assert found["heuristics"]["suspicious"]["Rig marker found"] == [["a.txt", sha256]]
    uris = found["tags"]["indicators_of_compromise"]["network.static.uri"]
    assert uris == {"http://rig.example.com/x": {"files": [["a.txt", sha256]], "h_type": "suspicious"}}


def test_a_running_submission_has_no_report(hook, impatient, run_flow):
    sid = hook.submit(upload(f"{uuid.uuid4().hex} RIG-SLEEP:8"), {})["sid"]
    with pytest.raises(UnavailableError, match="too early"):
        run_flow(impatient, reports.get(sid))
    hook.delete_submission(sid)


def test_a_submission_has_findings_on_a_file(hook, run_flow, submitted):
    sid, _, sha256 = submitted("RIG-SCORE:700")
    for extra in ([], [f"{sha256}.Other.v1.c0"]):
        found = run_flow(hook, reports.get_file(sid, sha256.upper(), extra))
        assert found["file_info"]["sha256"] == sha256
        assert [result["result"]["score"] for result in found["results"]] == [700]
        assert found["heuristics"] == {"suspicious": [["RIGSCAN.1", "Rig marker found"]]}
        assert ["RIG_MARKER", "suspicious", False] in found["signatures"]
    with pytest.raises(NotFoundError, match="missing from the system"):
        run_flow(hook, reports.get_file(sid, MISSING_SHA256))


@pytest.mark.parametrize("flow", [reports.get_full, reports.get_summary, reports.get_tree, reports.get])
def test_a_missing_submission_has_no_report(hook, run_flow, flow):
    with pytest.raises(NotFoundError, match=f"Submission ID {MISSING_SID} does not exists"):
        run_flow(hook, flow(MISSING_SID))


def test_submissions_are_listed_by_user_and_by_group(hook, run_flow, submitted):
    submitted("RIG-SCORE:41")
    sid, *_ = submitted("RIG-SCORE:42")
    wait_until(lambda: hook.search_submissions(f'sid:"{sid}"'))
    for flow in (owners.list_by_user("admin", rows=1), owners.list_by_group(rows=1)):
        found = run_flow(hook, flow)
        assert (len(found["items"]), found["rows"], found["offset"]) == (1, 1, 0)
    found = run_flow(hook, owners.list_by_user("admin", query=f'sid:"{sid}"'))
    assert [document["max_score"] for document in found["items"]] == [42]
    assert run_flow(hook, owners.list_by_group("NOSUCH"))["items"] == []


def test_submissions_of_other_users_are_not_listed(hook, run_flow):
    with pytest.raises(PermissionDeniedError, match="does not match"):
        run_flow(hook, owners.list_by_user("somebody"))


def test_results_and_errors_are_read_by_their_keys(hook, run_flow, submitted):
    good, _, sha256 = submitted("RIG-SCORE:5")
    bad, _, failed = submitted("RIG-FAIL")
    [result], [error] = hook.get_submission(good)["results"], hook.get_submission(bad)["errors"]
    assert results.parse_key(result)[:2] == (sha256, "RigScan")
    assert results.parse_key(error) == (failed, "RigScan", "4.7.0.1", False, "exception")
    assert run_flow(hook, results.get(result))["result"]["score"] == 5
    assert run_flow(hook, results.get_error(error))["response"]["message"] == "RIG-FAIL asked for an error"
    found = run_flow(hook, results.get_many([result, f"{MISSING_SHA256}.X.v1.c0"], [error]))
    assert (list(found["result"]), list(found["error"])) == ([result], [error])
    assert found["error"][error]["response"]["status"] == "FAIL_NONRECOVERABLE"


def test_the_key_marks_an_empty_result(hook, run_flow, submitted):
    sid, *_ = submitted("nothing")
    [key] = hook.get_submission(sid)["results"]
    assert results.parse_key(key).is_empty
    assert run_flow(hook, results.get_many([key]))["result"][key]["result"]["sections"] == []


@pytest.mark.parametrize("flow", [results.get, results.get_error])
def test_an_unknown_key_is_not_found(hook, run_flow, flow):
    with pytest.raises(NotFoundError, match="does not exists"):
        run_flow(hook, flow(f"{MISSING_SHA256}.X.v1.c0.e1"))


def test_a_file_has_a_record_and_results(hook, run_flow, submitted):
    _, text, sha256 = submitted("RIG-SCORE:350\nRIG-CHILD:inner")
    query = {"query": f'sha256:"{sha256}"'}
    wait_until(lambda: hook.search("file", query) and hook.search("result", query))
    info = run_flow(hook, files.get(sha256.upper()))
    assert (info["size"], info["type"], info["md5"]) == (
        len(text),
        "text/plain",
        hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
    )
    assert run_flow(hook, files.get_score(sha256))["score"] == 350
    assert [child["name"] for child in run_flow(hook, files.list_children(sha256))] == ["child.txt"]
    found = run_flow(hook, files.get_results(sha256))
    assert [result["result"]["score"] for result in found["results"]] == [350]
    assert found["tags"]["network.static.domain"][0][0] == "rig.example.com"
    for every in (False, True):
        service_results = run_flow(hook, files.get_service_results(sha256, "RigScan", every=every))
        assert [result["result"]["score"] for result in service_results["results"]] == [350]
    assert run_flow(hook, files.get_service_results(sha256, "Nobody"))["results"] == []


def test_the_content_of_a_file_is_shown(hook, run_flow, submitted):
    _, text, sha256 = submitted("some text\nand more")
    assert run_flow(hook, files.get_ascii(sha256)) == {"content": text, "truncated": False}
    first, *_ = run_flow(hook, files.get_hex(sha256, length=4))["content"].splitlines()
    assert first == f"00000000:  {text[:4].encode().hex(' ')}   {text[:4]}"
    assert run_flow(hook, files.get_hex(sha256, bytes_only=True))["content"] == text.encode().hex(" ")
    assert run_flow(hook, files.get_strings(sha256, length=10))["content"] == text.splitlines()[0]


def test_a_file_is_downloaded_raw_and_neutralised(hook, run_flow, submitted, saved):
    sid, text, sha256 = submitted("RIG-SCORE:900")
    assert saved(hook, run_flow, sha256, encoding="raw") == text.encode()
    neutralised = saved(hook, run_flow, sha256, name="a b.exe", sid=sid)
    assert carts.read_header(neutralised)["name"] == "a b.exe"
    assert text.encode() not in neutralised
    assert saved(hook, run_flow, sha256, encoding="zip", password="a&b c").startswith(b"PK")


@pytest.mark.parametrize(
    "flow",
    [
        files.get,
        files.get_results,
        files.get_score,
        files.list_children,
        files.get_hex,
        files.get_ascii,
        files.get_strings,
        lambda sha256: files.get_service_results(sha256, "RigScan"),
        lambda sha256: downloads.download(sha256, lambda: atomic_writer("never")),
    ],
)
def test_an_unknown_file_is_not_found(hook, run_flow, flow):
    with pytest.raises(NotFoundError, match=r"not found in the system|does not exists"):
        run_flow(hook, flow(MISSING_SHA256))


def test_purging_requires_the_role_file_purge(hook, run_flow):
    with pytest.raises(PermissionDeniedError, match="file_purge"):
        run_flow(hook, files.purge(MISSING_SHA256))


def test_the_verdict_of_a_user_replaces_the_earlier_one(hook, run_flow, submitted):
    sid, *_ = submitted("nothing")
    assert run_flow(hook, verdicts.set_user_verdict(sid, "malicious")) is True
    assert run_flow(hook, verdicts.set_user_verdict(sid, "malicious")) is False
    assert run_flow(hook, verdicts.set_user_verdict(sid, "non_malicious")) is True
    assert hook.get_submission(sid)["verdict"] == {"malicious": [], "non_malicious": ["admin"]}
    with pytest.raises(NotFoundError):
        run_flow(hook, verdicts.set_user_verdict(MISSING_SID, "malicious"))


def test_the_digest_contains_the_worst_findings(hook, run_flow, submitted):
    sid, *_ = submitted("RIG-SCORE:700\nRIG-CHILD:RIG-SCORE:30")
    found = run_flow(hook, digests.get(sid))
    assert (found["max_score"], found["verdict"], found["file_count"]) == (700, "highly_suspicious", 2)
    assert found["heuristics"] == {"suspicious": ["Rig marker found"], "info": ["Rig marker found"]}
    assert found["attack"] == ["T1059"]
    assert "rig.example.com" in [ioc["value"] for ioc in found["iocs"] if ioc["type"] == "network.static.domain"]
    assert found["ioc_counts"]["network.static.domain"] == 1
    assert found["attribution"]["attribution.family"]["first"] == ["RIGFAMILY"]
    assert (found["error_count"], found["failed_services"]) == (0, [])


def test_the_digest_contains_failed_services(hook, run_flow, submitted):
    sid, _, sha256 = submitted("RIG-FAIL")
    found = run_flow(hook, digests.get(sid))
    [failed] = found["failed_services"]
    assert found["error_count"] == 1
    assert failed == {
        "service": "RigScan",
        "sha256": sha256,
        "error": "exception",
        "message": "RIG-FAIL asked for an error",
        "status": "FAIL_NONRECOVERABLE",
    }


def test_many_submissions_are_deleted_and_missing_ones_reported(hook, run_flow, submitted):
    sids = [submitted("x")[0] for _ in range(2)]
    assert run_flow(hook, submissions.delete_many([*sids, MISSING_SID])) == {"deleted": sids, "absent": [MISSING_SID]}
    assert [run_flow(hook, submissions.get_if_present(sid)) for sid in sids] == [None, None]
