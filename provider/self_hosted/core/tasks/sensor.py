"""The base of every sensor: poll one remote object until it is done, in a worker slot or without one."""

from __future__ import annotations

import time
from datetime import timedelta
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

from self_hosted.core.arguments import to_plain
from self_hosted.core.http.errors import SelfHostedError, WaitTimeoutError
from self_hosted.core.imports import import_string
from self_hosted.core.tasks.operator import fail_fast_on_permanent_errors
from self_hosted.core.tasks.retry_policy import apply_default_retry_policy
from self_hosted.core.wait.observation import Observation
from self_hosted.core.wait.pending import PendingWait
from self_hosted.core.wait.spec import WaitSpec

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.triggers.base import StartTriggerArgs

    from self_hosted.core.connection.hook import SelfHostedHook


class _StartTriggerArgs:
    """Computes the arguments on access: at the time of ``__init__`` they are incomplete."""

    def __get__(self, sensor: SelfHostedSensor | None, _: type) -> StartTriggerArgs | None:
        return None if sensor is None else sensor.start_args()


class SelfHostedSensor(BaseSensorOperator):
    """Waits for one remote object. Works in poke and reschedule mode, deferred, and entirely in the triggerer.

    :param deferrable: wait in the triggerer, without a worker slot; default: ``[operators] default_deferrable``. A
        success also ends the task there, unless it has outlets or multiple_outputs, which only a worker can report
    :param start_from_trigger: start in the triggerer, so that the task never takes a worker slot (since Airflow 3.3;
        before, same as ``deferrable``). Arguments may be templates, but not results of other tasks; mapped tasks start
        in a worker

    ``poke_interval``, ``timeout``, ``soft_fail`` and ``mode`` are Airflow's own, and apply when deferred, too.
    """

    wait_spec: ClassVar[str]
    """Path of the `WaitSpec` of this sensor."""

    start_trigger_args = _StartTriggerArgs()

    def __init__(self, *, deferrable: bool | None = None, start_from_trigger: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        default = conf.getboolean("operators", "default_deferrable", fallback=False)
        self.deferrable = start_from_trigger or (default if deferrable is None else deferrable)
        self.start_from_trigger = start_from_trigger
        self._observation: Observation | None = None
        apply_default_retry_policy(self)

    @property
    def conn_id(self) -> str:
        """The connection, from the argument that each product names after itself, such as ``rudder_conn_id``."""
        return str(getattr(self, import_string(self._wait_spec.hook_class).conn_name_attr))

    @cached_property
    def hook(self) -> SelfHostedHook:
        """The product's hook, with the sensor's connection: one for all pokes, so that they share one login."""
        return self._wait_spec.create_hook(self.conn_id)

    def validate(self) -> None:
        """Check the arguments, after templating and before anything is sent.

        :raises ValueError: naming the argument
        """

    def external_id(self) -> str:
        """Return the remote id to wait for, or the text of a `WaitKey`."""
        raise NotImplementedError

    def build_result(self, observation: Observation, base_url: str) -> Any:
        """Return the sensor's result, or raise an error. It sends no request, because it may run in the triggerer.

        :param observation: the last observation
        :param base_url: the product's address, for links
        """
        raise NotImplementedError

    def execute(self, context: Context) -> Any:
        """Poke until the object is done, or defer.

        :param context: the context of the task
        """
        with fail_fast_on_permanent_errors():
            self.validate()
            if self.deferrable:
                return self._defer()
            self._since = self._started_at(context)
            try:
                return super().execute(context)
            except AirflowSensorTimeout:
                raise AirflowSensorTimeout(self._timeout_message()) from None

    def poke(self, context: Context) -> PokeReturnValue:
        """Poll once.

        :param context: the context of the task
        """
        wait_spec, key = self._wait_spec, self.external_id()
        # here and not only in `execute`: Airflow handles soft_fail around each poke
        with fail_fast_on_permanent_errors():
            self._observation = observation = self.hook.run(wait_spec.refresh([key])).get(key)
            if observation is None or not observation.done:
                return PokeReturnValue(is_done=False)
            return PokeReturnValue(
                is_done=True, xcom_value=self._build_result(observation, self.hook.settings.address.base_url)
            )

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Continue after the deferred wait, with the same outcomes as a poke.

        :param context: the context of the task
        :param event: the payload of the trigger's event
        """
        from self_hosted.core.wait.trigger import observation_from_event

        try:
            with fail_fast_on_permanent_errors():
                try:
                    observation = observation_from_event(event)
                except WaitTimeoutError as error:
                    raise AirflowSensorTimeout(str(error)) from None
                return self._build_result(observation, (event or {})["base_url"])
        except (AirflowFailException, AirflowSensorTimeout) as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(str(error)) from error
            raise

    def start_args(self) -> StartTriggerArgs:
        """Return how Airflow starts this sensor in the triggerer."""
        from airflow.triggers.base import StartTriggerArgs

        from self_hosted.core.wait.trigger import TIMEOUT_SLACK_SECONDS

        return StartTriggerArgs(
            trigger_cls="self_hosted.core.wait.trigger.SensorTrigger",
            trigger_kwargs=self._trigger_arguments(),
            next_method="execute_complete",
            timeout=timedelta(seconds=float(self.timeout) + TIMEOUT_SLACK_SECONDS),
        )

    @property
    def _wait_spec(self) -> WaitSpec:
        return import_string(self.wait_spec)  # type: ignore[no-any-return]

    def _defer(self) -> Any:
        from self_hosted.core.wait.trigger import SensorTrigger

        now = time.time()
        arguments = {**self._trigger_arguments(), "since": now, "deadline": now + float(self.timeout)}
        return self.defer(trigger=SensorTrigger(**arguments), method_name="execute_complete")

    def _trigger_arguments(self) -> dict[str, Any]:
        own = {name: to_plain(getattr(self, name, None)) for name in self.template_fields}
        sensor_class = type(self)
        return {
            "sensor": f"{sensor_class.__module__}.{sensor_class.__qualname__}",
            "poke_interval": float(self.poke_interval),
            "timeout": float(self.timeout),
            "ends_task": self.do_xcom_push and not self.outlets and not self.multiple_outputs,
            **own,
        }

    def _build_result(self, observation: Observation, base_url: str) -> Any:
        return self.build_result(self._wait_spec.require_present(self.external_id(), observation), base_url)

    def _started_at(self, context: Context) -> float:
        first = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        return first.timestamp() if first else time.time()

    def _timeout_message(self) -> str:
        pending = PendingWait(self.external_id(), 0, 0, since=self._since)
        pending.update(self._observation)
        reason = self._stall_reason()
        return f"{f'{reason}: gave up' if reason else 'timed out'} {pending.describe(self._wait_spec)}"

    def _stall_reason(self) -> str | None:
        """Return why the object cannot proceed, if the product knows."""
        stall_reasons, key = self._wait_spec.stall_reasons, self.external_id()
        try:
            return self.hook.run(stall_reasons([key])).get(key) if stall_reasons else None
        except SelfHostedError:
            return None
