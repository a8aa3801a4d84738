"""What can be asked of Assemblyline 4, as flows by subject; no I/O and no Airflow."""

from self_hosted.assemblyline.api.account import configuration, submission_profile, whoami
from self_hosted.assemblyline.api.envelope import API, error_of
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
from self_hosted.assemblyline.api.submitting import (
    LOOKS,
    SUBMISSION_PARAMS,
    TAG,
    submit_file,
    submit_file_once,
    tagged_submission,
)
from self_hosted.assemblyline.api.verdicts import GONE, VERDICTS, check_limits, judged, verdict_bands, verdict_of

__all__ = [
    "API",
    "GONE",
    "LOOKS",
    "SUBMISSION_PARAMS",
    "TAG",
    "VERDICTS",
    "cancel_submission",
    "check_limits",
    "configuration",
    "delete_submission",
    "error_of",
    "is_completed",
    "is_ghost",
    "judged",
    "phrase",
    "search_submissions",
    "submission",
    "submission_if_any",
    "submission_profile",
    "submission_url",
    "submissions",
    "submit_file",
    "submit_file_once",
    "tagged_submission",
    "verdict_bands",
    "verdict_of",
    "whoami",
]
