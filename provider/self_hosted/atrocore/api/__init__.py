"""What can be asked of AtroCore, as flows.

dialects.py  the three REST dialects, as a table
session.py   which dialect, and signing in
errors.py    from a reply to an error
where.py     the filter of lists
records.py   records of any entity
schema.py    the fields of an entity
compare.py   whether two values are the same
plan.py      what a sync has to do
apply.py     doing it
tolerance.py how much of it may fail
jobs.py      the queue of background jobs
runs.py      the jobs of import and export feeds
baselines.py what is new after a run from what was there before
"""

from self_hosted.atrocore.api.apply import applied
from self_hosted.atrocore.api.baselines import export_baseline, import_baseline
from self_hosted.atrocore.api.dialects import DIALECTS, Dialect
from self_hosted.atrocore.api.errors import error_of
from self_hosted.atrocore.api.jobs import (
    PENDING,
    SUCCESS,
    UNDER_WAY,
    background_processing_runs,
    job_facts,
    jobs,
    reason_told,
)
from self_hosted.atrocore.api.plan import Change, Outcome, Plan, own_id, plan_of, planned
from self_hosted.atrocore.api.records import (
    create_record,
    delete_record,
    record,
    records,
    records_by,
    update_record,
    upsert,
)
from self_hosted.atrocore.api.runs import (
    cancel_export_job,
    export_jobs,
    feeds_about_to_export,
    import_counters,
    import_counts,
    import_jobs,
    run_key,
    run_of,
)
from self_hosted.atrocore.api.schema import Schema, schema
from self_hosted.atrocore.api.session import Credential, core_version, detected, login, session
from self_hosted.atrocore.api.tolerance import tolerated
from self_hosted.atrocore.api.where import where_query

__all__ = [
    "DIALECTS",
    "PENDING",
    "SUCCESS",
    "UNDER_WAY",
    "Change",
    "Credential",
    "Dialect",
    "Outcome",
    "Plan",
    "Schema",
    "applied",
    "background_processing_runs",
    "cancel_export_job",
    "core_version",
    "create_record",
    "delete_record",
    "detected",
    "error_of",
    "export_baseline",
    "export_jobs",
    "feeds_about_to_export",
    "import_baseline",
    "import_counters",
    "import_counts",
    "import_jobs",
    "job_facts",
    "jobs",
    "login",
    "own_id",
    "plan_of",
    "planned",
    "reason_told",
    "record",
    "records",
    "records_by",
    "run_key",
    "run_of",
    "schema",
    "session",
    "tolerated",
    "update_record",
    "upsert",
    "where_query",
]
