"""The approver of change requests in Rudder."""

from __future__ import annotations

import time

from chaos.sandbox import RestartableSandbox

INTERVAL_SECONDS = 8.0


class Approver:
    """Accepts at intervals the change requests that were pending an interval ago, so that each request waits a while.

    :param sandbox: the sandbox that simulates Rudder
    """

    def __init__(self, sandbox: RestartableSandbox) -> None:
        self.sandbox, self.pending, self.checked_at = sandbox, set[int](), 0.0

    def approve_pending(self) -> None:
        """Accept change requests, if the interval has passed."""
        if time.monotonic() < self.checked_at + INTERVAL_SECONDS:
            return
        requests = self.sandbox.get("state")["rudder"]["change requests"]
        pending = {row["id"] for row in requests if row["status"] == "Pending validation"}
        self.sandbox.post("seed", {"rudder": {"decisions": dict.fromkeys(pending & self.pending, "Deployed")}})
        self.pending, self.checked_at = pending, time.monotonic()
