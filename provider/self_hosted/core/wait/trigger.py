"""The triggers: a wait without a worker slot, and the events that say how it ended.

Their arguments are plain JSON and hold no credential. They never start remote work, so a triggerer may restart them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from airflow.triggers.base import BaseTrigger, TaskSuccessEvent, TriggerEvent

from self_hosted.core.http.errors import InvalidRequestError, SelfHostedError, ServerError, error_from_json
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.redact import clean_text
from self_hosted.core.imports import import_string
from self_hosted.core.wait.loop import cancel_all
from self_hosted.core.wait.observation import Observation
from self_hosted.core.wait.pending import Outcome, PendingWait
from self_hosted.core.wait.poller import Poller
from self_hosted.core.wait.spec import WaitSpec
from self_hosted.core.wait.wait_log import WaitLog

# A worker may take 5 s to report that its task deferred ([workers] min_heartbeat_interval). Airflow treats a task that
# resumes before that as lost and retries it (seen in 3.1.8).
MIN_DEFERRAL_SECONDS = 6.0
TIMEOUT_SLACK_SECONDS = 60.0  # after the deadline, Airflow itself ends a wait that no triggerer has picked up


log = get_logger(__name__)


class WaitTrigger(BaseTrigger):
    """Waits for remote work that an operator submitted: one object or several.

    :param wait_spec: path of the `WaitSpec`
    :param conn_id: the Airflow connection
    :param keys: the remote ids
    :param since: when the wait began, in seconds since the epoch
    :param deadline: when it ends at the latest, in seconds since the epoch
    :param poll_interval: the longest time between two polls, in seconds
    :param cancel_on_kill: whether a user who ends the task also cancels the remote work (since Airflow 3.3)
    :param submitted: what the operator needs to build its result; returned in the event
    :param lineage: what the operator has read and written before the wait; returned in the event
    """

    def __init__(
        self,
        *,
        wait_spec: str,
        conn_id: str,
        keys: Sequence[str],
        since: float,
        deadline: float,
        poll_interval: float,
        cancel_on_kill: bool = False,
        submitted: dict[str, Any] | None = None,
        lineage: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.wait_spec, self.conn_id, self.keys = wait_spec, conn_id, list(keys)
        self.since, self.deadline, self.poll_interval = since, deadline, poll_interval
        self.cancel_on_kill, self.submitted, self.lineage = cancel_on_kill, submitted, lineage

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return path and arguments, for the metadata database."""
        names = ("wait_spec", "conn_id", "keys", "since", "deadline", "poll_interval")
        own = {name: getattr(self, name) for name in (*names, "cancel_on_kill", "submitted", "lineage")}
        return "self_hosted.core.wait.trigger.WaitTrigger", own

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait for all objects; yield one event with the observation or the error of each."""
        waits = [self._create_wait(key) for key in self.keys]
        outcomes = await asyncio.gather(*(self._wait_for(pending, waits) for pending in waits))
        results = dict(zip(self.keys, outcomes, strict=True))
        yield TriggerEvent({"outcomes": results, "submitted": self.submitted, "lineage": self.lineage})

    def _create_wait(self, key: str) -> PendingWait:
        return PendingWait(key, self.deadline, self.poll_interval, MIN_DEFERRAL_SECONDS, self.since)

    async def _wait_for(self, pending: PendingWait, waits: Sequence[PendingWait]) -> dict[str, Any]:
        try:
            poller = Poller.shared(self.wait_spec, self.conn_id)
            if pending is waits[0]:
                WaitLog.begin(poller.wait_spec, waits, self.poll_interval)
            return {"observation": (await poller.wait(pending)).as_json()}
        except Exception as error:
            return error_event(error, self.log)

    async def on_kill(self) -> None:
        """Cancel the remote work: a user marked the task failed or cleared it. Restarts do not call this."""
        wait_spec: WaitSpec = import_string(self.wait_spec)
        is_cancelled, name = self.cancel_on_kill and wait_spec.cancel, wait_spec.describe_all(self.keys)
        effect = f"cancelling {name}" if is_cancelled else f"{name} is left running"
        log.warning("The task was ended by a user: %s", effect)
        if is_cancelled:
            async with wait_spec.create_hook(self.conn_id).async_client() as client:
                for key, error in (await client(cancel_all(wait_spec, self.keys))).items():
                    log.warning("%s could not be cancelled: %s", wait_spec.describe(key), error)


class SensorTrigger(BaseTrigger):
    """Runs a sensor in the triggerer: it stores the sensor's arguments and creates the sensor when it runs.

    When a task starts in the triggerer, Airflow renders the attributes that are templated in the sensor.

    :param sensor: path of the sensor's class
    :param poke_interval: the longest time between two polls, in seconds
    :param timeout: how long to wait, in seconds; used without a deadline
    :param since: when the wait began, in seconds since the epoch; None for a task that starts in the triggerer
    :param deadline: when it ends at the latest, in seconds since the epoch; None likewise
    :param ends_task: whether a success ends the task here, without a worker: only if it pushes no result, because
        Airflow serializes the results of triggers twice (3.1 to 3.3)
    :param arguments: the sensor's arguments, by name
    """

    def __init__(
        self,
        *,
        sensor: str,
        poke_interval: float,
        timeout: float,
        since: float | None = None,
        deadline: float | None = None,
        ends_task: bool = False,
        **arguments: Any,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sensor, self.poke_interval, self.timeout = sensor, poke_interval, timeout
        self.since, self.deadline, self.ends_task = since, deadline, ends_task
        self.argument_names = tuple(arguments)
        for name, value in arguments.items():
            setattr(self, name, value)

    @property
    def arguments(self) -> dict[str, Any]:
        """The sensor's arguments by name, after templating."""
        return {name: getattr(self, name) for name in self.argument_names}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return path and arguments, for the metadata database."""
        names = ("sensor", "poke_interval", "timeout", "since", "deadline", "ends_task")
        return "self_hosted.core.wait.trigger.SensorTrigger", {
            **{name: getattr(self, name) for name in names},
            **self.arguments,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait; end the task, or yield an event with the observation or the error."""
        try:
            sensor = import_string(self.sensor)(task_id="sensor", **self.arguments)
            sensor.validate()
            poller = Poller.shared(sensor.wait_spec, sensor.conn_id)
            pending = self._create_wait(sensor.external_id())
            WaitLog.begin(poller.wait_spec, [pending], self.poke_interval)
            observation = await self._wait(sensor, poller, pending)
        except Exception as error:
            yield TriggerEvent(error_event(error, self.log))
            return
        payload = {"observation": observation.as_json(), "base_url": poller.base_url}
        yield TaskSuccessEvent() if self.ends_task and self._end(sensor, pending, payload) else TriggerEvent(payload)

    async def _wait(self, sensor: Any, poller: Poller, pending: PendingWait) -> Observation:
        if self.since or not self.task_instance:  # a worker has published its link
            return await poller.wait(pending)
        observation, _ = await asyncio.gather(poller.wait(pending), self._publish_link(sensor, poller))
        return observation

    async def _publish_link(self, sensor: Any, poller: Poller) -> None:
        await poller.connected.wait()
        if poller.base_url:
            # not cancelled: half a message would confuse the triggerer's channel to its supervisor
            await asyncio.shield(sensor.publish_link_from_triggerer(self.task_instance, poller.base_url))

    def _end(self, sensor: Any, pending: PendingWait, payload: Mapping[str, Any]) -> bool:
        """Whether the sensor has a result; if not, the worker raises the error, with all consequences of a failure."""
        try:
            result = sensor.build_result(observation_from_event(payload), payload["base_url"])
        except Exception:
            return False
        sensor.log_result(result, pending.since)
        return True

    def _create_wait(self, key: str) -> PendingWait:
        # for a task that starts here, Airflow's own timeout remembers the start across restarts
        limit = getattr(self, "timeout_after", None)
        deadline = self.deadline or (limit.timestamp() - TIMEOUT_SLACK_SECONDS if limit else time.time() + self.timeout)
        since = self.since or deadline - self.timeout
        return PendingWait(key, deadline, self.poke_interval, MIN_DEFERRAL_SECONDS if self.since else 0, since)


def error_event(error: Exception, log: Any) -> dict[str, Any]:
    """Return the payload of an event for an error; `observation_from_event` raises it again.

    :param error: any; of an error that is no `SelfHostedError`, its type and text are kept
    :param log: the trigger's log, for the traceback of an unexpected error
    """
    if isinstance(error, ValueError):
        error = InvalidRequestError(clean_text(str(error)))
    elif not isinstance(error, SelfHostedError):
        log.error("The wait ended with an unexpected error", exc_info=error)
        error = SelfHostedError(f"{type(error).__name__}: {clean_text(str(error))}")
    return {"error": error.as_json()}


def observation_from_event(event: Mapping[str, Any] | None) -> Observation:
    """Return the last observation of a trigger.

    :param event: the payload of its event
    :raises SelfHostedError: the error of the wait
    :raises ServerError: if the event is missing or malformed: an unexpected event is a failure, never a success
    """
    if not event or not {"observation", "error"} & set(event):
        raise ServerError(f"unexpected trigger event: {event!r}")
    if "error" in event:
        raise error_from_json(event["error"])
    return Observation(**event["observation"])


def outcomes_from_event(event: Mapping[str, Any] | None) -> dict[str, Outcome]:
    """Return the outcomes of a `WaitTrigger`, by remote id.

    :param event: the payload of its event
    :raises ServerError: if the event is missing or malformed
    """
    if not event or not event.get("outcomes"):
        raise ServerError(f"unexpected trigger event: {event!r}")
    return {key: _read_outcome(outcome) for key, outcome in event["outcomes"].items()}


def _read_outcome(outcome: Mapping[str, Any]) -> Outcome:
    try:
        return observation_from_event(outcome)
    except SelfHostedError as error:
        return error
