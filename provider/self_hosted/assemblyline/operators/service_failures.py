"""The log line about services that failed during an analysis."""

from __future__ import annotations

from typing import Any


def log_service_failures(log: Any, subject: str, error_count: int | None, url: str) -> None:
    """Warn in the task's log that services failed, so that the verdict may be too low; log nothing if none failed.

    :param log: the task's logger
    :param subject: the analysed object, such as "submission 5eD6BO"
    :param error_count: how many service errors the submission has
    :param url: the submission's page, which names the services
    """
    if error_count:
        log.warning("%s services failed on %s; its verdict may be too low: %s", error_count, subject, url)
