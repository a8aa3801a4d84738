"""The campaign's DAG: many independent tasks of each product's main kind."""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import DAG

from chaos.kills import kill_at_random_moment, kill_during_wait
from chaos.workload import build_project, build_rows, build_rule_change, build_submission, list_names
from self_hosted.assemblyline.operators import AssemblylineSubmitFileOperator
from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator
from self_hosted.ayon.operators import AyonCreateProjectOperator
from self_hosted.rudder.operators import RudderUpdateRuleOperator

TASKS = int(os.environ.get("CHAOS_TASKS", "1"))

with DAG(
    dag_id="chaos_campaign",
    schedule=None,
    default_args={"retries": 10, "retry_delay": timedelta(seconds=5)},
) as dag:
    for mode, options in {"blocking": {"pre_execute": kill_during_wait}, "deferred": {}}.items():
        AssemblylineSubmitFileOperator.partial(
            task_id=f"submit_{mode}", deferrable=mode == "deferred", **options
        ).expand_kwargs([build_submission(name) for name in list_names(f"submit_{mode}", TASKS)])
        RudderUpdateRuleOperator.partial(
            task_id=f"change_rule_{mode}", deferrable=mode == "deferred", wait_for_completion=True, **options
        ).expand_kwargs([build_rule_change(name) for name in list_names(f"change_rule_{mode}", TASKS)])

    AyonCreateProjectOperator.partial(task_id="create_project", pre_execute=kill_at_random_moment).expand_kwargs([
        build_project(name) for name in list_names("create_project", TASKS)
    ])
    AtrocoreSyncProductsOperator.partial(task_id="sync_products", pre_execute=kill_at_random_moment).expand(
        source=[build_rows(name) for name in list_names("sync_products", TASKS)]
    )
