"""What can be asked of Assemblyline 4, as flows by subject; no I/O and no Airflow."""

from self_hosted.assemblyline.api.account import configuration, submission_profile, whoami
from self_hosted.assemblyline.api.checks import check_params
from self_hosted.assemblyline.api.envelope import API, error_of
from self_hosted.assemblyline.api.ingesting import ingest_file, ingest_file_once
from self_hosted.assemblyline.api.ingests import ingest_key, ingest_parts, ingested_submissions, reused_submissions
from self_hosted.assemblyline.api.queues import DISPATCHER, INGESTER, is_taken_up, paused_components
from self_hosted.assemblyline.api.resubmitting import resubmit, resubmit_for_dynamic, resubmit_with_profile
from self_hosted.assemblyline.api.submissions import (
    cancel_submission,
    delete_submission,
    is_completed,
    is_ghost,
    phrase,
    search_submissions,
    submission,
    submission_if_any,
    submission_url,
    submissions,
)
from self_hosted.assemblyline.api.submitting import submit, submit_once
from self_hosted.assemblyline.api.tagging import LOOKS, TAG, end_duplicates, tagged_submission, tagged_submissions
from self_hosted.assemblyline.api.verdicts import VERDICTS, check_limits, judged, verdict_bands, verdict_of

__all__ = [
    "API",
    "DISPATCHER",
    "INGESTER",
    "LOOKS",
    "TAG",
    "VERDICTS",
    "cancel_submission",
    "check_limits",
    "check_params",
    "configuration",
    "delete_submission",
    "end_duplicates",
    "error_of",
    "ingest_file",
    "ingest_file_once",
    "ingest_key",
    "ingest_parts",
    "ingested_submissions",
    "is_completed",
    "is_ghost",
    "is_taken_up",
    "judged",
    "paused_components",
    "phrase",
    "resubmit",
    "resubmit_for_dynamic",
    "resubmit_with_profile",
    "reused_submissions",
    "search_submissions",
    "submission",
    "submission_if_any",
    "submission_profile",
    "submission_url",
    "submissions",
    "submit",
    "submit_once",
    "tagged_submission",
    "tagged_submissions",
    "verdict_bands",
    "verdict_of",
    "whoami",
]
