"""Verdicts: the server's score bands, the limits at which a task fails, and the verdicts of users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typing_extensions

from self_hosted.assemblyline.api import ids, server
from self_hosted.assemblyline.api.account import account
from self_hosted.assemblyline.api.alerts.changes import USER_VERDICTS
from self_hosted.assemblyline.api.submissions import submissions
from self_hosted.assemblyline.api.submissions.types import AnalysisResult
from self_hosted.assemblyline.errors import API_PATH, Success, call
from self_hosted.core.arguments import is_set, parse_choice, parse_int
from self_hosted.core.http.errors import PermanentError, ServerError
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)

VERDICTS = ("info", "suspicious", "highly_suspicious", "malicious")
"""The score bands, as in the server's configuration. A score below all of them is "safe"."""

MIN_SCORE = -1_000_000  # safelisted findings subtract from a score


class _Judged(typing_extensions.TypedDict):
    verdict: typing_extensions.NotRequired[dict[str, list[str] | None] | None]


def get_bands() -> Flow[dict[str, int]]:
    """Return the lowest score of each verdict on this server: {"info": 0, "suspicious": 300, ...}."""
    configuration = yield from server.get_configuration()
    return {name: configuration[f"submission.verdicts.{name}"] for name in VERDICTS}


def classify(score: int, bands: Mapping[str, int]) -> str:
    """Return the verdict of a score.

    :param score: ``max_score`` of a submission
    :param bands: see `get_bands`
    """
    reached = [name for name in VERDICTS if score >= bands[name]]
    return reached[-1] if reached else "safe"


def check_limits(fail_on_score: int | str | None, fail_on_verdict: str | None) -> None:
    """Check the limits at which a task fails.

    :param fail_on_score: a score, or its digits as text; None and "" = no limit
    :param fail_on_verdict: a verdict in `VERDICTS`; None and "" = no limit
    :raises ValueError: if a limit is invalid
    """
    _parse_score_limit(fail_on_score)
    if fail_on_verdict:
        parse_choice("fail_on_verdict", fail_on_verdict, VERDICTS)


def _parse_score_limit(fail_on_score: int | str | None) -> int | None:
    return parse_int("fail_on_score", fail_on_score, minimum=MIN_SCORE) if is_set(fail_on_score) else None


def judge(
    outcome: Mapping[str, Any], url: str, fail_on_score: int | str | None = None, fail_on_verdict: str | None = None
) -> AnalysisResult:
    """Return the result of a submission whose analysis is over.

    :param outcome: sid, sha256, state, max_score, verdict, file_count and error_count
    :param url: its page
    :param fail_on_score: the lowest score to fail on
    :param fail_on_verdict: the mildest verdict to fail on
    :return: `AnalysisResult`
    :raises PermanentError: if the analysis failed, or the submission exceeds a limit
    """
    if outcome["state"] != "completed":
        raise PermanentError(f"submission {outcome['sid']} ended in state {outcome['state']!r}: {url}")
    if exceeds_limits(outcome["max_score"], outcome["verdict"], fail_on_score, fail_on_verdict):
        raise PermanentError(
            f"submission {outcome['sid']} is {outcome['verdict']}, with a score of {outcome['max_score']}: {url}"
        )
    return AnalysisResult(
        sid=outcome["sid"],
        sha256=outcome.get("sha256"),
        state=outcome["state"],
        max_score=outcome["max_score"],
        verdict=outcome["verdict"],
        file_count=outcome["file_count"],
        error_count=outcome["error_count"],
        url=url,
    )


def exceeds_limits(score: int, verdict: str, fail_on_score: int | str | None, fail_on_verdict: str | None) -> bool:
    """Return whether a score or a verdict reaches a limit.

    :param score: a ``max_score``
    :param verdict: its verdict
    :param fail_on_score: the lowest score to fail on; None and "" = no limit
    :param fail_on_verdict: the mildest verdict to fail on; None and "" = no limit
    """
    ranks, limit = ("safe", *VERDICTS), _parse_score_limit(fail_on_score)
    is_score_high = limit is not None and score >= limit
    return is_score_high or (bool(fail_on_verdict) and ranks.index(verdict) >= ranks.index(str(fail_on_verdict)))


def set_user_verdict(sid: str, verdict: str) -> Flow[bool]:
    """Set the user's verdict on a submission, whatever its score, and return whether that changed it.

    The server sets the same verdict on all alerts of the submission.

    ``PUT /api/v4/submission/verdict/<sid>/<verdict>/``, which is idempotent, after a look at the submission

    :param sid: id of the submission
    :param verdict: malicious or non_malicious; replaces the user's earlier verdict
    :raises ValueError: for any other verdict
    :raises NotFoundError: if the submission does not exist
    :raises ServerError: if the server could not store it
    """
    check_user_verdict(verdict)
    ids.check_segment("sid", sid)
    user = yield from account.get_username()
    users = (yield from submissions.read(sid, _Judged)).get("verdict") or {}
    if [name for name in USER_VERDICTS if user in (users.get(name) or [])] == [verdict]:
        return False
    path = f"{API_PATH}{url_path('submission', 'verdict', sid, verdict)}/"
    response = yield from call(Request("PUT", path, idempotent=True), Success)
    if not response["success"]:
        raise ServerError(f"the server did not store the verdict on submission {sid}")
    log.info("Submission %s: verdict of user %s set to %s", sid, user, verdict)
    return True


def check_user_verdict(verdict: str) -> None:
    """Check a user's verdict.

    :param verdict: malicious or non_malicious
    :raises ValueError: for anything else
    """
    parse_choice("verdict", verdict, USER_VERDICTS)
