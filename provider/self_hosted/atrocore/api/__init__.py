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
"""

from self_hosted.atrocore.api.apply import applied
from self_hosted.atrocore.api.dialects import DIALECTS, Dialect
from self_hosted.atrocore.api.errors import error_of
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
from self_hosted.atrocore.api.schema import Schema, schema
from self_hosted.atrocore.api.session import Credential, core_version, detected, login, session
from self_hosted.atrocore.api.where import where_query

__all__ = [
    "DIALECTS",
    "Change",
    "Credential",
    "Dialect",
    "Outcome",
    "Plan",
    "Schema",
    "applied",
    "core_version",
    "create_record",
    "delete_record",
    "detected",
    "error_of",
    "login",
    "own_id",
    "plan_of",
    "planned",
    "record",
    "records",
    "records_by",
    "schema",
    "session",
    "update_record",
    "upsert",
    "where_query",
]
