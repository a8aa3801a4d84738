"""One real Airflow and one sandbox for all tests that run DAGs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.airflow import Airflow
from demo.world import World, connect
from self_hosted.sandbox.server import Sandbox

EXAMPLES = Path(__file__).parents[2] / "example_dags"


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Sandbox() as sandbox, Airflow(tmp_path_factory.mktemp("airflow"), EXAMPLES) as airflow:
        connect(airflow.api, sandbox.url)
        yield World(airflow, sandbox.url)
