"""Disruptions during the campaign: restarts of the triggerer, an outage of the sandbox, a rotation of credentials."""

from __future__ import annotations

import time
from collections.abc import Callable

from chaos.environment import ChaosEnvironment, add_extra
from chaos.faults import CONNECTION_TIMEOUTS

# fractions of the tasks that must be finished before each
OUTAGE_THRESHOLD = 0.1
ROTATION_THRESHOLD = 0.3


class Disruptions:
    """Restarts of the triggerer, an outage of the sandbox, a rotation of credentials, only while tasks are deferred.

    :param environment: Airflow and the sandbox
    :param restart_interval_seconds: time between two restarts
    :param outage_seconds: duration of the outage
    :param print_line: prints a line of text
    """

    def __init__(
        self,
        environment: ChaosEnvironment,
        restart_interval_seconds: float,
        outage_seconds: float,
        print_line: Callable[[str], None],
    ) -> None:
        self.environment, self.print_line = environment, print_line
        self.restart_interval_seconds, self.outage_seconds = restart_interval_seconds, outage_seconds
        self.restarts, self.down_seconds, self.restarted_at = 0, 0.0, time.monotonic()
        self.rotations = 0

    def disrupt(self, finished: float, deferred: int) -> None:
        """Cause the disruption that is due, if any.

        :param finished: fraction of the tasks that are finished
        :param deferred: number of tasks that are deferred
        """
        if not deferred:
            return
        if finished >= OUTAGE_THRESHOLD and not self.down_seconds:
            self.interrupt_sandbox()
        elif finished >= ROTATION_THRESHOLD and not self.rotations:
            self.rotate_credentials()
        elif time.monotonic() >= self.restarted_at + self.restart_interval_seconds:
            self.restart_triggerer()
            self.restarted_at = time.monotonic()

    def restart_triggerer(self) -> None:
        """Stop the triggerer by SIGTERM and start it again."""
        self.restarts += 1
        self.environment.airflow.restart("triggerer")
        self.print_line(f"restarted the triggerer (restart {self.restarts})")

    def rotate_credentials(self) -> None:
        """Replace the credential of each product, in the product and in Airflow's connection.

        The administrator creates the new one, stores it, and then revokes the former one. Running tasks still use that.
        """
        sandbox = self.environment.sandbox
        for conn_id, former in self.environment.get_connections().items():
            product = {"product": former["conn_type"]}
            connection = sandbox.post("rotate-credential", {**product, "keep_former": True})
            self.environment.airflow.api.update_connection(conn_id, add_extra(connection, CONNECTION_TIMEOUTS))
            sandbox.post("revoke-former-credentials", product)
            self.rotations += 1
        self.print_line(f"rotated {self.rotations} credentials")

    def interrupt_sandbox(self) -> None:
        """Stop the sandbox, and start it again after the outage."""
        start = time.monotonic()
        self.environment.sandbox.stop()
        self.print_line("stopped the sandbox")
        time.sleep(self.outage_seconds)
        self.environment.sandbox.start()
        self.down_seconds += time.monotonic() - start
        self.print_line(f"started the sandbox again after {self.down_seconds:.0f} s")
