"""What can be asked of AYON, as flows by subject; no I/O and no Airflow."""

from self_hosted.ayon.api.answers import error_of
from self_hosted.ayon.api.creation import create_project, creator
from self_hosted.ayon.api.ensure import IF_EXISTS, ensure_project
from self_hosted.ayon.api.entities import ENTITY_TYPES, entity_statuses
from self_hosted.ayon.api.events import event, events
from self_hosted.ayon.api.forms import STATUS, check_form, check_id, check_project, key_of, parts_of
from self_hosted.ayon.api.operations import background_operation
from self_hosted.ayon.api.projects import (
    find_project,
    project,
    project_anatomy,
    project_url,
    project_users,
    projects,
    set_project_anatomy,
    set_project_user,
    update_project,
)
from self_hosted.ayon.api.reviewables import reviewables
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
    "ENTITY_TYPES",
    "IF_EXISTS",
    "STATUS",
    "WantedProject",
    "access_groups",
    "anatomy_preset",
    "anatomy_presets",
    "attributes",
    "background_operation",
    "check_form",
    "check_id",
    "check_project",
    "create_project",
    "creator",
    "ensure_project",
    "entity_statuses",
    "error_of",
    "event",
    "events",
    "find_project",
    "graphql",
    "info",
    "key_of",
    "login",
    "may_act_as",
    "me",
    "parts_of",
    "project",
    "project_anatomy",
    "project_url",
    "project_users",
    "projects",
    "reviewables",
    "set_project_anatomy",
    "set_project_user",
    "update_project",
    "user",
]
