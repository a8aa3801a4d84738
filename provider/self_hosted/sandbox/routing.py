"""Declare the routes of a fake server next to their handlers.

`route` marks a method as the handler of a route; `routes_of` reads the marks from an instance. Neither knows Starlette
or middleware: the fake server turns a specification and its handler into a route.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Handler = Callable[..., Any]
HandlerT = TypeVar("HandlerT", bound=Handler)
ATTRIBUTE = "_route_specs"


@dataclass(frozen=True)
class RouteSpec:
    """The declaration of a route.

    :param methods: HTTP methods
    :param path: path with placeholders such as ``/rules/{id}``; each fake server defines what it is relative to
    :param options: settings that the middleware of the fake server evaluates, such as a required role
    """

    methods: tuple[str, ...]
    path: str
    options: Mapping[str, Any]


def route(methods: str | Sequence[str], path: str, **options: Any) -> Callable[[HandlerT], HandlerT]:
    """Return a decorator that marks a method as the handler of a route. A method may have several routes.

    :param methods: an HTTP method, or several
    :param path: see `RouteSpec`
    :param options: see `RouteSpec`
    """
    spec = RouteSpec((methods,) if isinstance(methods, str) else tuple(methods), path, options)

    def mark(handler: HandlerT) -> HandlerT:
        # decorators apply from bottom to top, and the routes of a method are read from top to bottom
        setattr(handler, ATTRIBUTE, (spec, *getattr(handler, ATTRIBUTE, ())))
        return handler

    return mark


def routes_of(instance: object) -> Iterator[tuple[RouteSpec, Handler]]:
    """Yield each route of an instance with its bound handler, in the order of definition, base classes first.

    :param instance: an object with methods marked by `route`
    """
    for name in dict.fromkeys(name for cls in reversed(type(instance).__mro__) for name in vars(cls)):
        specs = getattr(getattr(type(instance), name), ATTRIBUTE, ())
        for spec in specs:
            yield spec, getattr(instance, name)


def precedence(path: str) -> tuple[int, ...]:
    """Return the sort key of a path: literal segments precede placeholders, and those precede ``{name:path}``.

    :param path: path with placeholders
    """
    return tuple(2 if ":path}" in segment else int("{" in segment) for segment in path.split("/"))
