"""What can be asked of AYON, as flows by subject; no I/O and no Airflow."""

from self_hosted.ayon.api.answers import error_of as error_of
from self_hosted.ayon.api.creation import create_project as create_project, creator as creator
from self_hosted.ayon.api.ensure import IF_EXISTS as IF_EXISTS, ensure_project as ensure_project
from self_hosted.ayon.api.entities import ENTITY_TYPES as ENTITY_TYPES, entity_statuses as entity_statuses
from self_hosted.ayon.api.events import event as event, events as events
from self_hosted.ayon.api.forms import (
    STATUS as STATUS,
    check_form as check_form,
    check_id as check_id,
    check_project as check_project,
    key_of as key_of,
    parts_of as parts_of,
)
from self_hosted.ayon.api.operations import background_operation as background_operation
from self_hosted.ayon.api.projects import (
    find_project as find_project,
    project as project,
    project_anatomy as project_anatomy,
    project_url as project_url,
    project_users as project_users,
    projects as projects,
    set_project_anatomy as set_project_anatomy,
    set_project_user as set_project_user,
    update_project as update_project,
)
from self_hosted.ayon.api.reviewables import reviewables as reviewables
from self_hosted.ayon.api.studio import (
    access_groups as access_groups,
    anatomy_preset as anatomy_preset,
    anatomy_presets as anatomy_presets,
    attributes as attributes,
    graphql as graphql,
    info as info,
    login as login,
    may_act_as as may_act_as,
    me as me,
    user as user,
)
from self_hosted.ayon.api.wanted import WantedProject as WantedProject
