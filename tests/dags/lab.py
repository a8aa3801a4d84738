"""The laboratory of a security team: folders, submissions, and runs of the example DAGs that work on them."""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.api import Task
from demo.environment import Environment
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.flow import Upload
from tests.dags.environment import TIMEOUT_SECONDS, wait_until


@dataclass
class Lab:
    """Airflow, the sandbox, and the folder that replaces ``/srv``.

    :param environment: Airflow and the sandbox
    :param srv: the folder
    :param hook: a hook for the sandbox's Assemblyline
    :param run_ids: the runs that were started, by name
    """

    environment: Environment
    srv: Path
    hook: AssemblylineHook
    run_ids: dict[str, tuple[str, str]] = field(default_factory=dict)

    def write_file(self, path: str, content: str, age_seconds: float = 3600) -> Path:
        """Write a file with a modification time in the past.

        :param path: its path in the folder
        :param content: its text
        :param age_seconds: time since the modification
        """
        written = self.srv / path
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(content)
        os.utime(written, (time.time() - age_seconds,) * 2)
        return written

    def write_release(self, name: str, **artifacts: str) -> str:
        """Write a folder of artifacts with their hashes, and return its path."""
        sums = ""
        for artifact, content in artifacts.items():
            self.write_file(f"releases/{name}/{artifact}", content)
            sums += f"{hashlib.sha256(content.encode()).hexdigest()}  {artifact}\n"
        return str(self.write_file(f"releases/{name}/SHA256SUMS", sums).parent)

    def list_names(self, folder: str) -> set[str]:
        """Return the names of all files below a folder."""
        return {path.name for path in (self.srv / folder).rglob("*") if path.is_file()}

    def submit(self, content: str, **options: Any) -> str:
        """Submit a file and return the id of the submission."""
        data = content.encode()
        return str(self.hook.submit(Upload("sample.txt", lambda: io.BytesIO(data), len(data)), options)["sid"])

    def wait_for_submission(self, sid: str) -> dict[str, Any]:
        """Wait until a submission is completed, and return it."""
        wait_until(lambda: self.hook.get_submission(sid)["state"] == "completed")
        return dict(self.hook.get_submission(sid))

    def get_alert(self, sid: str) -> dict[str, Any]:
        """Wait until a submission has raised an alert, and return it."""
        [found] = wait_until(lambda: self.hook.search("alert", {"query": f'sid:"{sid}"'}))
        return dict(self.hook.get_alert(found["alert_id"]))

    def list_badlist(self) -> list[dict[str, Any]]:
        """Return all entries of the badlist."""
        return self.hook.search("badlist", {"query": "*", "rows": 100, "fl": "*"})

    def list_bad_hashes(self) -> list[str | None]:
        """Return the SHA-256 of each entry of the badlist."""
        return [entry.get("hashes", {}).get("sha256") for entry in self.list_badlist()]

    def start_run(self, name: str, dag_id: str, **params: Any) -> None:
        """Start a run of a DAG.

        :param name: the name of the run in the tests
        :param dag_id: the DAG
        :param params: values of its params
        """
        self.run_ids[name] = (dag_id, self.environment.airflow.api.trigger_run(dag_id, params))

    def wait_for_run(self, name: str) -> dict[str, Task]:
        """Wait for the end of a run, and return its task instances by their ids."""
        *_, tasks = self.environment.airflow.api.watch_run(*self.run_ids[name], TIMEOUT_SECONDS)
        return {task.task_id: task for task in tasks}

    def wait_for_success(self, name: str) -> dict[str, Task]:
        """Wait for the end of a run without failed tasks, and return its task instances by their ids."""
        tasks = self.wait_for_run(name)
        api, succeeded = self.environment.airflow.api, {"success", "skipped"}
        errors = {name: api.get_error(task) for name, task in tasks.items() if task.state not in succeeded}
        assert not errors, errors
        return tasks


SHARED_LIBRARY = "a library that many products use"
EVIL_RULE = 'rule evil { strings: $a = "EvilGroup" condition: $a }'
FILES = {"clean.txt": "hello", "bad.txt": "RIG-SCORE:500", "empty.txt": "", "odd.txt": "RIG-FAIL"}
GOOD_URL, BAD_URL = "https://good.example/", "https://bad.example/RIG-SCORE:1000"


def start_runs(lab: Lab) -> None:
    """Prepare the folders and the server, and start all runs."""
    hunted = lab.submit("EvilGroup's dropper RIG-SCORE:550", params={"generate_alert": True})
    prepared = [hunted, lab.submit("nothing of the kind"), lab.submit(SHARED_LIBRARY)]
    _write_inputs(lab)
    lab.start_run("triage", "assemblyline_folder_triage")
    lab.start_run("feed", "assemblyline_url_feed")
    lab.start_run("rules", "assemblyline_yara_rules")
    lab.start_run("same feed", "assemblyline_url_feed")  # Airflow runs it after the first one
    for dag_id, params in _list_idle_runs(lab):
        lab.start_run(f"idle {dag_id}", dag_id, **params)
    for sid in prepared:
        lab.wait_for_submission(sid)
    lab.start_run("hunt", "assemblyline_retrohunt")
    for name in ("fine", "bad", "changed"):
        lab.start_run(name, "assemblyline_release_gate", artifacts=str(lab.srv / "releases" / name))


def _write_inputs(lab: Lab) -> None:
    for name, content in FILES.items():
        lab.write_file(f"drop/incoming/{name}", content)
    lab.write_file("drop/incoming/half.txt", "still being wri", age_seconds=-3600)  # newer than any start of a run
    lab.write_file("feeds/urls.txt", f"# a feed\n{GOOD_URL}\n{BAD_URL}\n\n{GOOD_URL}\n")
    lab.write_file("hunts/new.yar", EVIL_RULE)
    lab.write_file("checkouts/yara-rules/deep/evil.yar", EVIL_RULE)
    lab.write_release("fine", library=SHARED_LIBRARY, tool="a new tool")
    lab.write_release("bad", tool="RIG-SCORE:2000")
    lab.write_release("changed", tool="as it was built")
    lab.write_file("releases/changed/tool", "not as it was built")


def _list_idle_runs(lab: Lab) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield DAGs with params that leave nothing to do."""
    yield "assemblyline_folder_triage", {"incoming": str(lab.srv / "empty")}
    yield "assemblyline_url_feed", {"feed": str(lab.srv / "feeds" / "missing.txt")}
    yield "assemblyline_alert_response", {}
