"""Things to wait for, put into the stand-in: for the tests of AYON's questions and for those of all questions."""

from __future__ import annotations

import uuid
from typing import Any

from tests.conftest import Served
from tests.meta.question_cases import Case

NOBODY = "0" * 32


def new_id() -> str:
    return uuid.uuid4().hex


def event(served: Served, **fields: Any) -> str:
    """The key of a new event."""
    event_id = new_id()
    served.seed({"events": [{"id": event_id, "topic": "studio.job", "status": "in_progress", **fields}]})
    return event_id


def project(served: Served, **fields: Any) -> str:
    """The name of a new project."""
    name = f"film_{new_id()[:8]}"
    served.seed({"projects": [{"name": name, "code": name, **fields}]})
    return name


def entity(served: Served, of: str = "", **fields: Any) -> tuple[str, str]:
    """Project and id of a new folder, in a new project unless told."""
    of, entity_id = of or project(served), new_id()
    served.seed({"entities": [{"project": of, "type": "folder", "id": entity_id, "name": entity_id, **fields}]})
    return of, entity_id


def status(served: Served, wanted: str = "Approved", **fields: Any) -> str:
    """The key of the wait for a new folder's status."""
    of, entity_id = entity(served, **fields)
    return f"{of}/folder/{entity_id}/{wanted}"


def operation(served: Served, of: str = "", **fields: Any) -> str:
    """The key of a new background operation."""
    of, operation_id = of or project(served), new_id()
    served.seed({"operations": [{"project": of, "id": operation_id, **fields}]})
    return f"{of}/{operation_id}"


def version(served: Served, of: str = "") -> tuple[str, str]:
    """Project and id of a new version."""
    of, folder_id = entity(served, of)
    product_id = entity(served, of, type="product", folderId=folder_id)[1]
    return entity(served, of, type="version", productId=product_id, version=1)


def reviewable(served: Served, of: str = "", **fields: Any) -> str:
    """The key of a new version with one reviewable."""
    of, version_id = version(served, of)
    served.seed({"reviewables": [{"project": of, "version": version_id, **fields}]})
    return f"{of}/{version_id}"


CASES = {
    "EVENT": Case(
        finished=lambda served: event(served, status="finished"),
        running=event,
        unknown=NOBODY,
    ),
    "ENTITY_STATUS": Case(
        finished=lambda served: status(served, status="Approved"),
        running=status,
        unknown=f"no_such_film/task/{NOBODY}/Approved|On hold",
    ),
    "BACKGROUND_OPERATION": Case(
        finished=operation,
        running=lambda served: operation(served, seconds=60, total=100),
        unknown=f"no_such_film/{NOBODY}",
    ),
    "REVIEWABLE": Case(
        finished=reviewable,
        running=lambda served: reviewable(served, availability="conversionRequired"),
        unknown=f"no_such_film/{NOBODY}",
    ),
}
