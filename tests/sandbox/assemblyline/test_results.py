"""Results, errors, and the views of a submission."""

from __future__ import annotations

import hashlib
import io
import zipfile

import pytest

SERVICE_KEY = "RigScan.v4_7_0_1.c194ZBEYk2AF"


@pytest.fixture
def add(submit):
    """``add("content")``: the ids of the submission and of its file."""

    def add_submission(content="x"):
        document = submit(content)
        return document["sid"], document["files"][0]["sha256"]

    return add_submission


@pytest.mark.usefixtures("fast")
def test_a_completed_submission_has_the_keys_of_its_results_and_errors(call, add):
    sid, sha256 = add("RIG-CHILD:inner")
    child = hashlib.sha256(b"inner").hexdigest()
    results = call("GET", f"submission/{sid}/").response["results"]
    assert results == [f"{sha256}.{SERVICE_KEY}", f"{child}.{SERVICE_KEY}.e"]
    sid, sha256 = add("RIG-FAIL")
    document = call("GET", f"submission/{sid}/").response
    assert (document["results"], document["errors"]) == ([], [f"{sha256}.{SERVICE_KEY}.e1"])


def test_the_views_of_a_running_submission_are_empty(served, call, add):
    served.seed({"delay": 60})
    sid, sha256 = add("RIG-SCORE:700")
    assert call("GET", f"submission/{sid}/").response["results"] == []
    assert call("GET", f"submission/full/{sid}/").response["results"] == {}
    assert call("GET", f"submission/summary/{sid}/").response["heuristics"] == {}
    assert call("GET", f"submission/{sid}/file/{sha256}/").response["heuristics"] == {}
    message = f"It is too early to generate the report. Submission ID {sid} is incomplete."
    assert call("GET", f"submission/report/{sid}/").error == (425, message)


@pytest.mark.usefixtures("fast")
def test_the_tree_has_the_names_of_files_in_an_archive(call, add):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("in/a.txt", "RIG-SCORE:5")
    sid, sha256 = add(target.getvalue())
    [top] = call("GET", f"submission/tree/{sid}/").response["tree"].values()
    assert (top["type"], [child["name"] for child in top["children"].values()]) == ("archive/zip", [["in/a.txt"]])
    child = {"name": "in/a.txt", "sha256": hashlib.sha256(b"RIG-SCORE:5").hexdigest()}
    assert call("GET", f"file/children/{sha256}/").response == [child]


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(
    ("score", "level"),
    [(-5, "safe"), (0, "info"), (299, "info"), (300, "suspicious"), (999, "suspicious"), (1000, "malicious")],
)
def test_heuristics_have_no_level_highly_suspicious(call, add, score, level):
    sid, _ = add(f"RIG-SCORE:{score}")
    assert list(call("GET", f"submission/summary/{sid}/").response["heuristics"]) == [level]
    report = call("GET", f"submission/report/{sid}/").response["heuristics"]
    assert [name for name, found in report.items() if found] == [level]


@pytest.mark.usefixtures("fast")
def test_a_report_has_the_names_of_failed_services_instead_of_keys(call, add):
    sid, _ = add("RIG-FAIL")
    report = call("GET", f"submission/report/{sid}/").response
    assert report["params"]["services"]["errors"] == ["RigScan"]
    assert not {"results", "errors"} & set(report)
    assert "errors" not in call("GET", f"submission/{sid}/").response["params"]["services"]


@pytest.mark.usefixtures("fast")
def test_an_error_is_available_at_two_paths(call, add):
    sid, _ = add("RIG-FAIL")
    [key] = call("GET", f"submission/{sid}/").response["errors"]
    assert call("GET", f"error/{key}/").response == call("GET", f"result/error/{key}/").response


@pytest.mark.usefixtures("fast")
def test_results_are_deleted_with_their_submission(call, add):
    sid, _ = add("RIG-SCORE:1")
    [key] = call("GET", f"submission/{sid}/").response["results"]
    assert call("GET", f"result/{key}/").status == 200
    call("DELETE", f"submission/{sid}/")
    assert call("GET", f"result/{key}/").status == 404


@pytest.mark.usefixtures("fast")
def test_files_and_results_can_be_searched(call, add):
    _, sha256 = add("RIG-SCORE:77")
    add("nothing")
    found = call("GET", "search/result/", params={"query": "result.score:77"}).response
    assert [item["id"].partition(".")[0] for item in found["items"]] == [sha256]
    assert call("GET", "search/result/", params={"query": "*"}).response["total"] == 1
    found = call("GET", "search/file/", params={"query": f'sha256:"{sha256}"'}).response
    assert [item["type"] for item in found["items"]] == ["text/plain"]
