"""The arguments of sync operators, parsed once after templating."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

from self_hosted.core.arguments import (
    is_set,
    parse_bool,
    parse_choice,
    parse_int,
    parse_json,
    parse_object,
    parse_share,
)
from self_hosted.core.http.logs import shorten
from self_hosted.core.sync import limits, source
from self_hosted.core.sync.batches import ApplyOptions
from self_hosted.core.sync.duplicate_keys import OnDuplicateKey
from self_hosted.core.sync.field_options import parse_defaults
from self_hosted.core.sync.field_specs import parse_fields, parse_key_name
from self_hosted.core.sync.planning import PlanRequest
from self_hosted.core.sync.read_back import OnConflict
from self_hosted.core.sync.record_diff import DiffOptions, Mode, OnDeleted, OnMissing
from self_hosted.core.sync.rejects import parse_rejects_uri
from self_hosted.core.tasks.storage import parse_optional_uri, parse_uri

MAX_BATCH_SIZE = 1000
SHA256 = re.compile(r"[0-9a-fA-F]{64}")
APPROVE = "Approve"
"""The answer of Airflow's ApprovalOperator that approves."""


def parse_plan_request(operator: Any) -> PlanRequest:
    """Return what is to be compared.

    :param operator: a `PlanningOperator`; its attributes are the arguments
    :raises ValueError: naming the argument
    """
    defaults = parse_defaults(operator.own, operator.empty, operator.decimal, operator.date_format)
    return PlanRequest(
        source=_parse_source(operator),
        key=operator.key_field,
        fields=parse_fields(operator.fields, operator.key_field, defaults),
        defaults=defaults,
        options=_parse_diff_options(operator),
        on_duplicate_key=parse_choice("on_duplicate_key", operator.on_duplicate_key, get_args(OnDuplicateKey)),  # type: ignore[arg-type]
        limits=limits.parse_limits(
            operator.max_missing,
            operator.max_missing_ratio,
            operator.max_changed_ratio,
            operator.max_emptied,
            operator.min_rows,
        ),
    )


def parse_scope(operator: Any) -> Any:
    """Return the filter of the records, as JSON; None if all records are meant.

    :param operator: a `PlanningOperator`
    :raises ValueError: naming the argument; deletions need a filter, and to be confirmed
    """
    scope = parse_json("scope", operator.scope)
    is_confirmed = parse_bool("confirm", operator.confirm)
    limits.require_scope(operator.on_missing, scope, is_confirmed)
    return scope if is_set(scope) else None


def parse_apply_options(operator: Any) -> ApplyOptions:
    """Return how changes are applied.

    :param operator: an `ApplyingOperator`; its attributes are the arguments
    :raises ValueError: naming the argument
    """
    return ApplyOptions(
        batch_size=parse_int("batch_size", operator.batch_size, maximum=MAX_BATCH_SIZE),
        on_conflict=parse_choice("on_conflict", operator.on_conflict, get_args(OnConflict)),  # type: ignore[arg-type]
        verify=parse_choice("verify", operator.verify, ("doubtful", "all")),  # type: ignore[arg-type]
    )


class Outputs(NamedTuple):
    """What a task writes besides its result, and when it fails.

    :param report_uri: path or URI of the report
    :param rejects_uri: path or URI of the rejected rows
    :param max_failed_share: the share of rows that may fail, from 0 to 1
    """

    report_uri: str | None
    rejects_uri: str | None
    max_failed_share: float

    @classmethod
    def parse(cls, operator: Any) -> Outputs:
        """Return the arguments.

        :param operator: an `ApplyingOperator`; its attributes are the arguments
        :raises ValueError: naming the argument
        """
        return cls(
            parse_optional_uri("report_uri", operator.report_uri),
            parse_rejects_uri(operator.rejects_uri),
            parse_share("fail_on", operator.fail_on),
        )


class StoredPlan(NamedTuple):
    """The plan that an `ApplyOperator` applies.

    :param uri: path or URI
    :param sha256: its SHA-256; None = any
    :param approver: who approved it; "" if no approval is needed
    """

    uri: str
    sha256: str | None
    approver: str

    @classmethod
    def parse(cls, operator: Any) -> StoredPlan:
        """Return the arguments.

        :param operator: an `ApplyOperator`; its attributes are the arguments
        :raises ValueError: naming the argument; also if nobody approved the plan
        """
        return cls(
            parse_uri("plan_uri", operator.plan_uri),
            _parse_sha256(operator.sha256) if operator.needs_sha256 else None,
            _parse_approver(operator.approval) if operator.needs_approval else "",
        )


def _parse_sha256(value: Any) -> str:
    if not isinstance(value, str) or not SHA256.fullmatch(value):
        raise ValueError(f"sha256 must be the SHA-256 of the plan, 64 digits, not {shorten(value)!r}")
    return value.lower()


def _parse_source(operator: Any) -> source.Source:
    return source.parse_source(
        operator.source,
        operator.sql,
        operator.sql_conn_id,
        source_format=operator.source_format,
        sheet=operator.sheet,
        delimiter=operator.delimiter,
        encoding=operator.encoding,
        decimal=operator.decimal,
        date_format=operator.date_format,
        null_values=operator.null_values,
    )


def _parse_diff_options(operator: Any) -> DiffOptions:
    mode: Any = parse_choice("mode", operator.mode, get_args(Mode))
    on_missing: Any = parse_choice("on_missing", operator.on_missing, get_args(OnMissing))
    on_deleted: Any = parse_choice("on_deleted", operator.on_deleted, get_args(OnDeleted))
    if (mode == "mirror") != (on_missing != "ignore"):
        raise ValueError(
            "on_missing must be 'deactivate' or 'delete' with mode='mirror', and 'ignore' with any other mode, "
            f"not {on_missing!r} with mode={mode!r}"
        )
    return DiffOptions(mode, on_missing, on_deleted, parse_key_name(operator.key_field))


def _parse_approver(value: Any) -> str:
    """Return who approved: a timeout with a default answer looks like an approval, but nobody gave it."""
    # Airflow's result holds a datetime, so that it is no plain JSON
    answer = value if isinstance(value, Mapping) else parse_object("approval", value)
    user = answer.get("responded_by_user")
    if answer.get("chosen_options") != [APPROVE] or not isinstance(user, Mapping):
        raise ValueError("approval must be the result of an ApprovalOperator that somebody approved; nothing is sent")
    return str(user.get("name") or user.get("id"))
