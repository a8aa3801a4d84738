"""The link of every operator and sensor: published before the work, so that a task that fails has it, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from self_hosted.assemblyline.sensors import AssemblylineRetrohuntSensor
from self_hosted.core.http.errors import UnreachableError
from self_hosted.core.tasks.operator import LINK_KEY
from self_hosted.sandbox.assemblyline.cart import pack_cart
from tests.context import context
from tests.hostile.conftest import CREDENTIALS
from tests.hostile.test_ids import task_arguments
from tests.meta.source import TITLES
from tests.meta.tasks import OPERATORS, SENSORS, create_task, get_product

HOST = "http://127.0.0.1:9"  # no server listens there
WITHOUT_PAGE = {"AssemblylineApiOperator", "AssemblylineVerdictBranchOperator", "RudderUpdatePoliciesOperator"}
"""Tasks that are about no single object before their work."""


@pytest.fixture(autouse=True)
def _connections(connect: Any) -> None:
    for product, given in CREDENTIALS.items():
        extra = {"retry_timeout": 0, **given.get("extra", {})}
        connect(f"{product}_default", {**given, "conn_type": product, "host": HOST, "extra": extra})


@pytest.fixture
def files(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Arguments of tasks that read files, or have no argument in common with others."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "sample.txt").write_text("a sample")
    (tmp_path / "rule.yar").write_text("rule a { condition: true }")
    (tmp_path / "bundle").write_bytes(pack_cart(b"content", {"name": "x1.tgz", "al": {"type": "archive/bundle/al"}}))
    source = {"service": "YARA", "source": "own"}
    return {
        "AssemblylineSubmitFileOperator": {"content": "a sample", "name": "sample.txt"},
        "AssemblylineSubmitFilesOperator": {"folder": str(tmp_path / "in")},
        "AssemblylineIngestFilesOperator": {"folder": str(tmp_path / "in")},
        "AssemblylineUpdateSignaturesOperator": {"files": str(tmp_path / "rule.yar"), "source": "own"},
        "AssemblylineImportBundleOperator": {"file": str(tmp_path / "bundle")},
        "AssemblylineFetchSignaturesOperator": {"service": "YARA"},
        "AssemblylineSetSignatureSourceOperator": {**source, "settings": {"uri": "https://rules.example.com"}},
        "AssemblylineRemoveSignatureSourceOperator": {**source, "confirm": True},
        "AssemblylineSetSignatureStatusOperator": {"signature_ids": "yara_own_a", "status": "DISABLED"},
        "AssemblylineDeleteSignaturesOperator": {"signature_ids": "yara_own_a", "confirm": True},
        "AssemblylineDownloadFileOperator": {"folder": str(tmp_path), "sha256": "a" * 64},
    }


@pytest.mark.parametrize("task_class", OPERATORS, ids=lambda task: task.__name__)
def test_an_operator_publishes_its_link_before_the_work(task_class: Any, files: dict[str, dict[str, Any]]):
    name = task_class.__name__
    arguments = files.get(name) or task_arguments(task_class)
    task = create_task(task_class, **arguments)
    task_context = context(task)
    with pytest.raises(Exception) as raised:  # noqa: PT011 a wrapped one, too
        task.execute(task_context)
    starts_with_server = isinstance(raised.value, UnreachableError) or "127.0.0.1:9" in str(raised.value)
    assert starts_with_server or "there is no plan" in str(raised.value), repr(raised.value)
    link = task_context["ti"].xcoms[LINK_KEY]
    assert link.startswith(HOST)
    assert (link.removesuffix("/rudder") == HOST) == (name in WITHOUT_PAGE)


@pytest.mark.parametrize("task_class", SENSORS, ids=lambda task: task.__name__)
def test_a_sensor_publishes_the_page_of_what_it_waits_for(task_class: Any):
    own = {"key": "r1"} if task_class is AssemblylineRetrohuntSensor else task_arguments(task_class)
    task = create_task(task_class, **own, deferrable=True)
    task_context = context(task)
    with pytest.raises(TaskDeferred):
        task.execute(task_context)
    link = task_context["ti"].xcoms[LINK_KEY]
    assert link.startswith(HOST)
    assert link != HOST


@pytest.mark.parametrize("task_class", [*OPERATORS, *SENSORS], ids=lambda task: task.__name__)
def test_every_task_has_one_link_with_the_name_of_its_product(task_class: Any):
    [link] = task_class.operator_extra_links
    assert link.name == f"Open in {TITLES[get_product(task_class)]}"
