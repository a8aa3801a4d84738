"""Fake servers, connections, and runners of flows. Contract tests use the sandbox and, with --live, real servers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

# tests of hooks, operators and triggers need no metadata database, and must not use the user's one
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-tests-")
os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = "sqlite:////nonexistent/airflow.db"
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"

# ruff: isort: split
import pytest
import requests

from self_hosted.core.connection.hook import SelfHostedHook
from self_hosted.core.http.flow import Flow
from self_hosted.core.wait import trigger
from self_hosted.sandbox.fake_server import FakeServer
from self_hosted.sandbox.server import Sandbox

if TYPE_CHECKING:
    from demo.environment import Environment

FlowRunner = Callable[[SelfHostedHook, Flow[Any]], Any]
AIRFLOW_MIN_DEFERRAL_SECONDS = trigger.MIN_DEFERRAL_SECONDS


@pytest.fixture(autouse=True)
def _defer_without_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let triggers fire at once: without a running Airflow, no worker has to report the deferral first."""
    monkeypatch.setattr(trigger, "MIN_DEFERRAL_SECONDS", 0.0)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--live",
        action="store_true",
        help="also run the contract tests on the servers named by LIVE_CONN_<PRODUCT> (Airflow connections as JSON)",
    )
    parser.addoption("--screenshots", metavar="FOLDER", help="tests/ui: save the pictures of the docs there")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" in metafunc.fixturenames:
        live = ["live"] if metafunc.config.getoption("--live") else []
        metafunc.parametrize("server", ["sandbox", *live], indirect=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With --dist loadgroup, run the tests of the shared Airflow in one process, beside those that start their own."""
    if config.getoption("dist") != "loadgroup":
        return None
    from tests.scheduling import AirflowScheduling

    return AirflowScheduling(config, log)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """A real Airflow with all DAGs of the tests, and a sandbox. Tests that kill or restart it start their own."""
    from tests.dags.environment import run_shared_environment

    with run_shared_environment(tmp_path_factory.mktemp("shared")) as running:
        yield running


@dataclass
class Served:
    """A running sandbox with one product, and its control route."""

    product: FakeServer
    url: str

    @property
    def base_url(self) -> str:
        return f"{self.url}/{self.product.name}"

    def reset(self) -> None:
        self._post("reset", {})

    def seed(self, data: dict[str, Any]) -> None:
        self._post("seed", {self.product.name: data})

    def fail(self, kind: str, **fault: Any) -> None:
        """Add a fault, see sandbox/faults.py: ``fail("drop", method="POST", path="/rules/.*")``."""
        self._post("faults", [{"kind": kind, **fault}])

    def end_sessions(self) -> None:
        self._post("end-sessions", {"product": self.product.name})

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        state = requests.get(f"{self.url}/_control/state", timeout=60).json()
        return state[self.product.name]  # type: ignore[no-any-return]

    def connection(self, **changes: Any) -> dict[str, Any]:
        """Return the sandbox's connection with changed fields and extras."""
        connection = self.product.connection(self.url)
        extra = {**connection.get("extra", {}), **changes.pop("extra", {})}
        return {**connection, **changes, "extra": extra}

    def _post(self, route: str, data: Any) -> None:
        requests.post(f"{self.url}/_control/{route}", json=data, timeout=60).raise_for_status()


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[FakeServer], Served]]:
    """Serve a fake server until the end of the session."""
    with contextlib.ExitStack() as running:

        def start(product: FakeServer) -> Served:
            return Served(product, running.enter_context(Sandbox(servers=[product])).url)

        yield start


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, dict[str, Any]], str]:
    """Define an Airflow connection: ``connect("rudder_default", {...})`` returns its id."""

    def define(conn_id: str, connection: dict[str, Any]) -> str:
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
        return conn_id

    return define


@pytest.fixture
def server(request: pytest.FixtureRequest, connect: Callable[[str, dict[str, Any]], str]) -> str:
    """The id of a connection to the product of this folder: the sandbox's, or with --live a real server's.

    Tests that use it must not depend on an empty server, and must use names of their own (see `unique`).
    """
    product = request.path.parent.name
    if request.param == "sandbox":
        served: Served = request.getfixturevalue("served")
        return connect(f"{product}_default", served.connection())
    live = os.environ.get(f"LIVE_CONN_{product.upper()}")
    if not live:
        pytest.skip(f"no real server: LIVE_CONN_{product.upper()} is not set")
    return connect(f"{product}_default", json.loads(live))


@pytest.fixture(params=["worker", "trigger"])
def run_flow(request: pytest.FixtureRequest) -> FlowRunner:
    """Run a flow on a hook as a worker does (requests), and as a trigger does (httpx)."""

    def in_worker(hook: SelfHostedHook, flow: Flow[Any]) -> Any:
        return hook.run(flow)

    def in_trigger(hook: SelfHostedHook, flow: Flow[Any]) -> Any:
        async def run() -> Any:
            async with hook.async_client() as client:
                return await client(flow)

        return asyncio.run(run())

    return in_worker if request.param == "worker" else in_trigger
