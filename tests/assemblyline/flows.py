"""Flows run by hand: tests send replies and inspect requests."""

from __future__ import annotations

import io
import json
from typing import Any

from self_hosted.core.http.flow import Pause, Reply, Request, Upload

BANDS = {"info": 0, "suspicious": 300, "highly_suspicious": 700, "malicious": 1000}
CONFIGURATION = {
    "submission.max_file_size": 100,
    **{f"submission.verdicts.{name}": lowest for name, lowest in BANDS.items()},
}
UPLOAD = Upload("a.txt", lambda: io.BytesIO(b"hello"), 5)


def result_of(flow, *replies):
    """Run a flow with replies or errors; return its result and its steps (requests and pauses)."""
    steps = [next(flow)]
    try:
        for reply_or_error in replies:
            while isinstance(steps[-1], Pause):
                steps.append(flow.send(None))
            is_error = isinstance(reply_or_error, Exception)
            steps.append(flow.throw(reply_or_error) if is_error else flow.send(reply_or_error))
        while isinstance(steps[-1], Pause):
            steps.append(flow.send(None))
    except StopIteration as end:
        return end.value, steps
    raise AssertionError(f"the flow continues with {steps[-1]}")


def items(*documents):
    return reply({"items": list(documents), "offset": 0, "rows": 25, "total": len(documents)})


def reply(response: Any = "", status: int = 200, message: str | None = "", request: Request | None = None) -> Reply:
    """Return a response in Assemblyline's envelope."""
    envelope = {"api_response": response, "api_error_message": message, "api_server_version": "4.7.4.25"}
    body = json.dumps(envelope).encode()
    return Reply(status, {"content-type": "application/json"}, body, request or Request("GET", "/"))


def html(status: int, **headers: str) -> Reply:
    """Return a response that does not come from Assemblyline's API."""
    return Reply(status, {"content-type": "text/html", **headers}, b"<html>", Request("GET", "/"))
