"""What every sensor does: ask its product's question until it is answered, in a worker slot or deferred."""

from __future__ import annotations

import time
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

from self_hosted.core.operator import final_errors_fail_at_once
from self_hosted.core.wait import Question, Seen, imported, overdue

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.core.hook import ProductHook


class ProductSensor(BaseSensorOperator):
    """Waits for one remote thing. Works in the modes poke and reschedule, and deferred.

    :param deferrable: wait in the triggerer, without a worker slot; default from ``[operators] default_deferrable``

    ``poke_interval``, ``timeout``, ``soft_fail`` and ``mode`` are Airflow's own, and hold when deferred too.
    """

    question: ClassVar[str]
    """Path of the `Question` this sensor asks."""

    def __init__(self, *, deferrable: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        default = conf.getboolean("operators", "default_deferrable", fallback=False)
        self.deferrable = default if deferrable is None else deferrable

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

    def finish(self, seen: Seen) -> Any:
        """The sensor's result, from what was seen when the wait was over."""
        raise NotImplementedError

    def execute(self, context: Context) -> Any:
        """Poke until it is done, or defer."""
        with final_errors_fail_at_once():
            self.check()
            if not self.deferrable:
                return super().execute(context)
            from self_hosted.core.trigger import WaitTrigger

            trigger = WaitTrigger(
                question=self.question,
                conn_id=self.conn_id,
                key=self.key(),
                deadline=time.time() + float(self.timeout),
                poll_interval=float(self.poke_interval),
            )
            return self.defer(trigger=trigger, method_name="execute_complete")

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        question, key = self._question, self.key()
        # here and not only around execute: what Airflow does for soft_fail it does around each poke
        with final_errors_fail_at_once():
            seen = self.hook.run(question.ask([key])).get(key)
            if seen is None or not seen.done:
                return PokeReturnValue(is_done=False)
            return PokeReturnValue(is_done=True, xcom_value=self.finish(seen))

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Go on after the deferred wait, with the same outcomes as a poke has."""
        from self_hosted.core.trigger import seen_in

        try:
            with final_errors_fail_at_once():
                seen = seen_in(event)
                if seen is None or not seen.done:
                    raise AirflowSensorTimeout(str(overdue(self._question, self.key(), seen)))
                return self.finish(seen)
        except (AirflowFailException, AirflowSensorTimeout) as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(str(error)) from error
            raise

    @property
    def _question(self) -> Question:
        return imported(self.question)  # type: ignore[no-any-return]
