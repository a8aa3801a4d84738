"""Airflow's REST API, where a run has more tasks than one page holds."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from demo.rest import ENDED, Api

PAGE = 100  # Airflow's own limit


class ManyTasks(Api):
    """The API, for one run of many tasks.

    :param url: where it is served
    :param dag_id: the DAG
    :param run_id: the run
    """

    def __init__(self, url: str, dag_id: str, run_id: str) -> None:
        super().__init__(url)
        self.dag_id, self.run_id = dag_id, run_id

    @property
    def ended(self) -> bool:
        """Whether the run has ended."""
        return self.state(self.dag_id, self.run_id) in ENDED

    def count(self, *states: str) -> int:
        """How many task instances are in one of these states; in any, if none is named."""
        return int(self._page(limit=1, state=states)["total_entries"])

    def all(self) -> list[dict[str, Any]]:
        """All task instances, page by page."""
        pages = [self._page(limit=PAGE, offset=offset) for offset in range(0, self.count(), PAGE)]
        return [task for page in pages for task in page["task_instances"]]

    def _page(self, **query: Any) -> Any:
        path = f"/api/v2/dags/{self.dag_id}/dagRuns/{self.run_id}/taskInstances"
        return self._ask("GET", f"{path}?{urlencode(query, doseq=True)}")
