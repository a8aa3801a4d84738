"""Every write whose answer is lost after the work was done succeeds all the same, and is done once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import requests

from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator
from tests.atrocore.conftest import DIALECTS
from tests.conftest import Served
from tests.context import context

READS = {
    *("session", "core_version", "records", "records_by", "record", "schema", "planned"),
    *("jobs", "background_processing_runs"),
    *("import_baseline", "import_jobs", "import_counters", "export_baseline", "export_jobs"),
}
SINCE = {"upsert": ["1.x-2.2", "2.3"], "cancel_export_job": ["2.3"]}  # the dialects that have it; else all
WRITING = "POST|PATCH|DELETE"
EXPORT = {"entity": "ExportJob", "values": {"id": "export"}, "running": 3600}
BEFORE = [{"id": "acme", "name": "Acme", "code": "A"}, {"id": "zeta", "name": "Zeta", "code": "Z"}]
ROWS = [{"code": "A", "name": "Acme & Sons"}, {"code": "N", "name": "New"}]


def apply(hook: AtrocoreHook) -> Any:
    plan = hook.planned("Brand", "code", {row["code"]: row for row in ROWS}, None)
    return [outcome.result for outcome in hook.applied("Brand", plan.changes)]


def sync(hook: AtrocoreHook) -> Any:
    task = AtrocoreSyncProductsOperator(
        task_id="sync", rows=ROWS, entity="Brand", key_field="code", atrocore_conn_id=hook.conn_id
    )
    result = task.execute(context(task))
    return [result[name] for name in ("updated", "created", "failed")]


def cancel(hook: AtrocoreHook) -> Any:
    return hook.cancel_export_job("export"), hook.record("ExportJob", "export")["state"]


def statuses(results: list[dict[str, Any]]) -> list[Any]:
    return [result["status"] for result in results]


# flow, or flow and variant: what is done, what it returns, and the names of all brands afterwards
WRITES: dict[str, tuple[Callable[[AtrocoreHook], Any], Any, list[str]]] = {
    "create_record": (
        lambda hook: hook.create_record("Brand", {"id": "new", "name": "New"})["name"],
        "New",
        ["Acme", "New", "Zeta"],
    ),
    "create_record, without an id": (
        lambda hook: hook.create_record("Brand", {"name": "New"})["name"],
        "New",
        ["Acme", "New", "Zeta"],
    ),
    "update_record": (lambda hook: hook.update_record("Brand", "acme", {"name": "New"}), True, ["New", "Zeta"]),
    "update_record, with a lock": (
        lambda hook: hook.update_record("Brand", "acme", {"name": "New", "_prev": {"name": "Acme"}}),
        True,
        ["New", "Zeta"],
    ),
    "delete_record": (lambda hook: hook.delete_record("Brand", "acme"), None, ["Zeta"]),
    "upsert": (
        lambda hook: statuses(hook.upsert("Brand", [{"id": "acme", "name": "New"}, {"id": "b", "name": "Beta"}])),
        ["NotModified", "NotModified"],
        ["Beta", "New", "Zeta"],
    ),
    "upsert, without an id": (
        lambda hook: statuses(hook.upsert("Brand", [{"name": "New"}])),
        ["NotModified"],
        ["Acme", "New", "Zeta"],
    ),
    # told apart from a job that had ended before it cannot be
    "cancel_export_job": (cancel, (False, "Canceled"), ["Acme", "Zeta"]),
    "applied": (apply, ["updated", "created"], ["Acme & Sons", "New", "Zeta"]),
    "applied, by the operator": (sync, [1, 1, 0], ["Acme & Sons", "New", "Zeta"]),
}
every_write = pytest.mark.parametrize("write", WRITES)
in_every_dialect = pytest.mark.parametrize(
    ("write", "dialect"),
    [(write, one) for write in WRITES for one in SINCE.get(write.partition(",")[0], DIALECTS)],
    indirect=["dialect"],
)


@pytest.fixture
def impatient(served: Served, hook_as: Callable[..., AtrocoreHook]) -> AtrocoreHook:
    """Signed in, and one that waits for a second at most."""
    served.seed({"records": {"Brand": BEFORE}})
    return hook_as(extra={"read_timeout": 1})


def brands(hook: AtrocoreHook) -> list[str]:
    return sorted(brand["name"] for brand in hook.records("Brand"))


def done_once(hook: AtrocoreHook, write: str) -> None:
    work, result, names = WRITES[write]
    assert work(hook) == result
    assert brands(hook) == names


@in_every_dialect
@pytest.mark.parametrize("loss", [{"kind": "drop"}, {"kind": "slow_after", "seconds": 1.5}], ids=["dropped", "late"])
def test_a_write_whose_answer_is_lost_is_done_once(
    served: Served, dialect: str, impatient: AtrocoreHook, write: str, loss: dict[str, Any]
) -> None:
    served.seed({"jobs": [EXPORT]} if write == "cancel_export_job" else {})
    served.fail(method=WRITING, **loss)
    done_once(impatient, write)
    assert requests.get(f"{served.url}/_control/counts", timeout=10).json()["faults"] == {loss["kind"]: 1}


@every_write
def test_a_write_that_fails_the_servers_own_validation_of_its_answer_is_done_once(
    served: Served, impatient: AtrocoreHook, write: str
) -> None:
    served.seed({"jobs": [EXPORT], "faults": [{"kind": "response-validation"}]})
    done_once(impatient, write)


@pytest.mark.parametrize("write", [write for write in WRITES if "create" in write or "upsert" in write])
def test_a_create_that_ends_in_500_and_leaves_the_record_behind_is_done_once(
    served: Served, impatient: AtrocoreHook, write: str
) -> None:
    served.seed({"faults": [{"kind": "create-then-500"}]})
    done_once(impatient, write)


def test_no_write_is_left_out() -> None:
    published = {name for name, member in vars(AtrocoreHook).items() if hasattr(member, "__wrapped__")}
    flows = {name for name in published if inspect.isgeneratorfunction(inspect.unwrap(getattr(AtrocoreHook, name)))}
    assert flows - READS == {write.partition(",")[0] for write in WRITES}
