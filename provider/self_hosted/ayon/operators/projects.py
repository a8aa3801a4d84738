"""The operator that creates or updates a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from self_hosted.ayon.api.projects.types import ProvisionedProject
from self_hosted.ayon.operators.base import AyonOperator
from self_hosted.core.arguments import parse_choice
from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.back_link import BackLinkingOperator
from self_hosted.core.tasks.operator import idempotency_key, publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.ayon.api.projects import project_spec, provision, records
    from self_hosted.ayon.hook import AyonHook
else:
    project_spec = lazy_import("self_hosted.ayon.api.projects.project_spec")
    provision = lazy_import("self_hosted.ayon.api.projects.provision")
    records = lazy_import("self_hosted.ayon.api.projects.records")


log = get_logger(__name__)

PROJECT_TOPIC = "airflow.project"


class CreateProjectResult(ProvisionedProject):
    """The result of `AyonCreateProjectOperator`: a `ProvisionedProject`, and this key.

    :param url: its page
    """

    url: str


class AyonCreateProjectOperator(BackLinkingOperator, AyonOperator):
    """Creates a project in AYON, exactly once, or updates an existing one. It never deletes anything.

    Retries are safe: name and code are unique in AYON, and a task recognizes its own project. The request that creates
    the project has a sender made of the idempotency key, the same on every retry, and AYON stores it in the
    event of the creation. After a lost response, the death of a worker, or two concurrent tasks, there is one project,
    and each task knows whether it created it. If its values have been changed since, it counts as an existing one. So
    it does when a user clears the task.

    Endpoints: ``POST /api/projects``, ``PATCH /api/projects/{name}``, ``POST /api/projects/{name}/anatomy`` and
    ``PATCH /api/projects/{name}/users/{user}``, https://docs.ayon.dev. An event of the topic ``airflow.project`` names
    the task (``back_link``), if the user may store events.

    :param name: 1 to 55 letters, digits and underscores; for an existing project, in its spelling
    :param code: short name, part of file names: letters, digits and underscores
    :param label: the name that the UI shows; unique among projects
    :param library: whether it is a library project; default: no for a new project, unchanged for an existing one
    :param color: ``#rgb`` or ``#rrggbb``
    :param anatomy_preset: name of the preset of a new project (or ``__primary__``, ``__builtin__``); default: the
        studio's primary one. Existing projects keep their anatomy
    :param anatomy: anatomy of the project, complete or in parts, instead of a preset. Its lists replace complete lists,
        such as ``{"tags": [{"name": "hero"}]}``; other parts of an existing project stay unchanged
    :param attributes: values of project attributes, such as ``{"fps": 25, "startDate": "2026-01-31T00:00:00"}``
    :param users: access groups in the project by user name, such as ``{"anna": ["artist"]}``; an empty list removes the
        access, other users keep theirs
    :param if_exists: handling of an existing project of another task, or with other values: "fail", "skip" (use it
        unchanged) or "update" (change the values that differ)
    :param ayon_conn_id: the Airflow connection
    :return: `CreateProjectResult`
    :raises AirflowFailException: for invalid arguments, a project that exists and must not, a code or label of another
        project, and a missing permission
    :raises SelfHostedError: for errors that a retry may resolve
    """

    template_fields: Sequence[str] = (
        *AyonOperator.template_fields,
        *BackLinkingOperator.template_fields,
        "name",
        "code",
        "project_label",
        "library",
        "color",
        "anatomy_preset",
        "anatomy",
        "attributes",
        "users",
        "if_exists",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"anatomy": "json", "attributes": "json", "users": "json"}
    template_ext: Sequence[str] = (".json",)

    def __init__(
        self,
        *,
        name: str,
        code: str,
        label: str | None = None,
        library: bool | str | None = None,
        color: str | None = None,
        anatomy_preset: str | None = None,
        anatomy: Mapping[str, Any] | str | None = None,
        attributes: Mapping[str, Any] | str | None = None,
        users: Mapping[str, Sequence[str] | str] | str | None = None,
        if_exists: str = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name, self.code, self.color, self.anatomy_preset = name, code, color, anatomy_preset
        self.project_label = label  # operators already have a `label`, which the graph shows
        self.library: Any = library
        self.anatomy: Any = anatomy
        self.attributes: Any = attributes
        self.users: Any = users
        self.if_exists = if_exists

    def validate(self) -> None:
        """Check the arguments, including those that AYON would answer with HTTP 500 or ignore.

        :raises ValueError: naming the argument
        """
        _ = self.project_spec
        parse_choice("if_exists", self.if_exists, provision.IF_EXISTS)

    def submit(self, context: Context) -> CreateProjectResult:
        """Create the project, or use the existing one.

        :param context: the context of the task
        """
        hook = cast("AyonHook", self.hook)
        base_url = hook.settings.address.base_url
        publish_link(context, records.page_url(base_url, self.project_spec.name))
        sender = f"{hook.sender}.{idempotency_key(context)}"
        project = hook.ensure_project(self.project_spec, sender=sender, if_exists=self.if_exists)
        self._record_origin(context, project)
        result: CreateProjectResult = {**project, "url": records.page_url(base_url, project["name"])}
        emit_asset(context, hook, asset_uri(hook, "project", project["name"]), result)
        return result

    def _record_origin(self, context: Context, project: ProvisionedProject) -> None:
        """Store an event that names the task. Without the permission to do so, the task succeeds all the same."""
        if self.origin is None or not (project["created"] or project["updated"]):
            return
        action = "created" if project["created"] else "updated"
        try:
            cast("AyonHook", self.hook).dispatch_event(
                PROJECT_TOPIC,
                f"airflow.{idempotency_key(context)}",
                description=f"Project {project['name']} {action} by {self.origin}",
                project=project["name"],
                summary=self.origin.as_metadata(),
            )
        except SelfHostedError as error:
            log.warning("No event in AYON names this task: %s", error)

    @cached_property
    def project_spec(self) -> project_spec.ProjectSpec:
        """The desired project, after templating.

        :raises ValueError: naming the argument
        """
        return project_spec.ProjectSpec(
            name=self.name,
            code=self.code,
            label=self.project_label,
            library=self.library,
            color=self.color,
            anatomy_preset=self.anatomy_preset,
            anatomy=self.anatomy,
            attributes=self.attributes,
            users=self.users,
        ).parsed()
