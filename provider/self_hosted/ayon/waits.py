"""The waits of AYON's sensors: how the state of many objects is queried with few requests."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from self_hosted.ayon.api import background_operations, entities, events, reviewables
from self_hosted.ayon.api.projects import records
from self_hosted.core.http.errors import NotFoundError, PermissionDeniedError
from self_hosted.core.http.flow import Flow
from self_hosted.core.wait.key import WaitKey
from self_hosted.core.wait.observation import MISSING, Observation
from self_hosted.core.wait.spec import WaitSpec

HOOK = "self_hosted.ayon.hook.AyonHook"
FINAL_EVENT_STATUSES = {"finished", "failed", "aborted"}  # not "restarted": such an event runs again
VIEWABLE_STATES = {"ready", "conversionRecommended"}
FAILED_CONVERSION_STATES = {"failed", "aborted"}
MAX_FAILED_OPERATIONS = 20  # in a result
# After the last operation, AYON refreshes views, which takes a quarter of the whole time. This takes minutes only for
# batches so long that their progress is above this limit by then.
MAX_STALLED_PROGRESS = 99.0
STALLED_OPERATION = (
    "its progress stands still: AYON was restarted, or the list of operations is malformed; unless it was sent with "
    "canFail, nothing was done"
)


def refresh_events(event_ids: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe events: one request for all, and one for each that lists do not show.

    :param event_ids: their ids
    """
    found = {event["id"]: _observe_event(event) for event in (yield from events.list_by_ids(event_ids))}
    for event_id in event_ids:
        if event_id not in found:
            found[event_id] = yield from _refresh_event(event_id)
    return found


def _refresh_event(event_id: str) -> Flow[Observation]:
    try:
        return _observe_event((yield from events.get(event_id)))
    except NotFoundError:
        return MISSING


def _observe_event(event: Mapping[str, Any]) -> Observation:
    details = {name: event[name] for name in ("topic", "project", "description", "summary")}
    return Observation(event["status"], event["status"] in FINAL_EVENT_STATUSES, details)


def refresh_entity_statuses(keys: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe the statuses of entities, with one request for all projects; missing entities are left out.

    :param keys: texts of `WaitKey`: the entity, its project, its type, and the desired statuses
    """
    wait_keys = {key: WaitKey.from_text(key) for key in keys}
    ids: dict[str, dict[str, list[str]]] = {}
    for entity_id, (project, entity_type, *_) in wait_keys.values():
        ids.setdefault(project, {}).setdefault(entity_type, []).append(entity_id)
    found = yield from entities.get_statuses(ids)
    observations = {}
    for key, (entity_id, (project, _, *desired)) in wait_keys.items():
        status = found.get(project, {}).get(entity_id)
        if status is not None:
            observations[key] = Observation(status, status in desired)
    return observations


def find_unknown_statuses(keys: Sequence[str]) -> Flow[Mapping[str, str]]:
    """Return why some waits cannot end: the project has none of the desired statuses.

    :param keys: as for `refresh_entity_statuses`
    """
    reasons = {}
    known: dict[str, list[str]] = {}
    for key in keys:
        project, _, *desired = WaitKey.from_text(key).condition
        if project not in known:
            known[project] = yield from _list_statuses(project)
        if known[project] and not set(known[project]) & set(desired):
            reasons[key] = f"project {project} has no status {_join(desired)}; it has {_join(known[project])}"
    return reasons


def _list_statuses(project: str) -> Flow[list[str]]:
    try:
        return [status["name"] for status in (yield from records.get(project))["statuses"]]
    except (PermissionDeniedError, NotFoundError):
        return []


def _join(names: Collection[str]) -> str:
    return ", ".join(map(repr, names))


def refresh_background_operations(keys: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe background operations, one by one: AYON has no endpoint for several.

    :param keys: texts of `WaitKey`: the operation, and its project
    """
    observations = {}
    for key in keys:
        operation_id, (project,) = WaitKey.from_text(key)
        try:
            observations[key] = _observe_operation((yield from background_operations.get(project, operation_id)))
        except NotFoundError:  # or 30 minutes without an update
            observations[key] = MISSING
    return observations


def _observe_operation(operation: Mapping[str, Any]) -> Observation:
    if operation["status"] != "completed":
        return Observation(operation["status"], done=False, progress=operation.get("progress"))
    result = operation["result"]
    failed = [background_operations.summarize_failure(part) for part in result["operations"] if not part["success"]]
    details = {
        "success": result["success"],
        "operations": len(result["operations"]),
        "failed": failed[:MAX_FAILED_OPERATIONS],
    }
    return Observation("completed", done=True, details=details)


def find_stalled_operations(keys: Sequence[str]) -> Flow[Mapping[str, str]]:
    """Return why background operations whose progress stands still will not proceed.

    :param keys: as for `refresh_background_operations`
    """
    observations = yield from refresh_background_operations(keys)
    stalled = (
        key
        for key, observation in observations.items()
        if not observation.done and (observation.progress or 0) < MAX_STALLED_PROGRESS
    )
    return dict.fromkeys(stalled, STALLED_OPERATION)


def refresh_reviewables(keys: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe the reviewables of versions; versions and activities that have none so far are left out.

    :param keys: texts of `WaitKey`: the version, its project, and, for one reviewable, its activity
    """
    found: dict[tuple[str, str], list[reviewables.Reviewable] | None] = {}
    observations = {}
    for key in keys:
        version_id, (project, *activity_ids) = WaitKey.from_text(key)
        if (project, version_id) not in found:
            found[project, version_id] = yield from _list_reviewables(project, version_id)
        of_version = found[project, version_id]
        awaited = [item for item in of_version or [] if not activity_ids or item["activity_id"] in activity_ids]
        if of_version is None or awaited:
            observations[key] = MISSING if of_version is None else _observe_reviewables(awaited)
    return observations


def _list_reviewables(project: str, version_id: str) -> Flow[list[reviewables.Reviewable] | None]:
    try:
        return [reviewables.summarize(item) for item in (yield from reviewables.list_all(project, version_id))]
    except NotFoundError:
        return None


def _observe_reviewables(awaited: Sequence[reviewables.Reviewable]) -> Observation:
    details = {"reviewables": awaited}
    states = [item["state"] for item in awaited]
    failed = [state for state in states if state in FAILED_CONVERSION_STATES]
    unfinished = [state for state in states if state not in VIEWABLE_STATES]
    if failed:
        return Observation(failed[0], done=True, details=details)
    if unfinished:
        return Observation(unfinished[0], done=False, details=details)
    return Observation("ready", done=True, details=details)


EVENT = WaitSpec(hook_class=HOOK, label="event", refresh=refresh_events, batch_size=500)

ENTITY_STATUS = WaitSpec(
    hook_class=HOOK,
    label="status of entity",
    refresh=refresh_entity_statuses,
    stall_reasons=find_unknown_statuses,
    batch_size=200,
)

BACKGROUND_OPERATION = WaitSpec(
    hook_class=HOOK,
    label="background operation",
    refresh=refresh_background_operations,
    stall_reasons=find_stalled_operations,
    stall_after=120,
)

REVIEWABLE = WaitSpec(hook_class=HOOK, label="reviewables of version", refresh=refresh_reviewables)
