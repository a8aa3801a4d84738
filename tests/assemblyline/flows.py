"""Running flows by hand: replies are sent in, requests are looked at."""

from __future__ import annotations

import io
import json
from typing import Any

from self_hosted.core.flow import Pause, Reply, Request, Upload

BANDS = {"info": 0, "suspicious": 300, "highly_suspicious": 700, "malicious": 1000}
CONFIGURATION = {
    "submission.max_file_size": 100,
    **{f"submission.verdicts.{name}": least for name, least in BANDS.items()},
}
UPLOAD = Upload("a.txt", lambda: io.BytesIO(b"hello"), 5)


def result_of(flow, *replies):
    """Run a flow with these replies (or errors), and return its result and its requests and pauses."""
    steps = [next(flow)]
    try:
        for given in replies:
            while isinstance(steps[-1], Pause):
                steps.append(flow.send(None))
            steps.append(flow.throw(given) if isinstance(given, Exception) else flow.send(given))
        while isinstance(steps[-1], Pause):
            steps.append(flow.send(None))
    except StopIteration as end:
        return end.value, steps
    raise AssertionError(f"the flow goes on with {steps[-1]}")


def items(*found):
    return reply({"items": list(found), "offset": 0, "rows": 25, "total": len(found)})


def reply(response: Any = "", status: int = 200, words: str | None = "", request: Request | None = None) -> Reply:
    """An answer in Assemblyline's envelope."""
    envelope = {"api_response": response, "api_error_message": words, "api_server_version": "4.7.4.25"}
    body = json.dumps(envelope).encode()
    return Reply(status, {"content-type": "application/json"}, body, request or Request("GET", "/"))


def html(status: int, **headers: str) -> Reply:
    """An answer that something else than Assemblyline's API gave."""
    return Reply(status, {"content-type": "text/html", **headers}, b"<html>", Request("GET", "/"))
