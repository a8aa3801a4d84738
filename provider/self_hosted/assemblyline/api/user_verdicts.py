"""What a user says of a submission, whatever its score."""

from __future__ import annotations

from typing import Any

from self_hosted.assemblyline.api.account import whoami
from self_hosted.assemblyline.api.alert_changes import USER_VERDICTS
from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.assemblyline.api.submissions import submission
from self_hosted.core.errors import Broken
from self_hosted.core.flow import Flow, Request, url_path


def set_verdict(sid: str, verdict: str) -> Flow[bool]:
    """Say that a submission is malicious or not, instead of what the user said before; whether that changed anything.

    The server says the same of all alerts that the submission raised.

    ``PUT /api/v4/submission/verdict/<sid>/<verdict>/``, which may be repeated, after a look at the submission

    :param sid: its id
    :param verdict: malicious or non_malicious
    :raises ValueError: for another verdict
    :raises NotFound: when there is no such submission
    :raises Broken: when the server could not store it
    """
    check_verdict(verdict)
    user = (yield from whoami())["username"]
    said: dict[str, Any] = (yield from submission(sid)).get("verdict") or {}
    if [name for name in USER_VERDICTS if user in (said.get(name) or [])] == [verdict]:
        return False
    path = f"{API}{url_path('submission', 'verdict', sid, verdict)}/"
    answer = yield from asked(Request("PUT", path, repeatable=True))
    if not answer["success"]:
        raise Broken(f"the verdict on submission {sid} was not stored")
    return True


def check_verdict(verdict: str) -> None:
    """Validate what a user says of a submission.

    :param verdict: malicious or non_malicious
    :raises ValueError: naming the argument
    """
    if verdict not in USER_VERDICTS:
        raise ValueError(f"verdict must be one of {', '.join(USER_VERDICTS)}, not {verdict!r}")
