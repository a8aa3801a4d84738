"""The contract of AYON's API: valid for the fake server and, with --live, for a real one; with requests and httpx."""

from __future__ import annotations

import contextlib
import io
import struct
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from self_hosted.ayon.api import background_operations, entities, events, graphql, reviewables, studio, users
from self_hosted.ayon.api.projects import creation, provision, records
from self_hosted.ayon.api.projects.project_spec import ProjectSpec
from self_hosted.ayon.hook import AyonHook
from self_hosted.ayon.waits import BACKGROUND_OPERATION, ENTITY_STATUS, EVENT, REVIEWABLE
from self_hosted.core.http.errors import ConflictError, InvalidRequestError, NotFoundError, ServerError
from self_hosted.core.http.flow import Flow, Request, Upload
from self_hosted.core.wait.observation import MISSING, Observation
from self_hosted.core.wait.spec import WaitSpec
from tests.ayon.wait_cases import UNKNOWN_ID, new_id, operation_key, reviewable_key, status_key

MAX_SECONDS = 60.0  # for a background operation on a busy machine


@pytest.fixture
def live(server) -> AyonHook:
    """A hook on the server; its user must be a manager."""
    return AyonHook(server)


@pytest.fixture
def specify(live, unique):
    """Create specs of a project that is deleted after the test: ``specify(label="...")``."""

    def create_spec(**values: Any) -> ProjectSpec:
        return ProjectSpec(**{"name": unique, "code": unique[-10:], **values})

    yield create_spec
    with contextlib.suppress(NotFoundError):
        live.run(delete(unique))


def delete(name: str) -> Flow[None]:
    yield Request("DELETE", f"/api/projects/{name}")


def ensure(project_spec: ProjectSpec, sender: str = "airflow.one", **arguments: Any) -> Flow[Any]:
    return provision.ensure(project_spec, sender=sender, **arguments)


def test_the_credential_is_accepted(live, run_flow):
    assert run_flow(live, live.verify_credentials()).startswith("Signed in to AYON 1.")


def test_a_project_is_created_once_and_recognized(live, run_flow, specify):
    first = run_flow(live, ensure(specify(label=None, library=True)))
    assert (first["created"], first["library"]) == (True, True)
    assert run_flow(live, ensure(specify())) == first
    with pytest.raises(ConflictError, match="created by another"):
        run_flow(live, ensure(specify(), sender="airflow.two"))
    assert run_flow(live, ensure(specify(), sender="airflow.two", if_exists="skip"))["created"] is False


def test_the_creator_of_a_project_is_its_sender(live, run_flow, specify, unique):
    body = {"name": unique, "code": unique[-10:]}
    run_flow(live, creation.create(body, sender="airflow.one"))
    with pytest.raises((ConflictError, ServerError)):
        run_flow(live, creation.create(body, sender="airflow.one"))
    assert run_flow(live, creation.get_creator(unique)) == "airflow.one"


def test_one_of_several_concurrent_requests_creates_the_project(live, specify):
    senders = [f"airflow.racer{index}" for index in range(4)]
    with ThreadPoolExecutor(4) as pool:
        flows = [ensure(specify(), sender=sender, if_exists="skip") for sender in senders]
        results = list(pool.map(live.run, flows))
    assert sorted(result["created"] for result in results) == [False, False, False, True]


def test_a_new_project_has_its_attributes(live, run_flow, specify, unique):
    run_flow(live, ensure(specify(attributes={"fps": 24, "startDate": "2026-01-31T10:00:00Z"})))
    attrib = run_flow(live, records.get(unique))["attrib"]
    assert (attrib["fps"], attrib["frameStart"]) == (24, 1001)
    equal = specify(attributes={"fps": 24, "startDate": "2026-01-31T10:00:00+00:00"})
    assert run_flow(live, ensure(equal, sender="airflow.two", if_exists="update"))["updated"] == []


def test_an_update_changes_the_values_that_differ(live, run_flow, specify, unique):
    run_flow(live, ensure(specify()))
    groups = run_flow(live, studio.list_access_groups())[:1]
    user = run_flow(live, users.get_current())["name"]
    tags = {"tags": [{"name": "hero"}]}
    change = specify(label=f"{unique} x", color="#123456", attributes={"fps": 12}, anatomy=tags, users={user: groups})
    changed = ["label", "color", "attributes.fps", "anatomy.tags", f"users.{user}"]
    assert run_flow(live, ensure(change, sender="airflow.two", if_exists="update"))["updated"] == changed
    assert run_flow(live, ensure(change, sender="airflow.two", if_exists="update"))["updated"] == []
    project = run_flow(live, records.get(unique))
    assert (project["attrib"]["fps"], project["attrib"]["frameEnd"], len(project["tags"])) == (12, 1001, 1)


def test_names_and_codes_are_case_insensitive(live, run_flow, specify, unique):
    run_flow(live, ensure(specify()))
    with pytest.raises(ConflictError, match="project names are case-insensitive"):
        run_flow(live, ensure(specify(name=unique.upper()), sender="airflow.two"))
    with pytest.raises(ConflictError, match=f"belongs to another project, '{unique}'"):
        run_flow(live, ensure(specify(name=f"{unique}_b", code=unique[-10:].upper()), sender="airflow.two"))


def test_a_label_of_another_project_is_rejected_with_its_name(live, run_flow, specify, unique):
    run_flow(live, ensure(specify(label=f"{unique} x")))
    with pytest.raises(ConflictError, match=f"belongs to another project, '{unique}'"):
        run_flow(
            live, ensure(specify(name=f"{unique}_b", code=f"{unique[-9:]}b", label=f"{unique} X"), sender="airflow.two")
        )


def test_unknown_references_are_rejected_before_any_write(live, run_flow, specify, unique):
    unknown: list[dict[str, Any]] = [
        {"attributes": {"nope": 1}},
        {"anatomy_preset": "no such preset"},
        {"users": {"no.such": []}},
    ]
    for arguments in unknown:
        with pytest.raises(ValueError, match="no"):
            run_flow(live, ensure(specify(**arguments)))
    with pytest.raises(InvalidRequestError, match="fps"):
        run_flow(live, ensure(specify(attributes={"fps": "many"})))
    assert run_flow(live, records.find(unique)) is None


@pytest.mark.parametrize(
    ("body", "error_class"),
    [
        ({"name": "bad-name", "code": "badname"}, ServerError),
        ({"name": "badcode", "code": "b-c"}, ServerError),
        ({"name": "badlabel", "code": "badlabel", "label": "it's"}, ServerError),
        ({"name": "nocode"}, InvalidRequestError),
        ({"name": "badcolor", "code": "badcolor", "color": "red"}, InvalidRequestError),
        ({"name": "badanatomy", "code": "badanatomy", "anatomy": {"tags": {}}}, InvalidRequestError),
        ({"name": "notypes", "code": "notypes", "anatomy": {"folder_types": []}}, ServerError),
        ({"name": "nopreset", "code": "nopreset", "anatomyPreset": "no such preset"}, NotFoundError),
    ],
)
def test_the_server_rejects_invalid_projects_with_misleading_errors(live, run_flow, body, error_class):
    with pytest.raises(error_class):
        run_flow(live, creation.create(body))


def test_an_underscore_in_a_search_matches_any_character(live, run_flow, specify, unique):
    run_flow(live, ensure(specify()))
    pattern = "_" * 8 + unique[8:]
    assert [project["name"] for project in run_flow(live, records.list_all(name=pattern))] == [unique]
    assert run_flow(live, records.find(pattern)) is None


def test_access_groups_are_set_and_removed_and_unknown_ones_are_ignored(live, run_flow, specify, unique):
    run_flow(live, ensure(specify()))
    user, group = run_flow(live, users.get_current())["name"], run_flow(live, studio.list_access_groups())[0]
    for groups, access in (([group], [group]), (["no_such_group"], None), ([group], [group]), ([], None)):
        run_flow(live, records.set_user(unique, user, groups))
        assert run_flow(live, records.get_users(unique)).get(user) == access
    with pytest.raises(NotFoundError):
        run_flow(live, records.set_user(unique, "no.such.user", [group]))


def test_a_partial_anatomy_resets_the_rest(live, run_flow, specify, unique):
    run_flow(live, ensure(specify(attributes={"fps": 12})))
    run_flow(live, records.set_anatomy(unique, {"tags": [{"name": "hero"}]}))
    anatomy: dict[str, Any] = run_flow(live, records.get_anatomy(unique))
    assert (anatomy["attributes"]["fps"], [tag["name"] for tag in anatomy["tags"]]) == (25, ["hero"])


@pytest.mark.parametrize(
    ("path", "error_class"),
    [
        ("/api/no/such", NotFoundError),
        ("/api/projects/no_such_project", NotFoundError),
        ("/api/users/no.such", NotFoundError),
    ],
)
def test_missing_objects_are_not_found(live, run_flow: Callable[..., Any], path, error_class):
    def get() -> Flow[Any]:
        return (yield Request("GET", path))

    with pytest.raises(error_class):
        run_flow(live, get())


def test_graphql_errors_are_errors(live, run_flow):
    with pytest.raises(InvalidRequestError):
        run_flow(live, graphql.query("{ nope }", {}))


def send(method: str, path: str, body: Any) -> Flow[Any]:
    """Send a request to an endpoint without a flow and return the body of the response, if there is one."""
    reply = yield Request(method, path, json=body)
    return reply.json() if reply.body else None


def observe(run_flow, hook: AyonHook, wait_spec: WaitSpec, key: str) -> Any:
    return run_flow(hook, wait_spec.refresh([key])).get(key)


def find_stall_reason(run_flow, hook: AyonHook, wait_spec: WaitSpec, key: str) -> Any:
    """Return why the object cannot proceed, or None."""
    assert wait_spec.stall_reasons
    return run_flow(hook, wait_spec.stall_reasons([key])).get(key)


def observe_when_done(run_flow, hook: AyonHook, wait_spec: WaitSpec, key: str) -> Any:
    """Return the observation of an object as soon as it is done."""
    deadline = time.monotonic() + MAX_SECONDS
    while time.monotonic() < deadline:
        observation = observe(run_flow, hook, wait_spec, key)
        if observation and observation.done:
            return observation
        time.sleep(0.05)
    raise AssertionError(f"{key} is not done")


@pytest.fixture
def film(live, specify, unique):
    """An empty project."""
    live.run(ensure(specify()))
    return unique


@pytest.fixture
def add(live, film) -> Callable[..., Any]:
    """Add an entity to the project and return its id: ``add("folder", name="assets")``."""

    def add_entity(kind: str, **fields: Any) -> Any:
        return live.run(send("POST", f"/api/projects/{film}/{kind}s", {"id": new_id(), **fields}))["id"]

    return add_entity


@pytest.fixture
def folder(add):
    return add("folder", name="assets", folderType="Folder")


@pytest.fixture
def version(add, folder):
    product = add("product", name="render", folderId=folder, productType="render")
    return add("version", version=1, productId=product)


def test_the_default_sender_of_a_creation_is_that_of_the_connection_with_a_random_word(live, run_flow, specify, unique):
    project_spec = specify()
    run_flow(live, creation.create({"name": project_spec.name, "code": project_spec.code}))
    sender, _, word = str(run_flow(live, creation.get_creator(unique))).rpartition(".")
    assert (sender, len(word)) == (live.sender, 32)


def test_an_event_is_observed_until_its_end(live, run_flow, film):
    body = {"topic": "airflow.test", "project": film, "finished": False, "summary": {"frames": 7}}
    key = run_flow(live, send("POST", "/api/events", body))["id"]
    details = {"topic": "airflow.test", "project": film, "description": "", "summary": {"frames": 7}}
    assert observe(run_flow, live, EVENT, key) == Observation("pending", done=False, details=details)
    for status, done in (("in_progress", False), ("restarted", False), ("failed", True), ("finished", True)):
        run_flow(live, send("PATCH", f"/api/events/{key}", {"status": status, "description": status}))
        assert observe(run_flow, live, EVENT, key) == Observation(status, done, {**details, "description": status})
    event = run_flow(live, events.get(key))
    assert {name: event[name] for name in details} == {**details, "description": "finished"}


def test_an_event_is_stored_once(live, run_flow, film, unique):
    values: dict[str, Any] = {"description": "3 shots", "project": film, "summary": {"shots": 3}}
    event_id = run_flow(live, events.dispatch("airflow.test", unique, **values))
    event = run_flow(live, events.get(event_id))
    assert {name: event[name] for name in ("topic", "status", *values)} == {
        "topic": "airflow.test",
        "status": "finished",
        **values,
    }
    assert run_flow(live, events.dispatch("airflow.test", unique, **values)) is None


def test_an_unknown_event_is_missing(live, run_flow):
    assert observe(run_flow, live, EVENT, UNKNOWN_ID) == MISSING
    assert run_flow(live, events.list_by_ids([UNKNOWN_ID])) == []
    with pytest.raises(NotFoundError, match="Event not found"):
        run_flow(live, events.get(UNKNOWN_ID))


@pytest.mark.parametrize("event_id", ["A" * 32, "12345678-1234-1234-1234-123456789012"])
def test_a_malformed_event_id_is_rejected(live, run_flow, event_id):
    with pytest.raises(InvalidRequestError):
        run_flow(live, events.get(event_id))


def test_statuses_are_read_across_types_and_projects(live, run_flow, film, add, folder):
    task = add("task", name="modeling", taskType="Generic", folderId=folder)
    ids = {film: {"folder": [folder], "task": [task, UNKNOWN_ID]}, "no_such_project": {"task": [task]}}
    assert run_flow(live, entities.get_statuses(ids)) == {film: {folder: "Not ready", task: "Not ready"}}
    key = status_key(film, "task", task, "Approved", "In progress")
    assert observe(run_flow, live, ENTITY_STATUS, key) == Observation("Not ready", done=False)
    run_flow(live, send("PATCH", f"/api/projects/{film}/tasks/{task}", {"status": "In progress"}))
    assert observe(run_flow, live, ENTITY_STATUS, key) == Observation("In progress", done=True)
    run_flow(live, delete(f"{film}/tasks/{task}"))
    assert observe(run_flow, live, ENTITY_STATUS, key) is None


def test_a_status_that_the_project_does_not_have_is_rejected_and_a_stall_reason(live, run_flow, film, folder):
    with pytest.raises(InvalidRequestError, match="is not present in table"):
        run_flow(live, send("PATCH", f"/api/projects/{film}/folders/{folder}", {"status": "Aproved"}))
    key = status_key(film, "folder", folder, "Aproved")
    reason = find_stall_reason(run_flow, live, ENTITY_STATUS, key)
    assert reason.startswith(f"project {film} has no status 'Aproved'; it has 'Not ready', ")


def test_an_id_in_upper_case_is_stored_before_it_is_rejected(live, run_flow, film, add):
    with pytest.raises(ServerError):
        add("folder", id=new_id()[:31] + "A", name="assets", folderType="Folder")
    with pytest.raises(ConflictError, match="already exists"):
        add("folder", name="assets", folderType="Folder")


def test_background_operations_are_observed_until_their_end(live, run_flow, film):
    folder = {"type": "create", "entityType": "folder", "entityId": new_id()}
    body = {"operations": [{**folder, "data": {"name": "assets", "folderType": "Folder"}}]}
    path = f"/api/projects/{film}/operations/background"
    first, second = [
        observe_when_done(
            run_flow, live, BACKGROUND_OPERATION, operation_key(film, run_flow(live, send("POST", path, body))["id"])
        )
        for _ in range(2)
    ]
    assert first == Observation("completed", done=True, details={"success": True, "operations": 1, "failed": []})
    [failed] = second.details["failed"]
    assert (second.details["success"], failed["type"], failed["entity_type"], failed["status"]) == (
        False,
        "create",
        "folder",
        409,
    )
    assert "already exists" in failed["detail"]


def test_operations_before_a_failed_one_are_reported_as_successful_and_rolled_back(live, run_flow, film):
    ids = [new_id(), new_id()]
    operations = [
        {"type": "create", "entityType": "folder", "entityId": entity_id, "data": {"name": "a", "folderType": "Folder"}}
        for entity_id in ids
    ]
    path = f"/api/projects/{film}/operations/background"
    key = operation_key(film, run_flow(live, send("POST", path, {"operations": operations}))["id"])
    details = observe_when_done(run_flow, live, BACKGROUND_OPERATION, key).details
    assert (details["success"], details["operations"], len(details["failed"])) == (False, 2, 1)
    assert run_flow(live, entities.get_statuses({film: {"folder": ids}})) == {film: {}}


def test_a_malformed_list_of_operations_is_accepted_and_stalled(live, run_flow, film):
    body = {"operations": [{"type": "update", "entityType": "folder", "data": {}}]}
    key = operation_key(film, run_flow(live, send("POST", f"/api/projects/{film}/operations/background", body))["id"])
    deadline = time.monotonic() + MAX_SECONDS
    while observe(run_flow, live, BACKGROUND_OPERATION, key).state == "pending":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert observe(run_flow, live, BACKGROUND_OPERATION, key) == Observation("in_progress", done=False, progress=0.0)
    assert "stands still" in find_stall_reason(run_flow, live, BACKGROUND_OPERATION, key)


def test_an_unknown_background_operation_is_missing(live, run_flow, film):
    assert observe(run_flow, live, BACKGROUND_OPERATION, operation_key(film, UNKNOWN_ID)) == MISSING
    assert observe(run_flow, live, BACKGROUND_OPERATION, operation_key("no_such_project", UNKNOWN_ID)) == MISSING
    with pytest.raises(NotFoundError):
        run_flow(live, background_operations.get(film, UNKNOWN_ID))


def create_png() -> bytes:
    """Return an image of 16 x 16 black pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    body = zlib.compress((b"\0" + b"\0" * 48) * 16)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def upload_reviewable(film: str, version: str) -> Flow[Any]:
    upload = Upload("review.png", lambda: io.BytesIO(create_png()), len(create_png()), "image/png")
    path = f"/api/projects/{film}/versions/{version}/reviewables"
    return (yield Request("POST", path, body=upload, headers={"X-File-Name": "review.png"})).json()


def test_reviewables_are_observed_until_they_can_be_viewed(live, run_flow, film, version):
    key = reviewable_key(film, version)
    assert run_flow(live, reviewables.list_all(film, version)) == []
    assert observe(run_flow, live, REVIEWABLE, key) is None
    activity = run_flow(live, upload_reviewable(film, version))["activityId"]
    observation = observe(run_flow, live, REVIEWABLE, reviewable_key(film, version, activity))
    assert (observation.state, observation.done) == ("ready", True)
    [summary] = observation.details["reviewables"]
    assert (summary["activity_id"], summary["filename"], summary["state"]) == (activity, "review.png", "ready")
    assert observe(run_flow, live, REVIEWABLE, key) == observation
    assert observe(run_flow, live, REVIEWABLE, reviewable_key(film, version, UNKNOWN_ID)) is None


def test_an_unknown_version_is_missing(live, run_flow, film):
    assert observe(run_flow, live, REVIEWABLE, reviewable_key(film, UNKNOWN_ID)) == MISSING
    assert observe(run_flow, live, REVIEWABLE, reviewable_key("no_such_project", UNKNOWN_ID)) == MISSING


def test_for_a_missing_project_graphql_returns_an_error_or_an_empty_list(live, run_flow):
    with pytest.raises(NotFoundError, match="Project not found"):
        run_flow(live, graphql.query('{ project(name: "no_such_project") { name } }', {}))
    assert run_flow(live, graphql.query('{ projects(name: "no_such_project") { edges { node { name } } } }', {})) == {
        "projects": {"edges": []}
    }
    with pytest.raises(InvalidRequestError, match="Invalid entity ID"):
        run_flow(live, graphql.query('{ events(ids: ["x"]) { edges { node { id } } } }', {}))
