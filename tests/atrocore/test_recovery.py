"""Every write whose response is lost after the work was done succeeds and takes effect once."""

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
    *("get_session", "get_core_version", "list_records", "find_records", "get_record"),
    *("find_jobs", "check_background_processing"),
    *("get_import_baseline", "find_import_jobs", "get_import_counters", "get_export_baseline", "find_export_jobs"),
}
# the dialects that have the method; default: all
DIALECTS_OF = {"upsert_records": ["1.x-2.2", "2.3"], "cancel_export_job": ["1.x-2.2", "2.3"]}
WRITE_METHODS = "POST|PATCH|DELETE"
EXPORT = {"entity": "ExportJob", "values": {"id": "export"}, "running": 3600}
BRANDS = [{"id": "acme", "name": "Acme", "code": "A"}, {"id": "zeta", "name": "Zeta", "code": "Z"}]
ROWS = [{"code": "A", "name": "Acme & Sons"}, {"code": "N", "name": "New"}]


def sync(hook: AtrocoreHook) -> Any:
    task = AtrocoreSyncProductsOperator(
        task_id="sync", source=ROWS, entity="Brand", key_field="code", atrocore_conn_id=hook.conn_id
    )
    result = task.execute(context(task))
    return [result[name] for name in ("updated", "created", "failed")]


def cancel(hook: AtrocoreHook) -> Any:
    return hook.cancel_export_job("export"), hook.get_record("ExportJob", "export")["state"]


def statuses(results: list[Any]) -> list[Any]:
    return [result["status"] for result in results]


# by method, or by method and variant: the write, its result, and the names of all brands afterwards
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
    "upsert_records": (
        lambda hook: statuses(
            hook.upsert_records("Brand", [{"id": "acme", "name": "New"}, {"id": "b", "name": "Beta"}])
        ),
        ["NotModified", "NotModified"],
        ["Beta", "New", "Zeta"],
    ),
    "upsert_records, without an id": (
        lambda hook: statuses(hook.upsert_records("Brand", [{"name": "New"}])),
        ["NotModified"],
        ["Acme", "New", "Zeta"],
    ),
    # the result is that of a job that had ended before
    "cancel_export_job": (cancel, (False, "Canceled"), ["Acme", "Zeta"]),
    "sync": (sync, [1, 1, 0], ["Acme & Sons", "New", "Zeta"]),
}
every_write = pytest.mark.parametrize("write", WRITES)
in_every_dialect = pytest.mark.parametrize(
    ("write", "dialect"),
    [(write, name) for write in WRITES for name in DIALECTS_OF.get(write.partition(",")[0], DIALECTS)],
    indirect=["dialect"],
)


@pytest.fixture
def hook_with_brands(served: Served, hook: AtrocoreHook) -> AtrocoreHook:
    served.seed({"records": {"Brand": BRANDS}})
    return hook


def assert_done_once(hook: AtrocoreHook, write: str) -> None:
    work, result, names = WRITES[write]
    assert work(hook) == result
    assert sorted(brand["name"] for brand in hook.list_records("Brand")) == names


@in_every_dialect
def test_a_write_with_a_lost_response_is_done_once(
    served: Served, dialect: str, hook_with_brands: AtrocoreHook, write: str
) -> None:
    served.seed({"jobs": [EXPORT]} if write == "cancel_export_job" else {})
    served.fail("drop", method=WRITE_METHODS)
    assert_done_once(hook_with_brands, write)
    assert requests.get(f"{served.url}/_control/counts", timeout=60).json()["faults"] == {"drop": 1}


@every_write
def test_a_write_whose_response_fails_the_servers_own_validation_is_done_once(
    served: Served, hook_with_brands: AtrocoreHook, write: str
) -> None:
    served.seed({"jobs": [EXPORT], "faults": [{"kind": "response-validation"}]})
    assert_done_once(hook_with_brands, write)


@pytest.mark.parametrize("write", [write for write in WRITES if "create" in write or "upsert" in write])
def test_a_create_that_ends_with_500_but_stores_the_record_is_done_once(
    served: Served, hook_with_brands: AtrocoreHook, write: str
) -> None:
    served.seed({"faults": [{"kind": "create-then-500"}]})
    assert_done_once(hook_with_brands, write)


def test_every_write_of_the_hook_is_covered() -> None:
    methods = {name for name, member in vars(AtrocoreHook).items() if hasattr(member, "__wrapped__")}
    flows = {name for name in methods if inspect.isgeneratorfunction(inspect.unwrap(getattr(AtrocoreHook, name)))}
    assert flows - READS == {write.partition(",")[0] for write in WRITES} - {"sync"}
