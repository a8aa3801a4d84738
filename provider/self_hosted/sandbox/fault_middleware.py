"""ASGI middleware that applies the faults of a plan to the requests of a product."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from self_hosted.sandbox.faults import Fault, FaultPlan


class FaultMiddleware:
    """Middleware around the app of a product.

    :param app: the app
    :param product: name of the product
    :param fault_plan: the faults, shared by all products
    """

    def __init__(self, app: ASGIApp, product: str, fault_plan: FaultPlan) -> None:
        self.app, self.product, self.fault_plan = app, product, fault_plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or apply a fault."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        fault = self.fault_plan.draw(self.product, scope["method"], path)
        if fault is None:
            await self.app(scope, receive, send)
        else:
            await _HANDLERS[fault.kind](self.app, fault, scope, receive, send)


async def _respond_with_status(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    await Response(fault.body, fault.status, fault.headers)(scope, receive, send)


async def _delay(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    # uvicorn discards the body when the client disconnects during the delay
    body = await _read_messages(receive)
    await asyncio.sleep(fault.seconds)
    await app(scope, _replay(body, receive), send)


async def _delay_response(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    messages: list[Message] = []
    await app(scope, receive, _collect_into(messages))
    await asyncio.sleep(fault.seconds)
    for message in messages:
        await send(message)


async def _refuse(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    _close_connection(receive)


async def _drop_response(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, _collect_into([]))
    _close_connection(receive)


async def _read_messages(receive: Receive) -> list[Message]:
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


def _replay(messages: list[Message], receive: Receive) -> Receive:
    async def receive_replayed() -> Message:
        return messages.pop(0) if messages else await receive()

    return receive_replayed


def _collect_into(messages: list[Message]) -> Send:
    async def collect(message: Message) -> None:
        messages.append(message)

    return collect


def _close_connection(receive: Receive) -> None:
    # ASGI offers no way to do this; `receive` is a method of uvicorn's request cycle, which holds the connection
    cycle: Any = receive.__self__  # type: ignore[attr-defined]
    cycle.response_complete = cycle.response_started = True  # otherwise uvicorn responds with status 500
    cycle.transport.abort()


_HANDLERS = {
    "status": _respond_with_status,
    "slow": _delay,
    "slow_after": _delay_response,
    "refuse": _refuse,
    "drop": _drop_response,
}
