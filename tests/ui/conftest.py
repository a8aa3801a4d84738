"""A real browser for the shared Airflow. Skipped without Chromium, or without playwright to control it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.environment import Environment

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
# a container has no second sandbox, and no test uses the network
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install .[browser]")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, environment: Environment) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1300, "height": 2200}, base_url=environment.airflow.url)
    yield page
    page.close()


@pytest.fixture(scope="session")
def screenshots(request: pytest.FixtureRequest) -> Path | None:
    """The folder for the pictures of the docs, with --screenshots FOLDER."""
    folder = request.config.getoption("--screenshots")
    return Path(folder) if folder else None
