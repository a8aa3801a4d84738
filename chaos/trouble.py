"""What befalls whole programs during the campaign: the triggerer is restarted, and the sandbox is down for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

from chaos.ground import Ground

OUTAGE_AT = 0.1  # the share of the tasks that has ended when the sandbox goes down


class Trouble:
    """Restarts of the triggerer, again and again, and one outage of the sandbox; only while somebody waits deferred.

    :param ground: what runs
    :param every: seconds between two restarts
    :param outage: how long the sandbox is to be down, in seconds
    :param tell: takes lines of text
    """

    def __init__(self, ground: Ground, every: float, outage: float, tell: Callable[[str], None]) -> None:
        self.ground, self.every, self.outage, self.tell = ground, every, outage, tell
        self.restarts, self.seconds_down, self.restarted = 0, 0.0, time.monotonic()

    def come(self, done: float, deferred: int) -> None:
        """Let happen what is due.

        :param done: the share of the tasks that has ended
        :param deferred: how many tasks wait in the triggerer
        """
        if not deferred:
            return
        if done >= OUTAGE_AT and not self.seconds_down:
            self.stop_sandbox()
        elif time.monotonic() >= self.restarted + self.every:
            self.restart_triggerer()

    def restart_triggerer(self) -> None:
        """Stop the triggerer by SIGTERM and start it again."""
        self.restarts += 1
        self.ground.airflow.restart("triggerer")
        self.tell(f"the triggerer was restarted for the {self.restarts}. time")

    def stop_sandbox(self) -> None:
        """Stop the sandbox, and start it again later."""
        began = time.monotonic()
        self.ground.sandbox.stop()
        self.tell("the sandbox is down")
        time.sleep(self.outage)
        self.ground.sandbox.start()
        self.seconds_down += time.monotonic() - began
        self.tell(f"the sandbox is up again after {self.seconds_down:.0f} s")
