"""Servers and ways to ask them. Contract tests run on the sandbox always, and with --live on real servers too."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

# hook, operator and trigger tests need no metadata database; this keeps them from touching anybody's
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

Ask = Callable[[SelfHostedHook, Flow[Any]], Any]
AIRFLOW_MIN_DEFERRAL_SECONDS = trigger.MIN_DEFERRAL_SECONDS


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an Airflow nobody needs the time that it takes to note a deferral."""
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run all tests of the shared Airflow in one process of pytest-xdist, beside those that start their own."""
    for item in items:
        if item.get_closest_marker("airflow"):
            is_shared = "environment" in getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.xdist_group("shared" if is_shared else item.path.stem))


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
        """Arrange a fault, see sandbox/faults.py: ``fail("drop", method="POST", path="/rules/.*")``."""
        self._post("faults", [{"kind": kind, **fault}])

    def end_sessions(self) -> None:
        self._post("end-sessions", {"product": self.product.name})

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        state = requests.get(f"{self.url}/_control/state", timeout=10).json()
        return state[self.product.name]  # type: ignore[no-any-return]

    def connection(self, **changes: Any) -> dict[str, Any]:
        """The sandbox's own connection, with fields and extras changed."""
        connection = self.product.connection(self.url)
        extra = {**connection.get("extra", {}), **changes.pop("extra", {})}
        return {**connection, **changes, "extra": extra}

    def _post(self, what: str, data: Any) -> None:
        requests.post(f"{self.url}/_control/{what}", json=data, timeout=10).raise_for_status()


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[FakeServer], Served]]:
    """Serve one product's stand-in until the end of the session."""
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
def ask(request: pytest.FixtureRequest) -> Ask:
    """Run a flow on a hook as a worker does (requests), and as a trigger does (httpx)."""

    def in_worker(hook: SelfHostedHook, flow: Flow[Any]) -> Any:
        return hook.run(flow)

    def in_trigger(hook: SelfHostedHook, flow: Flow[Any]) -> Any:
        async def asked() -> Any:
            async with hook.async_client() as ask_async:
                return await ask_async(flow)

        return asyncio.run(asked())

    return in_worker if request.param == "worker" else in_trigger
