"""ASGI middleware that applies the faults of a plan to the requests of a product."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from self_hosted.sandbox.faults import Fault, FaultPlan, Outage
from self_hosted.sandbox.malformed import build_malformed_response

FindOutage = Callable[[], Outage]


class FaultMiddleware:
    """Middleware around the app of a product.

    :param app: the app
    :param product: name of the product
    :param fault_plan: the faults, shared by all products
    :param find_outage: returns the responses of the product during an outage
    """

    def __init__(self, app: ASGIApp, product: str, fault_plan: FaultPlan, find_outage: FindOutage) -> None:
        self.app, self.product, self.fault_plan, self.find_outage = app, product, fault_plan, find_outage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or apply a fault."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        fault = self.fault_plan.draw(self.product, scope["method"], path)
        if fault is None:
            await self.app(scope, receive, send)
        elif fault.kind == "outage":
            response = self._build_outage_response(fault, scope["method"], path)
            await _respond(self.app, fault, scope, receive, send, response)
        else:
            await _HANDLERS[fault.kind](self.app, fault, scope, receive, send)

    def _build_outage_response(self, fault: Fault, method: str, path: str) -> Response:
        outage = self.find_outage()
        status, headers, body = outage.reply(fault.component or outage.COMPONENTS[0], method, path)
        return Response(body, status, headers)


async def _respond(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    if fault.processed:
        await app(scope, receive, _collect_into([]))
    await asyncio.sleep(fault.seconds)
    await response(scope, receive, send)


async def _respond_with_status(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    response = Response(fault.body, fault.status, fault.headers)
    await _respond(app, fault, scope, receive, send, response)


async def _respond_malformed(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    messages: list[Message] = []
    if fault.processed:
        await app(scope, receive, _collect_into(messages))
    await build_malformed_response(fault.variant, messages)(scope, receive, send)


async def _drip(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    messages: list[Message] = []
    await app(scope, receive, _collect_into(messages))
    disconnected = asyncio.create_task(_wait_for_disconnect(receive))
    try:
        await _send_slowly(messages, fault.seconds, disconnected, send)
    finally:
        disconnected.cancel()


async def _send_slowly(messages: list[Message], seconds: float, disconnected: asyncio.Task[None], send: Send) -> None:
    await send(messages[0])
    body = b"".join(message.get("body", b"") for message in messages[1:])
    for position in range(len(body)):
        if (await asyncio.wait({disconnected}, timeout=seconds))[0]:
            return
        await send({"type": "http.response.body", "body": body[position : position + 1], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


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
    "drip": _drip,
    "malformed": _respond_malformed,
}
