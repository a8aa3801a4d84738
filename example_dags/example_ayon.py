"""A studio's projects in AYON, kept as the production plan has them.

Every night each project of the plan is created, or brought to what the plan says; running it twice changes nothing.
A library that all projects take from comes first, and is left alone once it is there. The connection is
``ayon_default``.
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
        """What production wants; elsewhere it comes from a sheet or a database."""
        return [
            {"name": f"forest_{season}", "code": f"fst_{season}", "label": "The Forest", "attributes": {"fps": 24}},
            {"name": f"harbour_{season}", "code": f"hbr_{season}", "label": "The Harbour", "attributes": {"fps": 25}},
        ]

    projects = AyonCreateProjectOperator.partial(
        task_id="projects", color="#4488cc", if_exists="update", map_index_template="{{ task.name }}"
    ).expand_kwargs(plan("{{ params.season }}"))

    @task
    def report(results: Any) -> list[str]:
        """Say what was done."""
        done = [(one, "created" if one["created"] else one["updated"] or "as wanted") for one in results]
        return [f"{one['name']}: {what}, see {one['url']}" for one, what in done]

    library >> projects
    report(projects.output)
