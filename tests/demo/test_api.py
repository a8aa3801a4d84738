"""The parts of the API client that a healthy Airflow rarely exercises: pages, retries, conflicts and missing links."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from airflow_client.client.exceptions import ApiException, ServiceException

from demo.api import AirflowApi
from tests.demo.tasks import build_task, task_json

TASKS = [task_json(map_index=n, state="success" if n % 10 else "deferred") for n in range(250)]

LOG = {
    "content": [
        {"event": "Started", "level": "info"},
        {"event": "Failed", "error_detail": [{"exc_type": "KeyError", "exc_value": "first"}]},
        {"event": "Failed again", "error_detail": [{"exc_value": "cause"}, {"exc_value": "last"}]},
    ],
    "continuation_token": None,
}


class FakeAirflow(BaseHTTPRequestHandler):
    """A few endpoints of Airflow's REST API: a run with 250 tasks, every tenth of which is deferred."""

    failures: list[int]  # statuses of the next responses
    requests: list[str]

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/auth/token":
            return self.respond(200, {"access_token": "token"})
        assert self.headers["Authorization"] == "Bearer token"
        if self.failures:
            return self.respond(self.failures.pop(0), {"detail": "the message"})
        if url.path.endswith("/links"):
            return self.respond(200, {"extra_links": {"one": None, "two": "http://page"}, "total_entries": 2})
        if "/logs/" in url.path:
            return self.respond(200, LOG)
        return self.respond(200, self.page(parse_qs(url.query)))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.requests.append(self.path)
        self.respond(self.failures.pop(0), {"detail": "failed"})

    def do_PATCH(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.requests.append(f"{self.path} {text}")
        self.respond(200, {**json.loads(text), "schema": None, "team_name": None})

    def page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        found = [task for task in TASKS if task["state"] in query.get("state", [task["state"]])]
        offset, limit = int(query.get("offset", ["0"])[0]), min(int(query["limit"][0]), 100)
        return {"task_instances": found[offset : offset + limit], "total_entries": len(found)}

    def respond(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def api(monkeypatch) -> Iterator[AirflowApi]:
    monkeypatch.setattr(FakeAirflow, "failures", [], raising=False)
    monkeypatch.setattr(FakeAirflow, "requests", [], raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeAirflow) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield AirflowApi(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def read_patch(path: str) -> dict[str, Any]:
    """Return the body of the only request, a PATCH of a path."""
    [request] = FakeAirflow.requests
    patched, _, body = request.partition(" ")
    assert patched == path
    return json.loads(body)  # type: ignore[no-any-return]


def test_all_tasks_of_a_run_are_listed_across_pages(api):
    assert [task.map_index for task in api.list_tasks("dag", "run")] == list(range(250))


def test_tasks_are_counted_by_state(api):
    counts = [api.count_tasks("dag", "run", *states) for states in ([], ["deferred"], ["success", "deferred"])]
    assert counts == [250, 25, 250]


def test_error_of_a_raw_response_is_raised(api):
    FakeAirflow.failures += [404]
    with pytest.raises(ApiException, match="the message"):
        api.list_links(build_task())


def test_links_without_url_are_left_out(api):
    assert api.list_links(build_task()) == ["http://page"]


def test_log_is_text_and_the_last_exception_is_the_error(api):
    assert api.get_log(build_task()) == "Started\nFailed\nFailed again"
    assert api.get_error(build_task()) == "last"


def test_request_is_repeated_while_the_database_is_locked(api):
    FakeAirflow.failures += [500, 500]
    assert api.count_tasks("dag", "run") == 250


def test_error_that_does_not_go_away_is_raised(api, monkeypatch):
    monkeypatch.setattr("urllib3.util.retry.Retry.get_backoff_time", lambda _: 0)
    FakeAirflow.failures += [500] * 10
    with pytest.raises(ServiceException, match="the message"):
        api.count_tasks("dag", "run")


def test_conflict_after_a_failed_attempt_means_that_the_run_was_started(api):
    FakeAirflow.failures += [500, 409]
    assert api.trigger_run("dag", {"folder": "a"}, "run") == "run"
    assert FakeAirflow.requests == ["/api/v2/dags/dag/dagRuns"] * 2


def test_fields_of_a_connection_are_replaced(api):
    api.update_connection("rudder_default", {"conn_type": "rudder", "password": "new", "extra": {"read_timeout": 3}})
    assert read_patch("/api/v2/connections/rudder_default") == {
        "connection_id": "rudder_default",
        "conn_type": "rudder",
        "password": "new",
        "extra": '{"read_timeout": 3}',
    }


@pytest.mark.parametrize("extra", [{}, {"extra": {}}])
def test_connection_without_extra_fields_has_no_text_for_them(api, extra):
    """Airflow would warn in the log of each task that "{}" is too short for a secret."""
    api.update_connection("rudder_default", {"conn_type": "rudder", **extra})
    assert read_patch("/api/v2/connections/rudder_default").keys() == {"connection_id", "conn_type"}


def test_dag_is_unpaused(api):
    api.unpause_dag("intake")
    assert read_patch("/api/v2/dags/intake") == {"is_paused": False}


def test_proxy_of_the_environment_is_bypassed(api, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert AirflowApi(api.client.configuration.host).count_tasks("dag", "run") == 250
