"""The triggers: a wait without a worker slot, and the events that tell how it ended.

Their arguments are plain JSON and hold no credential. They never start anything, so a triggerer may start them over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from airflow.triggers.base import BaseTrigger, TaskSuccessEvent, TriggerEvent

from self_hosted.core.errors import Broken, Invalid, ProductError, from_json
from self_hosted.core.poller import Poller
from self_hosted.core.question import Question, Seen, imported
from self_hosted.core.wait import Outcome, Waiter, ended

# A worker may take 5 s to tell the scheduler that its task deferred ([workers] min_heartbeat_interval). Airflow takes a
# task that goes on before that for lost, and tries it again (seen in 3.1.8).
SETTLING = 6.0
SLACK = 60.0  # seconds past the deadline after which Airflow itself ends a wait that no triggerer took up


class WaitTrigger(BaseTrigger):
    """Waits for what an operator started, one thing or several.

    :param question: path of the `Question`
    :param conn_id: the connection
    :param keys: the remote ids
    :param since: when the wait began, in seconds since the epoch
    :param deadline: when it ends at the latest, in seconds since the epoch
    :param poll_interval: the longest time between two looks, in seconds
    :param cancel_on_kill: whether a person who ends the task ends the remote work too (Airflow 3.3 tells triggers)
    :param started: what the operator will need to finish; comes back in the event
    """

    def __init__(
        self,
        *,
        question: str,
        conn_id: str,
        keys: Sequence[str],
        since: float,
        deadline: float,
        poll_interval: float,
        cancel_on_kill: bool = False,
        started: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.question, self.conn_id, self.keys = question, conn_id, list(keys)
        self.since, self.deadline, self.poll_interval = since, deadline, poll_interval
        self.cancel_on_kill, self.started = cancel_on_kill, started

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Path and arguments, for the metadata database."""
        names = ("question", "conn_id", "keys", "since", "deadline", "poll_interval", "cancel_on_kill", "started")
        return "self_hosted.core.trigger.WaitTrigger", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait for all, and tell of each what was seen, or what went wrong."""
        told = await asyncio.gather(*(self._wait_for(key) for key in self.keys))
        yield TriggerEvent({"outcomes": dict(zip(self.keys, told, strict=True)), "started": self.started})

    async def _wait_for(self, key: str) -> dict[str, Any]:
        waiter = Waiter(key, self.deadline, self.poll_interval, first_look=SETTLING, since=self.since)
        try:
            return {"seen": (await Poller.at(self.question, self.conn_id).wait(waiter)).as_json()}
        except Exception as error:
            return event_of_error(error)

    async def on_kill(self) -> None:
        """A person ended the task (mark failed, clear): end the remote work. Restarts don't call this."""
        question: Question = imported(self.question)
        if self.cancel_on_kill and question.cancel:
            async with question.hook_for(self.conn_id).asking() as ask:
                for key, error in (await ask(ended(question, self.keys))).items():
                    self.log.warning("%s %s could not be cancelled: %s", question.thing, key, error)


class SensorTrigger(BaseTrigger):
    """Is a sensor: it carries the sensor's own arguments, and makes one of them when it runs.

    Airflow renders those of its attributes that are templated in the sensor, when a task starts in the triggerer.

    :param sensor: path of the sensor's class
    :param poke_interval: the longest time between two looks, in seconds
    :param timeout: how long to wait, in seconds; counts when there is no deadline
    :param since: when the wait began, in seconds since the epoch; None for a task that starts in the triggerer
    :param deadline: when it ends at the latest, in seconds since the epoch; None as well
    :param ends_task: whether a success ends the task here and now, without a worker
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
        """The sensor's arguments, by name; rendered by now where they were templates."""
        return {name: getattr(self, name) for name in self.argument_names}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Path and arguments, for the metadata database."""
        names = ("sensor", "poke_interval", "timeout", "since", "deadline", "ends_task")
        return "self_hosted.core.trigger.SensorTrigger", {
            **{name: getattr(self, name) for name in names},
            **self.arguments,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait; end the task, or tell what was seen, or what went wrong."""
        try:
            sensor = imported(self.sensor)(task_id="sensor", **self.arguments)
            sensor.check()
            poller = Poller.at(sensor.question, sensor.conn_id)
            seen = await poller.wait(self._waiter(sensor.key()))
        except Exception as error:
            yield TriggerEvent(event_of_error(error))
            return
        told = {"seen": seen.as_json(), "base_url": poller.base_url}
        try:
            result = sensor.finish(seen, poller.base_url)
        except Exception:  # the worker will say the same, in the task's log and with all that a failure leads to
            yield TriggerEvent(told)
        else:
            yield TaskSuccessEvent(xcoms={"return_value": result}) if self.ends_task else TriggerEvent(told)

    def _waiter(self, key: str) -> Waiter:
        # a task that starts here has the start that Airflow remembers over restarts: that of its own time limit
        limit = getattr(self, "timeout_after", None)
        deadline = self.deadline or (limit.timestamp() - SLACK if limit else time.time() + self.timeout)
        since = self.since or deadline - self.timeout
        return Waiter(key, deadline, self.poke_interval, first_look=SETTLING if self.since else 0, since=since)


def event_of_error(error: Exception) -> dict[str, Any]:
    """What an event tells of an error; `seen_in` raises it again.

    :param error: any; one that is not the product's is told by its words only
    """
    if not isinstance(error, ProductError):
        error = (Invalid if isinstance(error, ValueError) else ProductError)(str(error))
    return {"error": error.as_json()}


def seen_in(event: Mapping[str, Any] | None) -> Seen:
    """What a trigger saw last; an event that is missing, unknown or an error is raised.

    :param event: the payload of its event
    """
    if not event or not {"seen", "error"} & set(event):
        raise Broken(f"the trigger ended with an event that nobody knows: {event!r}")
    if "error" in event:
        raise from_json(event["error"])
    return Seen(**event["seen"])


def outcomes_in(event: Mapping[str, Any] | None) -> dict[str, Outcome]:
    """What a `WaitTrigger` waited for came to, by remote id; an event that is missing or unknown is raised.

    :param event: the payload of its event
    """
    if not event or not event.get("outcomes"):
        raise Broken(f"the trigger ended with an event that nobody knows: {event!r}")
    return {key: _outcome_in(told) for key, told in event["outcomes"].items()}


def _outcome_in(told: Mapping[str, Any]) -> Outcome:
    try:
        return seen_in(told)
    except ProductError as error:
        return error
