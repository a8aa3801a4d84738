"""The person who decides about change requests in Rudder, now and then."""

from __future__ import annotations

import time

from chaos.sandbox import KeptSandbox

INTERVAL = 8.0  # seconds


class Person:
    """Accepts what has been open since the last look, so that every change request waits for a while.

    :param sandbox: the sandbox with Rudder in it
    """

    def __init__(self, sandbox: KeptSandbox) -> None:
        self.sandbox, self.known, self.looked = sandbox, set[int](), 0.0

    def look(self) -> None:
        """Look, if it is time to, and accept."""
        if time.monotonic() < self.looked + INTERVAL:
            return
        requests = self.sandbox.ask("state")["rudder"]["change requests"]
        waiting = {row["id"] for row in requests if row["status"] == "Pending validation"}
        self.sandbox.tell("seed", {"rudder": {"decisions": dict.fromkeys(waiting & self.known, "Deployed")}})
        self.known, self.looked = waiting, time.monotonic()
