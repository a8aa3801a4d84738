"""Run a DAG with an approval through ``dag.test()``: ``python -m tests.dags.approval_in_dag_test FILE ANSWER PARAMS``.

``dag.test()`` waits until somebody answers: a second thread does, by the function behind the API of Airflow's UI.
It prints the states of the tasks, and what the person was shown.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.2
TIMEOUT_SECONDS = 600.0  # only reached if something is broken


class Person:
    """Who answers, as far as Airflow asks."""

    def get_id(self) -> str:
        """Return the id of the user."""
        return "7"

    def get_name(self) -> str:
        """Return the name of the user."""
        return "Anna"


def answer_question(answer: str, shown: dict[str, str]) -> None:
    """Wait for the question of the only running DAG, and answer it.

    :param answer: "Approve" or "Reject"
    :param shown: takes in the subject and the body of the question
    """
    from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
    from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail
    from airflow.models.hitl import HITLDetail
    from airflow.utils.session import create_session
    from sqlalchemy import select

    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        with create_session() as session:
            question = session.scalar(select(HITLDetail).where(HITLDetail.responded_at.is_(None)))
            if question is not None and question.task_instance.state in {"awaiting_input", "deferred"}:
                task = question.task_instance
                shown |= {"subject": question.subject, "body": str(question.body)}
                payload = UpdateHITLDetailPayload(chosen_options=[answer], params_input={})
                person: Any = Person()
                update_hitl_detail(task.dag_id, task.run_id, task.task_id, payload, person, session)
                return
        time.sleep(POLL_SECONDS)


def main(file: str, answer: str, params: str) -> None:
    """Run the DAG of a file in this process, and answer its question in a second thread."""
    from airflow.utils.db import initdb

    initdb()
    sys.path.insert(0, str(Path(file).parent))
    dag = import_module(Path(file).stem).approve.dag
    shown: dict[str, str] = {}
    threading.Thread(target=answer_question, args=(answer, shown), daemon=True).start()
    run = dag.test(run_conf=json.loads(params))
    states = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
    print(json.dumps({"states": states, **shown}))


if __name__ == "__main__":
    main(*sys.argv[1:])
