"""What every operator does that starts something and waits for it.

A product's operator fills the holes `check`, `start`, `key_of`, `page_of` and `finish`. One that starts several things
has `keys_of` and `finish_all` in the place of `key_of` and `finish`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.providers.common.compat.sdk import AirflowTaskTimeout, conf

from self_hosted.core.errors import Overdue
from self_hosted.core.operator import ProductOperator, final_errors_fail_at_once, publish_link
from self_hosted.core.question import Question, Seen, imported
from self_hosted.core.reattach import Earlier, forget, remember, remembered
from self_hosted.core.wait import Outcome, Waiter, ended, poll

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

# States of a task that goes on, now or in another try: whoever kills its process then is no person who ends it
GOES_ON = {"running", "deferred", "queued", "scheduled", "up_for_retry", "up_for_reschedule"}


class WaitingOperator(ProductOperator):
    """Starts something and waits for it: in the worker, or deferred in the triggerer.

    :param deferrable: wait in the triggerer, without a worker slot; default from ``[operators] default_deferrable``
    :param poll_interval: the longest time between two looks, in seconds
    :param wait_timeout: how long to wait at most, in seconds; ``execution_timeout`` counts too
    :param cancel_on_kill: whether marking the task failed, or clearing it, ends the remote work too
    :param durable: whether a retry goes on waiting for what an earlier try started, by Airflow's task state store (3.3)
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
        durable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        default = conf.getboolean("operators", "default_deferrable", fallback=False)
        self.deferrable = default if deferrable is None else deferrable
        self.poll_interval, self.wait_timeout = poll_interval, wait_timeout
        self.cancel_on_kill, self.durable = cancel_on_kill, durable
        self.interrupted = False
        """Whether an earlier try may have ended while its `start` was under way, so that the effect may come yet."""
        self._running: tuple[Context, Callable[[], Sequence[str]]] | None = None

    def key_of(self, started: dict[str, Any]) -> str | None:
        """The remote id to wait for, or None when there is nothing to wait for."""
        raise NotImplementedError

    def keys_of(self, started: dict[str, Any]) -> list[str]:
        """The remote ids to wait for, where there may be several."""
        key = self.key_of(started)
        return [] if key is None else [key]

    def page_of(self, started: dict[str, Any]) -> str:
        """The product's page of what was started."""
        raise NotImplementedError

    def finish(self, context: Context, started: dict[str, Any], seen: Seen) -> dict[str, Any]:
        """The task's result, from what `start` returned and what was seen when the wait was over."""
        raise NotImplementedError

    def finish_all(self, context: Context, started: dict[str, Any], outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
        """The task's result, from what became of each id; by default that of the only one, whose error is raised."""
        if not outcomes:
            return started
        [outcome] = outcomes.values()
        if isinstance(outcome, Exception):
            raise outcome
        return self.finish(context, started, outcome)

    def execute(self, context: Context) -> Any:
        """Check, start, wait, finish."""
        since = time.time()
        with final_errors_fail_at_once():
            self.check()
            started = self._started(context)
            publish_link(context, self.page_of(started))
            keys = self.keys_of(started)
            if keys and self.deferrable:
                self._defer(keys, started, since)
            return self._finished(context, started, self._waited(context, keys, since))

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Go on after the deferred wait."""
        from self_hosted.core.trigger import outcomes_in

        with final_errors_fail_at_once():
            outcomes = outcomes_in(event)
            return self._finished(context, (event or {}).get("started") or {}, outcomes)

    def on_kill(self) -> None:
        """The process is being killed: end the remote work if a person ended the task, but not for a deployment."""
        if self._running:
            context, running = self._running
            keys = running()
            if self.cancel_on_kill and self._ended_by_a_person(context):
                self._cancel(keys)

    @contextmanager
    def running(self, context: Context, keys: Callable[[], Sequence[str]]) -> Generator[None]:
        """Within, the end of Airflow's time limit ends the remote work, and so does a person who ends the task.

        :param context: the context of the task
        :param keys: gives the remote ids of what runs, and sees to it that no more of it is started
        """
        self._running = context, keys
        try:
            yield
        except AirflowTaskTimeout:
            self._forget(context)
            self._cancel(keys())
            raise Overdue(
                f"time was up before each {self._question.thing} was started; those under way are ended"
            ) from None
        finally:
            self._running = None

    @property
    def _question(self) -> Question:
        return imported(self.question)  # type: ignore[no-any-return]

    def _deadline(self, since: float) -> float:
        limit = self.execution_timeout.total_seconds() if self.execution_timeout else self.wait_timeout
        return since + min(limit, self.wait_timeout)

    def _started(self, context: Context) -> dict[str, Any]:
        """What is to be waited for: what an earlier try started, or else what is started now."""
        earlier = remembered(context) if self.durable else None
        if earlier and earlier.started and earlier.of_this_round:
            first, *others = self.keys_of(earlier.started)
            told = f"{first} and {len(others)} more" if others else first
            self.log.info("An earlier try started %s %s; it is waited for", self._question.thing, told)
            return earlier.started
        if earlier and earlier.started and self.cancel_on_kill:
            # cleared before a triggerer took up the wait, so that none was told
            self._cancel(self.keys_of(earlier.started))
        self.interrupted = self._may_be_interrupted(context, earlier)
        return self._started_now(context)

    def _started_now(self, context: Context) -> dict[str, Any]:
        if self.durable:
            remember(context, None)
        started = self.start(context)
        if self.durable and self.keys_of(started):
            remember(context, started)
        else:
            self._forget(context)
        return started

    def _may_be_interrupted(self, context: Context, earlier: Earlier | None) -> bool:
        if self.durable and "task_state_store" in context:
            return earlier is not None and earlier.of_this_round
        return bool(context["ti"].try_number > 1)  # nothing tells

    def _defer(self, keys: Sequence[str], started: dict[str, Any], since: float) -> NoReturn:
        from self_hosted.core.trigger import WaitTrigger

        trigger = WaitTrigger(
            question=self.question,
            conn_id=self.conn_id,
            keys=keys,
            since=since,
            deadline=self._deadline(since),
            poll_interval=self.poll_interval,
            cancel_on_kill=self.cancel_on_kill,
            started=started,  # and not in kwargs of the method: `dag.test()` loses those
        )
        self.defer(trigger=trigger, method_name="execute_complete")

    def _waited(self, context: Context, keys: Sequence[str], since: float) -> dict[str, Outcome]:
        deadline = self._deadline(since)
        waiters = [Waiter(key, deadline, self.poll_interval, since=since) for key in keys]
        # Airflow's time limit is the same deadline, noticed while a request was under way
        with self.running(context, lambda: keys), suppress(AirflowTaskTimeout):
            self.hook.run(poll(self._question, set(waiters)))
        return {waiter.key: waiter.result(self._question) for waiter in waiters}

    def _finished(self, context: Context, started: dict[str, Any], outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
        overdue = [key for key, outcome in outcomes.items() if isinstance(outcome, Overdue)]
        if overdue:  # the time for it is up, and a retry starts anew
            self._forget(context)
            self._cancel(overdue)
        result = self.finish_all(context, started, outcomes)
        self._forget(context)
        return result

    def _forget(self, context: Context) -> None:
        if self.durable:
            forget(context)

    def _ended_by_a_person(self, context: Context) -> bool:
        """Whether the task was marked or cleared; Airflow kills its process in other cases too."""
        ti = context["ti"]
        try:
            states = ti.get_task_states(
                dag_id=ti.dag_id, run_ids=[ti.run_id], task_ids=[ti.task_id], map_index=ti.map_index
            )
            [state] = states[ti.run_id].values()
        except Exception as error:  # without Airflow's word the remote work is left alone: a retry finds it
            self.log.warning("Airflow does not say why the task is killed, so nothing is cancelled: %s", error)
            return False
        return state not in GOES_ON

    def _cancel(self, keys: Sequence[str]) -> None:
        for key, error in self.hook.run(ended(self._question, keys)).items():
            self.log.warning("%s %s could not be cancelled: %s", self._question.thing, key, error)
