"""What a security team's example DAGs do, seen by what they leave: moved files, lists, alerts, reports.

They run in an Airflow of their own, which lets events make runs, from copies that have the tests' folder for ``/srv``,
are not run daily, look often, and try nothing twice.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.airflow import Airflow
from demo.delivery import await_dag
from demo.world import World, connect as store_connections
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.flow import Upload
from self_hosted.sandbox.server import Sandbox
from tests.dags.conftest import EXAMPLES
from tests.dags.test_events import SETTINGS
from tests.dags.test_waits import until

pytestmark = [pytest.mark.airflow, pytest.mark.long]
TIMEOUT = 150.0
CHANGES = {
    "poll_interval=30": "poll_interval=1",
    'schedule="@daily"': "schedule=None",
    'schedule="@hourly"': "schedule=None",
    '"retries": 3': '"retries": 0',
}


class Lab:
    """Airflow, sandbox and the folder that stands for ``/srv``.

    :param world: what runs
    :param srv: the folder
    :param hook: of the sandbox
    """

    def __init__(self, world: World, srv: Path, hook: AssemblylineHook) -> None:
        self.api, self.srv, self.hook = world.airflow.api, srv, hook

    def write(self, path: str, words: str, age: float = 3600) -> Path:
        """A file that was written so many seconds ago."""
        written = self.srv / path
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(words)
        os.utime(written, (time.time() - age,) * 2)
        return written

    def names(self, folder: str) -> set[str]:
        return {path.name for path in (self.srv / folder).rglob("*") if path.is_file()}

    def submit(self, words: str, **options: Any) -> dict[str, Any]:
        data = words.encode()
        sid = self.hook.submit(Upload("sample.txt", lambda: io.BytesIO(data), len(data)), options)["sid"]
        until(lambda: self.hook.submission(sid)["state"] == "completed")
        return dict(self.hook.submission(sid))

    def run(self, dag_id: str, **params: Any) -> dict[str, Any]:
        """Run a DAG to its end: its tasks by their ids, where they are mapped as lists."""
        run_id = self.api.trigger(dag_id, params)
        *_, tasks = self.api.watch(dag_id, run_id, TIMEOUT)
        return {task["task_id"]: task for task in tasks}

    def succeeded(self, dag_id: str, **params: Any) -> dict[str, Any]:
        """The same for a run without failed tasks."""
        tasks = self.run(dag_id, **params)
        bad = {
            name: self.api.error(task) for name, task in tasks.items() if task["state"] not in {"success", "skipped"}
        }
        assert bad == {}
        return tasks

    def badlist(self) -> list[dict[str, Any]]:
        return self.hook.search("badlist", {"query": "*", "rows": 100, "fl": "*"})


@pytest.fixture(scope="module")
def srv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("srv")


@pytest.fixture(scope="module")
def dags(tmp_path_factory: pytest.TempPathFactory, srv: Path) -> Path:
    """The DAGs, with other defaults."""
    folder = tmp_path_factory.mktemp("dags")
    for example in EXAMPLES.glob("assemblyline_*.py"):
        text = example.read_text(encoding="utf-8").replace('"/srv', f'"{srv}')
        for was, becomes in CHANGES.items():
            text = text.replace(was, becomes)
        (folder / example.name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, dags: Path) -> Iterator[World]:
    with Sandbox() as sandbox, Airflow(tmp_path_factory.mktemp("airflow"), dags, settings=SETTINGS) as airflow:
        store_connections(airflow.api, sandbox.url)
        seed = {"assemblyline": {"retrohunt": {"enabled": True}}}
        requests.post(f"{sandbox.url}/_control/seed", json=seed, timeout=10).raise_for_status()
        for dag in dags.glob("*.py"):
            await_dag(World(airflow, sandbox.url), dag.stem)
        yield World(airflow, sandbox.url)


@pytest.fixture
def lab(world: World, srv: Path, connect: Callable[[str, dict[str, Any]], str]) -> Lab:
    return Lab(world, srv, AssemblylineHook(connect("al", world.connections()["assemblyline_default"])))


def test_what_lands_in_the_drop_folder_is_released_or_kept_in_quarantine(lab: Lab):
    for name, words in {
        "clean.txt": "hello",
        "bad.txt": "RIG-SCORE:500",
        "empty.txt": "",
        "odd.txt": "RIG-FAIL",
    }.items():
        lab.write(f"drop/incoming/{name}", words)
    lab.write("drop/incoming/half.txt", "still being wri", age=0)
    tasks = lab.succeeded("assemblyline_folder_triage")
    assert lab.names("drop/incoming") == {"half.txt"}
    assert lab.names("drop/released") == {"clean.txt"}
    report = Path(lab.api.result(tasks["scan"])["report"])
    assert lab.names("drop/quarantine") == {"bad.txt", "empty.txt", "odd.txt", report.name}
    lines = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    assert {Path(line["file"]).name: line.get("verdict") for line in lines} == {
        "clean.txt": "info",
        "bad.txt": "suspicious",
        "empty.txt": None,
        "odd.txt": "info",
    }
    result = lab.api.result(tasks["release"])
    assert (result["released"], set(result["kept"])) == (1, {"bad.txt", "empty.txt", "odd.txt"})
    assert "suspicious: http" in result["kept"]["bad.txt"]


def test_the_urls_of_a_feed_are_analysed_once_and_bad_ones_blocked(lab: Lab):
    good, bad = "https://good.example/", "https://bad.example/RIG-SCORE:1000"
    feed = lab.write("feeds/urls.txt", f"# a feed\n{good}\n{bad}\n\n{good}\n")
    lab.succeeded("assemblyline_url_feed")
    wanted = {"query": f'metadata.feed:"{feed}"', "fl": "*"}
    assert sorted(found["metadata"]["entry"] for found in lab.hook.search("submission", wanted)) == sorted([good, bad])
    [entry] = [one for one in lab.badlist() if one["type"] == "tag"]
    assert entry["tag"] == {"type": "network.static.uri", "value": bad}
    tasks = lab.succeeded("assemblyline_url_feed")
    assert tasks["new_entries"]["state"] == "skipped"
    assert len(lab.hook.search("submission", wanted)) == 2


def test_an_alert_is_responded_to_as_soon_as_it_is_raised(lab: Lab):
    raise_alert = {"params": {"generate_alert": True}}
    raised: list[dict[str, Any]] = []

    def responded_to_one_of_some() -> dict[str, Any] | None:
        raised.append(lab.submit(f"RIG-SCORE:700, {len(raised)} were raised before", **raise_alert))
        for _ in range(30):
            time.sleep(0.5)
            for document in raised:
                if alert_of(document)["label"]:
                    return document
        return None

    def alert_of(document: dict[str, Any]) -> dict[str, Any]:
        [found] = until(lambda: lab.hook.search("alert", {"query": f'sid:"{document["sid"]}"'}))
        return dict(lab.hook.alert(found["alert_id"]))

    first = until(responded_to_one_of_some)  # a watch begins when Airflow has read the DAG once more
    malicious = lab.submit("RIG-SCORE:1200", **raise_alert)
    sha256 = malicious["files"][0]["sha256"]

    until(lambda: sha256 in [entry.get("hashes", {}).get("sha256") for entry in lab.badlist()])
    until(lambda: alert_of(malicious)["status"] == "MALICIOUS")
    assert (alert_of(malicious)["label"], alert_of(malicious)["priority"]) == (["AIRFLOW"], "CRITICAL")
    assert json.loads((lab.srv / "reports" / f"{malicious['sid']}.json").read_text())["submission"]["max_score"] == 1200
    assert (alert_of(first)["label"], alert_of(first)["status"]) == (["AIRFLOW"], "ASSESS")
    assert first["files"][0]["sha256"] not in [entry.get("hashes", {}).get("sha256") for entry in lab.badlist()]


@pytest.fixture
def release(lab: Lab) -> Callable[..., str]:
    """``release("one", tool="...")`` makes a folder of artifacts with their hashes."""

    def make(name: str, **artifacts: str) -> str:
        sums = ""
        for artifact, words in artifacts.items():
            lab.write(f"releases/{name}/{artifact}", words)
            sums += f"{hashlib.sha256(words.encode()).hexdigest()}  {artifact}\n"
        return str(lab.write(f"releases/{name}/SHA256SUMS", sums).parent)

    return make


def test_a_release_is_approved_or_refused(lab: Lab, release: Callable[..., str]):
    lab.submit("a library that everybody uses")
    fine = release("fine", library="a library that everybody uses", tool="a new tool")
    bad = release("bad", tool="RIG-SCORE:2000")
    changed = release("changed", tool="as it was built")
    lab.write("releases/changed/tool", "as it was not built")
    with ThreadPoolExecutor() as pool:
        runs = {
            name: pool.submit(lab.run, "assemblyline_release_gate", artifacts=path)
            for name, path in {"fine": fine, "bad": bad, "changed": changed}.items()
        }
        tasks = {name: run.result() for name, run in runs.items()}
    assert {name: found["approve"]["state"] for name, found in tasks.items()} == {
        "fine": "success",
        "bad": "upstream_failed",
        "changed": "upstream_failed",
    }
    approval = json.loads(Path(fine, "approved.json").read_text(encoding="utf-8"))
    assert (len(approval["known"]), approval["scanned"]) == (1, 1)
    assert not Path(bad, "approved.json").exists()
    assert "malicious" in lab.api.error(tasks["bad"]["scan"])
    assert "tool is not the file that was built" in lab.api.error(tasks["changed"]["hashes"])


def test_a_new_rule_is_hunted_and_its_hits_are_analysed_anew(lab: Lab):
    old = lab.submit("EvilCorp's dropper RIG-SCORE:550", params={"generate_alert": True})
    lab.submit("nothing of the kind")
    lab.write("hunts/new.yar", 'rule evil { strings: $a = "EvilCorp" condition: $a }')
    lab.succeeded("assemblyline_retrohunt")
    [hit] = [json.loads(line) for line in (lab.srv / "hunts" / "hits.jsonl").read_text().splitlines()]
    assert hit["sha256"] == old["files"][0]["sha256"]
    anew = lab.hook.search("submission", {"query": "metadata.retrohunt:*", "fl": "*"})
    assert [(found["state"], found["files"][0]["sha256"]) for found in anew] == [("completed", hit["sha256"])]
    alerts = lab.hook.search("alert", {"query": f'file.sha256:"{hit["sha256"]}"', "fl": "*"})
    assert {"RETROHUNT" in alert["label"] for alert in alerts} == {True}


@pytest.mark.parametrize(
    "dag_id", ["assemblyline_folder_triage", "assemblyline_url_feed", "assemblyline_alert_response"]
)
def test_with_nothing_to_do_all_is_skipped(lab: Lab, dag_id: str):
    shutil.rmtree(lab.srv / "drop", ignore_errors=True)
    (lab.srv / "feeds" / "urls.txt").unlink(missing_ok=True)
    tasks = lab.succeeded(dag_id)
    assert {task["state"] for task in tasks.values()} == {"skipped"}
