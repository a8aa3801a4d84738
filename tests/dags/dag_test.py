"""Run a DAG through ``dag.test()`` and print the states of its tasks: ``python -m tests.dags.dag_test DAG PARAMS``."""

from __future__ import annotations

import json
import sys


def main(dag_id: str, params: str) -> None:
    """Run the DAG in this process, with triggers in line, which need no pause before they fire."""
    from airflow.utils.db import initdb

    from self_hosted.core.wait import trigger

    initdb()
    trigger.MIN_DEFERRAL_SECONDS = 0.0
    from tests.dags.deferred import every_deferred

    dags = {dag.dag_id: dag for dag in (every_deferred.sensors, every_deferred.operators)}
    run = dags[dag_id].test(run_conf=json.loads(params))
    states = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
    print(json.dumps(states))


if __name__ == "__main__":
    main(*sys.argv[1:])
