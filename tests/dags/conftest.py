"""One real Airflow and one sandbox for all tests that run DAGs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.airflow import Airflow
from demo.world import World, connect
from self_hosted.sandbox.server import Sandbox

EXAMPLES = Path(__file__).parents[2] / "example_dags"
OWN = [Path(__file__).parent / name for name in ("operators", "waits")]


def bundle(folder: Path) -> dict[str, Any]:
    """A folder of DAGs, for the setting that lists them."""
    local = "airflow.dag_processing.bundles.local.LocalDagBundle"
    return {"name": f"the-{folder.name}", "classpath": local, "kwargs": {"path": str(folder)}}


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    bundles = [bundle(folder) for folder in (EXAMPLES, *OWN)]
    settings = {"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles)}
    home = tmp_path_factory.mktemp("airflow")
    with Sandbox() as sandbox, Airflow(home, EXAMPLES, settings=settings) as airflow:
        connect(airflow.api, sandbox.url)
        yield World(airflow, sandbox.url)
