"""The provision of a project as a DAG specifies it, created exactly once.

How a task recognizes its own project: the request that creates a project names its sender (``X-Sender``), and AYON
stores the sender in the event of the creation. Each task has a sender of its own, the same on all retries. After a lost
response, a lost race or the death of a worker, the event shows whether the task created the project. The values of the
project must be the desired ones, too.

AYON writes the project first and the event second, so that an outage may leave a project without an event. Then the
project is the task's own if it did not exist before, the response to its creation was lost, and it has the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from self_hosted.ayon.api import anatomy_presets
from self_hosted.ayon.api.projects import changes, comparison, creation, records
from self_hosted.ayon.api.projects.project_spec import ProjectSpec
from self_hosted.ayon.api.projects.reference_checks import require_free_names, require_known_references
from self_hosted.ayon.api.projects.types import ProvisionedProject
from self_hosted.core.arguments import check_id, parse_choice
from self_hosted.core.http.errors import ConflictError, NotFoundError, SelfHostedError
from self_hosted.core.http.flow import Flow, Pause
from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)

IF_EXISTS = ("fail", "skip", "update")


def ensure(project_spec: ProjectSpec, *, sender: str, if_exists: str = "fail") -> Flow[ProvisionedProject]:
    """Create a project, or use the existing one.

    :param project_spec: the desired project
    :param sender: identifies this piece of work, the same on every retry, such as "airflow.4f3c..."
    :param if_exists: "fail"; "skip": use the existing project unchanged; "update": change values that differ. A project
        that this sender created is used and completed in all three cases. If its values have been changed since, it is
        treated like that of another sender
    :raises ValueError: if the spec is invalid, or refers to attributes, users or groups that do not exist
    :raises ConflictError: if the project must not exist, exists in another spelling, or its code or label is taken
    """
    parse_choice("if_exists", if_exists, IF_EXISTS)
    check_id("sender", sender)
    project_spec = project_spec.parsed()
    existing, was_lost = (yield from records.find(project_spec.name)), False
    if existing is None:
        yield from require_known_references(project_spec)
        attempt = yield from creation.attempt_creation((yield from _build_body(project_spec)), sender)
        if attempt.error is None:
            log.info("Project %s: created, with code %s", project_spec.name, project_spec.code)
            yield from changes.apply_users(project_spec)
            return _describe_new(project_spec)
        # in a race, all requests but one get HTTP 500; so does a repetition after a lost response
        existing, was_lost = (yield from _find_created(project_spec, attempt.error)), attempt.was_lost
    return (yield from _use_existing(existing, project_spec, sender, if_exists, was_lost=was_lost))


def _describe_new(project_spec: ProjectSpec) -> ProvisionedProject:
    return {
        "name": project_spec.name,
        "code": project_spec.code,
        "library": bool(project_spec.library),
        "created": True,
        "updated": [],
    }


def _find_created(project_spec: ProjectSpec, error: SelfHostedError) -> Flow[dict[str, Any]]:
    """Return the project that exists after the error; the project and the event of its creation may be delayed."""
    found = None
    for delay in creation.RECHECK_DELAYS_SECONDS:
        found = yield from records.find(project_spec.name)
        if found and (yield from creation.get_creator(found["name"])):
            return found
        yield from require_free_names(project_spec)
        yield Pause(delay, reason=f"project {project_spec.name}: looking for its creation again in {delay:g} s")
    if found is None:
        raise error
    return found


def _use_existing(
    existing: dict[str, Any], project_spec: ProjectSpec, sender: str, if_exists: str, *, was_lost: bool
) -> Flow[ProvisionedProject]:
    creator = yield from creation.get_creator(existing["name"])
    may_be_own = creator == sender or (creator is None and was_lost)
    differences = (yield from comparison.find_differences(existing, project_spec)) if may_be_own else []
    is_own = may_be_own and not differences
    _require_usable(existing, project_spec, if_exists, is_own=is_own, differences=differences)
    result: ProvisionedProject = {
        "name": existing["name"],
        "code": existing["code"],
        "library": existing["library"],
        "created": is_own,
        "updated": [],
    }
    found = "found, an earlier try of this task created it" if is_own else f"it exists, and if_exists is {if_exists!r}"
    log.info("Project %s: %s", existing["name"], found)
    if if_exists == "update":
        yield from require_known_references(project_spec)
        result["created"] = is_own or creator == sender
        result["updated"] = yield from changes.apply(project_spec)
        result["code"] = project_spec.code
        result["library"] = result["library"] if project_spec.library is None else project_spec.library
    elif is_own:
        yield from changes.apply_users(project_spec)  # the only part that the creation does not include
    return result


def _build_body(project_spec: ProjectSpec) -> Flow[dict[str, Any]]:
    """Return the body of the creation: one request with all values, so that no incomplete project can remain."""
    anatomy = yield from _build_anatomy(project_spec)
    optional = {"label": project_spec.label, "color": project_spec.color, "anatomy": anatomy}
    return {
        "name": project_spec.name,
        "code": project_spec.code,
        "library": bool(project_spec.library),
        **{name: value for name, value in optional.items() if value is not None},
    }


def _build_anatomy(project_spec: ProjectSpec) -> Flow[dict[str, Any] | None]:
    """Return the anatomy to send; None leaves it to AYON."""
    anatomy = project_spec.anatomy
    if anatomy is None and (project_spec.anatomy_preset or project_spec.attributes):
        anatomy = yield from _get_preset(project_spec.anatomy_preset or anatomy_presets.PRIMARY)
    if anatomy is None:
        return None
    return {**anatomy, "attributes": {**anatomy.get("attributes", {}), **(project_spec.attributes or {})}}


def _get_preset(name: str) -> Flow[dict[str, Any]]:
    try:
        return (yield from anatomy_presets.get(name))
    except NotFoundError:
        existing = ", ".join((yield from anatomy_presets.list_names())) or "only __builtin__"
        raise ValueError(f"anatomy_preset: AYON has no preset {name!r}; it has {existing}") from None


def _require_usable(
    existing: dict[str, Any], project_spec: ProjectSpec, if_exists: str, *, is_own: bool, differences: Sequence[str]
) -> None:
    """Reject an existing project that differs from the desired one, or that must not exist."""
    subject = f"project {existing['name']!r} ({existing['code']}) already exists"
    if existing["name"] != project_spec.name:
        raise ConflictError(
            f"{subject}; project names are case-insensitive: use this spelling instead of {project_spec.name!r}"
        )
    if existing.get("skeleton"):
        raise ConflictError(f"{subject}, as a skeleton; complete or delete it in AYON first")
    if if_exists != "update" and existing["code"] != project_spec.code:
        raise ConflictError(f"{subject}, and its code is not {project_spec.code!r}")
    if if_exists == "fail" and differences:
        raise ConflictError(
            f"{subject}, with other values of {', '.join(differences)} than this task creates; to change them, set "
            "if_exists='update'"
        )
    if if_exists == "fail" and not is_own:
        raise ConflictError(f"{subject}, created by another task or user; to use it, set if_exists='skip' or 'update'")
