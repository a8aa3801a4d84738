"""What every sensor does: ask its product's question until it is answered, in a worker slot or without one."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from self_hosted.core.errors import Overdue, ProductError
from self_hosted.core.operator import final_errors_fail_at_once
from self_hosted.core.question import Question, Seen, imported
from self_hosted.core.retry_policy import obey_the_product
from self_hosted.core.wait import Waiter

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.triggers.base import StartTriggerArgs

    from self_hosted.core.hook import ProductHook


class _StartTriggerArgs:
    """Made from a sensor's arguments when somebody looks, for at the time of ``__init__`` they are not all there."""

    def __get__(self, sensor: ProductSensor | None, _: type) -> StartTriggerArgs | None:
        return None if sensor is None else sensor.start_args()


class ProductSensor(BaseSensorOperator):
    """Waits for one remote thing. Works in the modes poke and reschedule, deferred, and wholly in the triggerer.

    :param deferrable: wait in the triggerer, without a worker slot; default from ``[operators] default_deferrable``.
        Where it succeeds it ends there, too, unless the task has outlets or multiple_outputs, which only a worker can
        report
    :param start_from_trigger: begin there as well, so that the task never takes a worker slot (Airflow 3.3; before, as
        ``deferrable``). Arguments may be templates, but no results of other tasks; mapped tasks begin in a worker

    ``poke_interval``, ``timeout``, ``soft_fail`` and ``mode`` are Airflow's own, and hold when deferred too.
    """

    question: ClassVar[str]
    """Path of the `Question` this sensor asks."""

    start_trigger_args = _StartTriggerArgs()

    def __init__(self, *, deferrable: bool | None = None, start_from_trigger: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        default = conf.getboolean("operators", "default_deferrable", fallback=False)
        self.deferrable = start_from_trigger or (default if deferrable is None else deferrable)
        self.start_from_trigger = start_from_trigger
        self._seen: Seen | None = None
        obey_the_product(self)

    @property
    def conn_id(self) -> str:
        """The connection, from the argument that the product names after itself: ``rudder_conn_id`` and so on."""
        return str(getattr(self, imported(self._question.hook).conn_name_attr))

    @cached_property
    def hook(self) -> ProductHook:
        """The product's hook, on the sensor's connection: one for all looks, so that they share one login."""
        return self._question.hook_for(self.conn_id)

    def check(self) -> None:
        """Validate the arguments, after templating and before anything is sent; `ValueError` names the argument."""

    def key(self) -> str:
        """The remote id to wait for."""
        raise NotImplementedError

    def finish(self, seen: Seen, base_url: str) -> Any:
        """The sensor's result, or an error; without asking anybody, since it may run in the triggerer.

        :param seen: what was seen when the wait was over
        :param base_url: the product's address, for links
        """
        raise NotImplementedError

    def execute(self, context: Context) -> Any:
        """Poke until it is done, or defer."""
        with final_errors_fail_at_once():
            self.check()
            if self.deferrable:
                return self._defer()
            self._since = self._began(context)
            try:
                return super().execute(context)
            except AirflowSensorTimeout:
                raise AirflowSensorTimeout(self._in_vain()) from None

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        question, key = self._question, self.key()
        # here and not only around execute: what Airflow does for soft_fail it does around each poke
        with final_errors_fail_at_once():
            self._seen = seen = self.hook.run(question.ask([key])).get(key)
            if seen is None or not seen.done:
                return PokeReturnValue(is_done=False)
            return PokeReturnValue(is_done=True, xcom_value=self._result(seen, self.hook.settings.address.base_url))

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Go on after the deferred wait, with the same outcomes as a poke has."""
        from self_hosted.core.trigger import seen_in

        try:
            with final_errors_fail_at_once():
                try:
                    seen = seen_in(event)
                except Overdue as error:
                    raise AirflowSensorTimeout(str(error)) from None
                return self._result(seen, (event or {})["base_url"])
        except (AirflowFailException, AirflowSensorTimeout) as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(str(error)) from error
            raise

    def start_args(self) -> StartTriggerArgs:
        """How Airflow starts this sensor in the triggerer."""
        from airflow.triggers.base import StartTriggerArgs

        from self_hosted.core.trigger import SLACK

        return StartTriggerArgs(
            trigger_cls="self_hosted.core.trigger.SensorTrigger",
            trigger_kwargs=self._trigger_arguments(),
            next_method="execute_complete",
            timeout=timedelta(seconds=float(self.timeout) + SLACK),
        )

    @property
    def _question(self) -> Question:
        return imported(self.question)  # type: ignore[no-any-return]

    def _defer(self) -> Any:
        from self_hosted.core.trigger import SensorTrigger

        now = time.time()
        arguments = {**self._trigger_arguments(), "since": now, "deadline": now + float(self.timeout)}
        return self.defer(trigger=SensorTrigger(**arguments), method_name="execute_complete")

    def _trigger_arguments(self) -> dict[str, Any]:
        own = {name: _plain(getattr(self, name, None)) for name in self.template_fields}
        kind = type(self)
        return {
            "sensor": f"{kind.__module__}.{kind.__qualname__}",
            "poke_interval": float(self.poke_interval),
            "timeout": float(self.timeout),
            "ends_task": self.do_xcom_push and not self.outlets and not self.multiple_outputs,
            **own,
        }

    def _result(self, seen: Seen, base_url: str) -> Any:
        return self.finish(self._question.there(self.key(), seen), base_url)

    def _began(self, context: Context) -> float:
        first = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        return first.timestamp() if first else time.time()

    def _in_vain(self) -> str:
        waiter = Waiter(self.key(), 0, 0, since=self._since)
        waiter.note(self._seen)
        return f"{self._reason() or 'waited in vain'} {waiter.told(self._question)}"

    def _reason(self) -> str | None:
        """Why nothing moves, where the product knows."""
        stalled, key = self._question.stalled, self.key()
        try:
            reason = self.hook.run(stalled([key])).get(key) if stalled else None
        except ProductError:
            return None
        return reason and f"{reason}: gave up waiting"


def _plain(value: Any) -> Any:
    """A value as JSON has it: moments as text, which is what a template makes of them, too."""
    return value.isoformat() if isinstance(value, datetime) else value
