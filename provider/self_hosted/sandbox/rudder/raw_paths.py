"""Match addresses as Rudder does: it splits a path before it decodes it, and an empty segment is an id.

So an id may contain a quoted slash, and ``/rules/`` is a rule, not the list of rules.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Endpoint = Callable[[Request], Awaitable[Response]]


def match_raw_path(routes: Sequence[Route], request: Request) -> tuple[Endpoint, dict[str, str]] | None:
    """Return the handler for the path as it was sent, and its path parameters; None if there is none.

    :param routes: the routes, in the order of their precedence
    :param request: a request that no route matches
    """
    raw = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    segments = [unquote(segment) for segment in raw.split("/")]
    prefix = request.scope.get("root_path", "").count("/")
    for route in routes:
        parameters = _match(route.path.split("/"), segments[prefix:])
        if parameters is not None and request.method in (route.methods or ()):
            return route.endpoint, parameters
    return None


def _match(expected: Sequence[str], segments: Sequence[str]) -> dict[str, str] | None:
    """Return the path parameters, or None if the segments do not match; both begin with an empty segment."""
    if len(expected) != len(segments):
        return None
    parameters = {}
    for word, segment in zip(expected[1:], segments[1:], strict=True):
        if word.startswith("{"):
            parameters[word.strip("{}")] = segment
        elif word != segment:
            return None
    return parameters
