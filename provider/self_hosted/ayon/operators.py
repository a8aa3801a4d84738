"""What a DAG does in AYON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from self_hosted.core.lazy import when_used
from self_hosted.core.operator import ProductLink, ProductOperator, publish_link, round_key

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.ayon import api
    from self_hosted.ayon.hook import AyonHook
else:
    api = when_used("self_hosted.ayon.api")


TRUTH: dict[str, Any] = {"true": True, "false": False}  # templates make text of everything


class AyonLink(ProductLink):
    """Opens the project in AYON."""

    name = "Open in AYON"


class AyonCreateProjectOperator(ProductOperator):
    """Creates a project in AYON, or brings the one that is there to what is wanted. It never deletes anything.

    It is safe to try again: name and code are unique in AYON, and a task knows a project of its own again. The
    request that creates it carries a sender name made from DAG, run, task and map index, the same on every retry,
    and AYON writes it on the event of the creation. So a lost answer, a worker killed halfway, and two tasks at once
    all end with one project, and each task knows whether it was the one that made it. A person who clears the task
    begins a new piece of work, for which the project is there already.

    Uses ``POST /api/projects``, ``PATCH /api/projects/{name}``, ``POST /api/projects/{name}/anatomy`` and
    ``PATCH /api/projects/{name}/users/{user}``; https://docs.ayon.dev

    :param name: 1 to 55 letters, digits and underscores; the case must be that of a project that exists
    :param code: short name that goes into file names: letters, digits and underscores
    :param label: what people see instead of the name; no two projects have the same
    :param library: whether it is a library project; None: no for a new one, unchanged for others
    :param color: #rgb or #rrggbb
    :param anatomy_preset: name of the preset a new project begins with (or ``__primary__``, ``__builtin__``);
        default: the studio's primary one. Projects that exist keep their anatomy
    :param anatomy: anatomy of the project, whole or in parts, instead of a preset. Its lists replace whole lists,
        such as {"tags": [{"name": "hero"}]}; of an existing project, parts that are not named stay as they are
    :param attributes: values of project attributes, such as {"fps": 25, "startDate": "2026-01-31T00:00:00"}
    :param users: names of users to their access groups in the project, such as {"anna": ["artist"]}; an empty list
        takes the access away, users that are not named keep theirs
    :param if_exists: what if the project is there and is not this task's own: "fail", "skip" (leave it alone) or
        "update" (change what differs)
    :param ayon_conn_id: the Airflow connection
    :return: {name, code, library, created: whether this task made it, updated: names of what was changed in a project
        that was there ("label", "attributes.fps", "anatomy.tags", "users.anna", ...), url}
    :raises AirflowFailException: when arguments are wrong, the project must not exist and does (``Conflict``), its
        code or label belongs to another project, or a right is missing; other errors are left to the task's retries
    """

    hook_class = "self_hosted.ayon.hook.AyonHook"
    operator_extra_links = (AyonLink(),)
    template_fields: Sequence[str] = (
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
        "ayon_conn_id",
    )
    template_fields_renderers = {"anatomy": "json", "attributes": "json", "users": "json"}  # noqa: RUF012 Airflow's own way
    ui_color = "#e5f7f1"

    def __init__(
        self,
        *,
        name: str,
        code: str,
        label: str | None = None,
        library: bool | str | None = None,
        color: str | None = None,
        anatomy_preset: str | None = None,
        anatomy: Mapping[str, Any] | None = None,
        attributes: Mapping[str, Any] | None = None,
        users: Mapping[str, Sequence[str]] | None = None,
        if_exists: str = "fail",
        ayon_conn_id: str = "ayon_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name, self.code, self.library, self.color = name, code, library, color
        self.project_label = label  # operators have a `label` already: what the graph shows
        self.anatomy_preset, self.anatomy, self.attributes = anatomy_preset, anatomy, attributes
        self.users, self.if_exists, self.ayon_conn_id = users, if_exists, ayon_conn_id

    def check(self) -> None:
        """Refuse what AYON would answer with HTTP 500, or would ignore."""
        self._wanted().check()
        if self.if_exists not in api.IF_EXISTS:
            raise ValueError(f"if_exists must be one of {', '.join(api.IF_EXISTS)}, not {self.if_exists!r}")

    def start(self, context: Context) -> dict[str, Any]:
        """Make sure that the project is there."""
        hook = cast("AyonHook", self.hook)
        sender = f"{hook.sender}.{round_key(context)}"
        result = hook.ensure_project(self._wanted(), sender=sender, if_exists=self.if_exists)
        url = api.project_url(hook.settings.address.base_url, result["name"])
        publish_link(context, url)
        return {**result, "url": url}

    def _wanted(self) -> api.WantedProject:
        return api.WantedProject(
            name=self.name,
            code=self.code,
            label=self.project_label,
            library=TRUTH.get(str(self.library).lower(), self.library),
            color=self.color,
            anatomy_preset=self.anatomy_preset,
            anatomy=self.anatomy,
            attributes=self.attributes,
            users=self.users,
        )
