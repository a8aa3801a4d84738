"""Log lines: loggers whose records show no secret, how often something that goes on is logged, and values in short."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.core.http.redact import redact_all, strip_control_characters

MAX_VALUE_CHARACTERS = 80
SECONDS_BETWEEN_LINES = 60.0
BYTES_PER_MEGABYTE = 1_000_000
LONG_PAUSE_SECONDS = 5.0  # shorter ones are no news


def get_logger(name: str) -> logging.Logger:
    """Return a logger of the standard library. Its records are one line each, without secrets of any hook.

    :param name: of the module
    """
    logger = logging.getLogger(name)
    logger.addFilter(_clean)
    return logger


def _clean(record: logging.LogRecord) -> bool:
    text = strip_control_characters(redact_all(record.getMessage()))
    record.msg, record.args = text.replace("\n", " ").replace("\t", " "), None
    return True


class Throttle:
    """Says when another line about something that goes on is due: one per minute.

    :param first_after: seconds before the first line
    """

    def __init__(self, first_after: float = 0.0) -> None:
        self.started_at = time.monotonic()
        self._next_line = self.started_at + first_after

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started_at

    def is_due(self) -> bool:
        """Return whether a line is due; the next one then is a minute later."""
        now = time.monotonic()
        if now < self._next_line:
            return False
        self._next_line = now + SECONDS_BETWEEN_LINES
        return True

    def reason(self, text: str) -> str:
        """Return the reason of a pause, if a line about it is due; else "".

        :param text: what the pause is for
        """
        return f"{text}, for {self.seconds:.0f} s so far" if self.is_due() else ""


def shorten(value: Any) -> str:
    """Return a value as it is shown in a log line: up to 80 characters.

    :param value: JSON, or any other object
    """
    text = value if isinstance(value, str) else _to_json(value)
    return text if len(text) <= MAX_VALUE_CHARACTERS else f"{text[: MAX_VALUE_CHARACTERS - 1]}…"


def describe_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return what a write changes, such as "enabled false -> true, directives +2 -1".

    :param before: the former values, by name
    :param after: the new values, by name
    """
    return ", ".join(f"{name} {_describe_change(before.get(name), value)}" for name, value in after.items())


def _describe_change(before: Any, after: Any) -> str:
    if not (_is_list(before) and _is_list(after)):
        return f"{_quote(before)} -> {_quote(after)}"
    former, current = set(map(_to_json, before)), set(map(_to_json, after))
    return f"+{len(current - former)} -{len(former - current)}"


def _quote(value: Any) -> str:
    return shorten(_to_json(value))


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
