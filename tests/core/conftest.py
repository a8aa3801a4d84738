"""A running toy server, Airflow connections to it, and ports that do not respond."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import BaseOperator, Context

from self_hosted.sandbox.fake_server import FakeServer
from tests.conftest import Served
from tests.core.http.tls import Authority, TlsSandbox
from tests.core.toy import API_KEY, Toy, ToyHook


@pytest.fixture(scope="session")
def _served(serve: Callable[[FakeServer], Served]) -> Served:
    return serve(Toy())


@pytest.fixture
def served(_served: Served) -> Served:
    _served.reset()
    return _served


@pytest.fixture
def toy(served: Served) -> Toy:
    """The fake server: its recorded requests and its state."""
    assert isinstance(served.product, Toy)
    return served.product


@pytest.fixture
def hook(served: Served, connect: Callable[[str, dict[str, Any]], str]) -> ToyHook:
    """A hook that signs in with user and password."""
    return ToyHook(connect("toy_default", served.connection()))


@pytest.fixture
def make_hook(served: Served, connect: Callable[[str, dict[str, Any]], str]) -> Callable[..., ToyHook]:
    """Create a hook with an API key, which needs no login: ``make_hook(retry_timeout=0)`` changes extras."""

    def make(host: str | None = None, **extra: Any) -> ToyHook:
        host = host or served.base_url
        return ToyHook(connect("toy_default", served.connection(host=host, extra={"api_key": API_KEY, **extra})))

    return make


class StartedRun:
    """A DAG run, as far as operators use it. Each has its own start, even if its id is that of a deleted one."""

    def __init__(self, start_date: datetime | None = None, run_after: datetime | None = None) -> None:
        self.start_date = start_date or datetime(2026, 5, 1, 8, 0, 0, 123456, UTC)
        self.run_after = run_after or datetime(2026, 5, 1, 8, tzinfo=UTC)


class RunningTask:
    """A task instance, as far as operators use it."""

    def __init__(
        self, task: BaseOperator, run_id: str = "run1", map_index: int = -1, state: str | None = "running"
    ) -> None:
        self.dag_id, self.run_id, self.task_id, self.map_index = "dag1", run_id, task.task_id, map_index
        self.state = state
        self.try_number, self.max_tries = 1, task.retries
        self.log_url = f"http://airflow/dags/dag1/runs/{run_id}/tasks/{task.task_id}"
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value

    def get_task_states(self, dag_id: str, run_ids: list[str], task_ids: list[str], map_index: int) -> dict[str, Any]:
        assert (dag_id, task_ids, map_index) == (self.dag_id, [self.task_id], self.map_index)
        return {run_id: {self.task_id: self.state} for run_id in run_ids}

    def get_first_reschedule_date(self, context: Context) -> datetime | None:
        return datetime.now(UTC) - timedelta(seconds=30)


class Store:
    """The task state store of Airflow 3.3; it accepts JSON only."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, key: str) -> Any:
        return json.loads(self.values[key]) if key in self.values else None

    def set(self, key: str, value: Any) -> None:
        self.values[key] = json.dumps(value)

    def delete(self, key: str) -> None:
        self.values.pop(key, None)


@pytest.fixture
def make_context() -> Callable[..., Any]:
    """Create the context of a running task: ``make_context(operator, map_index=2)``."""

    def make(task: BaseOperator, dag_run: StartedRun | None = None, **instance: Any) -> Any:
        ti, store = RunningTask(task, **instance), Store()
        return {"ti": ti, "task": task, "dag_run": dag_run or StartedRun(), "task_state_store": store}

    return make


@pytest.fixture
def closed_port() -> int:
    """A port that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose backlog is full: connections are neither accepted nor refused."""
    with contextlib.ExitStack() as opened:
        server = opened.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(8):
            client = opened.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield int(server.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never sends a byte."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def tls(authority: Authority) -> Iterator[str]:
    with TlsSandbox(Toy(), authority, requires_certificate=False) as sandbox:
        yield f"{sandbox.url}/toy"


@pytest.fixture(scope="session")
def strict_tls(authority: Authority) -> Iterator[str]:
    with TlsSandbox(Toy(), authority, requires_certificate=True) as sandbox:
        yield f"{sandbox.url}/toy"
