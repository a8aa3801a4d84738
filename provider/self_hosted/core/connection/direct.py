"""Signs the requests of a `DirectSession`: the hook's sign-in, with its renewal, around a request of the session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.http.flow import Flow, Reply, Request

Transmit = Callable[[Mapping[str, str]], int]
"""Sends a request with the given headers, and returns the status of the response."""


@dataclass(frozen=True)
class DirectRequest(Request):
    """A request that a session sends itself, with the headers that the sign-in has added.

    :param transmit: sends it
    """

    transmit: Transmit = lambda _: 0


class DirectSender:
    """Middleware inside a sign-in that lets the session send its request, and reports a rejection to the sign-in."""

    def send(self, request: Request) -> Flow[Reply]:
        """Send a request of the session; pass on any other, such as a login.

        :param request: the request
        :raises SelfHostedError: if the status is that of an error
        """
        if not isinstance(request, DirectRequest):
            return (yield request)
        reply = Reply(request.transmit(request.headers), {}, b"", request)
        if error := reply.default_error():
            raise error
        return reply


def sign(run: Callable[[Flow[None]], None], headers: Mapping[str, str], transmit: Transmit) -> None:
    """Let a session send a request with the sign-in; after a rejection again, if the credential was renewed.

    :param run: runs a flow with the sign-in of the hook and a `DirectSender`
    :param headers: of the request
    :param transmit: sends the request
    :raises SelfHostedError: if the login fails before the request is sent
    """
    statuses: list[int] = []

    def send(signed: Mapping[str, str]) -> int:
        statuses.append(transmit(signed))
        return statuses[-1]

    def flow() -> Flow[None]:
        # below the root of the API, for sign-ins that translate paths
        yield DirectRequest("GET", "/api", headers=headers, transmit=send)

    try:
        run(flow())
    except SelfHostedError:
        if not statuses:  # otherwise the session has a response, with the status of the error
            raise
