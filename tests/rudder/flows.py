"""Run flows by hand: look at the next request, and send it a response."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.core.http.errors import OutcomeUnknownError
from self_hosted.core.http.flow import Flow, Request
from tests.rudder.conftest import success


def first_request(flow: Flow[Any]) -> Request:
    step = next(flow)
    assert isinstance(step, Request)
    return step


def next_request(flow: Flow[Any], request: Request, data: Any) -> Request:
    """Answer a request and return the next one."""
    step = flow.send(success(request, data))
    assert isinstance(step, Request)
    return step


def request_after_error(flow: Flow[Any], error: Exception) -> Request:
    step = flow.throw(error)
    assert isinstance(step, Request)
    return step


def request_after_lost_response(flow: Flow[Any]) -> Request:
    return request_after_error(flow, OutcomeUnknownError("the response was lost"))


def finish(flow: Flow[Any], request: Request, data: Any) -> Any:
    """Answer the last request and return the result of the flow."""
    with pytest.raises(StopIteration) as end:
        flow.send(success(request, data))
    return end.value.value


def finish_with_error(flow: Flow[Any], error: Exception) -> Any:
    """Answer the last request with an error and return the result of the flow."""
    with pytest.raises(StopIteration) as end:
        flow.throw(error)
    return end.value.value
