"""Faults on demand: the sandbox refuses, dawdles, or loses the answer after the work was done, as told by a test.

A fault is JSON: {"product": "rudder", "method": "POST", "path": "/rules/.*", "times": 1, "kind": ...}, with the kinds

    status     answers ``status`` (default 503) with ``body`` and ``headers``, and does nothing
    slow       waits ``seconds`` first, then goes on as usual
    slow_after does the work, then waits ``seconds`` before it answers
    refuse     closes the connection without doing anything
    drop       does the work, then closes the connection without an answer
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
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
    seconds: float = 0
    status: int = 503
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def matches(self, product: str, method: str, path: str) -> bool:
        """Whether it applies to this request; paths are below the product's base URL."""
        wanted = ((self.product, product), (self.method, method), (self.path, path))
        return self.times > 0 and all(re.fullmatch(pattern, given) for pattern, given in wanted)


class Faults:
    """ASGI middleware around one product's app.

    :param app: the product's app
    :param product: its name
    :param faults: the list that the control route fills, shared by all products
    """

    def __init__(self, app: ASGIApp, product: str, faults: list[Fault]) -> None:
        self.app, self.product, self.faults = app, product, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, unless a fault is due."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        fault = self._due(scope)
        if fault is None:
            await self.app(scope, receive, send)
        else:
            await _HANDLERS[fault.kind](self.app, fault, scope, receive, send)

    def _due(self, scope: Scope) -> Fault | None:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        for fault in self.faults:
            if fault.matches(self.product, scope["method"], path):
                fault.times -= 1
                return fault
        return None


async def _status(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    await Response(fault.body, fault.status, fault.headers)(scope, receive, send)


async def _slow(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.sleep(fault.seconds)
    await app(scope, receive, send)


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
