"""Faults on demand: the sandbox refuses, dawdles, or loses the answer after the work was done, as told by a test.

A fault is JSON: {"product": "rudder", "method": "POST", "path": "/rules/.*", "times": 1, "kind": ...}, with the kinds

    status     answers ``status`` (default 503) with ``body`` and ``headers``, and does nothing
    slow       waits ``seconds`` first, then goes on as usual
    slow_after does the work, then waits ``seconds`` before it answers
    refuse     closes the connection without doing anything
    drop       does the work, then closes the connection without an answer

With ``share`` it befalls only that share of the requests it matches. Shares add up: a fault of 0.05 and another of 0.02
leave 93 % of the requests alone. Which ones they befall is up to a random generator that can be seeded.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class Fault:
    """What is to go wrong, where and how often."""

    kind: str
    product: str = ".*"
    method: str = ".*"
    path: str = ".*"
    times: int = 1
    share: float = 1
    seconds: float = 0
    status: int = 503
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is counted under: its kind, and the status where that is all it does."""
        return f"{self.kind} {self.status}" if self.kind == "status" else self.kind

    def matches(self, product: str, method: str, path: str) -> bool:
        """Whether it applies to this request; paths are below the product's base URL."""
        wanted = ((self.product, product), (self.method, method), (self.path, path))
        return self.times > 0 and all(re.fullmatch(pattern, given) for pattern, given in wanted)


class Arranged:
    """What is arranged to go wrong, and a count of what did; one for all products."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Arrange nothing, and begin to count anew."""
        self.faults: list[Fault] = []
        self.random = Random()  # noqa: S311 no secret
        self.requests: Counter[str] = Counter()  # by product
        self.fired: Counter[str] = Counter()  # by name of the fault

    def due(self, product: str, method: str, path: str) -> Fault | None:
        """The fault that befalls this request, if any; the request is counted."""
        self.requests[product] += 1
        drawn = self.random.random()
        for fault in self.faults:
            if not fault.matches(product, method, path):
                continue
            if drawn < fault.share:
                fault.times -= 1
                self.fired[fault.name] += 1
                return fault
            drawn -= fault.share
        return None


class Faults:
    """ASGI middleware around one product's app.

    :param app: the product's app
    :param product: its name
    :param arranged: what the control route arranges, shared by all products
    """

    def __init__(self, app: ASGIApp, product: str, arranged: Arranged) -> None:
        self.app, self.product, self.arranged = app, product, arranged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, unless a fault is due."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        fault = self.arranged.due(self.product, scope["method"], path)
        if fault is None:
            await self.app(scope, receive, send)
        else:
            await _HANDLERS[fault.kind](self.app, fault, scope, receive, send)


async def _status(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    await Response(fault.body, fault.status, fault.headers)(scope, receive, send)


async def _slow(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    body = await _whole_body(receive)  # of a client that hangs up meanwhile, uvicorn gives away nothing more
    await asyncio.sleep(fault.seconds)
    await app(scope, _given(body, receive), send)


async def _slow_after(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    kept: list[Message] = []
    await app(scope, receive, _keep(kept))
    await asyncio.sleep(fault.seconds)
    for message in kept:
        await send(message)


async def _refuse(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    _hang_up(receive)


async def _drop(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, _keep([]))
    _hang_up(receive)


async def _whole_body(receive: Receive) -> list[Message]:
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


def _given(messages: list[Message], receive: Receive) -> Receive:
    async def give() -> Message:
        return messages.pop(0) if messages else await receive()

    return give


def _keep(kept: list[Message]) -> Send:
    async def keep(message: Message) -> None:
        kept.append(message)

    return keep


def _hang_up(receive: Receive) -> None:
    # ASGI has no word for it: uvicorn's request cycle, which `receive` belongs to, holds the connection
    cycle: Any = receive.__self__  # type: ignore[attr-defined]
    cycle.response_complete = cycle.response_started = True  # else uvicorn answers 500 in our place
    cycle.transport.abort()


_HANDLERS = {"status": _status, "slow": _slow, "slow_after": _slow_after, "refuse": _refuse, "drop": _drop}
