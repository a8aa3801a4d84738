"""Requests, replies and flows: what is asked of a product, without any I/O.

A flow is a generator. It yields a step (a Request to send, a Pause to keep, a Secret to hide), is sent the Reply, and
returns its result. The worker runs it with `run`, a trigger runs the very same function with `arun`, and a test
runs it by hand with ``next`` and ``send``. Errors of the sender are thrown into the flow, so that a flow may write
``except NotFound``.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

from self_hosted.core.errors import Broken, Invalid, ProductError, kind_of

T = TypeVar("T")
SaveTo = Callable[[], contextlib.AbstractContextManager[BinaryIO]]
"""Opens a file to write to; called anew for each attempt."""

NOTHING: Any = object()  # None is a JSON value, so it cannot stand for "no JSON body"


class Upload(NamedTuple):
    """A file to send: opened anew for every attempt and read in pieces, never held whole in memory.

    :param filename: the name the product sees
    :param open: opens the content for reading, at its beginning
    :param size: in bytes
    :param content_type: its media type
    """

    filename: str
    open: Callable[[], BinaryIO]
    size: int
    content_type: str = "application/octet-stream"


@dataclass(frozen=True)
class Request:
    """One HTTP request, as data.

    :param method: GET, POST, ...
    :param path: below the connection's base URL, beginning with "/", its variable parts quoted (see `url_path`)
    :param query: parameters; None is left out, booleans become true and false, a list repeats the name
    :param headers: headers besides those of authentication and body
    :param json: a JSON body
    :param form: a body of form fields
    :param parts: a multipart body: text fields and files
    :param body: a raw body
    :param save_to: opens the file that a successful answer's body is written to, piece by piece
    :param slow: whether the answer may take several times as long as usual (uploads, batches)
    :param repeatable: whether sending it twice is harmless; by default only for GET and HEAD
    :param in_turn: whether who sends it waits for a place by himself: a full quota (`QuotaInUse`) is then told at once
    """

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = NOTHING
    form: Mapping[str, str] | None = None
    parts: Mapping[str, str | Upload] | None = None
    body: Upload | None = None
    save_to: SaveTo | None = None
    slow: bool = False
    repeatable: bool | None = None
    in_turn: bool = False

    @property
    def may_be_repeated(self) -> bool:
        """Whether sending it twice is harmless."""
        return self.method in {"GET", "HEAD"} if self.repeatable is None else self.repeatable

    @property
    def target(self) -> str:
        """Path and query, ready for the wire."""
        given = {name: value for name, value in self.query.items() if value is not None}
        query = urlencode({name: _plain(value) for name, value in given.items()}, doseq=True)
        return f"{self.path}?{query}" if query else self.path

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """The same request with more headers."""
        return replace(self, headers={**self.headers, **headers})


@dataclass(frozen=True)
class Reply:
    """The answer to a request.

    :param status: HTTP status
    :param headers: names in lower case
    :param body: empty when it went to a file (`Request.save_to`)
    :param request: what it answers
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    request: Request

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def is_json(self) -> bool:
        """Whether the server says that the body is JSON."""
        return "json" in self.headers.get("content-type", "")

    def json(self) -> Any:
        """The body, parsed; `Broken` when it is no JSON, as with the page of a proxy or of a wrong address."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise self.error(Broken, f"the answer is no JSON; it begins {self.text[:80]!r}") from None

    def error(self, kind: type[ProductError], words: str) -> ProductError:
        """An error of this kind about this reply: method, path, status and Retry-After filled in."""
        asked = self.request
        return kind(
            words,
            method=asked.method,
            path=asked.path,
            status=self.status,
            retry_after=seconds_to_wait(self.headers.get("retry-after")),
        )

    def plain_error(self, words: str = "") -> ProductError | None:
        """What the status alone says: None for success, else an error of the kind usual in HTTP."""
        if self.status < 300 or self.status == 304:
            return None
        if self.status < 400:
            return self.error(Invalid, f"redirected to {self.headers.get('location')}: correct the base URL")
        return self.error(kind_of(self.status), words or "refused without a reason")


class Pause(NamedTuple):
    """Time to let pass.

    :param seconds: how long
    :param may_end_early: whether news, such as somebody who joins a wait, may cut it short
    """

    seconds: float
    may_end_early: bool = False


class Secret(NamedTuple):
    """A derived secret (session token, encoded credential) that no log may show."""

    value: str


Step = Request | Pause | Secret
Flow = Generator[Step, Reply, T]


def url_path(*segments: str | int) -> str:
    """A path of quoted segments, so that an id with a slash or a space reaches the server as one.

    >>> url_path("rules", "a b/c")
    '/rules/a%20b%2Fc'

    :raises ValueError: for "." and "..", which would be taken as a step to another address
    """
    for dots in {".", ".."}.intersection(segments):
        raise ValueError(f"{dots!r} cannot be part of an address")
    return "/" + "/".join(quote(str(segment), safe="") for segment in segments)


def seconds_to_wait(retry_after: str | None, now: datetime | None = None) -> float | None:
    """The header Retry-After, given as seconds or as an HTTP date, in seconds from now; None when absent or unreadable.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after

    :param retry_after: the header's value
    :param now: what a date is counted from; the present if None
    """
    if not retry_after:
        return None
    with contextlib.suppress(ValueError):
        seconds = float(retry_after)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def handled(flow: Flow[T], handle: Callable[[Request], Flow[Reply]]) -> Flow[T]:
    """The same flow, each of its requests carried out by another flow: how retries and authentication are put around.

    :param flow: any flow
    :param handle: a flow that answers one request, by sending it, changed or several times, onwards
    """
    try:
        step = next(flow)
        while True:
            try:
                reply = (yield from handle(step)) if isinstance(step, Request) else (yield step)
            except ProductError as error:
                step = flow.throw(error)
            else:
                step = flow.send(reply)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        flow.close()


def run(flow: Flow[T], perform: Callable[[Step], Reply]) -> T:
    """Run a flow to its end and return its result.

    :param flow: what is to be done
    :param perform: carries out one step; its `ProductError`s are thrown into the flow
    """
    try:
        step = next(flow)
        while True:
            try:
                reply = perform(step)
            except ProductError as error:
                step = flow.throw(error)
            else:
                step = flow.send(reply)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        flow.close()


async def arun(flow: Flow[T], perform: Callable[[Step], Awaitable[Reply]]) -> T:
    """`run` for an event loop: the only function of this package that exists twice.

    :param flow: what is to be done
    :param perform: carries out one step; its `ProductError`s are thrown into the flow
    """
    try:
        step = next(flow)
        while True:
            try:
                reply = await perform(step)
            except ProductError as error:
                step = flow.throw(error)
            else:
                step = flow.send(reply)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        flow.close()


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
