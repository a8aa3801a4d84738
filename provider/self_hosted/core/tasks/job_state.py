"""Job state: what an earlier try of a task submitted, kept in Airflow's task state store (since 3.3).

Without the store, and between the submit and the save, the write recognizes its own earlier effect.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from self_hosted.core.tasks.operator import idempotency_key

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

KEY = "self_hosted.submitted"


class JobState(NamedTuple):
    """The state that an earlier try left.

    :param submitted: what its operator's `submit` returned; None if it was interrupted in the middle of it
    :param is_current: whether this try continues the work. Airflow keeps the state when a user clears the task, which
        asks for new work
    :param fingerprint: the operator's `fingerprint` before its `submit`
    :param lineage: what the earlier try has read and written
    """

    submitted: dict[str, Any] | None
    is_current: bool
    fingerprint: str
    lineage: dict[str, Any] | None = None


def build_fingerprint(content: Any) -> str:
    """Return 32 hex digits that differ if the content differs.

    :param content: JSON; other objects count as their text
    """
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def save_job_state(
    context: Context,
    submitted: dict[str, Any] | None,
    fingerprint: str = "",
    lineage: dict[str, Any] | None = None,
) -> None:
    """Save what was submitted, or that a submit is about to begin.

    :param context: the context of the task
    :param submitted: plain JSON; None before the submit
    :param fingerprint: see `JobState`
    :param lineage: see `JobState`
    """
    store = context.get("task_state_store")
    if store is not None:
        state = {"submitted": submitted, "fingerprint": fingerprint, "lineage": lineage}
        store.set(KEY, {"key": idempotency_key(context), **state})


def load_job_state(context: Context) -> JobState | None:
    """Return the state of an earlier try that did not complete, or None.

    :param context: the context of the task
    """
    store = context.get("task_state_store")
    saved: Any = store.get(KEY) if store is not None else None
    if not saved:
        return None
    is_current = saved["key"] == idempotency_key(context)
    return JobState(saved["submitted"], is_current, saved["fingerprint"], saved.get("lineage"))


def clear_job_state(context: Context) -> None:
    """Delete the state.

    :param context: the context of the task
    """
    store = context.get("task_state_store")
    if store is not None:
        store.delete(KEY)


def is_previous_attempt_unknown(context: Context) -> bool:
    """Whether an earlier try may have ended during its write, so that nothing is known about the effect.

    :param context: the context of the task
    """
    if "task_state_store" in context:
        state = load_job_state(context)
        return state is not None and state.is_current
    return bool(context["ti"].try_number > 1)  # without the store, any retry may follow an interrupted write
