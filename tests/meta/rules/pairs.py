"""The documented pairs "the result of A is an argument of B": data for the test that runs them, and for the docs."""

from __future__ import annotations

from typing import NamedTuple

from tests.meta.source import PRODUCTS

PREFIXES = [product.capitalize() for product in PRODUCTS]

NO_WAIT = "without a wait"
"""The task has ``wait_for_completion=False``."""


class Source(NamedTuple):
    """A task whose result is an argument of another one.

    :param task: name of its class, without the product; with it for a hook method, and for a class of another product
    :param mode: how it differs from the default, if it does
    """

    task: str
    mode: str = ""

    def __str__(self) -> str:
        return f"{self.task} ({self.mode})" if self.mode else self.task


class Pair(NamedTuple):
    """An argument, and what fits it.

    :param task: name of the class, without the product
    :param argument: its name
    :param key: the key of the result that fits; "" for the whole result
    :param sources: whose results fit
    :param is_mapped: whether the task is mapped over the items of the result
    """

    task: str
    argument: str
    key: str
    sources: tuple[Source, ...]
    is_mapped: bool = False


ANALYSES = tuple(
    Source(name)
    for name in (
        "SubmitFileOperator",
        "SubmitUrlOperator",
        "SubmitHashOperator",
        "ResubmitOperator",
        "SubmissionSensor",
        "IngestSensor",
    )
)
SUBMITS = (*ANALYSES, Source("SubmitFileOperator", NO_WAIT))
REPORT, LOOK_UP = Source("GetReportOperator"), Source("LookUpHashesOperator")
SUBMITTED_FILES, INGESTED_FILES = Source("SubmitFilesOperator", NO_WAIT), Source("IngestFilesOperator", NO_WAIT)
BUNDLES = (Source("ExportBundleOperator"), Source("ImportBundleOperator"))
RETROHUNT, STARTED_RETROHUNT = Source("RetrohuntOperator"), Source("RetrohuntOperator", NO_WAIT)
ALERT = Source("AlertSensor")
REJECTING = Source("SyncProductsOperator", "with `rejects_uri`")
VALIDATED = Source("UpdateRuleOperator", "where Rudder validates changes")

PAIRS: dict[str, tuple[Pair, ...]] = {
    "assemblyline": (
        Pair("GetReportOperator", "sid", "", (*ANALYSES, *BUNDLES, ALERT)),
        Pair("GetReportOperator", "sid", "sid", ANALYSES),
        Pair("SetVerdictOperator", "sid", "", (*SUBMITS, REPORT)),
        Pair("ArchiveSubmissionOperator", "sid", "", (*ANALYSES, REPORT)),
        Pair("ExportBundleOperator", "sid", "", (*ANALYSES, REPORT)),
        Pair("ExportBundleOperator", "alert_id", "", (ALERT,)),
        Pair("ImportBundleOperator", "file", "", (BUNDLES[0],)),
        Pair("ResubmitOperator", "sid", "", (*ANALYSES, REPORT)),
        Pair("ResubmitOperator", "sha256", "", (*SUBMITS, REPORT)),
        Pair("SubmissionSensor", "sid", "", (*SUBMITS, *BUNDLES, Source("ArchiveSubmissionOperator"))),
        Pair("SubmissionSensor", "sid", "", (SUBMITTED_FILES,), is_mapped=True),
        Pair("SubmissionSensor", "sid", "pending", (Source("LookUpHashesOperator", NO_WAIT),), is_mapped=True),
        Pair("IngestSensor", "ingest_id", "", (INGESTED_FILES,), is_mapped=True),
        Pair("RetrohuntSensor", "key", "", (RETROHUNT, STARTED_RETROHUNT)),
        Pair(
            "VerdictBranchOperator",
            "submission",
            "",
            (
                *SUBMITS,
                REPORT,
                LOOK_UP,
                Source("SubmitFilesOperator"),
                Source("IngestFilesOperator"),
                SUBMITTED_FILES,
                INGESTED_FILES,
                *BUNDLES,
            ),
        ),
        Pair("DownloadFileOperator", "sha256", "", (*SUBMITS, REPORT)),
        Pair("SubmitFileOperator", "file", "", (Source("DownloadFileOperator"),)),
        Pair("SubmitHashOperator", "hash", "sha256", (*SUBMITS, REPORT)),
        Pair("LookUpHashesOperator", "hashes", "", (*SUBMITS, REPORT, RETROHUNT, SUBMITTED_FILES)),
        Pair("AddToListOperator", "hashes", "", (*SUBMITS, REPORT, LOOK_UP, RETROHUNT, SUBMITTED_FILES)),
        Pair("AddToListOperator", "entries", "", (REPORT,)),
        Pair("AddToListOperator", "entries", "iocs", (REPORT,)),
        Pair("RemoveFromListOperator", "entries", "iocs", (REPORT,)),
        Pair("UpdateAlertOperator", "alert_id", "", (ALERT,)),
        Pair("DeleteSubmissionOperator", "sids", "", (Source("SearchOperator"), SUBMITTED_FILES, SUBMITS[-1])),
    ),
    "ayon": (
        Pair("EntityStatusSensor", "project", "name", (Source("CreateProjectOperator"),)),
        Pair("BackgroundOperationSensor", "project", "name", (Source("CreateProjectOperator"),)),
        Pair("ReviewableSensor", "project", "name", (Source("CreateProjectOperator"),)),
        Pair("ReviewableSensor", "project", "project", (Source("EntityStatusSensor"),)),
        Pair("ReviewableSensor", "version_id", "entity_id", (Source("EntityStatusSensor", "of a version"),)),
    ),
    "rudder": (
        Pair("ChangeRequestSensor", "change_request_id", "change_request_id", (VALIDATED,)),
        Pair("RuleStatusSensor", "rule_id", "rule_id", (Source("UpdateRuleOperator"),)),
        Pair("ComplianceSensor", "rule_id", "rule_id", (Source("UpdateRuleOperator"), Source("RuleStatusSensor"))),
        Pair("ComplianceSensor", "after", "applied_at", (Source("UpdateRuleOperator"),)),
        Pair("NodeRunSensor", "after", "applied_at", (Source("UpdateRuleOperator"),)),
        Pair("NodeRunSensor", "node", "node_id", (Source("ComplianceSensor", "of a node"),)),
    ),
    "atrocore": (
        Pair("SyncProductsOperator", "entity", "entity", (Source("SyncProductsOperator"),)),
        Pair("SyncProductsOperator", "source", "rows", (Source("AssemblylineSearchOperator"),)),
        Pair(
            "SyncProductsOperator", "source", "output_uri", (Source("AssemblylineSearchOperator", "with `output_uri`"),)
        ),
        Pair("SyncProductsOperator", "source", "rejects_uri", (REJECTING,)),
        Pair("SyncProductsApplyOperator", "plan_uri", "plan_uri", (Source("SyncProductsPlanOperator"),)),
        Pair("SyncProductsApplyOperator", "sha256", "sha256", (Source("SyncProductsPlanOperator"),)),
        Pair("SyncRecordsApplyOperator", "plan_uri", "plan_uri", (Source("SyncRecordsPlanOperator"),)),
        Pair("SyncRecordsApplyOperator", "sha256", "sha256", (Source("SyncRecordsPlanOperator"),)),
        Pair("ImportJobSensor", "after", "", (Source("AtrocoreHook.get_import_baseline"),)),
        Pair("ExportJobSensor", "after", "", (Source("AtrocoreHook.get_export_baseline"),)),
    ),
}
"""By product."""


def format_pairs_table(product: str) -> str:
    """Return the table of a product's pairs, for its page.

    :param product: its folder
    """
    rows = (
        f"| `{pair.argument}` of `{get_full_name(product, pair.task)}` | {_describe_part(pair)} | "
        f"{', '.join(_describe_source(product, source) for source in pair.sources)} |"
        for pair in PAIRS[product]
    )
    return "\n".join(["| argument | takes | of |", "|---|---|---|", *rows])


def get_full_name(product: str, name: str) -> str:
    """Return the name of a class with its product.

    :param product: the folder of the product whose page it is on
    :param name: see `Source`
    """
    return name if name.startswith(tuple(PREFIXES)) else f"{product.capitalize()}{name}"


def _describe_part(pair: Pair) -> str:
    part = f"`{pair.key}`" if pair.key else "the result"
    return f"each item of {part}" if pair.is_mapped else part


def _describe_source(product: str, source: Source) -> str:
    return f"`{get_full_name(product, source.task)}`" + (f" {source.mode}" if source.mode else "")
