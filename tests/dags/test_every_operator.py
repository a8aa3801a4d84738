"""Each operator and sensor of Assemblyline in a real Airflow: what its task tells, leaves behind and keeps secret."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.delivery import await_dag
from demo.world import World
from self_hosted.core.operator import ProductOperator
from self_hosted.core.sensor import ProductSensor
from tests.dags.operators.every_operator import dag
from tests.meta.code import classes

pytestmark = [pytest.mark.airflow, pytest.mark.long]
TIMEOUT = 150.0
SAMPLE = b"EvilCorp RIG-SCORE:1200"
SHA256 = sha256(SAMPLE).hexdigest()
ZIP_PASSWORD = "a-password-of-zips"  # no secret but for this test
SECRETS = ("sandbox-secret", ZIP_PASSWORD)
"""Those of the connections; each may be nowhere else."""
SKIPPED = {"ask_an_analyst", "release"}
DEFERRED = {"scan", "alert", "urls", "ingested", "hunt"}
SUBMISSIONS = 9  # one each of scan, again and known, two each of delivery, urls and intake
VERDICTS = {
    **{name: ["malicious"] for name in ("scan", "again", "known", "seen", "look_up")},
    "urls": ["info", "suspicious"],
    "ingested": ["info", "info"],
}
PAGES = {
    **dict.fromkeys(("scan", "branch", "judge", "report", "keep", "known", "delivery"), "/submission/detail/"),
    **dict.fromkeys(("urls", "again", "out", "back", "look_up"), "/submission/detail/"),
    **dict.fromkeys(("block", "pardon", "forget"), "/manage/badlist"),
    "intake": "/submissions",
    "clean_up": "/search/submission?query=",
    "found": "/search/submission?query=",
    "triage": "/alerts/",
    "sweep": "/alerts?",
    "fetch": f"/file/detail/{SHA256}",
    "hunt": "/retrohunt/",
    "services": "",
}
"""What the link of each operator leads to, in Assemblyline's own interface."""


@dataclass
class Run:
    """A run of the DAG that is over.

    :param world: Airflow and sandbox
    :param folder: its folder
    :param run_id: its id
    :param tasks: its task instances
    :param triggers: all that was seen in Airflow's table of triggers meanwhile
    """

    world: World
    folder: Path
    run_id: str
    tasks: list[dict[str, Any]] = field(default_factory=list)
    triggers: set[str] = field(default_factory=set)

    def of(self, task_id: str) -> list[dict[str, Any]]:
        return [task for task in self.tasks if task["task_id"] == task_id]

    @cached_property
    def results(self) -> dict[str, Any]:
        """What each task told; the mapped ones with those of all instances."""
        api = self.world.airflow.api
        told = {name: [api.result(task) for task in self.of(name)] for name in dag.task_dict}
        return {name: found if name in {"urls", "ingested"} else found[0] for name, found in told.items()}

    def listed(self, task_id: str) -> list[dict[str, Any]]:
        found = self.results[task_id]
        return found if isinstance(found, list) else [found]

    def rendered(self, task_id: str) -> dict[str, Any]:
        """The arguments of a task as Airflow shows them."""
        api = self.world.airflow.api
        path = f"/api/v2/dags/{dag.dag_id}/dagRuns/{self.run_id}/taskInstances/{task_id}"
        return dict(api.session.get(api.url + path, timeout=30).json()["rendered_fields"])

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / name).read_text(encoding="utf-8").splitlines()]

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """What Airflow's database answers."""
        database = f"file:{self.world.airflow.home}/airflow.db?mode=ro"
        with closing(sqlite3.connect(database, uri=True, timeout=30)) as opened:
            return list(opened.execute(question))

    def watch(self) -> None:
        for tasks in self.world.airflow.api.watch(dag.dag_id, self.run_id, TIMEOUT):
            self.tasks = tasks
            self.triggers.update(str(row) for row in self.ask("SELECT * FROM trigger"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("case")
    for name, words in {
        "sample.exe": SAMPLE,
        "rule.yar": b'rule evil { strings: $a = "EvilCorp" condition: $a }',
        "delivery/one.txt": b"harmless",
        "delivery/two.txt": b"RIG-SCORE:350",
        "delivery/empty.txt": b"",
        "intake/three.txt": b"harmless, too",
        "intake/four.txt": b"RIG-FAIL",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(words)
    return folder


@pytest.fixture(scope="module")
def run(running: World, folder: Path) -> Run:
    seed = {"assemblyline": {"retrohunt": {"enabled": True}, "archive": {"enabled": True}}}
    requests.post(f"{running.sandbox_url}/_control/seed", json=seed, timeout=10).raise_for_status()
    running.airflow.api.connect("quarantine", {"conn_type": "generic", "password": ZIP_PASSWORD})
    await_dag(running, dag.dag_id)
    run = Run(running, folder, running.airflow.api.trigger(dag.dag_id, {"folder": str(folder)}))
    run.watch()
    return run


def test_the_dag_has_each_operator_and_sensor():
    there = {
        *classes("assemblyline", "operators", ProductOperator),
        *classes("assemblyline", "sensors", ProductSensor),
    }
    assert there - {getattr(task, "operator_class", type(task)) for task in dag.tasks} == set()


def test_each_operator_has_a_page_to_lead_to():
    operators = [task.task_id for task in dag.tasks if task.operator_extra_links]
    assert sorted(operators) == sorted(PAGES)


def test_each_task_succeeds_or_is_skipped_by_the_verdict(run: Run):
    api = run.world.airflow.api
    assert {task["task_id"]: api.error(task) for task in run.tasks if task["state"] == "failed"} == {}
    assert {task["task_id"] for task in run.tasks if task["state"] != "success"} == SKIPPED


def test_what_waits_deferred_is_kept_by_the_triggerer(run: Run):
    logs = run.world.airflow.home.glob(f"logs/dag_id={dag.dag_id}/run_id={run.run_id}/**/*.trigger.*.log")
    assert {part.removeprefix("task_id=") for log in logs for part in log.parts if "task_id=" in part} == DEFERRED


def test_verdicts_are_told_by_all_that_submit_or_wait(run: Run):
    told = {name: [one["verdict"] for one in run.listed(name)] for name in VERDICTS}
    assert told == VERDICTS
    assert [one["deduplicated"] for one in run.results["ingested"]] == [False, False]
    assert sorted(one["error_count"] for one in run.results["ingested"]) == [0, 1]
    submitted = [run.results[name]["sid"] for name in ("scan", "again", "known")]
    assert len(set(submitted)) == 3
    assert run.results["seen"] == run.results["again"]


def test_many_files_are_counted_and_told_one_by_one_in_a_report(run: Run):
    result = run.results["delivery"]
    assert (result["total"], result["completed"], result["skipped"], result["failed"]) == (3, 2, 1, 0)
    assert (result["verdicts"]["suspicious"], result["worst"]["file"]) == (1, f"{run.folder}/delivery/two.txt")
    assert {Path(line["file"]).name: line.get("skipped") for line in run.lines("delivery.jsonl")} == {
        "one.txt": None,
        "two.txt": None,
        "empty.txt": "it is empty",
    }
    assert {line["ingest_id"] for line in run.lines("intake.jsonl")} == {
        one["ingest_id"] for one in run.results["ingested"]
    }


def test_the_alert_is_found_and_changed(run: Run):
    result = run.results
    assert (result["alert"]["alert_id"], result["alert"]["sha256"]) == (result["scan"]["sid"], SHA256)
    assert result["triage"]["changed"] == ["add_labels", "priority"]
    assert (result["sweep"]["found"], result["sweep"]["changed"]) == (1, 1)
    rows = run.world.state()["assemblyline"]["alerts"]
    [alert] = [row for row in rows if row["alert_id"] == result["alert"]["alert_id"]]
    assert (alert["label"], alert["priority"], alert["status"]) == (["AIRFLOW"], "HIGH", "TRIAGE")


def test_an_entry_of_the_badlist_comes_is_switched_off_and_goes(run: Run):
    result = run.results
    assert [result["block"]["added"], result["pardon"]["changed"], result["forget"]["removed"]] == [1, 1, 1]


def test_a_submission_goes_into_a_bundle_is_deleted_and_comes_back(run: Run):
    sid, result = run.results["again"]["sid"], run.results
    assert result["clean_up"]["sids"] == [sid]
    assert (result["back"]["sid"], result["back"]["imported"]) == (sid, True)
    assert sid in {row["sid"] for row in run.world.state()["assemblyline"]["submissions"]}


def test_files_hold_what_the_results_tell_in_short(run: Run):
    result = run.results
    assert result["report"]["verdict"] == "malicious"
    assert json.loads((run.folder / "report.json").read_text())["submission"]["sid"] == result["scan"]["sid"]
    assert len(run.lines("found.jsonl")) == result["found"]["count"] == SUBMISSIONS
    assert [line["sha256"] for line in run.lines("hits.jsonl")] == [one["sha256"] for one in result["hunt"]["hits"]]
    assert [one["sha256"] for one in result["hunt"]["hits"]] == [SHA256]
    with zipfile.ZipFile(result["fetch"]["path"]) as archive:
        assert archive.namelist() == [SHA256]
    assert (result["look_up"]["known"], result["look_up"]["malicious"]) == (1, 1)
    assert result["services"][0]["name"] == "RigScan"
    assert result["keep"]["action"] == "archive"


def test_each_submission_is_an_asset_whose_event_tells_the_verdict(run: Run):
    told = run.ask(
        "SELECT asset.uri, asset_event.extra FROM asset_event JOIN asset ON asset.id = asset_event.asset_id "
        f"WHERE asset_event.source_run_id = '{run.run_id}'"
    )
    host = run.world.sandbox_url.removeprefix("http://")
    made = [run.results["scan"], *(line for line in run.lines("delivery.jsonl") if "sid" in line)]
    assert {uri: json.loads(extra)["verdict"] for uri, extra in told} == {
        f"assemblyline://{host}/assemblyline/submission/{one['sid']}": one["verdict"] for one in made
    }


def test_the_link_of_each_operator_leads_to_its_page(run: Run):
    base = run.world.connections()["assemblyline_default"]["host"]
    tasks = [task for task in run.tasks if task["task_id"] in PAGES]
    assert {task["task_id"] for task in tasks} == set(PAGES)
    for task in tasks:
        (link,) = run.world.airflow.api.links(task)
        assert link.startswith(base + PAGES[task["task_id"]]), task["task_id"]
        told = run.world.airflow.api.result(task)
        if isinstance(told, dict) and "url" in told:
            assert link == told["url"]


def test_no_secret_is_in_a_log_or_in_what_airflow_keeps(run: Run):
    kept = {"a trigger": str(run.triggers)}
    for (table,) in run.ask("SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'connection'"):
        kept[f"the table {table}"] = str(run.ask(f'SELECT * FROM "{table}"'))
    for log in run.world.airflow.home.glob("logs/**/*.log"):
        kept[str(log)] = log.read_text(encoding="utf-8")
    assert [where for where, text in kept.items() if any(secret in text for secret in SECRETS)] == []
    assert "'zip_password': '***'" in str(run.rendered("fetch"))
