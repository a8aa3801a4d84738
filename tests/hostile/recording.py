"""Recorded responses of the sandbox, and the same responses with one field changed, removed or of another type."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from self_hosted.core.connection.hook import SelfHostedHook
from self_hosted.core.http.errors import NotFoundError, SelfHostedError
from self_hosted.core.http.flow import Flow, Reply, Request

MAX_FIELDS = (40, 40, 40, 40, 8, 8, 4)  # of one object, by its depth: settings have hundreds
OTHER_VALUES: tuple[Any, ...] = (None, [], {}, "x", 1, True, [None], {"x": None})
Outcome = Reply | SelfHostedError
Path = tuple[str | int, ...]


class Recording:
    """A flow's requests and their outcomes.

    :param hook: sends the requests
    """

    def __init__(self, hook: SelfHostedHook) -> None:
        self.hook = hook
        self.outcomes: list[Outcome] = []

    def run(self, flow: Flow[Any]) -> Any:
        """Run a flow against the server, and record the outcomes of its requests."""
        try:
            step: Any = next(flow)
            while True:
                step = self._perform(flow, step)
        except StopIteration as end:
            return end.value

    def _perform(self, flow: Flow[Any], step: Any) -> Any:
        if not isinstance(step, Request):
            return flow.send(None)  # type: ignore[arg-type]
        try:
            reply = self.hook.run(_send(step))
        except SelfHostedError as error:
            self.outcomes.append(error)
            return flow.throw(error)
        self.outcomes.append(reply)
        return flow.send(reply)


def _send(request: Request) -> Flow[Reply]:
    return (yield request)


def replay(flow: Flow[Any], outcomes: list[Outcome], max_steps: int = 200) -> Any:
    """Run a flow by hand with recorded outcomes; a request after the last one finds nothing."""
    remaining = iter(outcomes)
    try:
        step: Any = next(flow)
        for _ in range(max_steps):
            if not isinstance(step, Request):
                step = flow.send(None)  # type: ignore[arg-type]
                continue
            outcome = next(remaining, None) or NotFoundError("the recording has ended")
            step = flow.throw(outcome) if isinstance(outcome, SelfHostedError) else flow.send(outcome)
    except StopIteration as end:
        return end.value
    raise AssertionError("the flow has no end")


def vary(outcomes: list[Outcome]) -> Iterator[tuple[str, list[Outcome]]]:
    """Yield each variant of a recording: what differs, and the outcomes."""
    for number, outcome in enumerate(outcomes):
        if isinstance(outcome, Reply) and outcome.is_json and outcome.body:
            for what, body in _vary_body(json.loads(outcome.body)):
                reply = Reply(outcome.status, outcome.headers, json.dumps(body).encode(), outcome.request)
                yield f"response {number + 1}, {what}", [*outcomes[:number], reply, *outcomes[number + 1 :]]


def _vary_body(body: Any) -> Iterator[tuple[str, Any]]:
    for path in _paths(body, ()):
        name = ".".join(map(str, path)) or "the body"
        for value in OTHER_VALUES:
            if type(value) is not type(_get(body, path)):
                yield f"{name} = {value!r}", _replace(body, path, value)
        if path and isinstance(path[-1], str):
            yield f"{name} is absent", _replace(body, path, ...)


def _paths(value: Any, path: Path) -> Iterator[Path]:
    yield path
    if len(path) < len(MAX_FIELDS):
        for name in _list_names(value)[: MAX_FIELDS[len(path)]]:
            yield from _paths(value[name], (*path, name))


def _list_names(value: Any) -> list[str | int]:
    """Return the fields of an object, and the first index of a list."""
    if isinstance(value, dict):
        return [*value]
    return [0] if isinstance(value, list) and value else []


def _get(value: Any, path: Path) -> Any:
    for name in path:
        value = value[name]
    return value


def _replace(body: Any, path: Path, value: Any) -> Any:
    """Return a copy with another value, or without it (...); the rest is shared."""
    if not path:
        return value
    changed = copy.copy(body)
    if len(path) == 1 and value is ...:
        del changed[path[0]]
    else:
        changed[path[0]] = _replace(body[path[0]], path[1:], value)
    return changed
