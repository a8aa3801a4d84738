"""The campaign's Airflow is set up as it should be, and read page by page."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chaos import ground
from chaos.faults import PATIENCE
from chaos.ground import connections
from chaos.sandbox import KeptSandbox
from chaos.tasks import ManyTasks
from demo.airflow import environment
from self_hosted.core.connection import read_connection
from self_hosted.rudder.hook import RudderHook


def test_connections_are_as_impatient_as_they_should_be(tmp_path, monkeypatch):
    with KeptSandbox(tmp_path) as sandbox:
        given = connections(sandbox, PATIENCE)
    assert {name.split("_")[2] for name in given} == {"ASSEMBLYLINE", "AYON", "RUDDER", "ATROCORE"}
    monkeypatch.setenv("AIRFLOW_CONN_RUDDER_DEFAULT", given["AIRFLOW_CONN_RUDDER_DEFAULT"])
    hook = RudderHook()
    address = read_connection(hook.get_connection(hook.conn_id), hook.form).address
    assert {name: getattr(address, name) for name in PATIENCE} == PATIENCE
    assert json.loads(given["AIRFLOW_CONN_ASSEMBLYLINE_DEFAULT"])["extra"]["api_key"]  # the sandbox's own extras stay


def test_settings_of_the_campaign_come_before_the_usual_ones(tmp_path):
    usual = environment(tmp_path, tmp_path, "http://127.0.0.1:1")
    given = environment(tmp_path, tmp_path, "http://127.0.0.1:1", {"AIRFLOW__CORE__PARALLELISM": 6, "CHAOS_TASKS": 5})
    changed = {name: value for name, value in given.items() if usual.get(name) != value}
    assert changed == {"AIRFLOW__CORE__PARALLELISM": "6", "CHAOS_TASKS": "5"}


def test_each_run_has_a_folder_that_no_other_one_has_used(tmp_path, monkeypatch):
    monkeypatch.setattr(ground, "CHECKOUT", tmp_path)
    folder = ground.new_folder("campaign")
    assert folder.is_dir()
    assert folder.parent == tmp_path / ".chaos"


class AirflowsApi(BaseHTTPRequestHandler):
    """As much of Airflow's REST API as is read page by page: 250 tasks, every tenth of which waits."""

    tasks = tuple({"map_index": n, "state": "success" if n % 10 else "deferred"} for n in range(250))

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/auth/token":
            return self._answer({"access_token": "token"})
        asked = parse_qs(url.query)
        found = [task for task in self.tasks if task["state"] in asked.get("state", [task["state"]])]
        offset, limit = int(asked.get("offset", ["0"])[0]), min(int(asked["limit"][0]), 100)
        page = found[offset : offset + limit]
        return self._answer({"task_instances": page, "total_entries": len(found)})

    def _answer(self, body: Any) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def run() -> Iterator[ManyTasks]:
    with ThreadingHTTPServer(("127.0.0.1", 0), AirflowsApi) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tasks = ManyTasks(f"http://127.0.0.1:{server.server_port}", "dag", "run")
        yield tasks
        tasks.session.close()
        server.shutdown()


def test_all_tasks_of_a_run_are_read_however_many_pages_they_fill(run: ManyTasks):
    assert [task["map_index"] for task in run.all()] == list(range(250))


def test_tasks_are_counted_by_state(run: ManyTasks):
    assert (run.count(), run.count("deferred"), run.count("success", "deferred")) == (250, 25, 250)
