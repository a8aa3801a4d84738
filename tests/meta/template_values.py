"""A valid value of each template field, for the test that renders them all.

Texts consist of digits where the product allows it: native rendering turns them into numbers. A new operator needs a
value here only for an argument of a new name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from self_hosted.core.wait.observation import Observation
from tests.meta.source import PRODUCTS, list_arguments
from tests.meta.tasks import TASKS

FOLDER = Path("/FOLDER")
"""Stands for the folder of a test, which has the file ``12345``, the archive ``bundle``, products and a plan."""

SHA256 = "1" * 64
ENTITY_ID = "2" * 32
OMITTED: Any = object()
CONNECTIONS = {product: str(1000 + number) for number, product in enumerate(PRODUCTS)}
"""Ids of connections, by product."""

VALUES: Mapping[str, Any] = {
    **{f"{product}_conn_id": conn_id for product, conn_id in CONNECTIONS.items()},
    "activity_id": "3" * 32,
    "add_labels": ["12345", "seen"],
    "after": datetime(2020, 1, 1, 12, tzinfo=UTC),
    "alert_id": "12345",
    "allow_incomplete": True,
    "allow_match_all": True,
    "anatomy": {"attributes": {"fps": 24}, "tags": [{"name": "hero"}]},
    "anatomy_preset": "__builtin__",
    "approval": {"chosen_options": ["Approve"], "responded_by_user": {"id": "7", "name": "Anna"}},
    "attributes": {"fps": 25, "resolutionWidth": 1920},
    "attribution": {"family": ["EMOTET"]},
    "back_link": False,
    "batch_size": 2,
    "cancel_on_kill": False,
    "category_id": "12345",
    "change_request_description": "12345",
    "change_request_id": "12345",
    "change_request_name": "12345",
    "classification": "TLP:C",
    "code": "12345",
    "color": "#123456",
    "confirm": True,
    "content": "12345",
    "credentials_conn_id": "2000",
    "date_format": "%d.%m.%Y",
    "decimal": ",",
    "deferrable": True,
    "delete_after": True,
    "delimiter": ";",
    "description": "12345",
    "directives": ["12345", "ntp"],
    "display_name": "12345",
    "dry_run": True,
    "dtl": 10,
    "durable": False,
    "dynamic": True,
    "empty": "clear",
    "enabled": False,
    "encoding": "raw",
    "entity": "Product",
    "entity_id": ENTITY_ID,
    "entity_type": "version",
    "entries": [{"type": "network.static.domain", "value": "a.example.com", "classification": "TLP:C"}],
    "error_path": ["error"],
    "event_id": ENTITY_ID,
    "exist_ok": True,
    "fail_on": 0.5,
    "fail_on_empty": True,
    "fail_on_errors": False,
    "fail_on_score": 1000,
    "fail_on_unknown": True,
    "fail_on_verdict": "malicious",
    "feed_id": "12345",
    "fields": ["sid", "file.name"],
    "file": FOLDER / "12345",
    "files": [f"{FOLDER}/12345"],
    "filters": ["owner:none", "priority:HIGH"],
    "folder": FOLDER,
    "generation_seconds": 60.5,
    "hash": SHA256,
    "hashes": [SHA256, "3" * 64],
    "highly_suspicious": ["hot"],
    "idempotent": True,
    "idle_seconds": 30,
    "if_exists": "update",
    "index": "submission",
    "indices": "hot",
    "ingest_id": "12345",
    "job_id": "12345",
    "json": {"a": 1},
    "key": "12345",
    "key_field": "number",
    "label": "12345",
    "library": True,
    "limit": 5,
    "list_name": "badlist",
    "long_description": "12345",
    "malicious": ["quarantine", "report"],
    "malicious_from": 2000,
    "max_age": "7d",
    "max_changed_ratio": 0.5,
    "max_concurrency": 2,
    "max_emptied": 10,
    "max_items": 10,
    "max_missing": 10,
    "max_missing_ratio": 0.5,
    "max_size": 1000,
    "max_values": 5,
    "metadata": {"ticket": "A-1", "count": 7},
    "method": "POST",
    "min_classification": "TLP:C",
    "min_rows": 1,
    "mode": "mirror",
    "name": "12345",
    "node": "12345",
    "null_values": ["n/a", "-"],
    "on_conflict": "skip",
    "on_deleted": "respect",
    "on_duplicate_key": "skip",
    "on_missing": "deactivate",
    "operation_id": ENTITY_ID,
    "output_uri": FOLDER / "out.json",
    "own": "on_create",
    "path": "12345",
    "pattern": "12345",
    "plan_uri": FOLDER / "plan.jsonl",
    "poke_interval": timedelta(seconds=5),
    "poll_interval": timedelta(seconds=5),
    "priority": "HIGH",
    "project": "12345",
    "query": "12345",
    "raw_malware": True,
    "reason": "12345",
    "recursive": True,
    "rejects_uri": FOLDER / "rejects.csv",
    "remove_labels": ["67890"],
    "report_uri": FOLDER / "report.json",
    "rescan_services": ["RigScan", "Static Analysis"],
    "rule_id": "12345",
    "safe": ["archive"],
    "sample_size": 20,
    "scope": [{"attribute": "name", "type": "startsWith", "value": "Wheel"}],
    "search_classification": "TLP:C",
    "service": "YARA",
    "settings": {"uri": "https://git.example.com/rules.git", "pattern": ".*"},
    "sha256": SHA256,
    "shards": 2,
    "sheet": "Prices",
    "short_description": "12345",
    "sid": "12345",
    "sids": ["12345", "67890"],
    "signature_ids": ["yara_source_12345"],
    "signature_type": "yara",
    "signatures": [{"name": "found", "data": "rule found { condition: true }"}],
    "skip_hook": True,
    "skip_invalid_files": True,
    "sort": "times.submitted asc",
    "source": "12345",
    "source_format": "csv",
    "sources": ["al", "alert"],
    "sql": "SELECT number, name, price FROM products",
    "sql_conn_id": "2001",
    "status": "TRIAGE",
    "statuses": ["Approved", "2026"],
    "strict": True,
    "submission": {"sid": "12345", "verdict": "malicious", "score": 1500},
    "submission_params": {"deep_scan": True, "ttl": 3},
    "submission_profile": "static",
    "submit_if_unknown": True,
    "suspicious": ["review"],
    "suspicious_from": 500,
    "tags": {"network.static.domain": ["a.example.com"]},
    "take_ownership": True,
    "targets": ["special:all", "group:12345"],
    "tc": "7d",
    "tc_start": "2020-01-01T00:00:00Z",
    "threshold": 99.5,
    "timeout": timedelta(hours=1),
    "to_ingest": True,
    "ttl": 3,
    "unknown": ["ignore"],
    "url": "https://example.com/12345",
    "use_alternate_dtl": True,
    "use_archive": True,
    "users": {"anna": ["artist"]},
    "verdict": "malicious",
    "verify": "all",
    "version_id": ENTITY_ID,
    "wait_for_completion": True,
    "wait_timeout": timedelta(minutes=10),
    "yara_signature": "rule a { condition: true }",
    "zip_password": "12345",
}
"""By the name of the argument."""

ONE_SELECTION: list[dict[str, Any]] = [
    {"hashes": OMITTED, "entries": OMITTED},
    {"tags": OMITTED, "entries": OMITTED},
    {"hashes": OMITTED, "tags": OMITTED},
]

PLAN_SHA256 = "5" * 64
"""Stands for the SHA-256 of the plan in the folder of the test."""

PRODUCTS_AS_ROWS = [{"number": "W-1", "name": "a", "price": 1.5, "internal": 1}, {"number": "W-2", "name": "b"}]
OF_FILES: dict[str, Any] = dict.fromkeys(("source_format", "sheet", "delimiter", "encoding"), OMITTED)
OF_QUERIES: dict[str, Any] = dict.fromkeys(("sql", "sql_conn_id"), OMITTED)
# a JSON filter sorts names, and the order of fields is that of a plan
FIELDS = {"name": "name", "number": "number", "price": {"decimal": ",", "field": "price", "type": "number"}}
SOURCES: list[dict[str, Any]] = [
    {**OF_FILES, **OF_QUERIES, "source": PRODUCTS_AS_ROWS, "fields": FIELDS, "dry_run": False},
    {**OF_QUERIES, "source": FOLDER / "products.csv", "sheet": OMITTED, "encoding": "cp1252", "fields": FIELDS},
    {**OF_FILES, **OF_QUERIES, "source": FOLDER / "products.xlsx", "sheet": "Prices", "fields": FIELDS},
    {**OF_FILES, "source": OMITTED, "fields": FIELDS},
]
STORED_PLAN: list[dict[str, Any]] = [{"sha256": PLAN_SHA256}]

OWN_VALUES: Mapping[str, list[dict[str, Any]]] = {
    "AssemblylineAddToListOperator": [
        {"hashes": OMITTED, "entries": OMITTED},
        {"tags": OMITTED, "entries": OMITTED, "attribution": OMITTED},
        {"hashes": OMITTED, "tags": OMITTED, "attribution": OMITTED},
    ],
    "AssemblylineApiOperator": [
        {"query": {"rows": 5}, "max_size": OMITTED, "output_uri": OMITTED},
        {"query": {"id": ["a", "b"]}, "method": "GET", "json": OMITTED},
    ],
    "AssemblylineDeleteSubmissionOperator": [{"query": OMITTED}, {"sids": OMITTED}],
    "AssemblylineDownloadFileOperator": [
        {"zip_password": OMITTED},
        {"encoding": "zip", "raw_malware": OMITTED},
    ],
    "AssemblylineDeleteSignaturesOperator": [{"query": OMITTED}, {"signature_ids": OMITTED}],
    "AssemblylineEnableListEntryOperator": ONE_SELECTION,
    "AssemblylineExportBundleOperator": [{"alert_id": OMITTED}, {"sid": OMITTED}],
    "AssemblylineImportBundleOperator": [{"file": FOLDER / "bundle"}],
    "AssemblylineIngestFilesOperator": [
        {"files": OMITTED},
        {"folder": OMITTED, "pattern": OMITTED, "recursive": OMITTED},
    ],
    "AssemblylineRemoveFromListOperator": ONE_SELECTION,
    "AssemblylineResubmitOperator": [
        {"sid": OMITTED},
        {"sha256": OMITTED, "name": OMITTED, "dynamic": OMITTED},
    ],
    "AssemblylineRetrohuntOperator": [{"file": OMITTED}, {"yara_signature": OMITTED, "file": FOLDER / "rule.yar"}],
    "AssemblylineSetSignatureStatusOperator": [
        {"query": OMITTED, "status": "NOISY"},
        {"signature_ids": OMITTED, "status": "NOISY"},
    ],
    "AssemblylineSubmitFileOperator": [{"file": OMITTED}, {"content": OMITTED}],
    "AssemblylineSubmitFilesOperator": [
        {"files": OMITTED},
        {"folder": OMITTED, "pattern": OMITTED, "recursive": OMITTED},
    ],
    "AssemblylineSubmitUrlOperator": [{"name": OMITTED}],
    "AssemblylineUpdateSignaturesOperator": [
        {"files": OMITTED, "signatures": OMITTED, "status": "NOISY", "pattern": "*.yar"},
        {
            **{"folder": OMITTED, "pattern": OMITTED, "recursive": OMITTED, "signatures": OMITTED},
            **{"files": [f"{FOLDER}/rule.yar"], "status": "NOISY"},
        },
        {"folder": OMITTED, "pattern": OMITTED, "recursive": OMITTED, "files": OMITTED, "status": "NOISY"},
    ],
    "AtrocoreExportJobSensor": [{"job_id": OMITTED}, {"feed_id": OMITTED, "after": OMITTED}],
    "AtrocoreImportJobSensor": [{"job_id": OMITTED}, {"feed_id": OMITTED, "after": OMITTED}],
    "AtrocoreSyncProductsApplyOperator": STORED_PLAN,
    "AtrocoreSyncProductsOperator": SOURCES,
    "AtrocoreSyncProductsPlanOperator": SOURCES,
    "AtrocoreSyncRecordsApplyOperator": STORED_PLAN,
    "AtrocoreSyncRecordsOperator": SOURCES,
    "AtrocoreSyncRecordsPlanOperator": SOURCES,
    "AyonCreateProjectOperator": [{"anatomy": OMITTED}, {"anatomy_preset": OMITTED}],
    "RudderComplianceSensor": [{"node": OMITTED}, {"rule_id": OMITTED}],
    "RudderRuleStatusSensor": [{"status": "Not applied"}],
    "RudderUpdateRuleOperator": [
        {"tags": [{"env": "prod"}, {"team": "2026"}]},
        {
            "tags": {"env": "prod"},
            "targets": [{"include": {"or": ["special:all"]}, "exclude": {"or": ["group:1"]}}],
            "wait_for_completion": False,
        },
    ],
}
"""What differs from `VALUES`, by class: one mapping for each set of arguments that are valid together."""

SEEDS: Mapping[str, Any] = {
    "rudder": {
        "rules": [{"id": "12345", "displayName": "New", "directives": ["ntp"], "targets": ["special:all"]}],
        "nodes": [{"id": "12345"}],
        "categories": [{"id": "12345", "name": "New", "parent": "rootRuleCategory"}],
        "validation": True,
    },
}
"""What the sandbox needs for these values, by product."""

OBSERVATIONS: Mapping[str, Observation] = {
    "AtrocoreExportJobSensor": Observation("Success", True, {"jobs": 1, "file_ids": ["f1"], "records": 3}),
    "AtrocoreImportJobSensor": Observation(
        "Success", True, {"jobs": 1, "created": 1, "updated": 0, "deleted": 0, "skipped": 0, "errors": 1}
    ),
    "AtrocoreJobSensor": Observation("Success", True, {"items": {"Created": 1, "Failed": 1}, "failures": []}),
    "AyonBackgroundOperationSensor": Observation("completed", True, {"success": True, "operations": 3}),
    "AyonEntityStatusSensor": Observation("Approved", True),
    "AyonEventSensor": Observation("finished", True, {"topic": "a", "project": "p", "description": "d", "summary": {}}),
    "AyonReviewableSensor": Observation("ready", True, {"reviewables": []}),
    "RudderChangeRequestSensor": Observation("Deployed", True),
    "RudderComplianceSensor": Observation("100", True, {"compliance": 100.0, "details": {}}),
    "RudderNodeRunSensor": Observation("run", True, {"last_run": "2026-01-01T13:00:00+00:00"}),
    "RudderRuleStatusSensor": Observation("Not applied", True, {"details": ""}),
}
"""The last observation of a sensor, by class; the others fail with "unknown"."""


WITHOUT_VALUE = {
    "AssemblylineSubmitUrlOperator.name": "a file's argument; a URL names itself",
}
"""Arguments that are always invalid, and why they exist."""


class Scenario(NamedTuple):
    """An operator or sensor with arguments that are valid together.

    :param task_class: its class
    :param number: the first one is 0
    :param arguments: native values; `FOLDER` stands for the folder of the test
    """

    task_class: Any
    number: int
    arguments: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.task_class.__name__}-{self.number}"


def _list_scenarios() -> Iterator[Scenario]:
    for task_class in TASKS:
        names = [found.name for found in list_arguments(task_class, "self_hosted")]
        for number, own in enumerate(OWN_VALUES.get(task_class.__name__, [{}])):
            values = {name: own.get(name, VALUES.get(name, OMITTED)) for name in names}
            yield Scenario(task_class, number, {name: value for name, value in values.items() if value is not OMITTED})


SCENARIOS = list(_list_scenarios())


def place(value: Any, folder: Path) -> Any:
    """Return a value with the folder of the test in place of `FOLDER`.

    :param value: of an argument
    :param folder: the folder of the test
    """
    if isinstance(value, Path):
        return folder / value.relative_to(FOLDER)
    if value == PLAN_SHA256:
        return (folder / "plan.sha256").read_text()
    if isinstance(value, str):
        return value.replace(str(FOLDER), str(folder))
    if isinstance(value, list):
        return [place(item, folder) for item in value]
    return {name: place(item, folder) for name, item in value.items()} if isinstance(value, dict) else value
