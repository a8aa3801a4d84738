"""The example DAGs for a security team, by their effects: moved files, lists, alerts, reports."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.dags.environment import reparse, wait_until
from tests.dags.lab import BAD_URL, GOOD_URL, Lab

pytestmark = pytest.mark.airflow


def test_files_of_the_drop_folder_are_released_or_quarantined(lab: Lab):
    tasks = lab.wait_for_success("triage")
    api = lab.environment.airflow.api
    assert lab.list_names("drop/incoming") == {"half.txt"}
    assert lab.list_names("drop/released") == {"clean.txt"}
    report = Path(api.get_result(tasks["scan"])["report_uri"])
    assert lab.list_names("drop/quarantine") == {"bad.txt", "empty.txt", "odd.txt", report.name}
    lines = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    assert {Path(line["file"]).name: line.get("verdict") for line in lines} == {
        "clean.txt": "info",
        "bad.txt": "suspicious",
        "empty.txt": None,
        "odd.txt": "info",
    }
    result = api.get_result(tasks["release"])
    assert (result["released"], set(result["kept"])) == (1, {"bad.txt", "empty.txt", "odd.txt"})
    assert "suspicious: http" in result["kept"]["bad.txt"]


def test_the_urls_of_a_feed_are_analysed_once_and_bad_ones_are_blocked(lab: Lab):
    lab.wait_for_success("feed")
    tasks = lab.wait_for_success("same feed")
    assert tasks["new_entries"].state == "skipped"
    query = {"query": f'metadata.feed:"{lab.srv / "feeds" / "urls.txt"}"', "fl": "*"}
    entries = [found["metadata"]["entry"] for found in lab.hook.search("submission", query)]
    assert sorted(entries) == sorted([GOOD_URL, BAD_URL])
    # other DAGs in this Airflow add tags, too
    blocked = [entry["tag"] for entry in lab.list_badlist() if entry["type"] == "tag"]
    assert [tag for tag in blocked if tag["value"] in entries] == [{"type": "network.static.uri", "value": BAD_URL}]


def submit_alert(lab: Lab, content: str) -> str:
    """Submit a file that raises an alert which the example watches, and return the id of the submission."""
    return lab.submit(content, params={"generate_alert": True}, metadata={"lab": "yes"})


def test_an_alert_is_responded_to_when_it_is_raised(lab: Lab):
    submitted: list[str] = []

    def find_response() -> str | None:
        # the watch starts after Airflow has parsed the DAG again; earlier alerts are not new
        reparse(lab.environment, "assemblyline_alert_response")
        submitted.append(submit_alert(lab, f"RIG-SCORE:700, file {len(submitted)}"))
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for sid in submitted:
                if lab.get_alert(sid)["label"]:
                    return sid
            time.sleep(0.5)
        return None

    first = wait_until(find_response)
    malicious = lab.wait_for_submission(submit_alert(lab, "RIG-SCORE:1200"))
    sid, sha256 = malicious["sid"], malicious["files"][0]["sha256"]
    wait_until(lambda: sha256 in lab.list_bad_hashes())
    wait_until(lambda: lab.get_alert(sid)["status"] == "MALICIOUS")
    assert (lab.get_alert(sid)["label"], lab.get_alert(sid)["priority"]) == (["AIRFLOW"], "CRITICAL")
    assert json.loads((lab.srv / "reports" / f"{sid}.json").read_text())["submission"]["max_score"] == 1200
    wait_until(lambda: lab.get_alert(first)["status"] == "ASSESS")
    assert lab.get_alert(first)["label"] == ["AIRFLOW"]
    assert lab.get_alert(first)["file"]["sha256"] not in lab.list_bad_hashes()


def test_a_release_is_approved_or_rejected(lab: Lab):
    tasks = {name: lab.wait_for_run(name) for name in ("fine", "bad", "changed")}
    assert {name: found["approve"].state for name, found in tasks.items()} == {
        "fine": "success",
        "bad": "upstream_failed",
        "changed": "upstream_failed",
    }
    releases, api = lab.srv / "releases", lab.environment.airflow.api
    approval = json.loads((releases / "fine" / "approved.json").read_text(encoding="utf-8"))
    assert (len(approval["known"]), approval["scanned"]) == (1, 1)
    assert not (releases / "bad" / "approved.json").exists()
    assert "malicious" in api.get_error(tasks["bad"]["scan"])
    assert "tool is not the file that was built" in api.get_error(tasks["changed"]["hashes"])


def test_a_new_rule_is_hunted_and_its_hits_are_analysed_again(lab: Lab):
    lab.wait_for_success("hunt")
    [hit] = [json.loads(line) for line in (lab.srv / "hunts" / "hits.jsonl").read_text().splitlines()]
    analysed: list[dict[str, Any]] = lab.hook.search("submission", {"query": "metadata.retrohunt:*", "fl": "*"})
    assert [(found["state"], found["files"][0]["sha256"]) for found in analysed] == [("completed", hit["sha256"])]
    alerts = lab.hook.search("alert", {"query": f'file.sha256:"{hit["sha256"]}"', "fl": "*"})
    assert {"RETROHUNT" in alert["label"] for alert in alerts} == {True}


def test_the_rules_of_a_checkout_are_added_and_sources_fetched(lab: Lab):
    tasks = lab.wait_for_success("rules")
    api = lab.environment.airflow.api
    assert {name: api.get_result(task).get("added", 0) for name, task in tasks.items()}["update"] == 1
    assert api.get_result(tasks["fetch"])["sources"] == {"community": "Signature(s) Imported."}
    [signature] = lab.hook.search_signatures('source:"soc"')
    assert (signature["id"], signature["status"]) == ("yara_soc_evil", "STAGING")


@pytest.mark.parametrize(
    "dag_id", ["assemblyline_folder_triage", "assemblyline_url_feed", "assemblyline_alert_response"]
)
def test_a_run_with_nothing_to_do_is_skipped(lab: Lab, dag_id: str):
    tasks = lab.wait_for_success(f"idle {dag_id}")
    assert {task.state for task in tasks.values()} == {"skipped"}
