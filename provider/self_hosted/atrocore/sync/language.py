"""Keeps the connection's content language out of a sync.

With it, AtroCore returns and stores the texts of that language in the fields of the main language.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from self_hosted.core.http.flow import Flow, Reply, Request, pipeline

P = ParamSpec("P")
T = TypeVar("T")


class MainLanguage:
    """Middleware that marks requests as ones without a content language."""

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request without a content language.

        :param request: any
        """
        return (yield request.with_headers({"language": ""}))


def in_main_language(make_flow: Callable[P, Flow[T]]) -> Callable[P, Flow[T]]:
    """Return a function whose flow sends its requests without a content language.

    :param make_flow: returns the flow
    """

    @functools.wraps(make_flow)
    def make(*args: P.args, **kwargs: P.kwargs) -> Flow[T]:
        return pipeline(make_flow(*args, **kwargs), [MainLanguage()])

    return make
