"""The campaign's DAG: many tasks of each product's headline kind, none of which depends on another."""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import DAG

from chaos.kills import die_at_any_moment, die_in_the_wait
from chaos.works import change, names, project, rows, submission
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
    for mode, more in {"blocking": {"pre_execute": die_in_the_wait}, "deferred": {}}.items():
        AssemblylineSubmitFileOperator.partial(
            task_id=f"submit_{mode}", deferrable=mode == "deferred", **more
        ).expand_kwargs([submission(name) for name in names(f"submit_{mode}", TASKS)])
        RudderUpdateRuleOperator.partial(
            task_id=f"change_rule_{mode}", deferrable=mode == "deferred", wait_for_change_request=True, **more
        ).expand_kwargs([change(name) for name in names(f"change_rule_{mode}", TASKS)])

    AyonCreateProjectOperator.partial(task_id="create_project", pre_execute=die_at_any_moment).expand_kwargs([
        project(name) for name in names("create_project", TASKS)
    ])
    AtrocoreSyncProductsOperator.partial(task_id="sync_products", pre_execute=die_at_any_moment).expand(
        rows=[rows(name) for name in names("sync_products", TASKS)]
    )
