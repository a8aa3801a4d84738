"""The questions that waits ask AYON: against the stand-in, and by hand where it matters what is sent."""

from __future__ import annotations

import json
import time
from typing import Any, cast

import pytest
import requests

from self_hosted.ayon import api
from self_hosted.ayon.api import operations
from self_hosted.ayon.hook import AyonHook
from self_hosted.ayon.triggers import BACKGROUND_OPERATION, ENTITY_STATUS, EVENT, REVIEWABLE
from self_hosted.core.errors import Forbidden, NotFound, Overdue
from self_hosted.core.flow import Flow, Reply, Request, handled
from self_hosted.core.question import GONE, Question, Seen
from self_hosted.core.wait import Waiter, poll
from self_hosted.sandbox.ayon import Ayon
from self_hosted.sandbox.ayon.product import PASSWORD
from tests.ayon import questions
from tests.ayon.conftest import answered
from tests.ayon.questions import CASES, NOBODY
from tests.conftest import Served

QUESTIONS = {
    "EVENT": EVENT,
    "ENTITY_STATUS": ENTITY_STATUS,
    "BACKGROUND_OPERATION": BACKGROUND_OPERATION,
    "REVIEWABLE": REVIEWABLE,
}
every_question = pytest.mark.parametrize("name", QUESTIONS)


@pytest.fixture
def artist(served, connect) -> AyonHook:
    """A hook on the stand-in, as somebody who sees some projects only."""
    credential = {"login": "anna", "password": PASSWORD, "extra": {"api_key": None}}
    return AyonHook(connect("ayon_artist", served.connection(**credential)))


def asked(served: Served) -> int:
    counts = requests.get(f"{served.url}/_control/counts", timeout=10).json()
    return int(counts["requests"].get("ayon", 0))


def look(hook: AyonHook, question: Question, *keys: str) -> list[Any]:
    """What is seen of each key, or None."""
    seen = hook.run(question.ask(keys))
    assert set(seen) <= set(keys)
    return [seen.get(key) for key in keys]


def stalled(hook: AyonHook, question: Question, *keys: str) -> Any:
    """Which of the keys are given up, and why."""
    assert question.stalled
    return hook.run(question.stalled(keys))


def waiters(*keys: str, seconds: float = 5) -> list[Waiter]:
    return [Waiter(key, time.time() + seconds, poll_interval=0.02) for key in keys]


@every_question
def test_nobody_is_asked_about_nothing(hook, name):
    assert hook.run(QUESTIONS[name].ask([])) == {}


@every_question
def test_those_that_are_done_are_told_from_those_that_are_not(served, hook, name):
    case = CASES[name]
    keys = [case.finished(served), case.running(served), case.finished(served)]
    assert [bool(seen and seen.done) for seen in look(hook, QUESTIONS[name], *keys)] == [True, False, True]


@every_question
def test_facts_are_small_and_plain(served, hook, name):
    [seen] = look(hook, QUESTIONS[name], CASES[name].finished(served))
    assert len(json.dumps(seen.facts)) < 1000


@every_question
def test_one_that_is_unknown_disturbs_nobody(served, hook, name):
    case = CASES[name]
    seen = look(hook, QUESTIONS[name], case.finished(served), case.unknown)
    assert seen[0].done
    assert seen[1] in (None, GONE)


def forget(served: Served, key: str) -> None:
    """Delete what a key stands for."""
    studio = cast("Ayon", served.product).studio
    ids = set(key.split("/"))
    studio.events[:] = [event for event in studio.events if event["id"] not in ids]
    studio.tasks = {task_id: task for task_id, task in studio.tasks.items() if task_id not in ids}
    for project in studio.projects.values():
        project["entities"] = {one: entity for one, entity in project["entities"].items() if one not in ids}


@every_question
def test_what_was_seen_and_is_not_there_any_more_is_gone(served, hook, name):
    key = CASES[name].running(served)
    [waiter] = waiters(key)

    def answered_and_forgotten(request: Request) -> Flow[Reply]:
        reply = yield request
        forget(served, key)
        return reply

    hook.run(handled(poll(QUESTIONS[name], {waiter}), answered_and_forgotten))
    with pytest.raises(NotFound, match="is not there"):
        waiter.outcome(QUESTIONS[name])


def test_events_cost_one_request_however_many(served, hook):
    keys = [questions.event(served) for _ in range(60)]
    before = asked(served)
    hook.run(EVENT.ask(keys))
    assert asked(served) - before == 1


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
def test_an_event_ends_by_its_status(served, hook, status, done):
    key = questions.event(served, status=status, description="words", summary={"frames": 7})
    facts = {"topic": "studio.job", "project": None, "description": "words", "summary": {"frames": 7}}
    assert look(hook, EVENT, key) == [Seen(status, done, facts)]


def test_an_event_that_the_list_does_not_show_is_looked_at_alone():
    event: dict[str, Any] = {
        "id": "1",
        "topic": "log.error",
        "project": None,
        "status": "finished",
        "description": "",
        "summary": {},
    }

    def server(request: Request) -> Any:
        if request.path == "/graphql":
            return {"data": {"events": {"edges": []}}}
        return event if request.path == "/api/events/1" else NotFound("Event not found")

    seen, sent = answered(EVENT.ask(["1", "2"]), server)
    assert (seen["1"].state, seen["2"]) == ("finished", GONE)
    assert len(sent) == 3


def test_statuses_of_all_types_and_projects_cost_one_request(served, hook):
    project, folder = questions.entity(served, status="Approved")
    _, task = questions.entity(served, project, type="task", folderId=folder)
    _, product = questions.entity(served, project, type="product", folderId=folder)
    _, version = questions.entity(served, project, type="version", productId=product, version=1)
    _, file = questions.entity(served, project, type="representation", versionId=version)
    _, scene = questions.entity(served, project, type="workfile", taskId=task, path="/a.ma")
    found = {"folder": folder, "task": task, "product": product, "version": version}
    found |= {"representation": file, "workfile": scene}
    keys = [f"{project}/{kind}/{entity_id}/Approved" for kind, entity_id in found.items()]
    others = [questions.status(served), questions.status(served, status="In progress")]
    before = asked(served)
    seen = look(hook, ENTITY_STATUS, *keys, *others, f"no_such_film/task/{NOBODY}/Approved")
    assert asked(served) - before == 1
    states = [one and one.state for one in seen]
    assert states == ["Approved", *["Not ready"] * 5, "Not ready", "In progress", None]


def test_each_wait_has_wishes_of_its_own(served, hook):
    project, folder = questions.entity(served, status="In progress")
    wishes = ("Approved|In progress", "Approved", "in progress")
    seen = look(hook, ENTITY_STATUS, *(f"{project}/folder/{folder}/{wish}" for wish in wishes))
    assert [one.done for one in seen] == [True, False, False]


def test_an_entity_of_another_type_is_not_the_one(served, hook):
    project, folder = questions.entity(served)
    assert look(hook, ENTITY_STATUS, f"{project}/task/{folder}/Not ready") == [None]


def test_a_project_that_only_looks_like_it_is_not_the_one(served, hook):
    served.seed({"projects": [{"name": "a1b", "code": "a1b"}]})
    _, folder = questions.entity(served, "a1b")
    assert look(hook, ENTITY_STATUS, f"a_b/folder/{folder}/Not ready") == [None]
    assert look(hook, ENTITY_STATUS, f"A1B/folder/{folder}/Not ready")[0].done


def test_names_and_ids_go_into_variables_and_not_into_the_query():
    request = next(api.entity_statuses({"film": {"task": [NOBODY]}, "other": {"folder": [NOBODY]}}))
    assert isinstance(request, Request)
    assert "film" not in request.json["query"]
    assert NOBODY not in request.json["query"]
    assert request.json["variables"] == {"p0": "film", "p1": "other", "p0_task": [NOBODY], "p1_folder": [NOBODY]}


def test_an_unknown_type_of_entity_is_refused():
    with pytest.raises(ValueError, match="entity_type must be one of folder, task"):
        next(api.entity_statuses({"film": {"tasks": [NOBODY]}}))


def test_a_project_one_may_not_see_disturbs_nobody(served, artist):
    mine, theirs = questions.project(served), questions.project(served, assignUsers=False)
    seen = look(
        artist, ENTITY_STATUS, *(questions.status(served, of=one, wanted="Not ready") for one in (mine, theirs))
    )
    assert [bool(one) for one in seen] == [True, False]


def test_a_status_that_the_project_does_not_have_is_named(served, hook):
    typo, fine = questions.status(served, "Aproved"), questions.status(served, "Aproved|Approved")
    gone = f"no_such_film/task/{NOBODY}/Approved"
    reasons = stalled(hook, ENTITY_STATUS, typo, fine, gone)
    project = typo.split("/")[0]
    assert reasons == {
        typo: f"project {project} has no status 'Aproved'; it has 'Not ready', 'In progress', 'Approved'",
    }


def test_who_may_not_look_at_a_projects_statuses_waits_on(served, artist):
    theirs = questions.project(served, assignUsers=False)
    assert stalled(artist, ENTITY_STATUS, f"{theirs}/task/{NOBODY}/Aproved") == {}


def test_a_wait_for_a_misspelt_status_ends_with_the_reason(served, hook):
    [waiter] = waiters(questions.status(served, "Aproved"))
    hook.run(poll(ENTITY_STATUS._replace(patience=0), {waiter}))
    with pytest.raises(
        Overdue, match=r"has no status 'Aproved'; it has .*: gave up waiting for entity status .*'Not re"
    ):
        waiter.outcome(ENTITY_STATUS)


def test_an_operations_progress_is_told(served, hook):
    key = questions.operation(served, seconds=60, total=200, stuck=19.75)
    assert look(hook, BACKGROUND_OPERATION, key) == [Seen("in_progress", done=False, progress=19.75)]


def test_failed_operations_are_told_some_of_them_and_shortly(served, hook):
    failed = {"type": "create", "entityType": "task", "entityId": None, "success": False, "status": 409}
    told = [{**failed, "id": str(number), "detail": "x" * 1000} for number in range(30)]
    result = {"success": False, "operations": [*told, {**failed, "id": "ok", "success": True, "detail": None}]}
    [seen] = look(hook, BACKGROUND_OPERATION, questions.operation(served, result=result))
    assert (seen.facts["success"], seen.facts["operations"], len(seen.facts["failed"])) == (False, 31, 20)
    first = {"id": "0", "type": "create", "entity_type": "task", "status": 409, "detail": "x" * 300}
    assert seen.facts["failed"][0] == first


def test_an_operation_without_news_for_long_is_forgotten(served, hook):
    assert look(hook, BACKGROUND_OPERATION, questions.operation(served, kept=-1)) == [GONE]


@pytest.mark.parametrize(
    ("stuck", "dead"), [("pending", True), (0.0, True), (19.75, True), (98.9, True), (99.5, False), (None, False)]
)
def test_an_operation_that_stands_still_is_dead_unless_it_is_about_to_end(served, hook, stuck, dead):
    key = questions.operation(served, stuck=stuck)
    assert stalled(hook, BACKGROUND_OPERATION, key) == ({key: operations.DEAD} if dead else {})


def test_an_operation_that_was_forgotten_meanwhile_is_not_called_dead(served, hook):
    assert stalled(hook, BACKGROUND_OPERATION, f"film/{NOBODY}") == {}


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
def test_a_reviewable_is_available_when_nothing_is_left_to_convert(served, hook, fields, state, done):
    if "processing" in fields:
        fields = {**fields, "processing": {"eventId": None, "status": fields["processing"], "description": "words"}}
    [seen] = look(hook, REVIEWABLE, questions.reviewable(served, **fields))
    assert (seen.state, seen.done) == (state, done)


def test_all_reviewables_of_a_version_count_or_one_of_them(served, hook):
    project, version = questions.version(served)
    ready, other = questions.new_id(), questions.new_id()
    place = {"project": project, "version": version}
    served.seed({"reviewables": [{**place, "activityId": ready, "label": "first"}]})
    served.seed({"reviewables": [{**place, "activityId": other, "availability": "conversionRequired"}]})
    keys = [f"{project}/{version}", f"{project}/{version}/{ready}", f"{project}/{version}/{other}"]
    before = asked(served)
    seen = look(hook, REVIEWABLE, *keys, f"{project}/{version}/{NOBODY}")
    assert asked(served) - before == 1
    assert [one and one.done for one in seen] == [False, True, False, None]
    assert len(seen[0].facts["reviewables"]) == 2
    [shown] = seen[1].facts["reviewables"]
    assert shown.pop("file_id")
    assert shown == {
        "activity_id": ready,
        "filename": "review.png",
        "label": "first",
        "state": "ready",
        "description": None,
    }


def test_a_version_without_reviewables_is_waited_for_and_one_that_is_missing_is_not(served, hook):
    project, version = questions.version(served)
    assert look(hook, REVIEWABLE, f"{project}/{version}", f"{project}/{NOBODY}") == [None, GONE]


@pytest.mark.parametrize("name", ["REVIEWABLE", "BACKGROUND_OPERATION"])
def test_a_forbidden_project_ends_its_own_wait_only(served, artist, name):
    make = {"REVIEWABLE": questions.reviewable, "BACKGROUND_OPERATION": questions.operation}[name]
    mine, theirs = questions.project(served), questions.project(served, assignUsers=False)
    good, bad = waiters(make(served, mine), make(served, theirs))
    artist.run(poll(QUESTIONS[name], {good, bad}))
    assert good.outcome(QUESTIONS[name]).done
    with pytest.raises(Forbidden):
        bad.outcome(QUESTIONS[name])
