"""A DAG with each operator and sensor of Assemblyline, in the order of an investigation.

Its folder contains ``sample.exe``, which must be malicious, ``rule.yar``, and the folders ``delivery`` and ``intake``.
The tasks write their files into the same folder.
"""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, AssetAlias, Param

from self_hosted.assemblyline.operators import (
    AssemblylineAddToListOperator,
    AssemblylineApiOperator,
    AssemblylineArchiveSubmissionOperator,
    AssemblylineDeleteSubmissionOperator,
    AssemblylineDownloadFileOperator,
    AssemblylineEnableListEntryOperator,
    AssemblylineExportBundleOperator,
    AssemblylineFetchSignaturesOperator,
    AssemblylineGetReportOperator,
    AssemblylineImportBundleOperator,
    AssemblylineIngestFilesOperator,
    AssemblylineLookUpHashesOperator,
    AssemblylineRemoveFromListOperator,
    AssemblylineResubmitOperator,
    AssemblylineRetrohuntOperator,
    AssemblylineSearchOperator,
    AssemblylineSetVerdictOperator,
    AssemblylineSubmitFileOperator,
    AssemblylineSubmitFilesOperator,
    AssemblylineSubmitHashOperator,
    AssemblylineSubmitUrlOperator,
    AssemblylineUpdateAlertOperator,
    AssemblylineUpdateAlertsOperator,
    AssemblylineVerdictBranchOperator,
)
from self_hosted.assemblyline.sensors import (
    AssemblylineAlertSensor,
    AssemblylineIdleSensor,
    AssemblylineIngestSensor,
    AssemblylineRetrohuntSensor,
    AssemblylineSubmissionSensor,
)

SCANNED = AssetAlias("scanned")
FOLDER, CASE = "{{ params.folder }}", {"case": "{{ run_id }}"}
OF_THIS_CASE = 'metadata.case:"{{ run_id }}"'
DEFERRED: dict[str, Any] = {"deferrable": True, "poll_interval": 1}
POKING: dict[str, Any] = {"deferrable": True, "poke_interval": 1}


with DAG("every_operator", schedule=None, params={"folder": Param("", type="string")}) as dag:
    scan = AssemblylineSubmitFileOperator(
        task_id="scan",
        file=f"{FOLDER}/sample.exe",
        submission_params={"generate_alert": True},
        metadata=CASE,
        multiple_outputs=True,
        outlets=[SCANNED],
        **DEFERRED,
    )
    scanned: Any = scan.output
    sid = scanned["sid"]
    alert = AssemblylineAlertSensor(
        task_id="alert", query="sid:\"{{ ti.xcom_pull('scan')['sid'] }}\"", multiple_outputs=True, **POKING
    )
    raised: Any = alert.output
    sha256 = raised["sha256"]
    scan >> alert

    branch = AssemblylineVerdictBranchOperator(
        task_id="branch",
        submission=scanned,
        malicious=["judge", "block"],
        suspicious="ask_an_analyst",
        safe="release",
    )
    judge = AssemblylineSetVerdictOperator(task_id="judge", sid=sid, verdict="malicious")
    block = AssemblylineAddToListOperator(
        task_id="block", list_name="badlist", hashes=sha256, reason="seen in {{ run_id }}", dtl="90"
    )
    pardon = AssemblylineEnableListEntryOperator(task_id="pardon", list_name="badlist", hashes=sha256, enabled=False)
    forget = AssemblylineRemoveFromListOperator(task_id="forget", list_name="badlist", hashes=sha256, confirm=True)
    branch >> [judge, block, EmptyOperator(task_id="ask_an_analyst"), EmptyOperator(task_id="release")]
    block >> pardon >> forget

    triage = AssemblylineUpdateAlertOperator(
        task_id="triage", alert_id=raised["alert_id"], add_labels=["AIRFLOW"], priority="HIGH"
    )
    sweep = AssemblylineUpdateAlertsOperator(
        task_id="sweep", query="file.sha256:\"{{ ti.xcom_pull('alert')['sha256'] }}\"", status="TRIAGE", max_items="5"
    )
    triage >> sweep

    report = AssemblylineGetReportOperator(task_id="report", sid=sid, output_uri=f"{FOLDER}/report.json")
    iocs: Any = report.output
    AssemblylineAddToListOperator(task_id="block_iocs", list_name="badlist", entries=iocs["iocs"], reason="an IOC")
    AssemblylineArchiveSubmissionOperator(task_id="keep", sid=sid, metadata=CASE)
    AssemblylineDownloadFileOperator(
        task_id="fetch",
        sha256=sha256,
        folder=f"{FOLDER}/quarantine",
        encoding="zip",
        zip_password="{{ conn.quarantine.password }}",
    )

    delivery = AssemblylineSubmitFilesOperator(
        task_id="delivery",
        folder=f"{FOLDER}/delivery",
        report_uri=f"{FOLDER}/delivery.jsonl",
        metadata=CASE,
        poll_interval=1,
        outlets=[SCANNED],
    )
    urls = AssemblylineSubmitUrlOperator.partial(task_id="urls", metadata=CASE, **DEFERRED).expand(
        url=["https://good.example/", "hxxps[:]//bad[.]example/RIG-SCORE:400"]
    )
    intake = AssemblylineIngestFilesOperator(
        task_id="intake",
        folder=f"{FOLDER}/intake",
        report_uri=f"{FOLDER}/intake.jsonl",
        metadata=CASE,
        wait_for_completion=False,
    )
    ingested = AssemblylineIngestSensor.partial(task_id="ingested", **POKING).expand(ingest_id=intake.output)

    known = AssemblylineSubmitHashOperator(task_id="known", hash=sha256, metadata=CASE, poll_interval=1)
    again = AssemblylineResubmitOperator(
        task_id="again",
        sid=sid,
        dynamic=True,
        submission_params={"generate_alert": False},
        multiple_outputs=True,
        poll_interval=1,
    )
    made: Any = again.output
    seen = AssemblylineSubmissionSensor(task_id="seen", sid=made["sid"], poke_interval=1)
    out = AssemblylineExportBundleOperator(task_id="out", sid=made["sid"], output_uri=f"{FOLDER}/again.al_bundle")
    clean_up = AssemblylineDeleteSubmissionOperator(task_id="clean_up", sids=made["sid"], confirm=True)
    back = AssemblylineImportBundleOperator(task_id="back", file="{{ ti.xcom_pull('out')['output_uri'] }}")
    seen >> out >> clean_up >> back

    quiet = AssemblylineIdleSensor(task_id="quiet", query=OF_THIS_CASE, poke_interval=1)
    look_up = AssemblylineLookUpHashesOperator(
        task_id="look_up", hashes=sha256, max_age="1d", submit_if_unknown=True, metadata=CASE, poll_interval=1
    )
    found = AssemblylineSearchOperator(
        task_id="found",
        index="submission",
        query=OF_THIS_CASE,
        fields=["sid", "max_score", "files.name"],
        sort="max_score desc",
        output_uri=f"{FOLDER}/found.jsonl",
    )
    hunt = AssemblylineRetrohuntOperator(
        task_id="hunt",
        file=f"{FOLDER}/rule.yar",
        description="hunted by {{ run_id }}",
        output_uri=f"{FOLDER}/hits.jsonl",
        **DEFERRED,
    )
    started: Any = hunt.output
    AssemblylineRetrohuntSensor(task_id="hunted", key=started, poke_interval=1)
    scan >> hunt
    [urls, delivery, ingested, known, back] >> quiet >> [look_up, found]

    AssemblylineFetchSignaturesOperator(
        task_id="rules", service="YARA", assemblyline_conn_id="assemblyline_rules", **DEFERRED
    )
    AssemblylineApiOperator(task_id="services", path="service/all")
