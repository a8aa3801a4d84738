"""Tests of ayon/waits.py: observations, and the few requests that they need."""

from __future__ import annotations

import json
import time
from typing import Any, cast

import pytest
import requests

from self_hosted.ayon import waits
from self_hosted.ayon.hook import AyonHook
from self_hosted.ayon.waits import BACKGROUND_OPERATION, ENTITY_STATUS, EVENT, REVIEWABLE
from self_hosted.core.http.errors import NotFoundError, PermissionDeniedError, WaitTimeoutError
from self_hosted.core.http.flow import Flow, Reply, Request, pipeline
from self_hosted.core.wait.key import WaitKey
from self_hosted.core.wait.loop import poll
from self_hosted.core.wait.observation import MISSING, Observation
from self_hosted.core.wait.pending import PendingWait
from self_hosted.core.wait.spec import WaitSpec
from self_hosted.sandbox.ayon import PASSWORD, Ayon
from tests.ayon.conftest import simulate_flow
from tests.ayon.wait_cases import (
    CASES,
    UNKNOWN_ID,
    add_entity,
    add_event,
    add_folder_status,
    add_operation,
    add_project,
    add_reviewable,
    add_version,
    new_id,
    operation_key,
    reviewable_key,
    status_key,
)
from tests.conftest import Served

every_spec = pytest.mark.parametrize("name", CASES)


@pytest.fixture
def artist(served, connect) -> AyonHook:
    """A hook as a user who sees only some projects."""
    credential = {"login": "anna", "password": PASSWORD, "extra": {"api_key": None}}
    return AyonHook(connect("ayon_artist", served.connection(**credential)))


def wait_spec(name: str) -> WaitSpec:
    return getattr(waits, name)  # type: ignore[no-any-return]


def count_requests(served: Served) -> int:
    counts = requests.get(f"{served.url}/_control/counts", timeout=60).json()
    return int(counts["requests"].get("ayon", 0))


def observe(hook: AyonHook, spec: WaitSpec, *keys: str) -> list[Any]:
    """Return the observation of each key, or None."""
    observations = hook.run(spec.refresh(keys))
    assert set(observations) <= set(keys)
    return [observations.get(key) for key in keys]


def find_stall_reasons(hook: AyonHook, spec: WaitSpec, *keys: str) -> Any:
    assert spec.stall_reasons
    return hook.run(spec.stall_reasons(keys))


def create_waits(*keys: str) -> list[PendingWait]:
    return [PendingWait(key, time.time() + 60, poll_interval=0.02) for key in keys]


# All wait specs


@every_spec
def test_without_keys_nothing_is_requested(served, hook, name):
    assert hook.run(wait_spec(name).refresh([])) == {}
    assert count_requests(served) == 0


@every_spec
def test_finished_and_running_objects_are_distinguished(served, hook, name):
    case = CASES[name]
    keys = [case.finished(served), case.running(served), case.finished(served)]
    assert [bool(found and found.done) for found in observe(hook, wait_spec(name), *keys)] == [True, False, True]


@every_spec
def test_details_are_small_and_plain(served, hook, name):
    [observation] = observe(hook, wait_spec(name), CASES[name].finished(served))
    assert len(json.dumps(observation.details)) < 1000


@every_spec
def test_an_unknown_object_does_not_affect_others(served, hook, name):
    case = CASES[name]
    finished, unknown = observe(hook, wait_spec(name), case.finished(served), case.unknown)
    assert finished.done
    assert unknown in (None, MISSING)


class DeleteAfterReply:
    """Middleware that deletes an object after the first reply.

    :param served: the fake server
    :param key: the key of the object
    """

    def __init__(self, served: Served, key: str) -> None:
        self.state, self.object_id = cast("Ayon", served.product).state, WaitKey.describe(key)

    def send(self, request: Request) -> Flow[Reply]:
        reply = yield request
        self.state.events[:] = [event for event in self.state.events if event["id"] != self.object_id]
        self.state.background_operations.pop(self.object_id, None)
        for project in self.state.projects.values():
            project["entities"].pop(self.object_id, None)
        return reply


@every_spec
def test_an_object_that_is_deleted_during_the_wait_is_not_found(served, hook, name):
    key = CASES[name].running(served)
    [pending] = create_waits(key)
    hook.run(pipeline(poll(wait_spec(name), {pending}), [DeleteAfterReply(served, key)]))
    with pytest.raises(NotFoundError, match="does not exist"):
        pending.outcome(wait_spec(name))


# Events


def test_many_events_need_one_request(served, hook):
    keys = [add_event(served) for _ in range(60)]
    before = count_requests(served)
    hook.run(EVENT.refresh(keys))
    assert count_requests(served) - before == 1


@pytest.mark.parametrize(
    ("status", "done"),
    [
        ("pending", False),
        ("in_progress", False),
        ("restarted", False),
        ("finished", True),
        ("failed", True),
        ("aborted", True),
    ],
)
def test_the_status_of_an_event_ends_the_wait(served, hook, status, done):
    key = add_event(served, status=status, description="text", summary={"frames": 7})
    details = {"topic": "studio.job", "project": None, "description": "text", "summary": {"frames": 7}}
    assert observe(hook, EVENT, key) == [Observation(status, done, details)]


def test_an_event_that_lists_do_not_show_is_read_by_its_id():
    event: dict[str, Any] = {
        "id": "1",
        "topic": "log.error",
        "project": None,
        "status": "finished",
        "description": "",
        "summary": {},
    }

    def respond(request: Request) -> Any:
        if request.path == "/graphql":
            return {"data": {"events": {"edges": []}}}
        return event if request.path == "/api/events/1" else NotFoundError("Event not found")

    observations, steps = simulate_flow(EVENT.refresh(["1", "2"]), respond)
    assert (observations["1"].state, observations["2"]) == ("finished", MISSING)
    assert len(steps) == 3


# Statuses of entities


def test_statuses_of_all_types_and_projects_need_one_request(served, hook):
    project, folder = add_entity(served, status="Approved")
    _, task = add_entity(served, project, type="task", folderId=folder)
    _, product = add_entity(served, project, type="product", folderId=folder)
    _, version = add_entity(served, project, type="version", productId=product, version=1)
    _, file = add_entity(served, project, type="representation", versionId=version)
    _, scene = add_entity(served, project, type="workfile", taskId=task, path="/a.ma")
    entities = {"folder": folder, "task": task, "product": product, "version": version}
    entities |= {"representation": file, "workfile": scene}
    keys = [status_key(project, kind, entity_id, "Approved") for kind, entity_id in entities.items()]
    others = [add_folder_status(served), add_folder_status(served, status="In progress")]
    before = count_requests(served)
    observations = observe(hook, ENTITY_STATUS, *keys, *others, CASES["ENTITY_STATUS"].unknown)
    assert count_requests(served) - before == 1
    states = [found and found.state for found in observations]
    assert states == ["Approved", *["Not ready"] * 5, "Not ready", "In progress", None]


def test_waits_for_one_entity_may_have_different_statuses(served, hook):
    project, folder = add_entity(served, status="In progress")
    desired = (("Approved", "In progress"), ("Approved",), ("in progress",))
    keys = [status_key(project, "folder", folder, *statuses) for statuses in desired]
    assert [found.done for found in observe(hook, ENTITY_STATUS, *keys)] == [True, False, False]


def test_an_entity_of_another_type_is_not_found(served, hook):
    project, folder = add_entity(served)
    assert observe(hook, ENTITY_STATUS, status_key(project, "task", folder, "Not ready")) == [None]


def test_a_project_with_a_similar_name_is_not_found(served, hook):
    served.seed({"projects": [{"name": "a1b", "code": "a1b"}]})
    _, folder = add_entity(served, "a1b")
    similar, upper = (status_key(name, "folder", folder, "Not ready") for name in ("a_b", "A1B"))
    assert observe(hook, ENTITY_STATUS, similar) == [None]
    assert observe(hook, ENTITY_STATUS, upper)[0].done


def test_an_invisible_project_does_not_affect_others(served, artist):
    visible, invisible = add_project(served), add_project(served, assignUsers=False)
    keys = [add_folder_status(served, "Not ready", project=project) for project in (visible, invisible)]
    assert [bool(found) for found in observe(artist, ENTITY_STATUS, *keys)] == [True, False]


def test_a_status_that_the_project_does_not_have_is_a_stall_reason(served, hook):
    misspelled, valid = add_folder_status(served, "Aproved"), add_folder_status(served, "Aproved", "Approved")
    project = WaitKey.from_text(misspelled).condition[0]
    of_the_same_project = status_key(project, "task", UNKNOWN_ID, "Approved")
    unknown = CASES["ENTITY_STATUS"].unknown
    assert find_stall_reasons(hook, ENTITY_STATUS, misspelled, of_the_same_project, valid, unknown) == {
        misspelled: f"project {project} has no status 'Aproved'; it has 'Not ready', 'In progress', 'Approved'",
    }


def test_a_wait_continues_without_the_permission_to_read_the_statuses_of_the_project(served, artist):
    invisible = add_project(served, assignUsers=False)
    key = status_key(invisible, "task", UNKNOWN_ID, "Aproved")
    assert find_stall_reasons(artist, ENTITY_STATUS, key) == {}


def test_a_wait_for_a_misspelled_status_ends_with_the_reason(served, hook):
    [pending] = create_waits(add_folder_status(served, "Aproved"))
    impatient = ENTITY_STATUS._replace(stall_after=0)
    hook.run(poll(impatient, {pending}))
    message = r"has no status 'Aproved'; it has .*: gave up .* waiting for status of entity .*'Not ready'"
    with pytest.raises(WaitTimeoutError, match=message):
        pending.outcome(impatient)


# Background operations


def test_the_progress_of_an_operation_is_observed(served, hook):
    key = add_operation(served, duration_seconds=60, total=200, stuck=19.75)
    assert observe(hook, BACKGROUND_OPERATION, key) == [Observation("in_progress", done=False, progress=19.75)]


def test_failed_operations_are_limited_in_number_and_length(served, hook):
    part = {"type": "create", "entityType": "task", "entityId": None, "success": False, "status": 409}
    failed = [{**part, "id": str(number), "detail": "x" * 1000} for number in range(30)]
    result = {"success": False, "operations": [*failed, {**part, "id": "ok", "success": True, "detail": None}]}
    [observation] = observe(hook, BACKGROUND_OPERATION, add_operation(served, result=result))
    details = observation.details
    assert (details["success"], details["operations"], len(details["failed"])) == (False, 31, 20)
    first = {"id": "0", "type": "create", "entity_type": "task", "status": 409, "detail": "x" * 300}
    assert details["failed"][0] == first


def test_an_expired_operation_is_missing(served, hook):
    assert observe(hook, BACKGROUND_OPERATION, add_operation(served, retention_seconds=-1)) == [MISSING]


@pytest.mark.parametrize(
    ("stuck", "is_stalled"),
    [("pending", True), (0.0, True), (19.75, True), (98.9, True), (99.5, False), (None, False)],
)
def test_an_operation_without_progress_is_stalled_unless_it_is_almost_complete(served, hook, stuck, is_stalled):
    key = add_operation(served, stuck=stuck)
    reasons = find_stall_reasons(hook, BACKGROUND_OPERATION, key)
    assert reasons == ({key: waits.STALLED_OPERATION} if is_stalled else {})


def test_an_expired_operation_is_not_stalled(hook):
    assert find_stall_reasons(hook, BACKGROUND_OPERATION, operation_key("film", UNKNOWN_ID)) == {}


# Reviewables


@pytest.mark.parametrize(
    ("fields", "state", "done"),
    [
        ({"availability": "ready"}, "ready", True),
        ({"availability": "conversionRecommended"}, "ready", True),
        ({"availability": "conversionRequired"}, "conversionRequired", False),
        ({"availability": "unknown"}, "unknown", False),
        ({"availability": "conversionRequired", "processing": "enqueued"}, "enqueued", False),
        ({"availability": "conversionRecommended", "processing": "in_progress"}, "in_progress", False),
        ({"availability": "conversionRequired", "processing": "finished"}, "ready", True),
        ({"availability": "conversionRequired", "processing": "failed"}, "failed", True),
        ({"availability": "conversionRequired", "processing": "aborted"}, "aborted", True),
    ],
)
def test_a_reviewable_is_ready_if_no_conversion_is_pending(served, hook, fields, state, done):
    if "processing" in fields:
        fields = {**fields, "processing": {"eventId": None, "status": fields["processing"], "description": "text"}}
    [observation] = observe(hook, REVIEWABLE, add_reviewable(served, **fields))
    assert (observation.state, observation.done) == (state, done)


def test_a_wait_is_for_all_reviewables_of_a_version_or_for_one(served, hook):
    project, version = add_version(served)
    ready, unconverted = new_id(), new_id()
    parent = {"project": project, "version": version}
    served.seed({"reviewables": [{**parent, "activityId": ready, "label": "first"}]})
    served.seed({"reviewables": [{**parent, "activityId": unconverted, "availability": "conversionRequired"}]})
    keys = [reviewable_key(project, version, *ids) for ids in ([], [ready], [unconverted], [UNKNOWN_ID])]
    before = count_requests(served)
    observations = observe(hook, REVIEWABLE, *keys)
    assert count_requests(served) - before == 1
    assert [found and found.done for found in observations] == [False, True, False, None]
    assert len(observations[0].details["reviewables"]) == 2
    [reviewable] = observations[1].details["reviewables"]
    assert reviewable.pop("file_id")
    assert reviewable == {
        "activity_id": ready,
        "filename": "review.png",
        "label": "first",
        "state": "ready",
        "description": None,
    }


def test_a_version_without_reviewables_is_waited_for_but_not_a_missing_version(served, hook):
    project, version = add_version(served)
    keys = [reviewable_key(project, version_id) for version_id in (version, UNKNOWN_ID)]
    assert observe(hook, REVIEWABLE, *keys) == [None, MISSING]


@pytest.mark.parametrize("name", ["REVIEWABLE", "BACKGROUND_OPERATION"])
def test_a_missing_permission_for_one_project_does_not_affect_others(served, artist, name):
    add = {"REVIEWABLE": add_reviewable, "BACKGROUND_OPERATION": add_operation}[name]
    visible, invisible = add_project(served), add_project(served, assignUsers=False)
    good, bad = create_waits(add(served, visible), add(served, invisible))
    artist.run(poll(wait_spec(name), {good, bad}))
    assert good.outcome(wait_spec(name)).done
    with pytest.raises(PermissionDeniedError):
        bad.outcome(wait_spec(name))
