"""What the results of items and the errors of requests mean for a change."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from self_hosted.atrocore.api.records import UpsertResult
from self_hosted.atrocore.errors import is_database_outage
from self_hosted.core.arguments import MAX_SHOWN_CHARACTERS
from self_hosted.core.http.errors import ConflictError, OutcomeUnknownError, SelfHostedError, ServerError
from self_hosted.core.sync.target import RESULTS, Action, Change, Outcome, Result

MESSAGE = re.compile(r"Code: (?P<code>\d{1,9})\. Message: ?(?P<message>.*)", re.DOTALL | re.ASCII)
"""The message of an item before 2.3, which holds the code."""
NOT_MODIFIED, CONFLICT = 304, 409
INTERNAL_ERROR = re.compile(r"must be of type \S+, \w+ given")
"""An error of the server's own code, which may come after the record was stored."""
PLANNED: Mapping[Action, Collection[Result]] = {
    "create": {"created"},
    "update": {"updated"},
    "restore": {"created", "updated"},  # servers that cannot restore a record create it again
    "deactivate": {"updated"},
    "delete": (),
}
"""The results of an upsert that an action expects."""
BY_WEIGHT: Sequence[Result] = ("created", "updated", "unchanged")
"""Results of an upsert, the most important first."""


def join_outcomes(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome of a change that was sent as one item, or as a record and then its relations.

    :param outcomes: of its items
    """
    first, last = outcomes[0], outcomes[-1]
    if len(outcomes) == 1 or last.result not in BY_WEIGHT:
        is_incomplete = len(outcomes) > 1 and first.result == "created"
        return replace(last, message=f"created without its relations: {last.message}") if is_incomplete else last
    return min((each for each in outcomes if each.result in BY_WEIGHT), key=lambda each: BY_WEIGHT.index(each.result))


def read_outcome(change: Change, result: UpsertResult) -> Outcome:
    """Return the outcome of an item of an upsert.

    :param change: the change that was sent
    :param result: the server's answer
    """
    status = result.get("status")
    code, message = _read_failure(result) if status == "Failed" else (0, "")
    if status == "NotModified" or code == NOT_MODIFIED:
        # a restored record may have all values already
        return succeed(change) if change.do == "restore" else replace(succeed(change), result="unchanged")
    if status in {"Created", "Updated"}:
        return _read_success(change, result, RESULTS["create" if status == "Created" else "update"])
    if code == CONFLICT:
        return Outcome(change.key, "conflict", "it was changed in the meantime", ref=change.ref, row=change.row)
    is_final = not (500 <= code < 600 or is_database_outage(message) or INTERNAL_ERROR.search(message))
    reason = message or f"rejected without a reason (code {code or 400})"
    return Outcome(change.key, "failed", reason, ref=change.ref, row=change.row, is_final=is_final)


def _read_success(change: Change, result: UpsertResult, answered: Result) -> Outcome:
    entity = result.get("entity")
    stored = entity.get("id") if isinstance(entity, dict) else result.get("id")  # the whole record before 2.3
    if stored is not None and stored != change.ref:
        other = str(stored)[:MAX_SHOWN_CHARACTERS]
        message = f"AtroCore changed the record {other} instead: its unique fields have the same values"
        return Outcome(change.key, "failed", message, ref=other, row=change.row)
    is_planned = answered in PLANNED[change.do]
    return succeed(change) if is_planned else replace(succeed(change), result=answered)


def _read_failure(result: UpsertResult) -> tuple[int, str]:
    """Return code and message of a failed item; the code is 0 if there is none."""
    message, code = str(result.get("message") or ""), result.get("code")
    if found := MESSAGE.fullmatch(message):
        message, code = found["message"], found["code"] if code is None else code
    return (int(code) if str(code).isdecimal() else 0), message  # type: ignore[arg-type]


def succeed(change: Change) -> Outcome:
    """Return the outcome of a change that was carried out as planned."""
    return Outcome(change.key, RESULTS[change.do], ref=change.ref, row=change.row)


def fail(change: Change, error: Exception) -> Outcome:
    """Return the outcome of a change that was sent alone and failed.

    :param change: the change
    :param error: the error of its request
    """
    result: Result = "conflict" if isinstance(error, ConflictError) else "failed"
    is_final = not isinstance(error, ServerError | OutcomeUnknownError)
    message = error.message if isinstance(error, SelfHostedError) else str(error)
    return Outcome(change.key, result, message, ref=change.ref, row=change.row, is_final=is_final)
