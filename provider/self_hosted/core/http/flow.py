"""Requests, replies and flows: an API call as a generator, without any I/O.

A flow yields steps (a `Request` to send, a `Pause` to wait, a `Secret` to mask, `ReadConnection`, `Concurrently`),
receives the `Reply`, and returns its result. A worker runs it with `run`, a trigger runs the same function with `arun`,
and a test runs it by hand with ``next`` and ``send``. Errors of the transport are thrown into the flow, where
``except NotFoundError`` catches them.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import re
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, NamedTuple, Protocol, TypeVar
from urllib.parse import quote, urlencode

from self_hosted.core.arguments import MAX_SHOWN_CHARACTERS, check_id
from self_hosted.core.http.errors import (
    InvalidRequestError,
    OutcomeUnknownError,
    SelfHostedError,
    ServerError,
    error_class_for_status,
)
from self_hosted.core.http.nesting import is_deeper
from self_hosted.core.http.redact import clean_text, strip_query
from self_hosted.core.http.retry_after import parse_retry_after

T = TypeVar("T")
SaveTo = Callable[[], contextlib.AbstractContextManager[BinaryIO]]
"""Opens a file for writing; called once per attempt."""

INVALID_IN_SEGMENT = re.compile(r"[/\\?#]")
MAX_NESTING = 100  # levels of a JSON document; Python's own limit is below 1,000, and recursive code fails before that
MAX_PAGE_START = 100  # bytes
HEADERS_HINT = "if an access proxy responded, add its headers to the connection (Extra request headers)"
UNSET: Any = object()  # None is a JSON value, so it cannot stand for "no JSON body"


class Upload(NamedTuple):
    """A file to send: opened once per attempt and read in chunks, never held in memory as a whole.

    :param filename: the name that the product sees
    :param open: opens the content for reading, at its start
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
    :param save_to: opens the file that the body of a successful reply is written to, in chunks
    :param max_size: the maximum size of that file in bytes; None = no limit
    :param long_running: whether the reply may take several times the usual read timeout (uploads, batches)
    :param idempotent: whether sending it twice is harmless; default: only for GET and HEAD
    :param fail_fast_on_quota: whether `ConcurrencyQuotaError` is raised at once, because the caller waits for a place
    """

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Any = field(default=UNSET, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    parts: Mapping[str, str | Upload] | None = field(default=None, repr=False)
    body: Upload | None = None
    save_to: SaveTo | None = None
    max_size: int | None = None
    long_running: bool = False
    idempotent: bool | None = None
    fail_fast_on_quota: bool = False

    @property
    def is_idempotent(self) -> bool:
        """Whether sending the request twice is harmless."""
        return self.method in {"GET", "HEAD"} if self.idempotent is None else self.idempotent

    @property
    def target(self) -> str:
        """The request target of RFC 9112: path and encoded query."""
        given = {name: value for name, value in self.query.items() if value is not None}
        query = urlencode({name: _plain(value) for name, value in given.items()}, doseq=True)
        return f"{self.path}?{query}" if query else self.path

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """Return a copy with more headers.

        :param headers: names and values
        """
        return replace(self, headers={**self.headers, **headers})


@dataclass(frozen=True)
class Reply:
    """The response to a request.

    :param status: HTTP status
    :param headers: names in lower case
    :param body: empty if it was written to a file (`Request.save_to`)
    :param request: the request that it answers
    :param clean: makes a text of the server fit for messages: without the hook's secrets, and short
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    request: Request
    clean: Callable[[str], str] = field(default=clean_text, repr=False)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def is_json(self) -> bool:
        """Whether the server says that the body is JSON."""
        return "json" in self.headers.get("content-type", "")

    @property
    def is_page(self) -> bool:
        """Whether the body is a web page, such as the login page of an access proxy."""
        return self.body[:MAX_PAGE_START].lstrip().startswith(b"<")

    def json(self) -> Any:
        """Return the parsed body: the same object each time, since errors are looked for before the flow reads it.

        :raises ServerError: if the body is not JSON, such as the page of a proxy or of a wrong address, or is nested
            too deeply
        :raises OutcomeUnknownError: in the same cases, see `malformed`
        """
        return self._parsed

    @functools.cached_property
    def _parsed(self) -> Any:
        try:
            value = json.loads(self.body)
        except RecursionError:
            raise self._too_deep() from None
        except ValueError:
            start = self.body[:320].decode("utf-8", "replace")[:80]
            hint = f": check the base URL, or {HEADERS_HINT}" if self.is_page else ""
            raise self.malformed(f"the response is not JSON; it starts with {start!r}{hint}") from None
        if self.body.count(b"[") + self.body.count(b"{") > MAX_NESTING and is_deeper(value, MAX_NESTING):
            raise self._too_deep()
        return value

    def _too_deep(self) -> SelfHostedError:
        return self.malformed(f"the response is nested more than {MAX_NESTING} levels deep")

    def require_status(self, status: int) -> None:
        """Check the status of a success without a content that could be checked: a proxy may answer 200 with a page.

        :param status: the only status that the endpoint answers a success with
        :raises ServerError: for any other status
        :raises OutcomeUnknownError: in the same case, see `malformed`
        """
        if self.status != status:
            raise self.malformed(f"unexpected status, {status} would be the one of a success")

    def malformed(self, problem: str) -> SelfHostedError:
        """Return the error of a response that does not match its endpoint.

        A write that is reported as a success was carried out, perhaps: its flow looks for the effect.

        :param problem: what is wrong
        """
        may_be_done = self.status < 400 and not self.request.is_idempotent
        return self.error(OutcomeUnknownError if may_be_done else ServerError, problem)

    def error(self, error_class: type[SelfHostedError], message: str) -> SelfHostedError:
        """Return an error about this reply, with method, path, status and Retry-After filled in.

        :param error_class: its class
        :param message: what failed; may hold texts of the server
        """
        return error_class(
            self.clean(message),
            method=self.request.method,
            path=self.request.path,
            status=self.status,
            retry_after=parse_retry_after(self.headers.get("retry-after")),
        )

    def default_error(self, message: str = "") -> SelfHostedError | None:
        """Return the error that the status alone stands for in HTTP, or None for a success.

        :param message: the product's explanation, if it gave one
        """
        if self.status < 300 or self.status == 304:
            return None
        if self.status < 400:
            target = strip_query(self.headers.get("location", ""))
            return self.error(InvalidRequestError, f"redirected to {target}: correct the base URL, or {HEADERS_HINT}")
        return self.error(error_class_for_status(self.status), message or "rejected without a reason")


NO_REPLY = Reply(0, {}, b"", Request("", ""))
"""What a flow receives for a step other than a request; it ignores it."""


class Pause(NamedTuple):
    """Time to wait.

    :param seconds: how long
    :param may_end_early: whether an event, such as a task that joins a wait, may end the pause
    :param reason: for the log; "" for a pause that is no news
    """

    seconds: float
    may_end_early: bool = False
    reason: str = ""


class Secret(NamedTuple):
    """A derived secret (session token, encoded credential) to mask in all logs."""

    value: str

    def __repr__(self) -> str:
        return "Secret('***')"


class ReadConnection(NamedTuple):
    """Read the stored connection again: the hook carries it out, not the transport.

    :param receive: called with its settings; not called if the connection cannot be read
    """

    receive: Callable[[Any], None]


Step = Request | Pause | Secret
"""What a transport carries out."""
FlowStep = Step | ReadConnection


class Concurrently(NamedTuple):
    """Run several flows: at the same time in a trigger, one after the other in a worker. The first error ends all.

    :param flows: the flows
    """

    flows: Sequence[Flow[None]]


Flow = Generator[FlowStep | Concurrently, Reply, T]


def url_path(*segments: str | int) -> str:
    """Return a path of quoted segments, each of which stays one segment on every server.

    A slash is invalid even if it is quoted: servers decode %2F before they choose the endpoint.

    >>> url_path("rules", "a b")
    '/rules/a%20b'

    :param segments: fixed words and ids
    :raises ValueError: for an id that is empty, "None", "." or "..", begins or ends with a blank, or contains a slash,
        a backslash, "?", "#" or a control character
    """
    for segment in segments:
        text = check_id(f"an id in the path /{'/'.join(map(str, segments))[:MAX_SHOWN_CHARACTERS]}", segment)
        if text in {".", ".."} or INVALID_IN_SEGMENT.search(text):
            raise ValueError(f"{text!r} is no valid id: it must not contain / \\ ? #, nor be '.' or '..'")
    return "/" + "/".join(quote(str(segment), safe="") for segment in segments)


class Middleware(Protocol):
    """Sends one request onwards: changed, delayed, or several times."""

    def send(self, request: Request) -> Flow[Reply]:
        """Return the flow that sends the request and returns its reply.

        :param request: the request to send
        """
        ...


def pipeline(flow: Flow[T], middleware: Sequence[Middleware]) -> Flow[T]:
    """Return the flow with middleware around each of its requests.

    :param flow: any flow
    :param middleware: outermost first: ``[auth, retries, limiter]`` signs a request, then repeats it, and limits each
        attempt
    """
    for layer in middleware:
        flow = _wrap(flow, layer)
    return flow


def _wrap(flow: Flow[T], middleware: Middleware) -> Flow[T]:
    try:
        step = next(flow)
        while True:
            if isinstance(step, Concurrently):
                step = Concurrently([_wrap(each, middleware) for each in step.flows])
            try:
                reply = (yield from middleware.send(step)) if isinstance(step, Request) else (yield step)
            except SelfHostedError as error:
                step = flow.throw(error)
            else:
                step = flow.send(reply)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        flow.close()


def run(flow: Flow[T], perform: Callable[[FlowStep], Reply]) -> T:
    """Run a flow to its end and return its result.

    :param flow: the flow to run
    :param perform: carries out one step; the `SelfHostedError` it raises is thrown into the flow
    """
    try:
        step = next(flow)
        while True:
            try:
                reply = _run_each(step.flows, perform) if isinstance(step, Concurrently) else perform(step)
            except SelfHostedError as error:
                step = flow.throw(error)
            else:
                step = flow.send(reply)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        flow.close()


async def arun(flow: Flow[T], perform: Callable[[FlowStep], Awaitable[Reply]]) -> T:
    """Run a flow on an event loop. Only this and its helper exist twice in the package, with and without await.

    :param flow: the flow to run
    :param perform: carries out one step; the `SelfHostedError` it raises is thrown into the flow
    """
    try:
        step = next(flow)
        while True:
            try:
                if isinstance(step, Concurrently):
                    reply = await _arun_each(step.flows, perform)
                else:
                    reply = await perform(step)
            except SelfHostedError as error:
                step = flow.throw(error)
            else:
                step = flow.send(reply)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        flow.close()


def _run_each(flows: Sequence[Flow[None]], perform: Callable[[FlowStep], Reply]) -> Reply:
    for flow in flows:
        run(flow, perform)
    return NO_REPLY


async def _arun_each(flows: Sequence[Flow[None]], perform: Callable[[FlowStep], Awaitable[Reply]]) -> Reply:
    try:
        async with asyncio.TaskGroup() as group:
            for flow in flows:
                group.create_task(arun(flow, perform))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return NO_REPLY


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
