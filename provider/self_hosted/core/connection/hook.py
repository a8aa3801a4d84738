"""SelfHostedHook: from an Airflow connection to an address, a sign-in and a transport; flows become methods.

A product's `hook.py` implements the sign-in and lists the product's flows:

    class RudderHook(SelfHostedHook):
        form = FORM
        rule = hook_method(rules.get)
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import typing
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, ParamSpec, TypeVar, cast

from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import BaseHook

from self_hosted.core.connection.direct import DirectSender, sign
from self_hosted.core.connection.form import ConnectionForm
from self_hosted.core.connection.hook_arguments import build_check
from self_hosted.core.connection.renewal import RenewableAuth
from self_hosted.core.connection.security import describe_risk
from self_hosted.core.connection.settings import Settings, describe_removed_path, limiter_for, read_connection
from self_hosted.core.http import request_log
from self_hosted.core.http.errors import AccessProxyError, SelfHostedError
from self_hosted.core.http.flow import (
    HEADERS_HINT,
    NO_REPLY,
    Flow,
    FlowStep,
    Middleware,
    Pause,
    ReadConnection,
    Reply,
    arun,
    pipeline,
    run,
)
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.request_log import RequestLog

if TYPE_CHECKING:
    from self_hosted.core.http.address import Address
    from self_hosted.core.http.auth import Auth
    from self_hosted.core.http.direct_session import DirectSession
    from self_hosted.core.http.pagination import Paginator
    from self_hosted.core.http.redact import Secrets
    from self_hosted.core.http.worker_transport import WorkerTransport

P = ParamSpec("P")
T = TypeVar("T")

PAGE_STATUSES = frozenset({401, 403})
"""The statuses of the web pages with which access proxies reject a request."""

log = get_logger(__name__)


@contextmanager
def _log_failed_read(conn_id: str) -> Generator[None]:
    """Continue without the connection if it is missing or invalid."""
    try:
        yield
    except Exception as error:  # depends on Airflow's secrets backend
        log.warning("Connection %r cannot be read: %s", conn_id, type(error).__name__)


async def _sleep(pause: Pause) -> None:
    from self_hosted.core.http.transport import log_pause

    log_pause(pause)
    await asyncio.sleep(pause.seconds)


async def _mask(secret: str) -> None:
    """Mask a secret from within an event loop."""
    from airflow.sdk import log

    if hasattr(log, "amask_secret"):
        await log.amask_secret(secret)
    else:  # Airflow 3.1
        log.mask_secret(secret)


class SelfHostedHook(BaseHook):
    """The base of every product's hook.

    :param conn_id: the Airflow connection with address and credential
    """

    form: ClassVar[ConnectionForm]
    hook_name: ClassVar[str]
    conn_type: ClassVar[str]
    conn_name_attr: ClassVar[str]
    default_conn_name: ClassVar[str]
    own_page_statuses: ClassVar[frozenset[int]] = frozenset()
    """The statuses of rejections that the product itself answers with a web page."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.hook_name, cls.conn_type = cls.form.hook_name, cls.form.conn_type
        cls.conn_name_attr = f"{cls.conn_type}_conn_id"
        cls.default_conn_name = f"{cls.conn_type}_default"
        if airflow_version.startswith("3.1."):
            # reads forms from these two methods of the class itself; later versions read the provider info
            cls.get_connection_form_widgets = classmethod(lambda hook: hook.form.widgets())  # type: ignore[assignment]
            cls.get_ui_field_behaviour = classmethod(lambda hook: hook.form.behaviour_of_3_1())  # type: ignore[assignment]

    def __init__(self, conn_id: str) -> None:
        super().__init__()
        self.conn_id = conn_id
        self._lock = threading.Lock()

    # Implemented by each product

    def auth(self, settings: Settings) -> Auth:
        """Return the sign-in middleware.

        :param settings: the connection
        :raises ValueError: if the connection holds no complete credential
        """
        raise NotImplementedError

    @staticmethod
    def parse_error(reply: Reply) -> SelfHostedError | None:
        """Return the error that status and body of a reply stand for, or None for a success.

        :param reply: any reply of the product
        """
        raise NotImplementedError

    def verify_credentials(self) -> Flow[str]:
        """Prove that the credential is accepted; return one sentence that names the user and the server."""
        raise NotImplementedError

    # For workers

    @functools.cached_property
    def settings(self) -> Settings:
        """The connection, read and checked."""
        from airflow.sdk.log import mask_secret

        settings = read_connection(self.get_connection(self.conn_id), self.form)
        for secret in settings.secrets:
            mask_secret(secret)
        return settings

    def run(self, flow: Flow[T]) -> T:
        """Run a flow against the product and return its result. Threads may share the hook.

        :param flow: the flow, such as ``rules.get("32377fd7")``
        :raises SelfHostedError: see `self_hosted.core.http.errors`
        :raises ValueError: if the connection is incomplete, or an argument of the flow is invalid
        """
        return self._run(flow)

    def get_conn(self) -> DirectSession:
        """Return a session of requests that is signed in, for endpoints without a method.

        It sends the sign-in and the extra headers with requests below the base URL, and with no other. Without a
        static credential, it logs in first. Close it after use: ``with hook.get_conn() as session: ...``

        :raises SelfHostedError: if the login fails
        :raises ValueError: if the connection is incomplete
        """
        from self_hosted.core.http.direct_session import DirectSession

        sign_in = functools.partial(sign, lambda flow: self._run(flow, DirectSender()))
        sign_in({}, lambda _: HTTPStatus.NO_CONTENT)
        return DirectSession(self.settings.address, sign_in)

    def _run(self, flow: Flow[T], *inner: Middleware) -> T:
        with self._lock:
            transport, auth = self._transport_and_auth

        def perform(step: FlowStep) -> Reply:
            if not isinstance(step, ReadConnection):
                return transport.perform(step)
            with _log_failed_read(self.conn_id):
                step.receive(read_connection(self.get_connection(self.conn_id), self.form))
            return NO_REPLY

        return run(self._with_middleware(flow, [auth, *inner], self.settings, transport.secrets), perform)

    def mask_secrets(self) -> None:
        """Let Airflow mask the connection's secrets. A connection that is missing or invalid by now has none."""
        with _log_failed_read(self.conn_id):
            _ = self.settings

    @functools.cached_property
    def _transport_and_auth(self) -> tuple[WorkerTransport, RenewableAuth]:
        from airflow.sdk.log import mask_secret

        from self_hosted.core.http.worker_transport import WorkerTransport

        transport = WorkerTransport(self.settings.address, self.settings.collect_secrets(), mask_secret)
        return transport, RenewableAuth(self.settings, self.auth)

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the credential is accepted, and one sentence about it, for the Test button."""
        try:
            # a user waits in front of the button: one attempt, no retries
            self.__dict__["settings"] = replace(self.settings, address=replace(self.settings.address, retry_timeout=0))
            message = self.run(self.verify_credentials())
            notes = [describe_removed_path(self.settings), describe_risk(self.settings.address)]
            return True, " ".join([message, *filter(None, notes)])
        except SelfHostedError as error:
            return False, f"{error} {describe_removed_path(self.settings)}".rstrip()
        except ValueError as error:
            return False, str(error)

    # For triggers

    @asynccontextmanager
    async def async_client(self, sleep: Callable[[Pause], Awaitable[None]] = _sleep) -> AsyncGenerator[AsyncClient]:
        """Open an asynchronous client: connection, HTTP client and login are shared by all its flows.

        :param sleep: carries out the pauses of the flows
        """
        from self_hosted.core.http.trigger_transport import TriggerTransport

        settings = read_connection(await self.aget_connection(self.conn_id), self.form)
        for secret in settings.secrets:
            await _mask(secret)
        transport = TriggerTransport(settings.address, settings.collect_secrets(), _mask, sleep)

        async def perform(step: FlowStep) -> Reply:
            if not isinstance(step, ReadConnection):
                return await transport.perform(step)
            with _log_failed_read(self.conn_id):
                step.receive(read_connection(await self.aget_connection(self.conn_id), self.form))
            return NO_REPLY

        try:
            auth = RenewableAuth(settings, self.auth)
            yield AsyncClient(
                settings.address,
                lambda flow: arun(self._with_middleware(flow, [auth], settings, transport.secrets), perform),
            )
        finally:
            await transport.close()

    # For both

    def _explain_error(self, reply: Reply) -> SelfHostedError | None:
        """Return the error that a reply stands for, with a hint if an access proxy may have answered."""
        error = self.parse_error(reply)
        if error and reply.is_page and reply.status in PAGE_STATUSES - self.own_page_statuses:
            return reply.error(AccessProxyError, f"{error.message}; {HEADERS_HINT}")
        return error

    def _with_middleware(
        self, flow: Flow[T], outer: Sequence[Middleware], settings: Settings, secrets: Secrets
    ) -> Flow[T]:
        from self_hosted.core.http.retries import Retries  # imports tenacity, which DAG parsing does not need

        innermost = [RequestLog()] if request_log.is_enabled() else []
        retries = Retries(self._explain_error, settings.address.retry_timeout)
        return _redact_errors(pipeline(flow, [*outer, retries, limiter_for(settings), *innermost]), secrets)


def _redact_errors(flow: Flow[T], secrets: Secrets) -> Flow[T]:
    """Run a flow, and remove secrets from its error: a flow may quote what a server sent."""
    try:
        return (yield from flow)
    except SelfHostedError as error:
        error.redact(secrets.redact)
        raise


class AsyncClient:
    """Runs flows on an event loop: ``await client(flow)`` returns the flow's result.

    :param address: where and how the product is reached
    :param run: runs one flow
    """

    def __init__(self, address: Address, run: Callable[[Flow[Any]], Awaitable[Any]]) -> None:
        self.base_url, self.total_timeout, self._run = address.base_url, address.total_timeout, run

    async def __call__(self, flow: Flow[T]) -> T:
        """Run a flow and return its result.

        :param flow: the flow
        :raises SelfHostedError: see `self_hosted.core.http.errors`
        """
        return cast("T", await self._run(flow))


def hook_method(flow: Callable[P, Flow[T]]) -> Callable[Concatenate[SelfHostedHook, P], T]:
    """Return a flow function as a blocking method of a hook, with its parameters, result type and docstring.

    An argument of another type than the annotated one is a ValueError.

    :param flow: a flow function, such as ``rules.get``
    """
    check = functools.cache(lambda: build_check(flow))

    @functools.wraps(flow)
    def method(self: SelfHostedHook, *args: P.args, **kwargs: P.kwargs) -> T:
        check()(args, kwargs)
        return self.run(flow(*args, **kwargs))

    result = typing.get_type_hints(flow).get("return")
    _set_signature(method, flow, typing.get_args(result)[-1])
    return cast("Callable[Concatenate[SelfHostedHook, P], T]", method)


def hook_iterator(
    paginate: Callable[P, Paginator[T]],
) -> Callable[Concatenate[SelfHostedHook, P], Iterator[T]]:
    """Return a paginated list as a method of a hook that iterates over its items. See `hook_method`.

    Invalid arguments are reported by the call, not by the first item.

    :param paginate: returns the paginator, such as ``search.search_all``
    """
    check = functools.cache(lambda: build_check(paginate))

    @functools.wraps(paginate)
    def method(self: SelfHostedHook, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        check()(args, kwargs)
        return paginate(*args, **kwargs).iterate(self.run)

    [item] = typing.get_args(typing.get_type_hints(paginate)["return"])
    _set_signature(method, paginate, Iterator[item])  # type: ignore[valid-type]
    return cast("Callable[Concatenate[SelfHostedHook, P], Iterator[T]]", method)


def _set_signature(method: Any, function: Callable[..., Any], result: Any) -> None:
    """Show the parameters of the wrapped function, after self, in `help` and in editors."""
    signature = inspect.signature(function)
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    method.__signature__ = signature.replace(
        parameters=[this, *signature.parameters.values()], return_annotation=result
    )
