"""ProductHook: from an Airflow connection to an address, a way to sign in and a sender; flows as methods.

A product's `hook.py` says how it signs in and lists what can be asked:

    class RudderHook(ProductHook):
        form = FORM
        rule = published(api.rule)
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import typing
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, ParamSpec, TypeVar, cast

from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import BaseHook

from self_hosted.core.connection import Settings, read_connection
from self_hosted.core.errors import ProductError
from self_hosted.core.flow import Flow, Pause, Reply, Request, arun, handled, run
from self_hosted.core.form import ConnectionForm
from self_hosted.core.limit import Limit

if TYPE_CHECKING:
    from self_hosted.core.auth import Auth
    from self_hosted.core.transport import TriggerTransport, WorkerTransport

P = ParamSpec("P")
T = TypeVar("T")


async def _sleep(pause: Pause) -> None:
    await asyncio.sleep(pause.seconds)


async def _hide(secret: str) -> None:
    """Mask a secret from within an event loop."""
    from airflow.sdk import log

    if hasattr(log, "amask_secret"):
        await log.amask_secret(secret)
    else:  # Airflow 3.1
        log.mask_secret(secret)


class ProductHook(BaseHook):
    """What every product's hook can do.

    :param conn_id: the Airflow connection that holds address and credential
    """

    form: ClassVar[ConnectionForm]
    hook_name: ClassVar[str]
    conn_type: ClassVar[str]
    conn_name_attr: ClassVar[str]
    default_conn_name: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.hook_name, cls.conn_type = cls.form.hook_name, cls.form.conn_type
        cls.conn_name_attr = f"{cls.conn_type}_conn_id"
        cls.default_conn_name = f"{cls.conn_type}_default"
        if airflow_version.startswith("3.1."):
            # it reads forms from these two methods, and only from the class itself; later ones read the provider info
            cls.get_connection_form_widgets = classmethod(lambda hook: hook.form.widgets())  # type: ignore[assignment]
            cls.get_ui_field_behaviour = classmethod(lambda hook: hook.form.behaviour_of_3_1())  # type: ignore[assignment]

    def __init__(self, conn_id: str) -> None:
        super().__init__()
        self.conn_id = conn_id
        self._opening = threading.Lock()

    # What a product supplies

    def auth(self, settings: Settings) -> Auth:
        """How the product signs in; `ValueError` when the connection holds no complete credential."""
        raise NotImplementedError

    @staticmethod
    def error_of(reply: Reply) -> ProductError | None:
        """What went wrong according to a reply's status and body, or None."""
        raise NotImplementedError

    def signed_in(self) -> Flow[str]:
        """Prove the credential and say, in one sentence, as whom and to what one is signed in."""
        raise NotImplementedError

    # What a worker uses

    @functools.cached_property
    def settings(self) -> Settings:
        """The connection, read and checked."""
        from airflow.sdk.log import mask_secret

        settings = read_connection(self.get_connection(self.conn_id), self.form)
        for secret in settings.secrets:
            mask_secret(secret)
        return settings

    def run(self, flow: Flow[T]) -> T:
        """Run a flow against the product and return its result. May be called from several threads.

        :param flow: what to do, such as ``api.rule("32377fd7")``
        :raises ProductError: see `self_hosted.core.errors`
        :raises ValueError: when the connection is missing something, or the flow was given something wrong
        """
        with self._opening:
            transport, auth = self._opened
        return run(self.around(flow, auth, self.settings), transport.perform)

    @functools.cached_property
    def _opened(self) -> tuple[WorkerTransport, Auth]:
        from airflow.sdk.log import mask_secret

        from self_hosted.core.transport import WorkerTransport

        return WorkerTransport(self.settings.address, mask_secret), self.auth(self.settings)

    def test_connection(self) -> tuple[bool, str]:
        """What the Test button runs: whether the credential is accepted, and one sentence about it."""
        try:
            # whoever presses the button sits waiting: one attempt, no retries
            impatient = replace(self.settings, address=replace(self.settings.address, retry_budget=0))
            self.__dict__["settings"] = impatient
            return True, self.run(self.signed_in())
        except (ProductError, ValueError) as error:
            return False, str(error)

    # What a trigger uses

    @asynccontextmanager
    async def asking(self, sleep: Callable[[Pause], Awaitable[None]] = _sleep) -> AsyncGenerator[Asking]:
        """An async `run`: connection looked up, client opened and login done once for all that is asked.

        :param sleep: keeps the pauses of the flows
        """
        from self_hosted.core.transport import TriggerTransport

        settings = read_connection(await self.aget_connection(self.conn_id), self.form)
        for secret in settings.secrets:
            await _hide(secret)
        transport = TriggerTransport(settings.address, _hide, sleep)
        try:
            yield Asking(self, settings, self.auth(settings), transport)
        finally:
            await transport.close()

    # What both use

    def around(self, flow: Flow[T], auth: Auth, settings: Settings) -> Flow[T]:
        """The flow with authentication around each request, retries around that, and a limit around each attempt.

        :param flow: any flow
        :param auth: how to sign in
        :param settings: the connection
        """
        from self_hosted.core.transport import retried

        def send(request: Request) -> Flow[Reply]:
            return retried(request, self.error_of, settings.address.retry_budget)

        return handled(handled(handled(flow, auth.send), send), Limit.of(settings).send)


class Asking:
    """What `ProductHook.asking` gives: call it with a flow, and await the result.

    :param hook: the product's hook
    :param settings: its connection
    :param auth: how it signs in
    :param transport: what sends
    """

    def __init__(self, hook: ProductHook, settings: Settings, auth: Auth, transport: TriggerTransport) -> None:
        self.hook, self.settings, self.auth, self.transport = hook, settings, auth, transport

    @property
    def base_url(self) -> str:
        """The product's address."""
        return self.settings.address.base_url

    async def __call__(self, flow: Flow[T]) -> T:
        """Run a flow and return its result."""
        return await arun(self.hook.around(flow, self.auth, self.settings), self.transport.perform)


def published(flow: Callable[P, Flow[T]]) -> Callable[Concatenate[ProductHook, P], T]:
    """A flow as a blocking method of a hook, with the flow's own parameters, result type and docstring.

    :param flow: a flow function, such as ``api.rule``
    """

    @functools.wraps(flow)
    def method(self: ProductHook, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.run(flow(*args, **kwargs))

    signature = inspect.signature(flow)
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    result = typing.get_type_hints(flow).get("return")
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[this, *signature.parameters.values()], return_annotation=typing.get_args(result)[-1]
    )
    return cast("Callable[Concatenate[ProductHook, P], T]", method)
