"""How a change ended, decided by the record as it is stored: a response that contradicts the plan is no success."""

from __future__ import annotations

from typing import Literal

from self_hosted.core.sync.attempt import Attempt
from self_hosted.core.sync.baseline import Baseline, Comparison
from self_hosted.core.sync.target import JSON, RESULTS, Change, Outcome, Result, Stored

OnConflict = Literal["report", "skip", "overwrite"]


def is_confirmed(attempt: Attempt) -> bool:
    """Return whether the answer says that all is as planned.

    :param attempt: the attempt, with its answer
    """
    answer = attempt.answer
    if answer is None or answer.altered or _is_about_another(attempt, answer):
        return False
    return answer.result == attempt.success or _is_pending(answer)


class Judge:
    """Ends attempts, or plans them once more.

    :param baseline: compares changes with records
    :param on_conflict: what happens if the old values are no longer there
    """

    def __init__(self, baseline: Baseline, on_conflict: OnConflict) -> None:
        self._baseline, self._on_conflict = baseline, on_conflict

    def accept(self, attempt: Attempt) -> None:
        """End an attempt as its answer says.

        :param attempt: the attempt, with its answer
        """
        answer = _answer(attempt)
        attempt.end(answer.result, answer.message, ref=answer.ref, ticket=answer.ticket, is_final=answer.is_final)

    def judge_unsent(self, attempt: Attempt, found: Comparison) -> None:
        """End an attempt if it needs no write (again), and take over what is to be sent.

        :param attempt: the attempt; it has no answer
        :param found: its record
        """
        if found.state == "done":
            attempt.end(self._effect(attempt, found), ref=found.stored.ref if found.stored else None)
        elif found.state == "pending":
            _end_pending(attempt, found)
        elif found.state == "open":
            attempt.change = found.change
        else:
            self._resolve(attempt, found)

    def judge_answer(self, attempt: Attempt, found: Comparison) -> None:
        """End an attempt whose answer is in doubt; without an outcome, it is to be sent again.

        :param attempt: the attempt, with its answer
        :param found: its record
        """
        answer = _answer(attempt)
        # an error of the server, and not of the values: it may have come after the values were stored
        attempt.may_be_done |= answer.result == "failed" and not answer.is_final
        if _is_about_another(attempt, answer):
            other = answer.message or f"the server changed the record {answer.ref} in its place"
            attempt.end("failed", other, ref=answer.ref)
        elif found.state == "pending":
            _end_pending(attempt, found)
        elif found.state == "done" and not self._altered(attempt, found):
            self._judge_done(attempt, answer, found)
        elif answer.result == "conflict" or (answer.result in {"failed", "unchanged"} and found.state == "conflict"):
            self._resolve(attempt, found)
        elif answer.result in {"failed", "skipped"}:
            is_final = answer.is_final and not attempt.may_be_in_progress
            attempt.end(answer.result, answer.message, is_final=is_final)
        else:
            self._judge_contradiction(attempt, answer, found)

    def _judge_done(self, attempt: Attempt, answer: Outcome, found: Comparison) -> None:
        """End an attempt whose record is as wanted."""
        ref = found.stored.ref if found.stored else answer.ref
        if answer.result in {attempt.success, "altered"} or self._may_update(attempt, answer):
            attempt.end(attempt.success, ref=ref)
        elif answer.result not in RESULTS.values():
            attempt.end(self._effect(attempt, found), ref=ref)
        else:
            message = f"planned {attempt.change.do}, and the server reported {answer.result}"
            attempt.end("conflict", message, ref=ref)

    def _judge_contradiction(self, attempt: Attempt, answer: Outcome, found: Comparison) -> None:
        """End an attempt that the server reported as a success, although the record is not as wanted."""
        stored, altered = found.stored, self._altered(attempt, found)
        if found.state == "open" and stored is None:  # of a new record; perhaps somebody has deleted it already
            attempt.end("failed", f"reported as {answer.result}, but there is no such record", is_final=False)
        elif stored is None or (found.state == "conflict" and _is_unusable(stored, attempt.change)):
            attempt.end("conflict", f"reported as {answer.result}, but {found.message}")
        elif not altered or (found.state == "open" and len(altered) == len(attempt.change.new)):
            attempt.end("failed", f"reported as {answer.result}, but nothing was stored", ref=stored.ref)
        else:
            attempt.end("altered", ref=stored.ref, altered=altered)

    def _resolve(self, attempt: Attempt, found: Comparison) -> None:
        """End a conflict, or plan the change once more."""
        change = self._replan(found)
        if change is not None and not attempt.is_replanned:
            attempt.replan(change)
            return
        message = found.message or (attempt.answer.message if attempt.answer else "")
        attempt.end("skipped" if self._on_conflict == "skip" else "conflict", message)

    def _replan(self, found: Comparison) -> Change | None:
        if found.state == "open":  # only the version is another one
            return found.change
        return self._baseline.replan(found) if self._on_conflict == "overwrite" else None

    def _effect(self, attempt: Attempt, found: Comparison) -> Result:
        """Return the result of a change whose record is as wanted: it may be the work of somebody else."""
        is_own = found.stored is None or attempt.change.ref in {None, found.stored.ref}
        is_exact = not self._altered(attempt, found)
        return attempt.success if attempt.may_be_done and is_own and is_exact else "unchanged"

    def _altered(self, attempt: Attempt, found: Comparison) -> dict[str, tuple[JSON, JSON]]:
        """Return the values that were sent, and what is stored instead."""
        if found.stored is None:
            return {}
        values = found.stored.values
        differing = self._baseline.differing(attempt.change, found.stored)
        return {name: (value, values.get(name)) for name, value in differing.items()}

    def _may_update(self, attempt: Attempt, answer: Outcome) -> bool:
        """Return whether a planned create may have updated a record: that of its own earlier write, or any."""
        is_update = (attempt.change.do, answer.result) == ("create", "updated")
        return is_update and (attempt.may_be_done or self._on_conflict == "overwrite")


def _answer(attempt: Attempt) -> Outcome:
    assert attempt.answer is not None  # noqa: S101 the callers have read it
    return attempt.answer


def _is_about_another(attempt: Attempt, answer: Outcome) -> bool:
    return (
        answer.result in {*RESULTS.values(), "failed"}
        and None not in {answer.ref, attempt.change.ref}
        and (answer.ref != attempt.change.ref)
    )


def _is_unusable(stored: Stored, change: Change) -> bool:
    return stored.is_deleted or stored.key != change.key


def _is_pending(answer: Outcome) -> bool:
    return answer.result == "pending" and answer.ticket is not None


def _end_pending(attempt: Attempt, found: Comparison) -> None:
    ticket = found.stored.ticket if found.stored else None
    attempt.end("pending", "waits for an approval", ticket=ticket)
