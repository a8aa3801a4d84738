"""Every logger of the package removes secrets from its records."""

from __future__ import annotations

import re

import pytest

from tests.meta.source import PACKAGE, assert_none

pytestmark = pytest.mark.meta
# a task's own logger is Airflow's
LOGGER = re.compile(
    r"getLogger\(__name__\)|structlog\.get_logger|\bself\.log\.(?:debug|info|warning|error|exception)\("
)


def test_every_logger_is_one_that_removes_secrets():
    files = [path for path in PACKAGE.rglob("*.py") if "sandbox" not in path.parts and path.name != "logs.py"]
    assert len(files) > 100
    assert_none(str(path) for path in files if LOGGER.search(path.read_text(encoding="utf-8")))
