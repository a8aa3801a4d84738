"""Keep the projects of a studio in AYON equal to its production plan.

Every night, each project of the plan is created, or updated to the plan; a second run changes nothing. A library
project that all projects use is created first; an existing one stays unchanged. The connection is ``ayon_default``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, task

from self_hosted.ayon.operators import AyonCreateProjectOperator

with DAG(
    dag_id="example_ayon",
    description="Create and update AYON projects from a plan",
    doc_md=__doc__,
    schedule="0 3 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
    params={"studio": "Northlight", "season": "s01"},
    tags=["example", "ayon"],
):
    library = AyonCreateProjectOperator(
        task_id="library",
        name="studio_library",
        code="lib",
        label="Library of {{ params.studio }}",
        library=True,
        if_exists="skip",
    )

    @task
    def plan(season: str) -> list[dict[str, Any]]:
        """Return the production plan; usually it comes from a spreadsheet or a database."""
        return [
            {"name": f"forest_{season}", "code": f"fst_{season}", "label": "The Forest", "attributes": {"fps": 24}},
            {"name": f"harbour_{season}", "code": f"hbr_{season}", "label": "The Harbour", "attributes": {"fps": 25}},
        ]

    projects = AyonCreateProjectOperator.partial(
        task_id="projects", color="#4488cc", if_exists="update", map_index_template="{{ task.name }}"
    ).expand_kwargs(plan("{{ params.season }}"))

    @task
    def report(results: Any) -> list[str]:
        """Return the outcome of each project."""
        changes = [(result, "created" if result["created"] else result["updated"]) for result in results]
        return [f"{result['name']}: {change or 'unchanged'}, see {result['url']}" for result, change in changes]

    library >> projects
    report(projects.output)
