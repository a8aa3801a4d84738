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

from self_hosted.atrocore.api.apply import applied as applied
from self_hosted.atrocore.api.baselines import export_baseline as export_baseline, import_baseline as import_baseline
from self_hosted.atrocore.api.dialects import DIALECTS as DIALECTS, Dialect as Dialect
from self_hosted.atrocore.api.errors import error_of as error_of
from self_hosted.atrocore.api.jobs import (
    PENDING as PENDING,
    SUCCESS as SUCCESS,
    UNDER_WAY as UNDER_WAY,
    background_processing_runs as background_processing_runs,
    job_facts as job_facts,
    jobs as jobs,
    reason_told as reason_told,
)
from self_hosted.atrocore.api.plan import (
    Change as Change,
    Outcome as Outcome,
    Plan as Plan,
    own_id as own_id,
    plan_of as plan_of,
    planned as planned,
)
from self_hosted.atrocore.api.records import (
    create_record as create_record,
    delete_record as delete_record,
    record as record,
    records as records,
    records_by as records_by,
    update_record as update_record,
    upsert as upsert,
)
from self_hosted.atrocore.api.runs import (
    cancel_export_job as cancel_export_job,
    export_jobs as export_jobs,
    feeds_about_to_export as feeds_about_to_export,
    import_counters as import_counters,
    import_counts as import_counts,
    import_jobs as import_jobs,
    run_key as run_key,
    run_of as run_of,
)
from self_hosted.atrocore.api.schema import Schema as Schema, schema as schema
from self_hosted.atrocore.api.session import (
    Credential as Credential,
    core_version as core_version,
    detected as detected,
    login as login,
    session as session,
)
from self_hosted.atrocore.api.tolerance import tolerated as tolerated
from self_hosted.atrocore.api.where import where_query as where_query
