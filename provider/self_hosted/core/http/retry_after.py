"""The header Retry-After, as servers and the proxies before them send it."""

from __future__ import annotations

import contextlib
import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from self_hosted.core.http.errors import MAX_RETRY_AFTER_SECONDS

MAX_RETRY_AFTER_CHARACTERS = 100


def parse_retry_after(retry_after: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds of a Retry-After header, given as seconds or as an HTTP date; None if absent or malformed.

    The result is 24 hours at most.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after

    :param retry_after: the header's value
    :param now: the time that a date is relative to; default: the current time
    """
    if not retry_after:
        return None
    retry_after = retry_after[:MAX_RETRY_AFTER_CHARACTERS]
    with contextlib.suppress(ValueError):
        seconds = float(retry_after)
        return _limit_retry_after(seconds) if math.isfinite(seconds) else None
    try:
        moment = parsedate_to_datetime(retry_after)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return _limit_retry_after((moment - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, OverflowError):
        return None


def _limit_retry_after(seconds: float) -> float:
    return min(max(0.0, seconds), MAX_RETRY_AFTER_SECONDS)
