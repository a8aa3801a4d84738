"""The base class of the resources of the API."""

from __future__ import annotations

from typing import Protocol

from self_hosted.sandbox.atrocore.state import State


class HasState(Protocol):
    """The part of the fake server that resources and middleware use. A reset replaces the state."""

    state: State


class Resource:
    """A group of handlers. The options of their `route` decorators are the keyword arguments of `with_middleware`.

    :param server: owner of the state
    """

    def __init__(self, server: HasState) -> None:
        self._server = server

    @property
    def state(self) -> State:
        """The state of the server."""
        return self._server.state
