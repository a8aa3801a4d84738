"""Starting many things from one task, so many of which may run at once: threads start them, one loop sees them end.

It returns once all are started. The last of them are left to the wait of the operator, in the worker or deferred.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from self_hosted.core.errors import Final, Forbidden, LoginRefused, Overdue, ProductError, QuotaInUse, QuotaSpent
from self_hosted.core.question import Question
from self_hosted.core.wait import Waiter, look

if TYPE_CHECKING:
    from self_hosted.core.hook import ProductHook

THREADS = 8  # requests keeps ten connections open: some for these, and one for the looks
IDLE = 1.0  # seconds between two looks at the clock where nothing runs
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds between two tries for a place that is not there
LAST_WORDS = 10.0  # seconds for what is being started when all is to end
# One is looked at first after this share of the shortest time that so many took before.
RECENT, EARLY = 10, 0.95
# A look costs a request, and between two looks places stay empty: it is worth so many seconds of one place. Who looks
# once a second is half a second late on average; this is never later.
PRICE, LEAST, LONGEST = 0.15, 0.1, 0.9
ABOUT_ALL = (LoginRefused, Forbidden, QuotaSpent)
MOST_IN_A_ROW = 10  # errors of a server that fails; the rest is left to another try

Start = Callable[[], str]
"""Starts one thing and returns its remote id; runs in a thread."""


class Crew:
    """Starts things, each as soon as there is a place for it. What goes wrong with one disturbs no other.

    :param hook: the product's hook
    :param at_once: how many may run at once; fewer once the product refuses more
    :param deadline: when no more is started, in seconds since the epoch
    :param question: tells when one is done and its place free; without, that is when it is started
    :param poll_interval: the longest time between two looks, in seconds
    :param told: the most that may run at once, if an error of the product tells
    """

    def __init__(
        self,
        hook: ProductHook,
        at_once: int,
        deadline: float,
        question: Question | None = None,
        poll_interval: float = 30,
        told: Callable[[ProductError], int | None] = lambda error: None,
    ) -> None:
        self.hook, self.deadline, self.question, self.poll_interval = hook, deadline, question, poll_interval
        self.told, self.most, self.places = told, at_once, at_once
        self.keys: dict[str, str] = {}
        """The remote ids of what was started, by its name."""
        self.errors: dict[str, Exception] = {}
        """Why the others were not, by name."""
        self.waiters: set[Waiter] = set()
        self.looked_at = self.try_at = 0.0
        self.pause, self.in_a_row = FIRST_PAUSE, 0
        self.took: deque[float] = deque(maxlen=RECENT)
        self._todo: deque[tuple[str, Start]] = deque()
        self._under_way: dict[Future[str], tuple[str, Start]] = {}

    def run(self, starts: Mapping[str, Start], running: Mapping[str, str] | None = None) -> None:
        """Start all of them; `keys` and `errors` tell what became of each.

        :param starts: by name
        :param running: the remote ids of what was started before and may hold places, by name
        """
        self._todo.extend(starts.items())
        for name, key in (running or {}).items():
            self._note(name, key)
        pool = ThreadPoolExecutor(min(self.most, THREADS), "crew")
        try:
            while self._todo or self._under_way:
                self._start(pool)
                self._take_in(min(self._until_look(), IDLE))
                self._look()
        finally:
            self.stop()
            pool.shutdown(wait=not self._under_way, cancel_futures=True)

    def stop(self, why: str = "the task was ended before its turn came") -> list[str]:
        """Start nothing more; the ids of what runs, also of what was just being started.

        :param why: what is told of those that are not started
        """
        self._give_up(Overdue(why))
        wait(self._under_way, LAST_WORDS)
        self._take_in(0)
        self._give_up(Overdue(why))
        return [waiter.key for waiter in self.waiters]

    def _start(self, pool: ThreadPoolExecutor) -> None:
        if time.time() >= self.deadline:
            self._give_up(Overdue("time was up before its turn came"))
        while self._todo and self._has_a_place():
            one = self._todo.popleft()
            self._under_way[pool.submit(one[1])] = one

    def _has_a_place(self) -> bool:
        """Whether one more may run; where it was refused before, a try now and then shows what others have left."""
        running, now = len(self.waiters) + len(self._under_way), time.time()
        if now < self.try_at:
            return 0 < running < self.places
        if self.places < self.most:
            self.places, self.try_at = self.places + 1, now + self.pause
        return running < self.places

    def _take_in(self, seconds: float) -> None:
        """Note what was started meanwhile."""
        if not self._under_way:
            time.sleep(seconds)
        for future in wait(self._under_way, seconds, FIRST_COMPLETED).done:
            one = self._under_way.pop(future, None)
            if one is None:  # `stop` was called meanwhile, by a signal
                continue
            try:
                self._note(one[0], future.result())
            except QuotaInUse as error:
                self._todo.appendleft(one)
                self._narrow(error)
            except Exception as error:  # whatever it is, it is told of this one
                self.errors[one[0]] = error
                self._learn(error)

    def _note(self, name: str, key: str) -> None:
        self.keys[name], self.pause, self.in_a_row = key, FIRST_PAUSE, 0
        if self.question:
            first_look = max(LEAST, EARLY * min(self.took, default=0.0))
            self.waiters.add(Waiter(key, self.deadline, 0, first_look))  # from then on it is part of each look

    def _narrow(self, error: QuotaInUse) -> None:
        """Let no more run than do now; where others' work is in the way, leave it some time."""
        running, now = len(self.waiters) + len(self._under_way), time.time()
        self.most = min(self.most, self.told(error) or self.most)
        self.places = max(1, min(self.most, running))
        if running < self.most and now >= self.try_at:
            self.try_at, self.pause = now + self.pause, min(2 * self.pause, LONGEST_PAUSE)

    def _learn(self, error: Exception) -> None:
        """What concerns all need not be tried with all."""
        self.in_a_row += isinstance(error, ProductError) and not isinstance(error, Final)
        if isinstance(error, ABOUT_ALL) or self.in_a_row >= MOST_IN_A_ROW:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self.errors.update(dict.fromkeys((name for name, _ in self._todo), error))
        self._todo.clear()

    def _until_look(self) -> float:
        if not self.waiters:
            return IDLE
        due = min(waiter.due for waiter in self.waiters)
        return max(0.0, max(due, self.looked_at + self._apart) - time.time())

    @property
    def _apart(self) -> float:
        """Seconds between two looks: of so many places, in that time as many seconds are lost as a look is worth."""
        now = time.time()
        times = [*self.took, *(now - waiter.since for waiter in self.waiters)]
        pause = math.sqrt(2 * PRICE * sum(times) / len(times) / self.places)
        return min(max(LEAST, pause), LONGEST, self.poll_interval)

    def _look(self) -> None:
        if self.question and self.waiters and not self._until_look():
            before = set(self.waiters)
            self.hook.run(look(self.question, self.waiters))
            self.looked_at = time.time()
            self.took.extend(self.looked_at - waiter.since for waiter in before - self.waiters)
