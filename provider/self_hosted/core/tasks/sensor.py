"""The base of every sensor: poll one remote object until it is done, in a worker slot or without one."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from self_hosted.core.arguments import parse_bool, parse_id, parse_seconds, to_plain
from self_hosted.core.http.errors import WaitTimeoutError
from self_hosted.core.imports import import_string
from self_hosted.core.tasks.assets import asset_uri
from self_hosted.core.tasks.lineage import record_input, set_subject
from self_hosted.core.tasks.openlineage import OpenLineageMixin
from self_hosted.core.tasks.operator import (
    fail_fast_on_permanent_errors,
    publish_link,
    publish_link_from_triggerer,
)
from self_hosted.core.tasks.retry_policy import apply_default_retry_policy
from self_hosted.core.tasks.sensor_progress import clear_progress, load_progress, save_progress
from self_hosted.core.tasks.summary import log_result, log_summary
from self_hosted.core.wait.loop import poll_until_answered
from self_hosted.core.wait.pending import PendingWait
from self_hosted.core.wait.spec import WaitSpec
from self_hosted.core.wait.wait_log import WaitLog

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.triggers.base import StartTriggerArgs

    from self_hosted.core.connection.hook import SelfHostedHook
    from self_hosted.core.wait.observation import Observation


DEFAULT_POKE_INTERVAL_SECONDS = 60.0
NUMBER_TYPES = (int, float, timedelta, type(None))


class _StartTriggerArgs:
    """Computes the arguments on access: at the time of ``__init__`` they are incomplete."""

    def __get__(self, sensor: SelfHostedSensor | None, _: type) -> StartTriggerArgs | None:
        return None if sensor is None else sensor.start_args()


class SelfHostedSensor(OpenLineageMixin, BaseSensorOperator):
    """Waits for one remote object. Works in poke and reschedule mode, deferred, and started in the triggerer.

    :param deferrable: wait in the triggerer, without a worker slot; default: ``[operators] default_deferrable``. A
        worker then returns the result. With ``do_xcom_push=False`` and without outlets, a success ends the task in the
        triggerer
    :param start_from_trigger: start in the triggerer, so that the task takes no worker slot before its end (since
        Airflow 3.3; before, and if a time is a template, same as ``deferrable``). Arguments may be templates, but not
        results of other tasks; mapped tasks start in a worker
    :param poke_interval: the time between two polls, in seconds or as a timedelta; default: 60
    :param timeout: the longest time to wait, in seconds or as a timedelta; default: ``[sensors] default_timeout``

    ``soft_fail`` and ``mode`` are Airflow's own, and apply when deferred, too.
    """

    wait_spec: ClassVar[str]
    """Path of the `WaitSpec` of this sensor."""

    template_fields: Sequence[str] = ("deferrable", "poke_interval", "timeout")
    start_trigger_args = _StartTriggerArgs()

    def __init__(
        self,
        *,
        deferrable: bool | str | None = None,
        start_from_trigger: bool = False,
        poke_interval: timedelta | float | str = DEFAULT_POKE_INTERVAL_SECONDS,
        timeout: timedelta | float | str | None = None,
        **kwargs: Any,
    ) -> None:
        given: dict[str, Any] = {"poke_interval": poke_interval}
        if timeout is not None:  # Airflow 3.1 accepts no None
            given["timeout"] = timeout
        # Airflow's own constructor accepts no templates
        templates = {name: value for name, value in given.items() if not isinstance(value, NUMBER_TYPES)}
        super().__init__(**{name: given[name] for name in given if name not in templates}, **kwargs)
        for name, value in templates.items():
            setattr(self, name, value)
        default = conf.getboolean("operators", "default_deferrable", fallback=False)
        self.deferrable: bool | str = start_from_trigger or (default if deferrable is None else deferrable)
        self.start_from_trigger = start_from_trigger and not templates
        self._pending: PendingWait | None = None
        self._since: float | None = None
        apply_default_retry_policy(self)

    @property
    def conn_id(self) -> str:
        """The connection, from the argument that each product names after itself, such as ``rudder_conn_id``."""
        name: str = import_string(self._wait_spec.hook_class).conn_name_attr
        return parse_id(name, getattr(self, name), "an Airflow connection")

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

    def external_url(self, base_url: str) -> str:
        """Return the product's page of the object; default: the product's address.

        :param base_url: the product's address
        """
        return base_url

    def external_asset(self) -> Sequence[str]:
        """Return type and id of the object, for its asset, such as ("submission", sid); default: no asset."""
        return ()

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
            self._parse_times()
            self.validate()
            self._since = self._read_since(context)
            url = self.external_url(self.hook.settings.address.base_url)
            publish_link(context, url, is_known=self._since is not None)
            self._record_input()
            if parse_bool("deferrable", self.deferrable):
                return self._defer()
            pending = self._pending = self._create_wait(context)
            result = super().execute(context)
            self._publish_result(context, result, self.hook.settings.address.base_url)
            log_result(result, pending.since)
            return result

    def poke(self, context: Context) -> PokeReturnValue:
        """Poll once; again and again while the poll fails, for as long as in every other mode.

        :param context: the context of the task
        """
        # here and not only in `execute`: Airflow handles soft_fail around each poke
        with _raise_errors_of_airflow():
            pending = self._pending = self._pending or self._create_wait(context)
            self.hook.run(poll_until_answered(self._wait_spec, pending))
            if not pending.is_over:
                self._save_progress(context, pending)
                return PokeReturnValue(is_done=False)
            self._clear_progress(context)
            try:
                observation = pending.outcome(self._wait_spec)
            finally:
                pending.forgive()  # with silent_fail, Airflow pokes again
            return PokeReturnValue(True, self.build_result(observation, self.hook.settings.address.base_url))

    def execute_complete(self, context: Context, event: dict[str, Any] | str | None = None) -> Any:
        """Continue after the deferred wait, with the same outcomes as a poke.

        :param context: the context of the task
        :param event: the payload of the trigger's event; "success" if ``dag.test()`` ran a trigger that ended the task
        """
        if event == "success" and self._ends_in_triggerer:
            return None
        self.hook.mask_secrets()  # this process may log what a server said, and does not know them yet
        with suppress(Exception):  # of a missing connection or an invalid argument: the event names it
            if self.start_from_trigger:
                publish_link(context, self.external_url(self.hook.settings.address.base_url))
            self._record_input()
        try:
            with _raise_errors_of_airflow():
                result = self._build_result(event)
        except Exception as error:
            if self.never_fail or (self.soft_fail and isinstance(error, AirflowFailException | AirflowSensorTimeout)):
                raise AirflowSkipException(str(error)) from error
            raise
        self._publish_result(context, result, cast("dict[str, Any]", event)["base_url"])
        log_summary(context, result)
        return result

    async def publish_link_from_triggerer(self, task_instance: Any, base_url: str) -> None:
        """Let the link open the object's page while the task waits without ever having had a worker.

        :param task_instance: the task instance of the trigger
        :param base_url: the product's address
        """
        await publish_link_from_triggerer(task_instance, self.external_url(base_url))

    @staticmethod
    def log_result(result: Any, since: float) -> None:
        """Log the result of a task that ends in the triggerer.

        :param result: the result of `build_result`
        :param since: when the wait began, in seconds since the epoch
        """
        log_result(result, since)

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

    @property
    def _ends_in_triggerer(self) -> bool:
        """Whether a success needs no worker, which would push a result or report outlets."""
        return not self.do_xcom_push and not self.outlets

    def _parse_times(self) -> None:
        """Replace rendered texts by numbers, which Airflow's own methods expect.

        :raises ValueError: naming the argument
        """
        self.poke_interval = parse_seconds("poke_interval", self.poke_interval)
        self.timeout = parse_seconds("timeout", self.timeout)

    def _defer(self) -> Any:
        from self_hosted.core.wait.trigger import SensorTrigger

        now = time.time()
        arguments = {**self._trigger_arguments(), "since": now, "deadline": now + float(self.timeout)}
        return self.defer(trigger=SensorTrigger(**arguments), method_name="execute_complete")

    def _publish_result(self, context: Context, result: Any, base_url: str) -> None:
        """Let the link open the page that the result names, if only the wait has found it."""
        url = result.get("url") if isinstance(result, Mapping) else None
        if url and url != self.external_url(base_url):
            publish_link(context, url)

    def _record_input(self) -> None:
        """Record the object in the lineage of this process."""
        segments = self.external_asset()
        if segments:
            uri = asset_uri(self.hook, *segments)
            set_subject(self.hook, uri)
            record_input(self.hook, uri)

    def _trigger_arguments(self) -> dict[str, Any]:
        names = [name for name in self.template_fields if name not in SelfHostedSensor.template_fields]
        own = {name: to_plain(getattr(self, name, None)) for name in names}
        sensor_class = type(self)
        return {
            "sensor": f"{sensor_class.__module__}.{sensor_class.__qualname__}",
            "poke_interval": float(self.poke_interval),
            "timeout": float(self.timeout),
            "ends_task": self._ends_in_triggerer,
            **own,
        }

    def _build_result(self, event: Any) -> Any:
        from self_hosted.core.wait.trigger import observation_from_event

        observation = observation_from_event(event)
        return self.build_result(self._wait_spec.require_present(self.external_id(), observation), event["base_url"])

    def _read_since(self, context: Context) -> float | None:
        """Return when the first poke was, in seconds since the epoch; None for the first one."""
        first = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        return first.timestamp() if first else None

    def _create_wait(self, context: Context) -> PendingWait:
        """Return the wait; in reschedule mode, it continues that of the earlier pokes."""
        since = self._since or self._read_since(context) or time.time()
        pending = PendingWait(self.external_id(), since + float(self.timeout), 0, since=since)
        if self.reschedule:
            pending.progress = load_progress(context, pending.key) or pending.progress
        WaitLog.begin(self._wait_spec, [pending], float(self.poke_interval))
        return pending

    def _save_progress(self, context: Context, pending: PendingWait) -> None:
        if self.reschedule:
            save_progress(context, pending.key, pending.progress)

    def _clear_progress(self, context: Context) -> None:
        if self.reschedule:
            clear_progress(context)

    def _get_next_poke_interval(self, *arguments: Any, **named: Any) -> float:
        """Return Airflow's interval, or the seconds until the deadline: the last poke is then."""
        interval = super()._get_next_poke_interval(*arguments, **named)
        return min(interval, max(0.0, self._pending.deadline - time.time())) if self._pending else interval


@contextmanager
def _raise_errors_of_airflow() -> Generator[None]:
    """Within, a timeout of a wait is a timeout of the sensor, and a permanent error ends the task.

    :raises AirflowSensorTimeout: if the wait timed out
    :raises AirflowFailException: for permanent errors and invalid arguments
    """
    with fail_fast_on_permanent_errors():
        try:
            yield
        except WaitTimeoutError as error:
            raise AirflowSensorTimeout(str(error)) from None
