"""The distribution of tests in a real Airflow over two processes."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

OWN_AIRFLOW = {"tests/dags/test_restarts.py", "tests/demo/test_airflow.py"}
"""The files of tests that start, kill or restart an Airflow of their own."""


class AirflowScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Runs all tests of the shared Airflow in one process, and the others beside them."""

    def _split_scope(self, nodeid: str) -> str:
        """Return the name of the group of a test."""
        path = nodeid.partition("::")[0]
        return path if path in OWN_AIRFLOW else "shared"
