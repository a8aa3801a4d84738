"""Airflow's lineage collector, which is active only with a reader such as OpenLineage."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from airflow.providers.common.compat import sdk

MODULE = "airflow.sdk.lineage" if find_spec("airflow.sdk.lineage") else "airflow.lineage.hook"  # the latter in 3.1


def collected(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return an active collector of the files and assets that are read and written from now on."""
    collector = import_module(MODULE).HookLineageCollector()
    monkeypatch.setattr(sdk, "get_hook_lineage_collector", lambda: collector)
    return collector
