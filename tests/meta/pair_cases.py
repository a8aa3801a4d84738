"""How the sources of the documented pairs get their results, and the other arguments of the targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from airflow.providers.common.compat.sdk import DAG, BaseOperator, DownstreamTasksSkipped

from self_hosted.sandbox.server import Sandbox
from tests.assemblyline import wait_cases as assemblyline_cases
from tests.ayon import wait_cases as ayon_cases
from tests.conftest import Served
from tests.context import context
from tests.meta.rules.pairs import NO_WAIT
from tests.meta.source import PRODUCTS
from tests.rudder import wait_cases as rudder_cases
from tests.rudder.conftest import FILE_SERVER

LONG_AGO = "2020-01-01T00:00:00+00:00"
SCORE = "RIG-SCORE:400"
RULE = 'rule test { strings: $a = "RIG" condition: $a }'
BRANCHES = ("malicious", "suspicious", "safe", "unknown")
WAIT = {"deferrable": False, "poll_interval": 0.05, "wait_timeout": 60}
POKE = {"deferrable": False, "poke_interval": 0.05, "timeout": 60}


class Workshop:
    """Runs operators and sensors against the sandbox of all products.

    :param sandbox: it
    :param folder: for files
    """

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.served = {server.name: Served(server, sandbox.url) for server in sandbox.servers}
        self.folder = folder
        self.results: dict[str, Any] = {}

    def prepare(self) -> None:
        """Let the sandbox complete its work at once."""
        retrohunt, archive = {"enabled": True, "seconds": 0.05}, {"enabled": True}
        self.served["assemblyline"].seed({"delay": 0, "retrohunt": retrohunt, "archive": archive})

    def create(self, name: str, /, **arguments: Any) -> Any:
        """Return a task.

        :param name: of its class
        :param arguments: of the task
        """
        [product] = [product for product in PRODUCTS if name.startswith(product.capitalize())]
        is_sensor = name.endswith("Sensor")
        task_class = getattr(import_module(f"self_hosted.{product}.{'sensors' if is_sensor else 'operators'}"), name)
        usual = POKE if is_sensor else WAIT if hasattr(task_class, "wait_options") else {}
        return task_class(**{"task_id": "task", **usual, **arguments})

    def run(self, name: str, /, **arguments: Any) -> Any:
        """Return the result of a task."""
        task = self.create(name, **arguments)
        return task.execute(context(task))

    def get_result(self, source: str) -> Any:
        """Return the result of a source; of most of them, always the same.

        :param source: see `SOURCES`
        """
        if source not in self.results or source in USED_UP:
            self.results[source] = SOURCES[source](self)
        return self.results[source]

    def file(self, text: str = SCORE) -> str:
        """Return a new file with a new content."""
        path = self.folder / f"{uuid4().hex}.txt"
        path.write_text(f"{text} {uuid4().hex}")
        return str(path)

    def scan(self, **arguments: Any) -> Any:
        """Return the result of a submitted file."""
        return self.run("AssemblylineSubmitFileOperator", file=self.file(), **arguments)

    def hash(self) -> str:
        """Return the SHA-256 of a submitted file."""
        return str(self.scan()["sha256"])

    def run_branch(self, **arguments: Any) -> None:
        """Run a branch with a task on each path."""
        with DAG("d", schedule=None):
            branch = self.create(
                "AssemblylineVerdictBranchOperator", **{**{name: name for name in BRANCHES}, **arguments}
            )
            for name in BRANCHES:
                branch >> BaseOperator(task_id=name)
        task_context = context(branch)
        task_context["ti"].task = branch
        with pytest.raises(DownstreamTasksSkipped) as skipped:
            branch.execute(task_context)
        assert len(list(skipped.value.tasks)) == len(BRANCHES) - 1


def _ingest(shop: Workshop) -> Any:
    ingest = assemblyline_cases.upload(shop.served["assemblyline"], "ingest", f"{SCORE} {uuid4().hex}")
    return shop.run("AssemblylineIngestSensor", ingest_id=ingest["ingest_id"])


def _alert(shop: Workshop) -> Any:
    alert_id = uuid4().hex
    shop.served["assemblyline"].seed({"alerts": {"alerts": [{"alert_id": alert_id, "sid": shop.scan()["sid"]}]}})
    return shop.run("AssemblylineAlertSensor", query=f'alert_id:"{alert_id}"')


def _export(shop: Workshop) -> Any:
    return shop.run("AssemblylineExportBundleOperator", sid=shop.scan(), output_uri=shop.folder / uuid4().hex)


def _search(shop: Workshop, **arguments: Any) -> Any:
    sid = shop.scan()["sid"]
    found = {"query": f'sid:"{sid}"', "fields": "sid,max_score", **arguments}
    return shop.run("AssemblylineSearchOperator", index="submission", **found)


def _look_up_unrated(shop: Workshop) -> Any:
    """Submit a file that the server has, but without a result."""
    scanned, product = shop.scan(), shop.served["assemblyline"].product
    shop.run("AssemblylineDeleteSubmissionOperator", sids=scanned, confirm=True)
    product.state["results"] = type(product.state["results"])()  # type: ignore[attr-defined]
    options = {"submit_if_unknown": True, "wait_for_completion": False}
    return shop.run("AssemblylineLookUpHashesOperator", hashes=scanned["sha256"], **options)


def _many(name: str, **arguments: Any) -> Callable[[Workshop], Any]:
    return lambda shop: shop.run(f"Assemblyline{name}", files=[shop.file(), shop.file()], **arguments)


def _create_project(shop: Workshop) -> Any:
    name = f"film_{uuid4().hex[:8]}"
    return shop.run("AyonCreateProjectOperator", name=name, code=name)


def _entity_status(shop: Workshop, **fields: Any) -> Any:
    served = shop.served["ayon"]
    project, entity_id = ayon_cases.add_entity(served, status="Approved")
    entity_type = "folder"
    if fields:
        entity_type, (project, entity_id) = "version", ayon_cases.add_version(served)
        served.seed({"reviewables": [{"project": project, "version": entity_id}]})
    wanted = {"entity_type": entity_type, "entity_id": entity_id, "statuses": ["Approved", "Not ready"]}
    return shop.run("AyonEntityStatusSensor", project=project, **wanted)


def _update_rule(shop: Workshop, **arguments: Any) -> Any:
    served = shop.served["rudder"]
    served.seed({"validation": bool(arguments)})
    rule_id = rudder_cases.add_reported_rule(served, 100)
    result = shop.run("RudderUpdateRuleOperator", rule_id=rule_id, display_name=uuid4().hex, reason="a test")
    served.seed({"advance_seconds": 3600})  # so that all nodes run once more
    if arguments:
        served.seed({"decisions": {str(result["change_request_id"]): "Deployed"}})
    return result


def _sync(shop: Workshop) -> Any:
    return shop.run("AtrocoreSyncProductsOperator", source=[{"number": uuid4().hex, "name": "Wheel"}])


def _reject(shop: Workshop) -> Any:
    rows = [{"number": uuid4().hex, "name": "Wheel", "price": price} for price in ("1", "a lot")]
    rejects = shop.folder / f"{uuid4().hex}.csv"
    return shop.run("AtrocoreSyncProductsOperator", source=rows, rejects_uri=rejects, fail_on="never")


def _plan(name: str, **arguments: Any) -> Callable[[Workshop], Any]:
    return lambda shop: shop.run(
        f"AtrocoreSync{name}PlanOperator",
        source=[{"number": uuid4().hex, "name": "Wheel"}],
        plan_uri=shop.folder / f"{uuid4().hex}.jsonl",
        **arguments,
    )


def _baseline(kind: str) -> Callable[[Workshop], Any]:
    def read(_: Workshop) -> Any:
        from self_hosted.atrocore.hook import AtrocoreHook

        hook = AtrocoreHook()
        return hook.get_import_baseline("f") if kind == "Import" else hook.get_export_baseline("f")

    return read


SOURCES: Mapping[str, Callable[[Workshop], Any]] = {
    "AssemblylineSubmitFileOperator": lambda shop: shop.scan(),
    f"AssemblylineSubmitFileOperator ({NO_WAIT})": lambda shop: shop.scan(wait_for_completion=False),
    "AssemblylineSubmitUrlOperator": lambda shop: shop.run(
        "AssemblylineSubmitUrlOperator", url=f"https://example.com/{uuid4().hex}"
    ),
    "AssemblylineSubmitHashOperator": lambda shop: shop.run("AssemblylineSubmitHashOperator", hash=shop.hash()),
    "AssemblylineResubmitOperator": lambda shop: shop.run("AssemblylineResubmitOperator", sid=shop.scan()),
    "AssemblylineSubmissionSensor": lambda shop: shop.run("AssemblylineSubmissionSensor", sid=shop.scan()),
    "AssemblylineIngestSensor": _ingest,
    "AssemblylineAlertSensor": _alert,
    "AssemblylineGetReportOperator": lambda shop: shop.run("AssemblylineGetReportOperator", sid=shop.scan()),
    "AssemblylineLookUpHashesOperator": lambda shop: shop.run("AssemblylineLookUpHashesOperator", hashes=shop.hash()),
    f"AssemblylineLookUpHashesOperator ({NO_WAIT})": _look_up_unrated,
    "AssemblylineSubmitFilesOperator": _many("SubmitFilesOperator"),
    f"AssemblylineSubmitFilesOperator ({NO_WAIT})": _many("SubmitFilesOperator", wait_for_completion=False),
    "AssemblylineIngestFilesOperator": _many("IngestFilesOperator"),
    f"AssemblylineIngestFilesOperator ({NO_WAIT})": _many("IngestFilesOperator", wait_for_completion=False),
    "AssemblylineExportBundleOperator": _export,
    "AssemblylineImportBundleOperator": lambda shop: shop.run(
        "AssemblylineImportBundleOperator", file=_export(shop), exist_ok=True
    ),
    "AssemblylineArchiveSubmissionOperator": lambda shop: shop.run(
        "AssemblylineArchiveSubmissionOperator", sid=shop.scan()
    ),
    "AssemblylineRetrohuntOperator": lambda shop: [
        shop.scan(),
        shop.run("AssemblylineRetrohuntOperator", description="a test", yara_signature=RULE),
    ][1],
    f"AssemblylineRetrohuntOperator ({NO_WAIT})": lambda shop: shop.run(
        "AssemblylineRetrohuntOperator", description="a test", yara_signature=RULE, wait_for_completion=False
    ),
    "AssemblylineDownloadFileOperator": lambda shop: shop.run(
        "AssemblylineDownloadFileOperator", sha256=shop.hash(), folder=shop.folder
    ),
    "AssemblylineSearchOperator": _search,
    "AssemblylineSearchOperator (with `output_uri`)": lambda shop: _search(
        shop, output_uri=shop.folder / f"{uuid4().hex}.jsonl"
    ),
    "AyonCreateProjectOperator": _create_project,
    "AyonEntityStatusSensor": _entity_status,
    "AyonEntityStatusSensor (of a version)": lambda shop: _entity_status(shop, type="version"),
    "RudderUpdateRuleOperator": _update_rule,
    "RudderUpdateRuleOperator (where Rudder validates changes)": lambda shop: _update_rule(shop, validation=True),
    "RudderRuleStatusSensor": lambda shop: shop.run(
        "RudderRuleStatusSensor", rule_id=rudder_cases.add_reported_rule(shop.served["rudder"], 100)
    ),
    "RudderComplianceSensor (of a node)": lambda shop: shop.run("RudderComplianceSensor", node=FILE_SERVER),
    "AtrocoreSyncProductsOperator": _sync,
    "AtrocoreSyncProductsOperator (with `rejects_uri`)": _reject,
    "AtrocoreSyncProductsPlanOperator": _plan("Products"),
    "AtrocoreSyncRecordsPlanOperator": _plan("Records", entity="Product", key_field="number"),
    "AtrocoreHook.get_import_baseline": _baseline("Import"),
    "AtrocoreHook.get_export_baseline": _baseline("Export"),
}
"""How a source gets a result, by its name."""


def _add_entity(shop: Workshop, project: Mapping[str, Any]) -> dict[str, Any]:
    entity_id = ayon_cases.add_entity(shop.served["ayon"], project["name"], status="Approved")[1]
    return {"entity_type": "folder", "entity_id": entity_id, "statuses": "Approved"}


def _add_operation(shop: Workshop, project: Mapping[str, Any]) -> dict[str, Any]:
    operation_id = ayon_cases.new_id()
    shop.served["ayon"].seed({"operations": [{"project": project["name"], "id": operation_id}]})
    return {"operation_id": operation_id}


def _add_reviewable(shop: Workshop, result: Mapping[str, Any]) -> dict[str, Any]:
    project = result.get("name") or result["project"]
    version_id = ayon_cases.add_version(shop.served["ayon"], project)[1]
    shop.served["ayon"].seed({"reviewables": [{"project": project, "version": version_id}]})
    return {"version_id": version_id}


def _add_node(shop: Workshop, _: Any) -> dict[str, Any]:
    return {"node": rudder_cases.add_node(shop.served["rudder"], first_run=-1)}


def _add_job(entity: str) -> Callable[[Workshop, Any], dict[str, Any]]:
    def add(shop: Workshop, _: Any) -> dict[str, Any]:
        values = {"id": uuid4().hex, "importFeedId": "f", "exportFeedId": "f"}
        shop.served["atrocore"].seed({"jobs": [{"entity": entity, "values": values, "running": 0}]})
        return {"feed_id": "f"}

    return add


USED_UP = {
    f"AssemblylineSubmitFilesOperator ({NO_WAIT})",
    f"AssemblylineSubmitFileOperator ({NO_WAIT})",
    "AssemblylineSearchOperator",
    "RudderUpdateRuleOperator",
}
"""The sources of targets that delete, and of targets that wait for something new."""

OTHERS: Mapping[str, Callable[[Workshop, Any], dict[str, Any]]] = {
    "AssemblylineSetVerdictOperator": lambda *_: {"verdict": "malicious"},
    "AssemblylineExportBundleOperator": lambda shop, _: {"output_uri": shop.folder / uuid4().hex},
    "AssemblylineImportBundleOperator": lambda *_: {"exist_ok": True},
    "AssemblylineDownloadFileOperator": lambda shop, _: {"folder": shop.folder},
    "AssemblylineAddToListOperator": lambda *_: {"list_name": "badlist", "reason": "a test"},
    "AssemblylineRemoveFromListOperator": lambda *_: {"list_name": "badlist", "confirm": True},
    "AssemblylineDeleteSubmissionOperator": lambda *_: {"confirm": True},
    "AssemblylineUpdateAlertOperator": lambda *_: {"add_labels": "SEEN"},
    "AyonEntityStatusSensor": _add_entity,
    "AyonBackgroundOperationSensor": _add_operation,
    "AyonReviewableSensor": _add_reviewable,
    "AyonReviewableSensor.version_id": lambda _, result: {"project": result["project"]},
    "RudderComplianceSensor.after": lambda _, result: {"rule_id": result["rule_id"], "generation_seconds": 0.001},
    "RudderNodeRunSensor.after": _add_node,
    "RudderNodeRunSensor": lambda *_: {"after": LONG_AGO},
    "AtrocoreSyncProductsOperator.entity": lambda *_: {"source": [{"number": "W-1", "name": "Wheel"}]},
    "AtrocoreSyncProductsOperator": lambda _, result: {
        "fields": None if "rejects_uri" in result else {"sid": "number"},
        "dry_run": True,
    },
    "AtrocoreSyncProductsApplyOperator.sha256": lambda _, result: {"plan_uri": result["plan_uri"]},
    "AtrocoreSyncRecordsApplyOperator.sha256": lambda _, result: {"entity": "Product", "plan_uri": result["plan_uri"]},
    "AtrocoreSyncRecordsApplyOperator": lambda *_: {"entity": "Product"},
    "AtrocoreImportJobSensor": _add_job("ImportJob"),
    "AtrocoreExportJobSensor": _add_job("ExportJob"),
}
"""The other required arguments of a target, from the result; by its name, or its name and the argument."""


def build_other_arguments(shop: Workshop, target: str, argument: str, result: Any) -> dict[str, Any]:
    """Return the other required arguments of a target.

    :param shop: runs tasks
    :param target: name of its class
    :param argument: the argument that takes the result
    :param result: the whole result of the source
    """
    build = OTHERS.get(f"{target}.{argument}") or OTHERS.get(target)
    return build(shop, result) if build else {}
