"""The one wait loop: poll many objects until all their waits are over.

A worker runs it for one task, the `Poller` of a triggerer for many, and `BoundedSubmitter` one round at a time.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from self_hosted.core.http.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PermanentError,
    PermissionDeniedError,
    SelfHostedError,
    ServerError,
    WaitTimeoutError,
)
from self_hosted.core.http.flow import Concurrently, Flow, Pause
from self_hosted.core.http.logs import get_logger
from self_hosted.core.wait.observation import Observation
from self_hosted.core.wait.pending import Outcome, PendingWait
from self_hosted.core.wait.spec import WaitSpec
from self_hosted.core.wait.wait_log import WaitLog

if TYPE_CHECKING:
    from self_hosted.core.connection.hook import SelfHostedHook

T = TypeVar("T")
MIN_POLL_SPACING_SECONDS = 0.5  # between two rounds for several waits
# errors that may concern one of many ids
SINGLE_ID_ERRORS = (PermissionDeniedError, NotFoundError, ConflictError, InvalidRequestError, ServerError)
MAX_CONCURRENT_BATCHES = 4  # queries of one round at the same time; the limits of the connection apply, too
MAX_FAILED_IDS = 10  # errors of that kind in one query; more of them concern all ids

log = get_logger(__name__)

OnOver = Callable[[PendingWait], None]


def _ignore(pending: PendingWait) -> None:
    """Do nothing."""


def poll(wait_spec: WaitSpec, pending_waits: set[PendingWait], on_over: OnOver = _ignore) -> Flow[None]:
    """Poll until no wait is pending. Waits may be added and removed while it runs.

    :param wait_spec: what to query
    :param pending_waits: the waits; each is removed when it is over
    :param on_over: called with each wait that is over
    """
    while pending_waits:
        yield from poll_once(wait_spec, pending_waits, on_over)
        if pending_waits:
            yield Pause(seconds_until_next_poll(pending_waits), may_end_early=True)


def poll_until_answered(wait_spec: WaitSpec, pending: PendingWait) -> Flow[None]:
    """Query one object; again and again while the query fails, until its wait is over.

    :param wait_spec: what to query
    :param pending: the wait
    """
    pending_waits = {pending}
    yield from poll_once(wait_spec, pending_waits)
    while pending_waits and pending.poll_error:
        yield Pause(seconds_until_next_poll(pending_waits))
        yield from poll_once(wait_spec, pending_waits)


def poll_once(wait_spec: WaitSpec, pending_waits: set[PendingWait], on_over: OnOver = _ignore) -> Flow[None]:
    """Run one round of the wait loop: query all objects that are due.

    :param wait_spec: what to query
    :param pending_waits: the waits; each is removed when it is over
    :param on_over: called with each wait that is over
    """
    # objects that are half-way to their next poll are included, so that many waits need few requests
    now = time.time()
    ready = [pending for pending in pending_waits if pending.schedule.ready <= now]
    batches = list(_batch_by_key(ready, wait_spec.batch_size))
    shares = [batches[start::MAX_CONCURRENT_BATCHES] for start in range(min(len(batches), MAX_CONCURRENT_BATCHES))]
    flows = [_poll_batches(wait_spec, share, pending_waits, on_over) for share in shares]
    if len(flows) == 1:
        yield from flows[0]
    elif flows:
        yield Concurrently(flows)


def _poll_batches(
    wait_spec: WaitSpec, batches: Iterable[list[PendingWait]], pending_waits: set[PendingWait], on_over: OnOver
) -> Flow[None]:
    """Query batches one after the other, and end the waits that are over."""
    for batch in batches:
        yield from _poll_batch(wait_spec, batch)
        yield from _end_stalled(wait_spec, [pending for pending in batch if not pending.is_resolved])
        for pending in batch:
            pending.schedule_next()
            is_over = pending.is_over
            if pending.log:
                pending.log.update(pending, is_over=is_over)
            if is_over:
                pending_waits.discard(pending)
                on_over(pending)


def seconds_until_next_poll(pending_waits: Collection[PendingWait]) -> float:
    """Return the seconds until an object is due; several waits are gathered, to save requests.

    :param pending_waits: the waits, one at least
    """
    several = len(pending_waits) > 1
    shortest = min(pending.schedule.poll_interval for pending in pending_waits)
    spacing = min(MIN_POLL_SPACING_SECONDS, shortest) if several else 0.0
    return max(spacing, min(pending.schedule.due for pending in pending_waits) - time.time())


def _batch_by_key(pending_waits: Sequence[PendingWait], size: int) -> Iterator[list[PendingWait]]:
    """Yield waits that are queried together: at most `size` different keys, with all waits for each of them."""
    by_key: dict[str, list[PendingWait]] = {}
    for pending in pending_waits:
        by_key.setdefault(pending.key, []).append(pending)
    for keys in _split(sorted(by_key), size):
        yield [pending for key in keys for pending in by_key[key]]


def _poll_batch(wait_spec: WaitSpec, batch: Sequence[PendingWait]) -> Flow[None]:
    """Query a batch. An error that may pass is the result of the ids that it left without an observation.

    :raises PermanentError: if the error concerns all ids
    """
    ids, results = sorted({pending.key for pending in batch}), dict[str, Outcome]()
    try:
        yield from _refresh(wait_spec, ids, results)
    except PermanentError:
        raise
    except SelfHostedError as error:
        results = {**dict.fromkeys(ids, error), **results}
    for pending in batch:
        _update(wait_spec, pending, results.get(pending.key))


def _update(wait_spec: WaitSpec, pending: PendingWait, result: Outcome | None) -> None:
    """Update a wait with the result of its poll; the cause of an unreadable response is logged once."""
    if isinstance(result, ServerError) and result.__cause__ and not pending.poll_error:
        (pending.log or WaitLog(wait_spec, [pending])).malformed(result)
    pending.update(result)


def _refresh(wait_spec: WaitSpec, ids: Sequence[str], results: dict[str, Outcome]) -> Flow[None]:
    """Add the observations of ids to the results. An error of one id is its result, and does not affect others."""
    try:
        results.update((yield from _read(wait_spec.refresh, ids)))
    except SINGLE_ID_ERRORS as error:
        if sum(isinstance(result, SelfHostedError) for result in results.values()) >= MAX_FAILED_IDS:
            raise
        if len(ids) == 1:
            results[ids[0]] = error
            return
        for half in _split(ids, (len(ids) + 1) // 2):
            yield from _refresh(wait_spec, half, results)


def _read(make_flow: Callable[[Sequence[str]], Flow[T]], ids: Sequence[str]) -> Flow[T]:
    """Return the result of a query. An unexpected exception means that the response is malformed.

    :raises ServerError: for any exception that is no `SelfHostedError`
    """
    try:
        return (yield from make_flow(ids))
    except SelfHostedError:
        raise
    except Exception as error:  # its text may hold a text of the server
        raise ServerError(f"the response is malformed: reading it raised {type(error).__name__}") from error


def _end_stalled(wait_spec: WaitSpec, pending_waits: Sequence[PendingWait]) -> Flow[None]:
    """End the waits for objects that cannot proceed. If the product does not say why, the waits go on."""
    # at its deadline, a wait ends anyhow: its error then names the reason, if there is one
    unchanged = [
        pending for pending in pending_waits if pending.seconds_unchanged >= wait_spec.stall_after or pending.is_over
    ]
    if wait_spec.stall_reasons is None or not unchanged:
        return
    with contextlib.suppress(SelfHostedError):
        reasons = yield from _read(wait_spec.stall_reasons, sorted({pending.key for pending in unchanged}))
        for pending in unchanged:
            if pending.key in reasons:
                pending.error = WaitTimeoutError(f"{reasons[pending.key]}: gave up {pending.describe(wait_spec)}")
    for pending in unchanged:
        pending.progress.changed_at = time.time()  # so that the next check comes as much later


def _split(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def cancel_all(wait_spec: WaitSpec, keys: Sequence[str]) -> Flow[dict[str, SelfHostedError]]:
    """Cancel the remote work of ids, where the product can. Return the errors of those that could not be cancelled.

    :param wait_spec: its ``cancel`` is used
    :param keys: remote ids. If there are several, one query first leaves out those that are done already
    """
    errors: dict[str, SelfHostedError] = {}
    cancel = wait_spec.cancel
    if cancel is None:
        return errors
    for key in (yield from _select_running(wait_spec, keys)) if len(keys) > 1 else keys:
        try:
            yield from _read(lambda ids: cancel(ids[0]), [key])
        except SelfHostedError as error:
            errors[key] = error
    return errors


def _select_running(wait_spec: WaitSpec, keys: Sequence[str]) -> Flow[list[str]]:
    observations: dict[str, Observation] = {}
    for batch in _split(keys, wait_spec.batch_size):
        with contextlib.suppress(SelfHostedError):  # ids that cannot be queried are cancelled all the same
            observations.update((yield from _read(wait_spec.refresh, batch)))
    return [key for key in keys if key not in observations or not observations[key].done]


def wait_in_worker(hook: SelfHostedHook, wait_spec: WaitSpec, pending: PendingWait) -> Observation:
    """Wait for one object in a worker and return its last observation.

    :param hook: the product's hook
    :param wait_spec: what to query
    :param pending: the wait
    :raises WaitTimeoutError: if the deadline passed
    :raises NotFoundError: if the object does not exist, or not any more
    """
    hook.run(poll(wait_spec, {pending}))
    return pending.outcome(wait_spec)
