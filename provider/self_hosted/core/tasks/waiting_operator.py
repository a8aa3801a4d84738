"""The base of every operator that submits work and waits for it.

A product's operator implements `validate`, `submit`, `external_id`, `external_url` and `build_result`. One that submits
several things implements `external_ids` and `build_combined_result` in place of `external_id` and `build_result`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.providers.common.compat.sdk import AirflowTaskTimeout, conf

from self_hosted.core.http.errors import PermanentError, WaitTimeoutError
from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import import_string
from self_hosted.core.tasks.assets import asset_uri
from self_hosted.core.tasks.job_state import (
    build_fingerprint,
    clear_job_state,
    is_previous_attempt_unknown,
    load_job_state,
    save_job_state,
)
from self_hosted.core.tasks.lineage import record_output, restore_lineage, save_lineage, set_subject
from self_hosted.core.tasks.operator import SelfHostedOperator, fail_fast_on_permanent_errors, publish_link
from self_hosted.core.tasks.summary import log_summary
from self_hosted.core.tasks.wait_options import WaitOptions
from self_hosted.core.wait.loop import cancel_all, poll
from self_hosted.core.wait.observation import Observation
from self_hosted.core.wait.pending import Outcome, PendingWait
from self_hosted.core.wait.spec import WaitSpec
from self_hosted.core.wait.wait_log import WaitLog

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

log = get_logger(__name__)

# A task in one of these states continues, now or in another try: its process was not killed by a user who ended it
CONTINUING_STATES = {"running", "deferred", "queued", "scheduled", "up_for_retry", "up_for_reschedule"}


class WaitingOperator(SelfHostedOperator):
    """Submits work and waits for it: in the worker, or deferred in the triggerer.

    :param wait_for_completion: whether the task ends only when the work is done; False = when it is submitted
    :param deferrable: wait in the triggerer, without a worker slot; default: ``[operators] default_deferrable``
    :param poll_interval: the longest time between two polls, in seconds or as a timedelta
    :param wait_timeout: the longest time to wait, in seconds or as a timedelta; ``execution_timeout`` applies as well
    :param cancel_on_kill: whether marking the task failed, or clearing it, also cancels the remote work
    :param durable: whether a retry continues to wait for what an earlier try submitted with the same arguments, through
        Airflow's task state store (since 3.3)
    """

    wait_spec: ClassVar[str]
    """Path of the `WaitSpec` of this operator."""

    template_fields: Sequence[str] = WaitOptions._fields

    def __init__(
        self,
        *,
        wait_for_completion: bool | str = True,
        deferrable: bool | str | None = None,
        poll_interval: float | timedelta | str = 30,
        wait_timeout: float | timedelta | str = 3600,
        cancel_on_kill: bool | str = True,
        durable: bool | str = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        default = conf.getboolean("operators", "default_deferrable", fallback=False)
        self.wait_for_completion = wait_for_completion
        self.deferrable: bool | str = default if deferrable is None else deferrable
        self.poll_interval, self.wait_timeout = poll_interval, wait_timeout
        self.cancel_on_kill, self.durable = cancel_on_kill, durable
        self.previous_attempt_unknown = False
        """Whether an earlier try may have ended during its `submit`, so that its effect may still appear."""
        self._running: tuple[Context, Callable[[], Sequence[str]]] | None = None
        self._waits: list[PendingWait] = []

    @cached_property
    def wait_options(self) -> WaitOptions:
        """The options of the wait, after templating.

        :raises ValueError: naming the argument
        """
        return WaitOptions.parse({name: getattr(self, name) for name in WaitOptions._fields})

    def external_id(self, submitted: Any) -> str | None:
        """Return the remote id to wait for, or None if there is nothing to wait for.

        :param submitted: the result of `submit`
        """
        raise NotImplementedError

    def external_ids(self, submitted: Any) -> list[str]:
        """Return the remote ids to wait for, if there may be several.

        :param submitted: the result of `submit`
        """
        key = self.external_id(submitted)
        return [] if key is None else [key]

    def fingerprint(self) -> str:
        """Return a digest of what this try would submit; default: of the template fields but `wait_options`.

        A retry resumes the wait of an earlier try only if it would submit the same. Otherwise it submits, and then
        cancels what the earlier try submitted. It is called after `validate`.
        """
        names = [name for name in self.template_fields if name not in WaitOptions._fields]
        return build_fingerprint({name: getattr(self, name) for name in names})

    def external_url(self, submitted: Any) -> str:
        """Return the product's page of the submitted work.

        :param submitted: the result of `submit`
        """
        raise NotImplementedError

    def external_asset(self, submitted: Any) -> Sequence[str]:
        """Return type and id of the submitted work, for its asset, such as ("submission", sid); default: no asset.

        :param submitted: the result of `submit`
        """
        return ()

    def build_submitted_result(self, context: Context, submitted: Any) -> Any:
        """Return the task's result without a wait (``wait_for_completion=False``); default: the result of `submit`.

        :param context: the context of the task
        :param submitted: the result of `submit`
        """
        return submitted

    def build_result(self, context: Context, submitted: Any, observation: Observation) -> Any:
        """Return the task's result.

        :param context: the context of the task
        :param submitted: the result of `submit`
        :param observation: the last observation
        """
        raise NotImplementedError

    def build_combined_result(self, context: Context, submitted: Any, outcomes: Mapping[str, Outcome]) -> Any:
        """Return the task's result from the outcomes of several ids; default: of the only one, whose error is raised.

        :param context: the context of the task
        :param submitted: the result of `submit`
        :param outcomes: by remote id
        """
        if not outcomes:
            return submitted
        [outcome] = outcomes.values()
        if isinstance(outcome, Exception):
            raise outcome
        return self.build_result(context, submitted, outcome)

    def execute(self, context: Context) -> Any:
        """Validate, submit, wait, build the result.

        :param context: the context of the task
        :raises AirflowFailException: for invalid arguments and permanent errors
        :raises WaitTimeoutError: if the work did not end in time
        """
        since = time.time()
        with fail_fast_on_permanent_errors():
            options = self.wait_options
            self.validate()
            submitted = self._submit_or_resume(context)
            publish_link(context, self.external_url(submitted))
            keys = self.external_ids(submitted)
            if keys and not options.wait_for_completion:
                return self._end_without_wait(context, submitted)
            if keys and options.deferrable:
                self._defer(keys, submitted, since)
            return self._complete(context, submitted, self._wait(context, keys, since))

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Continue after the deferred wait.

        :param context: the context of the task
        :param event: the payload of the trigger's event
        """
        from self_hosted.core.wait.trigger import outcomes_from_event

        self.hook.mask_secrets()  # this process may log what a server said, and does not know them yet
        with fail_fast_on_permanent_errors():
            outcomes = outcomes_from_event(event)
            restore_lineage(self.hook, (event or {}).get("lineage"))
            return self._complete(context, (event or {}).get("submitted") or {}, outcomes)

    def on_kill(self) -> None:
        """Cancel the remote work if a user ended the task, but not if a deployment kills its process."""
        if self._running:
            context, running_ids = self._running
            keys = running_ids()
            if keys and self._is_ended_by_user(context):
                self._end_by_user(keys)

    def _end_by_user(self, keys: Sequence[str]) -> None:
        """Cancel the work, and let the process end its wait with the reason: Airflow kills it only seconds later."""
        reason, name = "The task was ended by a user", self._wait_spec.describe_all(keys)
        is_cancelled = self.wait_options.cancel_on_kill and self._cancel(keys, reason)
        outcome = "cancelled" if is_cancelled else "left running"
        if not is_cancelled:
            log.warning("%s: %s is left running", reason, name)
        for pending in self._waits:
            pending.error = PermanentError(f"the task was ended by a user; {name}: {outcome}")

    @contextmanager
    def cancelling_on_end(self, context: Context, running_ids: Callable[[], Sequence[str]]) -> Generator[None]:
        """Within, Airflow's ``execution_timeout`` cancels the remote work, and so does a user who ends the task.

        :param context: the context of the task
        :param running_ids: returns the remote ids of running work, and prevents that more is submitted
        :raises WaitTimeoutError: when the ``execution_timeout`` has passed
        """
        self._running = context, running_ids
        try:
            yield
        except AirflowTaskTimeout:
            self._clear_job_state(context)
            self._cancel(running_ids(), "The task timed out")
            raise WaitTimeoutError(
                f"timed out before each {self._wait_spec.label} was submitted; the running ones are cancelled"
            ) from None
        finally:
            self._running = None

    @property
    def _wait_spec(self) -> WaitSpec:
        return import_string(self.wait_spec)  # type: ignore[no-any-return]

    def _deadline(self, since: float) -> float:
        wait_timeout = self.wait_options.wait_timeout
        limit = self.execution_timeout.total_seconds() if self.execution_timeout else wait_timeout
        return since + min(limit, wait_timeout)

    def _submit_or_resume(self, context: Context) -> Any:
        """Return what an earlier try submitted, or submit now."""
        state = load_job_state(context) if self.wait_options.durable else None
        if not state or not state.submitted:
            self.previous_attempt_unknown = self._is_previous_attempt_unknown(context)
            return self._submit(context)
        earlier = self.external_ids(state.submitted)
        if not state.is_current:
            # the task was cleared before a triggerer picked up the wait, so that no trigger cancelled it
            if self.wait_options.cancel_on_kill and earlier:
                self._cancel(earlier, "The task was cleared")
            return self._submit(context)
        if state.fingerprint != self.fingerprint():
            return self._replace(context, earlier)
        log.info("Resuming the wait for %s of an earlier try", self._wait_spec.describe_all(earlier))
        restore_lineage(self.hook, state.lineage)
        return state.submitted

    def _replace(self, context: Context, earlier: Sequence[str]) -> Any:
        """Submit what the arguments are now, and cancel the work of an earlier try, unless this is still the same."""
        submitted = self._submit(context)
        current = self.external_ids(submitted)
        replaced = [key for key in earlier if key not in current]
        if replaced:
            replacement = self._wait_spec.describe_all(current) if current else "nothing"
            log.warning(
                "%s of an earlier try had other arguments; it is replaced by %s",
                self._wait_spec.describe_all(replaced),
                replacement,
            )
            if self.wait_options.cancel_on_kill:
                self._cancel(replaced, "The arguments have changed")
        return submitted

    def _submit(self, context: Context) -> Any:
        fingerprint = self.fingerprint() if self.wait_options.durable else ""
        if self.wait_options.durable:
            save_job_state(context, None, fingerprint)
        submitted = self.submit(context)
        self._record_output(submitted)
        if self.wait_options.durable and self.external_ids(submitted):
            save_job_state(context, submitted, fingerprint, save_lineage(self.hook))
        else:
            self._clear_job_state(context)
        return submitted

    def _record_output(self, submitted: Any) -> None:
        """Record the submitted work in the lineage, also for a task that fails."""
        segments = self.external_asset(submitted)
        if segments:
            uri = asset_uri(self.hook, *segments)
            set_subject(self.hook, uri)
            record_output(self.hook, uri)

    def _is_previous_attempt_unknown(self, context: Context) -> bool:
        if self.wait_options.durable:
            return is_previous_attempt_unknown(context)
        return bool(context["ti"].try_number > 1)

    def _defer(self, keys: Sequence[str], submitted: Any, since: float) -> NoReturn:
        from self_hosted.core.wait.trigger import WaitTrigger

        trigger = WaitTrigger(
            wait_spec=self.wait_spec,
            conn_id=self.conn_id,
            keys=keys,
            since=since,
            deadline=self._deadline(since),
            poll_interval=self.wait_options.poll_interval,
            cancel_on_kill=self.wait_options.cancel_on_kill,
            lineage=save_lineage(self.hook),
            submitted=submitted,  # and not in kwargs of the method, which `dag.test()` loses
        )
        self.defer(trigger=trigger, method_name="execute_complete")

    def _wait(self, context: Context, keys: Sequence[str], since: float) -> dict[str, Outcome]:
        deadline = self._deadline(since)
        poll_interval = self.wait_options.poll_interval
        waits = self._waits = [PendingWait(key, deadline, poll_interval, since=since) for key in keys]
        WaitLog.begin(self._wait_spec, waits, poll_interval)
        # Airflow's time limit is the same deadline, noticed during a request
        with self.cancelling_on_end(context, lambda: keys), suppress(AirflowTaskTimeout):
            self.hook.run(poll(self._wait_spec, set(waits)))
        return {pending.key: pending.result(self._wait_spec) for pending in waits}

    def _end_without_wait(self, context: Context, submitted: Any) -> Any:
        result = self.build_submitted_result(context, submitted)
        self._clear_job_state(context)
        log_summary(context, result)
        return result

    def _complete(self, context: Context, submitted: Any, outcomes: Mapping[str, Outcome]) -> Any:
        timed_out = [key for key, outcome in outcomes.items() if isinstance(outcome, WaitTimeoutError)]
        if timed_out:  # a retry submits again
            self._clear_job_state(context)
            self._cancel(timed_out, "The wait timed out")
        result = self.build_combined_result(context, submitted, outcomes)
        self._clear_job_state(context)
        log_summary(context, result)
        return result

    def _clear_job_state(self, context: Context) -> None:
        if self.wait_options.durable:
            clear_job_state(context)

    def _is_ended_by_user(self, context: Context) -> bool:
        """Whether the task was marked or cleared; Airflow kills its process in other cases, too."""
        ti = context["ti"]
        try:
            states = ti.get_task_states(
                dag_id=ti.dag_id, run_ids=[ti.run_id], task_ids=[ti.task_id], map_index=ti.map_index
            )
            [state] = states[ti.run_id].values()
        except Exception as error:  # with an unknown state the remote work goes on: a retry finds it
            log.warning("Nothing is cancelled: the state of the killed task is unknown: %s", error)
            return False
        return state not in CONTINUING_STATES

    def _cancel(self, keys: Sequence[str], reason: str) -> bool:
        """Cancel remote work, and return whether that succeeded for all of it; the product may have no way."""
        if self._wait_spec.cancel is None or not keys:
            return False
        log.warning("%s: cancelling %s", reason, self._wait_spec.describe_all(keys))
        errors = self.hook.run(cancel_all(self._wait_spec, keys))
        for key, error in errors.items():
            log.warning("%s could not be cancelled: %s", self._wait_spec.describe(key), error)
        return not errors
