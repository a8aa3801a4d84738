"""Objects that a task creates name the task, unless the DAG's author does not want that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, Context

from self_hosted.core.tasks.back_link import BackLinkingOperator, Origin
from tests.core.toy import BuildAndWaitOperator, ToyHook

ORIGIN = Origin("nightly", "scan", "manual__1", "http://airflow/dags/nightly")


class LinkedOperator(BackLinkingOperator, BuildAndWaitOperator):
    """Builds, and remembers the origin that its job would name."""

    template_fields: Sequence[str] = (*BuildAndWaitOperator.template_fields, *BackLinkingOperator.template_fields)

    def submit(self, context: Context) -> Any:
        self.seen = self.origin
        return super().submit(context)


def make_operator(**arguments: Any) -> LinkedOperator:
    return LinkedOperator(task_id="build", job="house", deferrable=False, poll_interval=0.05, **arguments)


@pytest.mark.parametrize("back_link", [True, "True", "yes"])
def test_the_origin_is_the_task_with_its_page_in_airflow(hook: ToyHook, make_context, back_link):
    operator = make_operator(back_link=back_link)
    context = make_context(operator)
    assert operator.execute(context)["state"] == "done"
    ti = context["ti"]
    assert operator.seen == Origin(ti.dag_id, ti.task_id, ti.run_id, ti.log_url)


def test_without_back_link_there_is_no_origin(hook: ToyHook, make_context):
    operator = make_operator(back_link="no")
    operator.execute(make_context(operator))
    assert operator.seen is None


def test_an_invalid_back_link_is_an_error_that_names_it(hook: ToyHook, make_context):
    operator = make_operator(back_link="perhaps")
    with pytest.raises(AirflowFailException, match=r"^back_link must be true or false, not 'perhaps'"):
        operator.execute(make_context(operator))


def test_an_origin_is_a_text_or_metadata():
    assert str(ORIGIN) == "Airflow DAG nightly, task scan, run manual__1: http://airflow/dags/nightly"
    assert ORIGIN.describe_task() == "Airflow DAG nightly, task scan"
    assert ORIGIN.as_metadata() == {
        "airflow_dag_id": "nightly",
        "airflow_task_id": "scan",
        "airflow_run_id": "manual__1",
        "airflow_url": "http://airflow/dags/nightly",
    }


@pytest.mark.parametrize(
    ("text", "expected"), [("new nodes", f"new nodes ({ORIGIN})"), ("", str(ORIGIN)), (None, str(ORIGIN))]
)
def test_an_origin_follows_the_authors_text(text, expected):
    assert ORIGIN.append_to(text) == expected
