"""The one wait: a question asked again until it is answered, by a worker or by one poller for many tasks.

A product states a `Question`. A worker asks it with `wait`, a triggerer as `trigger.py` has it; both run `poll`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from self_hosted.core.errors import Overdue
from self_hosted.core.flow import Flow, Pause

if TYPE_CHECKING:
    from self_hosted.core.hook import ProductHook

FIRST_LOOK = 1.0  # seconds; much of the work is done by then
BACKOFF = 1.5


@dataclass(frozen=True)
class Seen:
    """What was seen of a thing that is waited for.

    :param state: the product's word for it
    :param done: whether there is nothing more to wait for, for better or worse
    :param facts: what an operator needs to finish; plain JSON, small
    """

    state: str
    done: bool
    facts: Mapping[str, Any] = field(default_factory=dict)


class Question(NamedTuple):
    """What a product is asked again and again while tasks wait.

    :param hook: path of the hook class, ``package.module.Class``
    :param thing: what is waited for, as a person would call it: "submission"
    :param ask: a flow that takes many ids and returns what it saw of each; an id it leaves out is not known yet
    :param cancel: a flow that stops the remote work of one id, where the product can
    :param chunk: how many ids one call of ``ask`` may take, so that URL and body stay of a safe size
    """

    hook: str
    thing: str
    ask: Callable[[Sequence[str]], Flow[Mapping[str, Seen]]]
    cancel: Callable[[str], Flow[Any]] | None = None
    chunk: int = 50

    def hook_for(self, conn_id: str) -> ProductHook:
        """The product's hook, on this connection."""
        return imported(self.hook)(conn_id)  # type: ignore[no-any-return]


def imported(path: str) -> Any:
    """What ``package.module.name`` names."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


class Waiter:
    """One who waits for one remote thing.

    :param key: the remote id
    :param deadline: seconds since the epoch, absolute so that it survives restarts
    :param poll_interval: the longest time between two looks, in seconds
    :param first_look: how long to leave it alone at the beginning, in seconds
    """

    def __init__(self, key: str, deadline: float, poll_interval: float, first_look: float = 0) -> None:
        self.key, self.deadline, self.poll_interval = key, deadline, poll_interval
        self.seen: Seen | None = None
        self.pause = min(FIRST_LOOK, poll_interval)
        # from when on it may, and when it must be looked at; seconds since the epoch
        self.ready = self.due = min(time.time() + min(first_look, poll_interval), deadline)
        self.left: asyncio.Future[None] | None = None  # in a triggerer: done when this one need not wait any longer

    @property
    def finished(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.seen is not None and self.seen.done

    @property
    def overdue(self) -> bool:
        """Whether the deadline is past."""
        return time.time() >= self.deadline

    def leave(self, error: Exception | None = None) -> None:
        """Tell the waiting task that its wait is over."""
        if self.left and not self.left.done():
            self.left.set_exception(error) if error else self.left.set_result(None)

    def plan(self) -> None:
        """Set the time of the next look: later each time, with jitter, never past the deadline."""
        now = time.time()
        # the jitter keeps tasks that began together from asking together for ever
        self.due = min(now + self.pause * random.uniform(0.8, 1.0), self.deadline)  # noqa: S311 no secret
        self.ready = min(now + self.pause / 2, self.due)
        self.pause = min(self.pause * BACKOFF, self.poll_interval)


def poll(question: Question, waiters: set[Waiter]) -> Flow[None]:
    """The wait loop: ask for all who wait, until none does. Waiters may join and leave while it runs.

    :param question: what to ask
    :param waiters: those who wait; who is finished or overdue is taken out
    """
    while waiters:
        # who is half-way to its next look comes along, so that many who wait are asked for in few requests
        asked = [waiter for waiter in waiters if waiter.ready <= time.time()]
        for ids in _chunks(sorted({waiter.key for waiter in asked}), question.chunk):
            answers = yield from question.ask(ids)
            for waiter in asked:
                waiter.seen = answers.get(waiter.key, waiter.seen)
        for waiter in asked:
            waiter.plan()
            if waiter.finished or waiter.overdue:
                waiters.discard(waiter)
                waiter.leave()
        if waiters:
            pause = min(waiter.due for waiter in waiters) - time.time()
            yield Pause(max(0.0, pause), may_end_early=True)


def _chunks(ids: list[str], size: int) -> Iterator[list[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def wait(hook: ProductHook, question: Question, key: str, *, deadline: float, poll_interval: float) -> Seen | None:
    """Wait in a worker.

    :param hook: the product's hook
    :param question: what to ask
    :param key: the remote id
    :param deadline: seconds since the epoch
    :param poll_interval: the longest time between two looks, in seconds
    :return: what was seen last; not done, or None, when the deadline came first
    """
    waiter = Waiter(key, deadline, poll_interval)
    hook.run(poll(question, {waiter}))
    return waiter.seen


def overdue(question: Question, key: str, seen: Seen | None) -> Overdue:
    """The error for a wait that came to its deadline.

    :param question: what was asked
    :param key: the remote id
    :param seen: what was seen of it last
    """
    state = f"its last seen state is {seen.state!r}" if seen else "it was never seen"
    return Overdue(f"waited in vain for {question.thing} {key}: {state}")
