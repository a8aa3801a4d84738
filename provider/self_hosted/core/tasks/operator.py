"""The base of every operator: validate after templating, then submit; permanent errors end the task without retries.

A product's operator stores its arguments and implements `validate` and `submit`. One that waits is in
`waiting_operator.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator, BaseOperatorLink, XCom, conf

from self_hosted.core.arguments import parse_id
from self_hosted.core.http.errors import PermanentError
from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import import_string
from self_hosted.core.tasks.openlineage import OpenLineageMixin
from self_hosted.core.tasks.retry_policy import apply_default_retry_policy
from self_hosted.core.tasks.summary import log_summary

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.core.connection.hook import SelfHostedHook

log = get_logger(__name__)

LINK_KEY = "product_url"
"""The XCom that holds the link of a task; Airflow's UI reads it, too, so that the link works while the task runs."""


@contextmanager
def fail_fast_on_permanent_errors() -> Generator[None]:
    """Within, errors that a retry cannot resolve end the task without further tries.

    :raises AirflowFailException: for `PermanentError` and `ValueError`
    """
    try:
        yield
    except PermanentError as error:  # its message says all: a second traceback would only repeat it
        raise AirflowFailException(str(error)) from None
    except ValueError as error:
        raise AirflowFailException(str(error)) from error


def idempotency_key(context: Context) -> str:
    """Return 32 hex digits that identify the work of a task: the same on every try, in a worker and after a deferral.

    A write that carries the key is recognized when the task is tried again. The key changes when a user clears the
    task, when a run is deleted and created again with the same run id, and from one Airflow instance to another:

    - The times of the run come from the metadata database, so that all workers and tries see the same ones. A run that
      is created again starts at another microsecond. `dag.test` starts a run at its logical date, but after another
      ``run_after``. Only setting a running run to queued changes its start: to run it again is what the user requests.
    - The instance is identified by its public URL, ``[api] base_url``. Workers of one instance need not share a Fernet
      key or JWT secret (both are generated where they are missing, and rotated), nor a host name. Two instances without
      a URL differ by the start of their runs.

    Task state (since Airflow 3.3) is not needed. So the key is the same with and without ``durable``.

    :param context: the context of the task
    """
    ti, run = context["ti"], context["dag_run"]
    # clearing a task raises max_tries by the tries that were used; a retry does not
    round_number = (ti.max_tries or 0) - (context["task"].retries or 0)
    instance_url = conf.get("api", "base_url", fallback="").rstrip("/")
    run_times = (run.start_date and run.start_date.timestamp(), run.run_after.timestamp())
    parts = (instance_url, ti.dag_id, ti.run_id, *run_times, ti.task_id, ti.map_index, round_number)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def publish_link(context: Context, url: str, *, is_known: bool = False) -> None:
    """Let the task's link open a page of the product from now on, also while the task waits.

    :param context: the context of the task
    :param url: the page
    :param is_known: whether an earlier process of the task has logged it
    """
    context["ti"].xcom_push(key=LINK_KEY, value=url)
    _log_link(context["task"], url, is_known=is_known)


def _log_link(task: Any, url: str, *, is_known: bool = False) -> None:
    """Log the link, unless the task has done so."""
    if not is_known and getattr(task, "_logged_link", None) != url:
        names = [link.name for link in getattr(task, "operator_extra_links", ()) if isinstance(link, SelfHostedLink)]
        log.info("%s: %s", names[0] if names else SelfHostedLink.name, url)
    task._logged_link = url


async def publish_link_from_triggerer(task_instance: Any, url: str) -> None:
    """Let the link of a task open a page of the product while it waits without ever having had a worker.

    A failure is logged: the worker that completes the task publishes the link again.

    :param task_instance: the task instance of a trigger
    :param url: the page
    """
    names = ("dag_id", "task_id", "run_id", "map_index")
    try:
        await XCom.aset(LINK_KEY, url, **{name: getattr(task_instance, name) for name in names})
    except Exception as error:  # depends on Airflow's XCom backend
        log.warning("The link to %s cannot be stored: %s", url, error)


class SelfHostedLink(BaseOperatorLink):
    """The button in the Airflow UI that opens the task's object in the product; each product's subclass names it."""

    name = "Open in product"
    xcom_key = LINK_KEY

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """Return the URL that `publish_link` stored, or "" before that.

        :param operator: not used
        :param ti_key: the key of the task instance
        """
        return XCom.get_value(ti_key=ti_key, key=LINK_KEY) or ""


class SelfHostedOperator(OpenLineageMixin, BaseOperator):
    """Does one thing in a product. Subclasses store arguments in ``__init__`` and implement `validate` and `submit`."""

    hook_class: ClassVar[str]
    """Path of the product's hook class."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        apply_default_retry_policy(self)

    @property
    def conn_id(self) -> str:
        """The connection, from the argument that each product names after itself, such as ``rudder_conn_id``."""
        name: str = import_string(self.hook_class).conn_name_attr
        return parse_id(name, getattr(self, name), "an Airflow connection")

    def render_template(self, content: Any, *arguments: Any, **named: Any) -> Any:
        """Return a rendered value. A path becomes text first, because Airflow 3.1 would look for its file.

        :param content: the value of a template field, or a part of it
        """
        is_path = isinstance(content, PurePath) and not hasattr(content, "protocol")  # as paths of object stores have
        return super().render_template(str(content) if is_path else content, *arguments, **named)

    def validate(self) -> None:
        """Check the arguments, after templating and before anything is sent.

        :raises ValueError: naming the argument
        """

    def submit(self, context: Context) -> Any:
        """Do the work and return the task's result; a waiting operator returns what it waits for.

        :param context: the context of the task
        """
        raise NotImplementedError

    @cached_property
    def hook(self) -> SelfHostedHook:
        """The product's hook, with the operator's connection."""
        return import_string(self.hook_class)(self.conn_id)  # type: ignore[no-any-return]

    def execute(self, context: Context) -> Any:
        """Validate, then submit.

        :param context: the context of the task
        :raises AirflowFailException: for invalid arguments and permanent errors
        """
        with fail_fast_on_permanent_errors():
            self.validate()
            result = self.submit(context)
            log_summary(context, result)
            return result
