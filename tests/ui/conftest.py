"""A real browser in front of a real Airflow. Skipped where there is no Chromium, or no playwright to drive it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.airflow import Airflow
from self_hosted.sandbox.server import Sandbox

playwright = pytest.importorskip("playwright.sync_api", reason="pip install .[browser]")
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
# no sandbox inside the sandbox of a container, and no calls home
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    dags = tmp_path_factory.mktemp("dags")
    with Airflow(tmp_path_factory.mktemp("airflow"), dags) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, airflow: Airflow) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1300, "height": 1700}, base_url=airflow.url)
    yield page
    page.close()


@pytest.fixture(scope="session")
def screenshots(request: pytest.FixtureRequest) -> Path | None:
    """Where the pictures of the docs go, with --screenshots FOLDER."""
    folder = request.config.getoption("--screenshots")
    return Path(folder) if folder else None
