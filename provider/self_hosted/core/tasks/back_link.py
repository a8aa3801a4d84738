"""Back-links: an object that a task creates in a product names the task, so that people find its DAG from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from self_hosted.core.arguments import parse_bool
from self_hosted.core.tasks.operator import SelfHostedOperator, fail_fast_on_permanent_errors

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class Origin(NamedTuple):
    """The task that creates an object.

    :param dag_id: id of its DAG
    :param task_id: id of the task
    :param run_id: id of the DAG run
    :param url: page of the task in Airflow, below ``[api] base_url``
    """

    dag_id: str
    task_id: str
    run_id: str
    url: str

    def as_metadata(self) -> dict[str, str]:
        """Return the parts by name, such as ``airflow_dag_id``, for a product that stores names and values."""
        return {f"airflow_{name}": value for name, value in self._asdict().items()}

    def describe_task(self) -> str:
        """Return one line that is the same in all runs, for a product that adds up what differs."""
        return f"Airflow DAG {self.dag_id}, task {self.task_id}"

    def __str__(self) -> str:
        return f"{self.describe_task()}, run {self.run_id}: {self.url}"

    def append_to(self, text: str | None) -> str:
        """Return a text of the DAG's author with the origin in parentheses, or the origin alone.

        :param text: the text; None and "" = none
        """
        return f"{text} ({self})" if text else str(self)


class BackLinkingOperator(SelfHostedOperator):
    """Creates or changes objects that name the task. It is the first base of an operator: others run the task.

    :param back_link: whether they name it
    """

    template_fields: Sequence[str] = ("back_link",)

    def __init__(self, *, back_link: bool | str = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.back_link = back_link
        self.origin: Origin | None = None
        """The task; None before its execution, and if objects shall not name it."""

    def execute(self, context: Context) -> Any:
        """Execute the task as its other bases do.

        :param context: the context of the task
        """
        with fail_fast_on_permanent_errors():
            has_back_link = parse_bool("back_link", self.back_link)
        ti = context["ti"]
        self.origin = Origin(ti.dag_id, ti.task_id, ti.run_id, ti.log_url) if has_back_link else None
        return super().execute(context)
