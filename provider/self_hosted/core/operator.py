"""What every operator does: check after templating, then do it; and which errors end a task for good.

A product's operator stores its arguments and fills the holes `check` and `start`; one that waits is in `waiting.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator, BaseOperatorLink, XCom

from self_hosted.core.errors import Final
from self_hosted.core.question import imported
from self_hosted.core.retry_policy import obey_the_product

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.core.hook import ProductHook

LINK_KEY = "product_url"


@contextmanager
def final_errors_fail_at_once() -> Generator[None]:
    """Errors that no retry mends end the task without further tries."""
    try:
        yield
    except (Final, ValueError) as error:
        raise AirflowFailException(str(error)) from error


def round_key(context: Context) -> str:
    """Which piece of work this is, as 32 hex digits: the same on every retry, another once a person clears the task.

    What a write carries this key can be recognised when the task is tried again.
    """
    ti = context["ti"]
    # clearing a task raises max_tries by the tries spent, a retry doesn't
    round_ = (ti.max_tries or 0) - (context["task"].retries or 0)
    words = (ti.dag_id, ti.run_id, ti.task_id, ti.map_index, round_)
    return hashlib.sha256(repr(words).encode()).hexdigest()[:32]


def publish_link(context: Context, url: str) -> None:
    """Make the task's link lead to this page of the product, at once: also while it waits.

    :param context: the context of the task
    :param url: the page
    """
    context["ti"].xcom_push(key=LINK_KEY, value=url)


class ProductLink(BaseOperatorLink):
    """The button in the Airflow UI that opens what the task worked on; a product's subclass gives it its name."""

    name = "Open in product"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """The URL that `publish_link` stored, or nothing yet."""
        return XCom.get_value(ti_key=ti_key, key=LINK_KEY) or ""


class ProductOperator(BaseOperator):
    """Does one thing in a product. Subclasses store arguments in ``__init__`` and fill the holes below."""

    hook_class: ClassVar[str]
    """Path of the product's hook class."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        obey_the_product(self)

    @property
    def conn_id(self) -> str:
        """The connection, from the argument that the product names after itself: ``rudder_conn_id`` and so on."""
        return str(getattr(self, imported(self.hook_class).conn_name_attr))

    def check(self) -> None:
        """Validate the arguments, after templating and before anything is sent; `ValueError` names the argument."""

    def start(self, context: Context) -> dict[str, Any]:
        """Do the work; what is returned is the task's result, unless there is something to wait for."""
        raise NotImplementedError

    @cached_property
    def hook(self) -> ProductHook:
        """The product's hook, on the operator's connection."""
        return imported(self.hook_class)(self.conn_id)  # type: ignore[no-any-return]

    def execute(self, context: Context) -> Any:
        """Check, then do it; errors that no retry mends end the task at once."""
        with final_errors_fail_at_once():
            self.check()
            return self.start(context)
