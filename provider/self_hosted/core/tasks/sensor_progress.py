"""What a sensor in reschedule mode observed, kept between its pokes in Airflow's task state store (since 3.3).

Each poke is a process of its own, and Airflow clears the task's XComs before each. Without the store, a poke does not
know what earlier ones observed: an object that was seen and has disappeared is then awaited until the timeout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from self_hosted.core.wait.pending import Progress

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

KEY = "self_hosted.progress"


def save_progress(context: Context, key: str, progress: Progress) -> None:
    """Save the progress for the next poke of this try.

    :param context: the context of the task
    :param key: of the wait
    :param progress: the progress
    """
    store = context.get("task_state_store")
    if store is not None:
        store.set(KEY, {"try": context["ti"].try_number, "key": key, "progress": progress.as_json()})


def load_progress(context: Context, key: str) -> Progress | None:
    """Return the progress of the last poke, or None. Airflow keeps the state of other tries, whose waits have ended.

    :param context: the context of the task
    :param key: of the wait
    """
    store = context.get("task_state_store")
    saved: Any = store.get(KEY) if store is not None else None
    is_current = saved and (saved["try"], saved["key"]) == (context["ti"].try_number, key)
    return Progress.from_json(saved["progress"]) if is_current else None


def clear_progress(context: Context) -> None:
    """Delete the progress.

    :param context: the context of the task
    """
    store = context.get("task_state_store")
    if store is not None:
        store.delete(KEY)
