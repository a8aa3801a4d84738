"""What a score means: the server's bands, and what a task is told to fail on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from self_hosted.assemblyline.api.account import configuration
from self_hosted.core.errors import Final
from self_hosted.core.flow import Flow

VERDICTS = ("info", "suspicious", "highly_suspicious", "malicious")
"""The bands of scores, as the server's configuration names them; below all of them is "safe"."""


def verdict_bands() -> Flow[dict[str, int]]:
    """The least score of each verdict, as this server has it: {"info": 0, "suspicious": 300, ...}."""
    settings = yield from configuration()
    return {name: settings[f"submission.verdicts.{name}"] for name in VERDICTS}


def verdict_of(score: int, bands: Mapping[str, int]) -> str:
    """The verdict a score stands for.

    :param score: a submission's ``max_score``
    :param bands: see `verdict_bands`
    """
    reached = [name for name in VERDICTS if score >= bands[name]]
    return reached[-1] if reached else "safe"


def check_limits(fail_on_score: int | str | None, fail_on_verdict: str | None) -> None:
    """Validate what a task is to fail on.

    :param fail_on_score: a score, or its digits, which is what a template gives
    :param fail_on_verdict: a verdict worse than safe
    :raises ValueError: naming the argument
    """
    try:
        int(fail_on_score or 0)
    except (TypeError, ValueError):
        raise ValueError(f"fail_on_score must be a whole number, such as 500, not {fail_on_score!r}") from None
    if fail_on_verdict and fail_on_verdict not in VERDICTS:
        raise ValueError(f"fail_on_verdict must be one of {', '.join(VERDICTS)}, not {fail_on_verdict!r}")


def judged(
    found: Mapping[str, Any], url: str, fail_on_score: int | str | None = None, fail_on_verdict: str | None = None
) -> dict[str, Any]:
    """The result of a submission that is over: {sid, state, max_score, verdict, file_count, error_count, url}.

    :param found: sid, state, max_score, verdict, file_count and error_count
    :param url: its page
    :param fail_on_score: the least score to fail on
    :param fail_on_verdict: the mildest verdict to fail on
    :raises Final: when its analysis failed, or it reached one of the limits
    """
    if found["state"] != "completed":
        raise Final(f"submission {found['sid']} ended as {found['state']!r}: {url}")
    if reached(found["max_score"], found["verdict"], fail_on_score, fail_on_verdict):
        raise Final(f"submission {found['sid']} is {found['verdict']}, with a score of {found['max_score']}: {url}")
    names = ("sid", "state", "max_score", "verdict", "file_count", "error_count")
    return {**{name: found[name] for name in names}, "url": url}


def reached(score: int, verdict: str, fail_on_score: int | str | None, fail_on_verdict: str | None) -> bool:
    """Whether a task is to fail.

    :param score: a ``max_score``
    :param verdict: what it stands for
    :param fail_on_score: the least score to fail on
    :param fail_on_verdict: the mildest verdict to fail on
    """
    ranks = ("safe", *VERDICTS)
    too_high = fail_on_score not in {None, ""} and score >= int(fail_on_score or 0)
    return too_high or (bool(fail_on_verdict) and ranks.index(verdict) >= ranks.index(str(fail_on_verdict)))
