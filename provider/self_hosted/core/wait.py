"""The one wait: a question asked again until it is answered, by a worker or by one poller for many tasks.

A worker asks with `wait`, a triggerer as `poller.py` has it; both run `poll`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from self_hosted.core.errors import Conflict, Final, Forbidden, Invalid, NotFound, Overdue, ProductError
from self_hosted.core.flow import Flow, Pause
from self_hosted.core.question import GONE, Question, Seen

if TYPE_CHECKING:
    from self_hosted.core.hook import ProductHook

T = TypeVar("T")
Outcome = Seen | ProductError
"""What a wait for one thing came to: what was seen when it was done, or why there is nothing of the kind."""

FIRST_LOOK = 1.0  # seconds; much of the work is done by then
BACKOFF = 1.5
TOGETHER = 0.5  # seconds between two rounds at the least, where several wait
OUTAGE = 300.0  # seconds for which a question may fail before those who wait do; an upgrade of a product takes some
ABOUT_ONE = (Forbidden, NotFound, Conflict, Invalid)  # errors that may be about one of many ids
MOST_SPOILED = 10  # errors of that kind at once; more of them are about all


class Waiter:
    """One who waits for one remote thing.

    :param key: the remote id
    :param deadline: seconds since the epoch, absolute so that it survives restarts
    :param poll_interval: the longest time between two looks, in seconds
    :param first_look: how long to leave it alone at the beginning, in seconds
    :param since: when the wait began, in seconds since the epoch; now if None
    """

    def __init__(
        self, key: str, deadline: float, poll_interval: float, first_look: float = 0, since: float | None = None
    ) -> None:
        now = time.time()
        self.key, self.deadline, self.poll_interval = key, deadline, poll_interval
        self.since = now if since is None else since
        self.seen: Seen | None = None
        self.error: Exception | None = None
        self.trouble: ProductError | None = None  # why the last look showed nothing
        self.news_at = now  # when something new was seen of it last
        self.course: tuple[float, float] | None = None  # time and progress when progress was told first
        self.pause = min(FIRST_LOOK, poll_interval)
        # from when on it may, and when it must be looked at; seconds since the epoch
        self.ready = self.due = min(now + first_look, deadline)
        self.left: asyncio.Future[None] | None = None  # in a triggerer: done when this one need not wait any longer

    @property
    def over(self) -> bool:
        """Whether there is nothing more to wait for, or no more time."""
        done = self.seen is not None and self.seen.done
        return done or self.error is not None or time.time() >= self.deadline

    @property
    def still_for(self) -> float:
        """Seconds since something new was seen of it."""
        return time.time() - self.news_at

    def note(self, answer: Seen | ProductError | None) -> None:
        """Take in what was answered; nothing for what was seen before means that it is gone."""
        if isinstance(answer, ProductError):
            self.error = answer
        elif answer is not None or self.seen is not None:
            answer = answer or GONE
            if answer != self.seen:
                self.seen, self.news_at = answer, time.time()

    def leave(self, error: Exception | None = None) -> None:
        """Tell the waiting task that its wait is over."""
        self.error = self.error or error
        if self.left and not self.left.done():
            self.left.set_result(None)

    def plan(self) -> None:
        """Set the time of the next look: later each time, or when its progress says; never past the deadline."""
        now = time.time()
        # the jitter keeps tasks that began together from asking together for ever
        pause = min(self.pause, self._remaining(now)) * random.uniform(0.8, 1.0)  # noqa: S311 no secret
        self.due = min(now + pause, self.deadline)
        self.ready = min(now + pause / 2, self.due)
        self.pause = min(self.pause * BACKOFF, self.poll_interval)

    def _remaining(self, now: float) -> float:
        """How long it will take at the pace it had so far; without end where no progress is told."""
        if self.seen is None or self.seen.progress is None:
            return float("inf")
        began, first = self.course = self.course or (now, self.seen.progress)
        pace = (self.seen.progress - first) / max(now - began, 0.001)
        return max(FIRST_LOOK, (100 - self.seen.progress) / pace) if pace > 0 else float("inf")

    def outcome(self, question: Question) -> Seen:
        """What was seen when it was done.

        :param question: what was asked
        :raises Overdue: when it was not done before the deadline
        :raises NotFound: when it is gone
        """
        if self.error:
            raise self.error
        if self.seen is None or not self.seen.done:
            raise Overdue(f"waited in vain {self.told(question)}")
        return question.there(self.key, self.seen)

    def result(self, question: Question) -> Outcome:
        """As `outcome`, but an error is returned, so that it does not hide what became of others.

        :param question: what was asked
        """
        try:
            return self.outcome(question)
        except ProductError as error:
            return error

    def told(self, question: Question) -> str:
        """What is waited for, for how long by now, and what was seen last, for an error."""
        waited = timedelta(seconds=round(time.time() - self.since))
        last = f"its last seen state is {self.seen}" if self.seen else "it was never seen"
        trouble = f"; when it was looked at last: {self.trouble}" if self.trouble else ""
        return f"for {question.thing} {self.key}, for {waited} hours: {last}{trouble}"


def poll(question: Question, waiters: set[Waiter]) -> Flow[None]:
    """The wait loop: ask for all who wait, until none does. Waiters may join and leave while it runs.

    :param question: what to ask
    :param waiters: those who wait; whose wait is over is taken out
    """
    while waiters:
        yield from look(question, waiters)
        if waiters:
            yield Pause(until_next_look(waiters), may_end_early=True)


def look(question: Question, waiters: set[Waiter]) -> Flow[None]:
    """One round of the wait loop: ask for all whose time has come.

    :param question: what to ask
    :param waiters: those who wait; whose wait is over is taken out
    """
    # who is half-way to its next look comes along, so that many who wait are asked for in few requests
    asked = [waiter for waiter in waiters if waiter.ready <= time.time()]
    for some in _by_chunks(asked, question.chunk):
        yield from _look_while_there_is_time(question, some)
        yield from _ask_why(question, [waiter for waiter in some if not waiter.over])
        for waiter in some:
            waiter.plan()
            if waiter.over:
                waiters.discard(waiter)
                waiter.leave()


def until_next_look(waiters: Collection[Waiter]) -> float:
    """Seconds until somebody must be looked at; somewhat more where several wait, who one by one cost a request each.

    :param waiters: those who wait, one at least
    """
    together = min(TOGETHER, *(waiter.poll_interval for waiter in waiters)) if len(waiters) > 1 else 0.0
    return max(together, min(waiter.due for waiter in waiters) - time.time())


def _by_chunks(waiters: Sequence[Waiter], size: int) -> Iterator[list[Waiter]]:
    """Those who are asked for together: so many different keys at a time, and all who wait for each of them."""
    by_key: dict[str, list[Waiter]] = {}
    for waiter in waiters:
        by_key.setdefault(waiter.key, []).append(waiter)
    for keys in _chunks(sorted(by_key), size):
        yield [waiter for key in keys for waiter in by_key[key]]


def _look_while_there_is_time(question: Question, asked: Sequence[Waiter]) -> Flow[None]:
    """Look; a product that does not answer fails those who wait, unless their time is up before."""
    until = max(waiter.deadline for waiter in asked)
    time_is_short = until - time.time() < OUTAGE
    answers: dict[str, Seen | ProductError] = {}
    try:
        yield from _answer(question, sorted({waiter.key for waiter in asked}), until, answers)
    except ProductError as error:
        if isinstance(error, Final) or not time_is_short:
            raise
        for waiter in asked:
            waiter.trouble = error
    else:
        for waiter in asked:
            waiter.note(answers.get(waiter.key))


def _answer(
    question: Question, ids: Sequence[str], until: float, answers: dict[str, Seen | ProductError]
) -> Flow[None]:
    """Put in what was seen of ids; an error that is about one of them is that one's answer, and disturbs no other."""
    try:
        answers.update((yield from _persistently(partial(question.ask, ids), until)))
    except ABOUT_ONE as error:
        if sum(isinstance(answer, ProductError) for answer in answers.values()) >= MOST_SPOILED:
            raise
        if len(ids) == 1:
            answers[ids[0]] = error
            return
        for half in _chunks(ids, (len(ids) + 1) // 2):
            yield from _answer(question, half, until, answers)


def _ask_why(question: Question, waiters: Sequence[Waiter]) -> Flow[None]:
    """End the waits for things that will not move, whatever one waits; who cannot be asked why is waited for."""
    still = [waiter for waiter in waiters if waiter.still_for >= question.patience]
    if question.stalled is None or not still:
        return
    with contextlib.suppress(ProductError):
        reasons = yield from question.stalled(sorted({waiter.key for waiter in still}))
        for waiter in still:
            if waiter.key in reasons:
                waiter.error = Overdue(f"{reasons[waiter.key]}: gave up waiting {waiter.told(question)}")
    for waiter in still:
        waiter.news_at = time.time()  # so that it is asked again after as long a time


def _persistently(flow: Callable[[], Flow[T]], until: float) -> Flow[T]:
    """The result of a flow that only asks, tried again with backoff as long as that may help and there is time."""
    from self_hosted.core.transport import persistent  # slow, and only who waits needs it

    return (yield from persistent(flow, lambda error: not isinstance(error, Final), min(OUTAGE, until - time.time())))


def _chunks(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def ended(question: Question, keys: Sequence[str]) -> Flow[dict[str, ProductError]]:
    """End the remote work of ids, where the product can; the errors of those that could not be ended, by id.

    :param question: what is asked about them
    :param keys: remote ids. Where they are several, those that are done already are left out by one look at all
    """
    errors: dict[str, ProductError] = {}
    if question.cancel is None:
        return errors
    for key in (yield from _under_way(question, keys)) if len(keys) > 1 else keys:
        try:
            yield from question.cancel(key)
        except ProductError as error:
            errors[key] = error
    return errors


def _under_way(question: Question, keys: Sequence[str]) -> Flow[list[str]]:
    seen: dict[str, Seen] = {}
    for some in _chunks(keys, question.chunk):
        with contextlib.suppress(ProductError):  # what cannot be looked at is ended blindly
            seen.update((yield from question.ask(some)))
    return [key for key in keys if key not in seen or not seen[key].done]


def wait(hook: ProductHook, question: Question, waiter: Waiter) -> Seen:
    """Wait in a worker.

    :param hook: the product's hook
    :param question: what to ask
    :param waiter: who waits, for what
    :return: what was seen when it was done
    :raises Overdue: when it was not done before the deadline
    :raises NotFound: when it is gone
    """
    hook.run(poll(question, {waiter}))
    return waiter.outcome(question)
