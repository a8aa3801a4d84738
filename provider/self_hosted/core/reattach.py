"""How a task that is tried again finds what its earlier try started: Airflow 3.3 keeps a state for each task.

Before 3.3, and in the moment between the start and its being stored, the write's own recognition does the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from self_hosted.core.operator import round_key

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

KEY = "self_hosted.started"


class Earlier(NamedTuple):
    """What an earlier try left behind.

    :param started: what its operator's ``start`` returned; None when it was interrupted in the middle of it
    :param of_this_round: whether this try goes on with it. Airflow keeps the state when a person clears the task, who
        wants the work to be done anew
    """

    started: dict[str, Any] | None
    of_this_round: bool


def remember(context: Context, started: dict[str, Any] | None) -> None:
    """Store what was started, or that something is about to be.

    :param context: the context of the task
    :param started: plain JSON, or None before the start
    """
    store = context.get("task_state_store")
    if store is not None:
        store.set(KEY, {"round": round_key(context), "started": started})


def remembered(context: Context) -> Earlier | None:
    """What an earlier try started and did not finish, or None.

    :param context: the context of the task
    """
    store = context.get("task_state_store")
    found: Any = store.get(KEY) if store is not None else None
    return Earlier(found["started"], found["round"] == round_key(context)) if found else None


def forget(context: Context) -> None:
    """Remove what was stored.

    :param context: the context of the task
    """
    store = context.get("task_state_store")
    if store is not None:
        store.delete(KEY)
