"""Each operator and sensor of Assemblyline in a real Airflow: results, effects, links, and no secret anywhere."""

from __future__ import annotations

import json
import zipfile
from concurrent.futures import Future
from hashlib import sha256
from pathlib import Path

import pytest

from tests.dags.operators.every_operator import dag
from tests.dags.operators_run import DAG_ID, SAMPLE, ZIP_PASSWORD, OperatorsRun
from tests.meta.tasks import TASKS, get_product

in_airflow = pytest.mark.airflow
SHA256 = sha256(SAMPLE).hexdigest()
SECRETS = ("sandbox-secret", ZIP_PASSWORD)
"""Secrets of the connections; they must not be anywhere else."""
SKIPPED = {"ask_an_analyst", "release"}
DEFERRED = {"scan", "alert", "urls", "ingested", "hunt", "rules"}
SUBMISSIONS = 9  # one each of scan, again and known, two each of delivery, urls and intake
VERDICTS = {
    **{name: ["malicious"] for name in ("scan", "again", "known", "seen", "look_up")},
    "urls": ["info", "suspicious"],
    "ingested": ["info", "info"],
}
PAGES = {
    **dict.fromkeys(("scan", "branch", "judge", "report", "keep", "known", "delivery"), "/submission/detail/"),
    **dict.fromkeys(("urls", "again", "out", "back", "look_up", "seen", "ingested"), "/submission/detail/"),
    **dict.fromkeys(("block", "block_iocs", "pardon", "forget"), "/manage/badlist"),
    **dict.fromkeys(("intake", "clean_up", "found", "quiet"), "/search/submission?query="),
    **dict.fromkeys(("alert", "triage"), "/alerts/"),
    "sweep": "/alerts?",
    "fetch": f"/file/detail/{SHA256}",
    **dict.fromkeys(("hunt", "hunted"), "/retrohunt/"),
    "rules": "/manage/sources",
    "services": "",
}
"""The page of each task's link, in Assemblyline's own interface."""


@pytest.fixture
def run(operators_run: tuple[OperatorsRun, Future[None]]) -> OperatorsRun:
    """The run, after its end."""
    run, end = operators_run
    end.result()
    return run


def test_the_dag_has_every_operator_and_sensor_that_waits():
    waiting = {task for task in TASKS if get_product(task) == "assemblyline" and hasattr(task, "wait_spec")}
    assert waiting - {getattr(task, "operator_class", type(task)) for task in dag.tasks} == set()


def test_the_expected_pages_are_those_of_all_tasks_with_a_link():
    assert set(PAGES) == {task.task_id for task in dag.tasks if task.operator_extra_links}


@in_airflow
def test_every_task_succeeds_or_is_skipped_by_the_verdict(run: OperatorsRun):
    api = run.environment.airflow.api
    assert {task.task_id: api.get_error(task) for task in run.tasks if task.state == "failed"} == {}
    assert {task.task_id for task in run.tasks if task.state != "success"} == SKIPPED


@in_airflow
def test_deferred_tasks_wait_in_the_triggerer(run: OperatorsRun):
    logs = run.environment.airflow.home.glob(f"logs/dag_id={DAG_ID}/run_id={run.run_id}/**/*.trigger.*.log")
    assert {part.removeprefix("task_id=") for log in logs for part in log.parts if "task_id=" in part} == DEFERRED


@in_airflow
def test_tasks_that_submit_or_wait_return_the_verdict(run: OperatorsRun):
    verdicts = {name: [result["verdict"] for result in run.list_results(name)] for name in VERDICTS}
    assert verdicts == VERDICTS
    assert [result["deduplicated"] for result in run.results["ingested"]] == [False, False]
    assert sorted(result["error_count"] for result in run.results["ingested"]) == [0, 1]
    submitted = [run.results[name]["sid"] for name in ("scan", "again", "known")]
    assert len(set(submitted)) == 3
    assert run.results["seen"] == run.results["again"]


@in_airflow
def test_many_files_are_counted_and_listed_in_a_report(run: OperatorsRun):
    result = run.results["delivery"]
    assert (result["total"], result["completed"], result["skipped"], result["failed"]) == (3, 2, 1, 0)
    assert (result["verdicts"]["suspicious"], result["worst"]["file"]) == (1, f"{run.folder}/delivery/two.txt")
    assert {Path(line["file"]).name: line.get("skipped") for line in run.read_lines("delivery.jsonl")} == {
        "one.txt": None,
        "two.txt": None,
        "empty.txt": "the file is empty",
    }
    assert {line["ingest_id"] for line in run.read_lines("intake.jsonl")} == {
        result["ingest_id"] for result in run.results["ingested"]
    }


@in_airflow
def test_the_alert_is_found_and_changed(run: OperatorsRun):
    result = run.results
    assert (result["alert"]["alert_id"], result["alert"]["sha256"]) == (result["scan"]["sid"], SHA256)
    assert result["triage"]["changed"] == ["add_labels", "priority"]
    assert (result["sweep"]["found"], result["sweep"]["changed"]) == (1, 1)
    rows = run.environment.get_state()["assemblyline"]["alerts"]
    [alert] = [row for row in rows if row["alert_id"] == result["alert"]["alert_id"]]
    assert (alert["label"], alert["priority"], alert["status"]) == (["AIRFLOW"], "HIGH", "TRIAGE")


@in_airflow
def test_an_entry_of_the_badlist_is_added_disabled_and_removed(run: OperatorsRun):
    result = run.results
    assert [result["block"]["added"], result["pardon"]["changed"], result["forget"]["removed"]] == [1, 1, 1]


@in_airflow
def test_a_submission_is_exported_deleted_and_imported(run: OperatorsRun):
    sid, result = run.results["again"]["sid"], run.results
    assert result["clean_up"]["sids"] == [sid]
    assert (result["back"]["sid"], result["back"]["imported"]) == (sid, True)
    assert sid in {row["sid"] for row in run.environment.get_state()["assemblyline"]["submissions"]}


@in_airflow
def test_files_have_the_details_of_the_results(run: OperatorsRun):
    result = run.results
    assert result["report"]["verdict"] == "malicious"
    assert json.loads((run.folder / "report.json").read_text())["submission"]["sid"] == result["scan"]["sid"]
    assert len(run.read_lines("found.jsonl")) == result["found"]["count"] == SUBMISSIONS
    assert [line["sha256"] for line in run.read_lines("hits.jsonl")] == [
        hit["sha256"] for hit in result["hunt"]["hits"]
    ]
    assert [hit["sha256"] for hit in result["hunt"]["hits"]] == [SHA256]
    with zipfile.ZipFile(result["fetch"]["path"]) as archive:
        assert archive.namelist() == [SHA256]
    assert (result["look_up"]["known"], result["look_up"]["malicious"]) == (1, 1)
    assert result["services"][0]["name"] == "RigScan"
    assert result["keep"]["action"] == "archive"


@in_airflow
def test_each_submission_is_an_asset_with_the_verdict_in_its_event(run: OperatorsRun):
    events = run.query_database(
        "SELECT asset.uri, asset_event.extra FROM asset_event JOIN asset ON asset.id = asset_event.asset_id "
        f"WHERE asset_event.source_run_id = '{run.run_id}'"
    )
    host = run.environment.sandbox_url.removeprefix("http://")
    submissions = [run.results["scan"], *(line for line in run.read_lines("delivery.jsonl") if "sid" in line)]
    assert {uri: json.loads(extra)["verdict"] for uri, extra in events} == {
        f"assemblyline://{host}/assemblyline/submission/{found['sid']}": found["verdict"] for found in submissions
    }


@in_airflow
def test_the_link_of_every_task_opens_its_page(run: OperatorsRun):
    base = run.environment.get_connections()["assemblyline_default"]["host"]
    tasks = [task for task in run.tasks if task.task_id in PAGES]
    assert {task.task_id for task in tasks} == set(PAGES)
    for task in tasks:
        (link,) = run.environment.airflow.api.list_links(task)
        assert link.startswith(base + PAGES[task.task_id]), task.task_id
        result = run.environment.airflow.api.get_result(task)
        if isinstance(result, dict) and "url" in result:
            assert link == result["url"]


@in_airflow
def test_no_secret_is_in_logs_triggers_or_the_database(run: OperatorsRun):
    texts = {"a trigger": str(run.triggers)}
    for (table,) in run.query_database("SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'connection'"):
        texts[f"the table {table}"] = str(run.query_database(f'SELECT * FROM "{table}"'))
    for log in run.environment.airflow.home.glob("logs/**/*.log"):
        texts[str(log)] = log.read_text(encoding="utf-8")
    assert [where for where, text in texts.items() if any(secret in text for secret in SECRETS)] == []
    assert "'zip_password': '***'" in str(run.get_rendered_fields("fetch"))


def read_logs(run: OperatorsRun) -> dict[Path, list[str]]:
    """Return the lines of each task instance, those of its trigger included, by the folder of its logs."""
    logs: dict[Path, list[str]] = {}
    for log in run.environment.airflow.home.glob(f"logs/dag_id={DAG_ID}/run_id={run.run_id}/**/attempt=*.log"):
        records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        logs.setdefault(log.parent, []).extend(str(record.get("event")) for record in records)
    return logs


@in_airflow
def test_the_log_of_every_task_shows_its_link_and_its_result(run: OperatorsRun):
    logs = read_logs(run)
    for start in ("Open in Assemblyline: ", "Done in "):
        shown = {folder for folder, lines in logs.items() if any(line.startswith(start) for line in lines)}
        names = {part.removeprefix("task_id=") for folder in shown for part in folder.parts if "task_id=" in part}
        assert set(PAGES) - names <= {"branch"}, (
            start
        )  # Airflow ends a branch by an exception: its last line is another


@in_airflow
def test_no_line_of_a_task_repeats_with_each_poll(run: OperatorsRun):
    starts, repeated = ("Waiting for ", "submission ", "Submission ", "Done in "), []
    for folder, every_line in read_logs(run).items():
        lines = [line for line in every_line if line.startswith(starts)]
        repeated += [(folder.name, line) for line in set(lines) if lines.count(line) > 1]
    assert repeated == []
