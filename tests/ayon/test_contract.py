"""What holds on the stand-in and on a real server alike, over both transports."""

from __future__ import annotations

import contextlib
import io
import struct
import time
import uuid
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from self_hosted.ayon import api
from self_hosted.ayon.hook import AyonHook
from self_hosted.ayon.triggers import BACKGROUND_OPERATION, ENTITY_STATUS, EVENT, REVIEWABLE
from self_hosted.core.errors import Broken, Conflict, Invalid, NotFound
from self_hosted.core.flow import Flow, Request, Upload
from self_hosted.core.question import GONE, Question, Seen
from tests.ayon.questions import NOBODY


@pytest.fixture
def live(server) -> AyonHook:
    """A hook on the server of this round; it must be allowed to manage projects."""
    return AyonHook(server)


@pytest.fixture
def wanted(live, unique):
    """Make wishes for a project that is deleted in the end."""

    def wish(**arguments: Any) -> api.WantedProject:
        return api.WantedProject(**{"name": unique, "code": unique[-10:], **arguments})

    yield wish
    with contextlib.suppress(NotFound):
        live.run(delete(unique))


def delete(name: str) -> Flow[None]:
    yield Request("DELETE", f"/api/projects/{name}")


def ensured(wanted: api.WantedProject, sender: str = "airflow.one", **how: Any) -> Flow[dict[str, Any]]:
    return api.ensure_project(wanted, sender=sender, **how)


def test_the_credential_is_proven(live, ask):
    assert ask(live, live.signed_in()).startswith("Signed in to AYON 1.")


def test_a_project_is_created_once_and_known_again(live, ask, wanted):
    first = ask(live, ensured(wanted(label=None, library=True)))
    assert (first["created"], first["library"]) == (True, True)
    assert ask(live, ensured(wanted())) == first
    with pytest.raises(Conflict, match="created by another"):
        ask(live, ensured(wanted(), sender="airflow.two"))
    assert ask(live, ensured(wanted(), sender="airflow.two", if_exists="skip"))["created"] is False


def test_a_creation_sent_again_is_known_as_ones_own(live, ask, wanted, unique):
    body = {"name": unique, "code": unique[-10:]}
    ask(live, api.create_project(body, sender="airflow.one"))
    with pytest.raises((Conflict, Broken)):
        ask(live, api.create_project(body, sender="airflow.one"))
    assert ask(live, api.creator(unique)) == "airflow.one"


def test_of_many_at_once_one_creates_the_project(live, wanted):
    with ThreadPoolExecutor(4) as all_at_once:
        senders = [f"airflow.racer{index}" for index in range(4)]
        ends = list(all_at_once.map(lambda who: live.run(ensured(wanted(), sender=who, if_exists="skip")), senders))
    assert sorted(end["created"] for end in ends) == [False, False, False, True]


def test_attributes_are_in_the_project_from_the_beginning(live, ask, wanted, unique):
    ask(live, ensured(wanted(attributes={"fps": 24, "startDate": "2026-01-31T10:00:00Z"})))
    attrib = ask(live, api.project(unique))["attrib"]
    assert (attrib["fps"], attrib["frameStart"]) == (24, 1001)
    again = wanted(attributes={"fps": 24, "startDate": "2026-01-31T10:00:00+00:00"})
    assert ask(live, ensured(again, sender="airflow.two", if_exists="update"))["updated"] == []


def test_an_update_changes_what_differs(live, ask, wanted, unique):
    ask(live, ensured(wanted()))
    groups = ask(live, api.access_groups())[:1]
    me = ask(live, api.me())["name"]
    tags = {"tags": [{"name": "hero"}]}
    change = wanted(label=f"{unique} x", color="#123456", attributes={"fps": 12}, anatomy=tags, users={me: groups})
    changed = ["label", "color", "attributes.fps", "anatomy.tags", f"users.{me}"]
    assert ask(live, ensured(change, sender="airflow.two", if_exists="update"))["updated"] == changed
    assert ask(live, ensured(change, sender="airflow.two", if_exists="update"))["updated"] == []
    project = ask(live, api.project(unique))
    assert (project["attrib"]["fps"], project["attrib"]["frameEnd"], len(project["tags"])) == (12, 1001, 1)


def test_names_and_codes_are_the_same_in_any_case(live, ask, wanted, unique):
    ask(live, ensured(wanted()))
    with pytest.raises(Conflict, match="spell it the same"):
        ask(live, ensured(wanted(name=unique.upper()), sender="airflow.two"))
    with pytest.raises(Conflict, match=f"belongs to another project, '{unique}'"):
        ask(live, ensured(wanted(name=f"{unique}_b", code=unique[-10:].upper()), sender="airflow.two"))


def test_a_label_of_another_project_is_told_with_its_owner(live, ask, wanted, unique):
    ask(live, ensured(wanted(label=f"{unique} x")))
    with pytest.raises(Conflict, match=f"belongs to another project, '{unique}'"):
        ask(
            live, ensured(wanted(name=f"{unique}_b", code=f"{unique[-9:]}b", label=f"{unique} X"), sender="airflow.two")
        )


def test_unknown_things_are_refused_before_anything_is_written(live, ask, wanted, unique):
    unknown: list[dict[str, Any]] = [
        {"attributes": {"nope": 1}},
        {"anatomy_preset": "no such preset"},
        {"users": {"no.such": []}},
    ]
    for arguments in unknown:
        with pytest.raises(ValueError, match="no"):
            ask(live, ensured(wanted(**arguments)))
    with pytest.raises(Invalid, match="fps"):
        ask(live, ensured(wanted(attributes={"fps": "many"})))
    assert ask(live, api.find_project(unique)) is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"name": "bad-name", "code": "badname"}, Broken),
        ({"name": "badcode", "code": "b-c"}, Broken),
        ({"name": "badlabel", "code": "badlabel", "label": "it's"}, Broken),
        ({"name": "nocode"}, Invalid),
        ({"name": "badcolor", "code": "badcolor", "color": "red"}, Invalid),
        ({"name": "badanatomy", "code": "badanatomy", "anatomy": {"tags": {}}}, Invalid),
        ({"name": "notypes", "code": "notypes", "anatomy": {"folder_types": []}}, Broken),
        ({"name": "nopreset", "code": "nopreset", "anatomyPreset": "no such preset"}, NotFound),
    ],
)
def test_the_server_itself_refuses_badly(live, ask, body, kind):
    with pytest.raises(kind):
        ask(live, api.create_project(body))


def test_an_underscore_in_the_list_stands_for_any_character(live, ask, wanted, unique):
    ask(live, ensured(wanted()))
    pattern = "_" * 8 + unique[8:]
    assert [one["name"] for one in ask(live, api.projects(name=pattern))] == [unique]
    assert ask(live, api.find_project(pattern)) is None


def test_access_is_set_and_taken_and_unknown_groups_are_dropped(live, ask, wanted, unique):
    ask(live, ensured(wanted()))
    me, group = ask(live, api.me())["name"], ask(live, api.access_groups())[0]
    for groups, access in (([group], [group]), (["no_such_group"], None), ([group], [group]), ([], None)):
        ask(live, api.set_project_user(unique, me, groups))
        assert ask(live, api.project_users(unique)).get(me) == access
    with pytest.raises(NotFound):
        ask(live, api.set_project_user(unique, "no.such.user", [group]))


def test_a_partial_anatomy_resets_the_rest(live, ask, wanted, unique):
    ask(live, ensured(wanted(attributes={"fps": 12})))
    ask(live, api.set_project_anatomy(unique, {"tags": [{"name": "hero"}]}))
    anatomy: dict[str, Any] = ask(live, api.project_anatomy(unique))
    assert (anatomy["attributes"]["fps"], [tag["name"] for tag in anatomy["tags"]]) == (25, ["hero"])


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/api/no/such", NotFound), ("/api/projects/no_such_project", NotFound), ("/api/users/no.such", NotFound)],
)
def test_what_is_missing_is_not_found(live, ask: Callable[..., Any], path, kind):
    def get() -> Flow[Any]:
        return (yield Request("GET", path))

    with pytest.raises(kind):
        ask(live, get())


def test_graphql_errors_are_errors(live, ask):
    with pytest.raises(Invalid):
        ask(live, api.graphql("{ nope }", {}))


def sent(method: str, path: str, body: Any) -> Flow[Any]:
    """Ask for what there is no flow for; what is answered, if anything."""
    reply = yield Request(method, path, json=body)
    return reply.json() if reply.body else None


def look(ask, hook: AyonHook, question: Question, key: str) -> Any:
    return ask(hook, question.ask([key])).get(key)


def stalled(ask, hook: AyonHook, question: Question, key: str) -> Any:
    """The reason to give up waiting for it, or None."""
    assert question.stalled
    return ask(hook, question.stalled([key])).get(key)


def settled(ask, hook: AyonHook, question: Question, key: str) -> Any:
    """What is seen when it is done, which it is soon."""
    for _ in range(100):
        seen = look(ask, hook, question, key)
        if seen and seen.done:
            return seen
        time.sleep(0.05)
    raise AssertionError(f"{key} is not done")


@pytest.fixture
def film(live, wanted, unique):
    """A project with nothing in it."""
    live.run(ensured(wanted()))
    return unique


@pytest.fixture
def add(live, film) -> Callable[..., Any]:
    """Add an entity to the project, and get its id: ``add("folder", name="assets")``."""

    def added(kind: str, **fields: Any) -> Any:
        return live.run(sent("POST", f"/api/projects/{film}/{kind}s", {"id": uuid.uuid4().hex, **fields}))["id"]

    return added


@pytest.fixture
def folder(add):
    return add("folder", name="assets", folderType="Folder")


@pytest.fixture
def version(add, folder):
    product = add("product", name="render", folderId=folder, productType="render")
    return add("version", version=1, productId=product)


def test_a_creation_by_the_hook_adds_a_word_of_its_own_to_the_sender(live, ask, wanted, unique):
    wish = wanted()
    ask(live, api.create_project({"name": wish.name, "code": wish.code}))
    own, _, word = str(ask(live, api.creator(unique))).rpartition(".")
    assert (own, len(word)) == (live.sender, 32)


def test_an_event_is_followed_to_its_end(live, ask, film):
    body = {"topic": "airflow.test", "project": film, "finished": False, "summary": {"frames": 7}}
    key = ask(live, sent("POST", "/api/events", body))["id"]
    facts = {"topic": "airflow.test", "project": film, "description": "", "summary": {"frames": 7}}
    assert look(ask, live, EVENT, key) == Seen("pending", done=False, facts=facts)
    for status, done in (("in_progress", False), ("restarted", False), ("failed", True), ("finished", True)):
        ask(live, sent("PATCH", f"/api/events/{key}", {"status": status, "description": status}))
        assert look(ask, live, EVENT, key) == Seen(status, done, {**facts, "description": status})
    event = ask(live, api.event(key))
    assert {name: event[name] for name in facts} == {**facts, "description": "finished"}


def test_an_event_that_is_not_there_is_gone(live, ask):
    assert look(ask, live, EVENT, NOBODY) == GONE
    assert ask(live, api.events([NOBODY])) == []
    with pytest.raises(NotFound, match="Event not found"):
        ask(live, api.event(NOBODY))


@pytest.mark.parametrize("event_id", ["A" * 32, "12345678-1234-1234-1234-123456789012"])
def test_an_event_id_of_another_form_is_refused(live, ask, event_id):
    with pytest.raises(Invalid):
        ask(live, api.event(event_id))


def test_statuses_are_read_across_types_and_projects(live, ask, film, add, folder):
    task = add("task", name="modeling", taskType="Generic", folderId=folder)
    wanted = {film: {"folder": [folder], "task": [task, NOBODY]}, "no_such_project": {"task": [task]}}
    assert ask(live, api.entity_statuses(wanted)) == {film: {folder: "Not ready", task: "Not ready"}}
    key = f"{film}/task/{task}/Approved|In progress"
    assert look(ask, live, ENTITY_STATUS, key) == Seen("Not ready", done=False)
    ask(live, sent("PATCH", f"/api/projects/{film}/tasks/{task}", {"status": "In progress"}))
    assert look(ask, live, ENTITY_STATUS, key) == Seen("In progress", done=True)
    ask(live, delete(f"{film}/tasks/{task}"))
    assert look(ask, live, ENTITY_STATUS, key) is None


def test_a_status_the_project_does_not_have_is_refused_and_told(live, ask, film, folder):
    with pytest.raises(Invalid, match="is not present in table"):
        ask(live, sent("PATCH", f"/api/projects/{film}/folders/{folder}", {"status": "Aproved"}))
    key = f"{film}/folder/{folder}/Aproved"
    reason = stalled(ask, live, ENTITY_STATUS, key)
    assert reason.startswith(f"project {film} has no status 'Aproved'; it has 'Not ready', ")


def test_an_id_in_capitals_is_written_before_it_is_refused(live, ask, film, add):
    with pytest.raises(Broken):
        add("folder", id=uuid.uuid4().hex[:31] + "A", name="assets", folderType="Folder")
    with pytest.raises(Conflict, match="already exists"):
        add("folder", name="assets", folderType="Folder")


def test_background_operations_are_followed_to_their_end(live, ask, film):
    folder = {"type": "create", "entityType": "folder", "entityId": uuid.uuid4().hex}
    body = {"operations": [{**folder, "data": {"name": "assets", "folderType": "Folder"}}]}
    path = f"/api/projects/{film}/operations/background"
    first, second = [
        settled(ask, live, BACKGROUND_OPERATION, f"{film}/{ask(live, sent('POST', path, body))['id']}")
        for _ in range(2)
    ]
    assert first == Seen("completed", done=True, facts={"success": True, "operations": 1, "failed": []})
    again = second.facts
    [failed] = again["failed"]
    assert (again["success"], failed["type"], failed["entity_type"], failed["status"]) == (
        False,
        "create",
        "folder",
        409,
    )
    assert "already exists" in failed["detail"]


def test_a_failure_undoes_what_is_told_as_done(live, ask, film):
    ids = [uuid.uuid4().hex, uuid.uuid4().hex]
    operations = [
        {"type": "create", "entityType": "folder", "entityId": one, "data": {"name": "a", "folderType": "Folder"}}
        for one in ids
    ]
    path = f"/api/projects/{film}/operations/background"
    key = f"{film}/{ask(live, sent('POST', path, {'operations': operations}))['id']}"
    facts = settled(ask, live, BACKGROUND_OPERATION, key).facts
    assert (facts["success"], facts["operations"], len(facts["failed"])) == (False, 2, 1)
    assert ask(live, api.entity_statuses({film: {"folder": ids}})) == {film: {}}


def test_a_malformed_list_is_accepted_and_stands_still(live, ask, film):
    body = {"operations": [{"type": "update", "entityType": "folder", "data": {}}]}
    key = f"{film}/{ask(live, sent('POST', f'/api/projects/{film}/operations/background', body))['id']}"
    time.sleep(0.2)
    assert look(ask, live, BACKGROUND_OPERATION, key) == Seen("in_progress", done=False, progress=0.0)
    assert "stands still" in stalled(ask, live, BACKGROUND_OPERATION, key)


def test_a_background_operation_that_is_not_known_is_gone(live, ask, film):
    assert look(ask, live, BACKGROUND_OPERATION, f"{film}/{NOBODY}") == GONE
    assert look(ask, live, BACKGROUND_OPERATION, f"no_such_project/{NOBODY}") == GONE
    with pytest.raises(NotFound):
        ask(live, api.background_operation(film, NOBODY))


def png() -> bytes:
    """A picture of 16 x 16 black dots."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    body = zlib.compress((b"\0" + b"\0" * 48) * 16)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def uploaded(film: str, version: str) -> Flow[Any]:
    upload = Upload("review.png", lambda: io.BytesIO(png()), len(png()), "image/png")
    path = f"/api/projects/{film}/versions/{version}/reviewables"
    return (yield Request("POST", path, body=upload, headers={"X-File-Name": "review.png"})).json()


def test_reviewables_are_followed_until_they_can_be_viewed(live, ask, film, version):
    key = f"{film}/{version}"
    assert ask(live, api.reviewables(film, version)) == []
    assert look(ask, live, REVIEWABLE, key) is None
    activity = ask(live, uploaded(film, version))["activityId"]
    seen = look(ask, live, REVIEWABLE, f"{key}/{activity}")
    assert (seen.state, seen.done) == ("ready", True)
    [shown] = seen.facts["reviewables"]
    assert (shown["activity_id"], shown["filename"], shown["state"]) == (activity, "review.png", "ready")
    assert look(ask, live, REVIEWABLE, key) == seen
    assert look(ask, live, REVIEWABLE, f"{key}/{NOBODY}") is None


def test_a_version_that_is_not_there_is_gone(live, ask, film):
    assert look(ask, live, REVIEWABLE, f"{film}/{NOBODY}") == GONE
    assert look(ask, live, REVIEWABLE, f"no_such_project/{NOBODY}") == GONE


def test_of_a_missing_project_graphql_makes_an_error_or_leaves_it_out(live, ask):
    with pytest.raises(NotFound, match="Project not found"):
        ask(live, api.graphql('{ project(name: "no_such_project") { name } }', {}))
    assert ask(live, api.graphql('{ projects(name: "no_such_project") { edges { node { name } } } }', {})) == {
        "projects": {"edges": []}
    }
    with pytest.raises(Invalid, match="Invalid entity ID"):
        ask(live, api.graphql('{ events(ids: ["x"]) { edges { node { id } } } }', {}))
