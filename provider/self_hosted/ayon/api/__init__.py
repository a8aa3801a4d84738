"""What can be asked of AYON, as flows by subject; no I/O and no Airflow."""

from self_hosted.ayon.api.answers import error_of
from self_hosted.ayon.api.ensure import IF_EXISTS, ensure_project
from self_hosted.ayon.api.projects import (
    create_project,
    creator,
    find_project,
    project,
    project_anatomy,
    project_users,
    projects,
    set_project_anatomy,
    set_project_user,
    update_project,
)
from self_hosted.ayon.api.studio import (
    access_groups,
    anatomy_preset,
    anatomy_presets,
    attributes,
    graphql,
    info,
    login,
    may_act_as,
    me,
    user,
)
from self_hosted.ayon.api.wanted import WantedProject

__all__ = [
    "IF_EXISTS",
    "WantedProject",
    "access_groups",
    "anatomy_preset",
    "anatomy_presets",
    "attributes",
    "create_project",
    "creator",
    "ensure_project",
    "error_of",
    "find_project",
    "graphql",
    "info",
    "login",
    "may_act_as",
    "me",
    "project",
    "project_anatomy",
    "project_users",
    "projects",
    "set_project_anatomy",
    "set_project_user",
    "update_project",
    "user",
]
