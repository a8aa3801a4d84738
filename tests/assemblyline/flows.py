"""Flows run by hand: tests send replies and inspect requests."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from typing import Any

from self_hosted.core.http.flow import Pause, Reply, Request, Upload

UNKNOWN_REQUEST = Request("GET", "/")
BANDS = {"info": 0, "suspicious": 300, "highly_suspicious": 700, "malicious": 1000}
CONFIGURATION = {
    "submission.max_file_size": 100,
    **{f"submission.verdicts.{name}": lowest for name, lowest in BANDS.items()},
}
OUTCOME = {"sid": "a", "state": "completed", "max_score": 0, "file_count": 1, "error_count": 0}
"""The document of a submission, with the fields that waits use."""

UPLOAD = Upload("a.txt", lambda: io.BytesIO(b"hello"), 5)


def tagged(sid: str = "s", tag: str = "t1", text: str = "hello", **changes: Any) -> dict[str, Any]:
    """Return the document of a submission with a tag; of the file `UPLOAD`, unless its text is another one."""
    return {
        "sid": sid,
        "files": [{"name": "a.txt", "sha256": hashlib.sha256(text.encode()).hexdigest(), "size": len(text)}],
        "metadata": {"airflow_task": tag},
        "params": {"submitter": "bo"},
        **changes,
    }


def result_of(flow, *replies):
    """Run a flow with replies or errors; return its result and its steps (requests and pauses)."""
    steps = [next(flow)]
    try:
        for reply_or_error in replies:
            while isinstance(steps[-1], Pause):
                steps.append(flow.send(None))
            is_error = isinstance(reply_or_error, Exception)
            steps.append(flow.throw(reply_or_error) if is_error else flow.send(answering(steps[-1], reply_or_error)))
        while isinstance(steps[-1], Pause):
            steps.append(flow.send(None))
    except StopIteration as end:
        return end.value, steps
    raise AssertionError(f"the flow continues with {steps[-1]}")


def items(*documents):
    return reply({"items": list(documents), "offset": 0, "rows": 25, "total": len(documents)})


def answering(request: Any, response: Reply) -> Reply:
    """Return the response to a request, unless it answers another one already."""
    return replace(response, request=request) if response.request == UNKNOWN_REQUEST else response


def reply(response: Any = "", status: int = 200, message: str | None = "", request: Request | None = None) -> Reply:
    """Return a response in Assemblyline's envelope."""
    envelope = {"api_response": response, "api_error_message": message, "api_server_version": "4.7.4.25"}
    body = json.dumps(envelope).encode()
    return Reply(status, {"content-type": "application/json"}, body, request or UNKNOWN_REQUEST)


def html(status: int, **headers: str) -> Reply:
    """Return a response that does not come from Assemblyline's API."""
    return Reply(status, {"content-type": "text/html", **headers}, b"<html>", Request("GET", "/"))
