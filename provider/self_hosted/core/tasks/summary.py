"""The last line of a task: its result in short."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from self_hosted.core.http.logs import get_logger, shorten

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

MAX_FIELDS = 25
SIZED = (str, list, tuple, Mapping)

log = get_logger(__name__)


def log_summary(context: Context, result: Any) -> None:
    """Log the result of a task, and how long it took since its start, a deferral included.

    :param context: the context of the task
    :param result: plain JSON, or any other object
    """
    started = getattr(context["ti"], "start_date", None)
    log_result(result, started.timestamp() if started else None)


def log_result(result: Any, since: float | None = None) -> None:
    """Log a result.

    :param result: plain JSON, or any other object
    :param since: when the task started, in seconds since the epoch; None = unknown
    """
    duration = "" if since is None else f" in {max(0.0, time.time() - since):.0f} s"
    text = describe_result(result)
    log.info("Done%s%s", duration, f": {text}" if text else "")


def describe_result(result: Any) -> str:
    """Return a result in short: values as they are, lists and objects by their size; empty ones are left out.

    :param result: plain JSON, or any other object
    """
    if not isinstance(result, Mapping):
        return _describe(result)
    fields = {name: text for name, text in ((name, _describe(value)) for name, value in result.items()) if text}
    # URLs come last: Airflow's UI would make a comma after a URL part of the link
    urls = [f"{name} {text}" for name, text in fields.items() if _is_url(text)]
    others = [f"{name} {text}" for name, text in fields.items() if not _is_url(text)]
    more = [f"and {len(others) - MAX_FIELDS} more"] if len(others) > MAX_FIELDS else []
    return ", ".join(others[:MAX_FIELDS] + more + [" ".join(urls)] * bool(urls))


def _describe(value: Any) -> str:
    if value is None or (isinstance(value, SIZED) and not value):
        return ""
    if isinstance(value, Mapping):
        return _count(len(value), "key")
    if isinstance(value, list | tuple):
        return _count(len(value), "item")
    return value if isinstance(value, str) and _is_url(value) else shorten(value)


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
