"""What every operator does: check after templating, start, wait where there is something to wait for, finish.

A product's operator stores its arguments and fills the holes `check`, `start` and `finish`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator, BaseOperatorLink, XCom, conf

from self_hosted.core.errors import Final, ProductError
from self_hosted.core.wait import Question, Seen, imported, overdue, wait

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.core.hook import ProductHook

LINK_KEY = "product_url"


@contextmanager
def final_errors_fail_at_once() -> Generator[None]:
    """Errors that no retry mends end the task without further tries."""
    try:
        yield
    except (Final, ValueError) as error:
        raise AirflowFailException(str(error)) from error


def round_key(context: Context) -> str:
    """Which piece of work this is, as 32 hex digits: the same on every retry, another once a person clears the task.

    What a write carries this key can be recognised when the task is tried again.
    """
    ti = context["ti"]
    # clearing a task raises max_tries by the tries spent, a retry doesn't
    round_ = (ti.max_tries or 0) - (context["task"].retries or 0)
    words = (ti.dag_id, ti.run_id, ti.task_id, ti.map_index, round_)
    return hashlib.sha256(repr(words).encode()).hexdigest()[:32]


def publish_link(context: Context, url: str) -> None:
    """Make the task's link lead to this page of the product, at once: also while it waits.

    :param context: the context of the task
    :param url: the page
    """
    context["ti"].xcom_push(key=LINK_KEY, value=url)


class ProductLink(BaseOperatorLink):
    """The button in the Airflow UI that opens what the task worked on; a product's subclass gives it its name."""

    name = "Open in product"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """The URL that `publish_link` stored, or nothing yet."""
        return XCom.get_value(ti_key=ti_key, key=LINK_KEY) or ""


class ProductOperator(BaseOperator):
    """Does one thing in a product. Subclasses store arguments in ``__init__`` and fill the holes below."""

    hook_class: ClassVar[str]
    """Path of the product's hook class."""

    @property
    def conn_id(self) -> str:
        """The connection, from the argument that the product names after itself: ``rudder_conn_id`` and so on."""
        return str(getattr(self, imported(self.hook_class).conn_name_attr))

    def check(self) -> None:
        """Validate the arguments, after templating and before anything is sent; `ValueError` names the argument."""

    def start(self, context: Context) -> dict[str, Any]:
        """Do the work; what is returned is the task's result, unless there is something to wait for."""
        raise NotImplementedError

    @cached_property
    def hook(self) -> ProductHook:
        """The product's hook, on the operator's connection."""
        return imported(self.hook_class)(self.conn_id)  # type: ignore[no-any-return]

    def execute(self, context: Context) -> Any:
        """Check, then do it; errors that no retry mends end the task at once."""
        with final_errors_fail_at_once():
            self.check()
            return self.start(context)


class WaitingOperator(ProductOperator):
    """Starts something and waits for it: in the worker, or deferred in the triggerer.

    :param deferrable: wait in the triggerer, without a worker slot; default from ``[operators] default_deferrable``
    :param poll_interval: the longest time between two looks, in seconds
    :param wait_timeout: how long to wait at most, in seconds; ``execution_timeout`` counts too
    :param cancel_on_kill: whether marking the task failed, or clearing it, ends the remote work too
    """

    question: ClassVar[str]
    """Path of the `Question` this operator waits with."""

    def __init__(
        self,
        *,
        deferrable: bool | None = None,
        poll_interval: float = 30,
        wait_timeout: float = 3600,
        cancel_on_kill: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        default = conf.getboolean("operators", "default_deferrable", fallback=False)
        self.deferrable = default if deferrable is None else deferrable
        self.poll_interval, self.wait_timeout = poll_interval, wait_timeout
        self.cancel_on_kill = cancel_on_kill
        self._waiting_for: str | None = None

    def key_of(self, started: dict[str, Any]) -> str | None:
        """The remote id to wait for, or None when there is nothing to wait for."""
        raise NotImplementedError

    def finish(self, context: Context, started: dict[str, Any], seen: Seen) -> dict[str, Any]:
        """The task's result, from what `start` returned and what was seen when the wait was over."""
        raise NotImplementedError

    def execute(self, context: Context) -> Any:
        """Check, start, wait, finish."""
        with final_errors_fail_at_once():
            self.check()
            started = self.start(context)
            key = self.key_of(started)
            if key is None:
                return started
            if self.deferrable:
                self._defer(key, started)
            self._waiting_for = key
            seen = wait(self.hook, self._question, key, deadline=self._deadline(), poll_interval=self.poll_interval)
            return self._ended(context, started, key, seen)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Go on after the deferred wait."""
        from self_hosted.core.trigger import seen_in

        with final_errors_fail_at_once():
            seen = seen_in(event)
            started: dict[str, Any] = (event or {})["started"]
            return self._ended(context, started, self.key_of(started) or "", seen)

    def on_kill(self) -> None:
        """The task is being killed in the worker: end the remote work."""
        if self._waiting_for and self.cancel_on_kill:
            self._cancel(self._waiting_for)

    @property
    def _question(self) -> Question:
        return imported(self.question)  # type: ignore[no-any-return]

    def _deadline(self) -> float:
        limit = self.execution_timeout.total_seconds() if self.execution_timeout else self.wait_timeout
        return time.time() + min(limit, self.wait_timeout)

    def _defer(self, key: str, started: dict[str, Any]) -> NoReturn:
        from self_hosted.core.trigger import WaitTrigger

        trigger = WaitTrigger(
            question=self.question,
            conn_id=self.conn_id,
            key=key,
            deadline=self._deadline(),
            poll_interval=self.poll_interval,
            cancel_on_kill=self.cancel_on_kill,
            started=started,  # and not in kwargs of the method: `dag.test()` loses those
        )
        self.defer(trigger=trigger, method_name="execute_complete")

    def _ended(self, context: Context, started: dict[str, Any], key: str, seen: Seen | None) -> dict[str, Any]:
        if seen is None or not seen.done:
            self._cancel(key)
            raise overdue(self._question, key, seen)
        return self.finish(context, started, seen)

    def _cancel(self, key: str) -> None:
        if self._question.cancel is None:
            return
        try:
            self.hook.run(self._question.cancel(key))
        except ProductError as error:
            self.log.warning("%s %s could not be cancelled: %s", self._question.thing, key, error)
