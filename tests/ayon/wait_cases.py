"""New objects on the fake server, and the case of each wait spec."""

from __future__ import annotations

import uuid
from typing import Any

from self_hosted.core.wait.key import WaitKey
from tests.conftest import Served
from tests.meta.wait_cases import WaitCase

UNKNOWN_ID = "0" * 32


def new_id() -> str:
    return uuid.uuid4().hex


def status_key(project: str, entity_type: str, entity_id: str, *statuses: str) -> str:
    return WaitKey(entity_id, (project, entity_type, *statuses)).to_text()


def operation_key(project: str, operation_id: str) -> str:
    return WaitKey(operation_id, (project,)).to_text()


def reviewable_key(project: str, version_id: str, *activity_ids: str) -> str:
    return WaitKey(version_id, (project, *activity_ids)).to_text()


def add_event(served: Served, **fields: Any) -> str:
    """Return the id of a new event."""
    event_id = new_id()
    served.seed({"events": [{"id": event_id, "topic": "studio.job", "status": "in_progress", **fields}]})
    return event_id


def add_project(served: Served, **fields: Any) -> str:
    """Return the name of a new project."""
    name = f"film_{new_id()[:8]}"
    served.seed({"projects": [{"name": name, "code": name, **fields}]})
    return name


def add_entity(served: Served, project: str = "", **fields: Any) -> tuple[str, str]:
    """Return project and id of a new folder; the project is new, too, unless it is given."""
    project, entity_id = project or add_project(served), new_id()
    entity = {"project": project, "type": "folder", "id": entity_id, "name": entity_id, **fields}
    served.seed({"entities": [entity]})
    return project, entity_id


def add_folder_status(served: Served, *desired: str, **fields: Any) -> str:
    """Return the key of the status of a new folder; the desired status is "Approved" by default."""
    project, entity_id = add_entity(served, **fields)
    return status_key(project, "folder", entity_id, *(desired or ("Approved",)))


def add_operation(served: Served, project: str = "", **fields: Any) -> str:
    """Return the key of a new background operation."""
    project, operation_id = project or add_project(served), new_id()
    served.seed({"operations": [{"project": project, "id": operation_id, **fields}]})
    return operation_key(project, operation_id)


def add_version(served: Served, project: str = "") -> tuple[str, str]:
    """Return project and id of a new version."""
    project, folder_id = add_entity(served, project)
    product_id = add_entity(served, project, type="product", folderId=folder_id)[1]
    return add_entity(served, project, type="version", productId=product_id, version=1)


def add_reviewable(served: Served, project: str = "", **fields: Any) -> str:
    """Return the key of a new version with one reviewable."""
    project, version_id = add_version(served, project)
    served.seed({"reviewables": [{"project": project, "version": version_id, **fields}]})
    return reviewable_key(project, version_id)


CASES = {
    "EVENT": WaitCase(
        finished=lambda served: add_event(served, status="finished"),
        running=add_event,
        unknown=UNKNOWN_ID,
    ),
    "ENTITY_STATUS": WaitCase(
        finished=lambda served: add_folder_status(served, status="Approved"),
        running=add_folder_status,
        unknown=status_key("no_such_film", "task", UNKNOWN_ID, "Approved", "On hold"),
    ),
    "BACKGROUND_OPERATION": WaitCase(
        finished=add_operation,
        running=lambda served: add_operation(served, duration_seconds=3600, total=100),
        unknown=operation_key("no_such_film", UNKNOWN_ID),
    ),
    "REVIEWABLE": WaitCase(
        finished=add_reviewable,
        running=lambda served: add_reviewable(served, availability="conversionRequired"),
        unknown=reviewable_key("no_such_film", UNKNOWN_ID),
    ),
}
