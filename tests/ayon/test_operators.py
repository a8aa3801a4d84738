"""The operator, run as a worker runs it, against the stand-in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.ayon.api import ensure
from self_hosted.ayon.hook import AyonHook
from self_hosted.ayon.operators import AyonCreateProjectOperator, AyonLink
from self_hosted.core.errors import Broken, Busy, Uncertain
from self_hosted.core.operator import round_key
from tests.ayon.conftest import context_of


@pytest.fixture
def impatient(served, connect):
    """The connection, with one attempt per request."""
    return connect("ayon_default", served.connection(extra={"retry_budget": 0}))


@pytest.fixture
def hasty(monkeypatch):
    """Looks for a project that is being written follow each other at once."""
    monkeypatch.setattr(ensure, "LOOKS", (0.01, 0.01))


@pytest.fixture(autouse=True)
def _connected(served, connect):
    connect("ayon_default", served.connection())


def operator(**arguments: Any) -> AyonCreateProjectOperator:
    return AyonCreateProjectOperator(**{"task_id": "create", "name": "alpha", "code": "alp", **arguments})


def run(task, **of_ti):
    return task.execute(context_of(task, **of_ti))


def projects(served):
    return served.tables()["projects"]


def test_a_project_is_created(served):
    task = operator(label="Alpha", library=True, color="#ff0000")
    context = context_of(task)
    result = task.execute(context)
    url = f"{served.base_url}/projects/alpha/overview"
    assert result == {"name": "alpha", "code": "alp", "library": True, "created": True, "updated": [], "url": url}
    assert context["ti"].pushed == {"product_url": url}
    (project,) = projects(served)
    assert (project["label"], project["library"]) == ("Alpha", True)


def test_attributes_preset_and_users_are_there_from_the_beginning(served, hook):
    served.seed({"presets": {"film": {"tags": [{"name": "hero"}], "attributes": {"fps": 30, "clipIn": 5}}}})
    run(
        operator(
            anatomy_preset="film",
            attributes={"fps": 24, "endDate": "2026-01-31T00:00:00"},
            users={"anna": ["freelancer"]},
        )
    )
    project = hook.project("alpha")
    assert [tag["name"] for tag in project["tags"]] == ["hero"]
    assert (project["attrib"]["fps"], project["attrib"]["clipIn"]) == (24, 5)
    assert hook.project_users("alpha") == {"anna": ["freelancer"]}


def test_a_studios_own_attribute_can_be_set(served, hook):
    served.seed({"attributes": [{"name": "mood", "type": "string", "scope": ["project"]}]})
    run(operator(attributes={"mood": "gloomy"}))
    assert hook.project("alpha")["attrib"]["mood"] == "gloomy"


def test_attributes_alone_come_on_top_of_the_primary_preset(served, hook):
    served.seed({"presets": {"film": {"tags": [{"name": "hero"}]}}, "primaryPreset": "film"})
    run(operator(attributes={"fps": 24}))
    assert [tag["name"] for tag in hook.project("alpha")["tags"]] == ["hero"]


def test_inline_anatomy_may_be_partial(hook):
    run(operator(anatomy={"task_types": [{"name": "Only"}], "attributes": {"fps": 12}}, attributes={"clipIn": 3}))
    project = hook.project("alpha")
    assert [one["name"] for one in project["taskTypes"]] == ["Only"]
    assert (project["attrib"]["fps"], project["attrib"]["clipIn"]) == (12, 3)
    assert project["folderTypes"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "a-b"}, "name must be"),
        ({"code": ""}, "code must be"),
        ({"if_exists": "replace"}, "if_exists must be one of fail, skip, update"),
        ({"anatomy_preset": "nope"}, "anatomy_preset: there is no 'nope' in AYON; there is film"),
        ({"attributes": {"fsp": 25}}, "attributes: projects have no 'fsp'"),
        ({"attributes": {"email": "a@b"}}, "attributes: projects have no 'email'"),
        ({"anatomy": {"attributes": {"fsp": 25}}}, "attributes: projects have no 'fsp'"),
        ({"attributes": {"mood": "x"}}, "'mood' is new and takes effect only after AYON is restarted"),
        ({"users": {"ghost": ["artist"]}}, "AYON knows no user 'ghost'"),
        ({"users": {"anna": ["nobody"]}}, "AYON has no access group 'nobody'"),
        ({"attributes": {"fps": "many"}}, "fps: value is not a valid float"),
        ({"attributes": {"startDate": "2026-01-31"}}, "invalid datetime format"),
    ],
)
def test_what_is_wrong_ends_the_task_and_leaves_nothing_behind(served, arguments, words):
    asleep = {"name": "mood", "type": "string", "scope": ["project"], "asleep": True}
    served.seed({"presets": {"film": {}}, "attributes": [asleep]})
    with pytest.raises(AirflowFailException, match=words):
        run(operator(**arguments))
    assert projects(served) == []


def test_an_answer_lost_after_the_creation_does_no_harm(served):
    served.fail("drop", method="POST", path="/api/projects")
    assert run(operator())["created"] is True
    assert len(projects(served)) == 1


def test_an_answer_lost_for_good_is_found_out_by_reading_back(served, impatient):
    served.fail("drop", method="POST", path="/api/projects")
    assert run(operator())["created"] is True
    assert len(projects(served)) == 1


def test_an_answer_that_comes_too_late_does_no_harm(served, connect):
    connect("ayon_default", served.connection(extra={"read_timeout": 1}))
    served.fail("slow_after", method="POST", path="/api/projects", seconds=1.5)
    assert run(operator())["created"] is True
    assert len(projects(served)) == 1


def test_a_request_that_is_carried_out_late_does_no_harm(served, connect):
    connect("ayon_default", served.connection(extra={"read_timeout": 1}))
    served.fail("slow", method="POST", path="/api/projects", seconds=1.2)
    assert run(operator())["created"] is True
    assert len(projects(served)) == 1


def test_a_worker_killed_after_the_creation_leaves_the_rest_to_the_retry(served, impatient):
    task = operator(users={"anna": ["freelancer"]}, retries=2)
    served.fail("status", method="PATCH", path="/api/projects/alpha/users/anna")
    with pytest.raises(Busy):
        run(task)
    assert len(projects(served)) == 1
    assert run(task, try_number=2)["created"] is True
    assert AyonHook(impatient).project_users("alpha") == {"anna": ["freelancer"]}


def test_a_task_whose_result_was_lost_finds_its_project_again(served):
    task = operator(retries=1)
    assert run(task) == run(task, try_number=2)
    assert len(projects(served)) == 1


def test_a_cleared_task_is_a_new_piece_of_work(served):
    task = operator(retries=1)
    run(task)
    with pytest.raises(AirflowFailException, match="created by another"):
        run(task, try_number=2, cleared_after=1)


def test_each_mapped_task_is_a_piece_of_work_of_its_own(served):
    run(operator(), map_index=0)
    with pytest.raises(AirflowFailException, match="created by another"):
        run(operator(), map_index=1)


def test_the_event_of_the_creation_names_the_task(served):
    task = operator()
    run(task)
    (event,) = served.tables()["events"]
    assert event["sender"] == f"airflow.{round_key(context_of(task))}"
    assert event["senderType"] == "airflow"


def test_an_outage_before_the_work_is_waited_out(served):
    served.fail("status", method="POST", path="/api/projects", headers={"Retry-After": "0"}, times=2)
    assert run(operator())["created"] is True


def test_an_outage_without_a_trace_is_left_to_the_tasks_retries(served, impatient, hasty):
    served.fail("refuse", method="POST", path="/api/projects")
    with pytest.raises(Uncertain):
        run(operator())
    assert projects(served) == []


def test_a_bug_of_the_server_is_left_to_the_tasks_retries(served, hasty):
    headers = {"content-type": "application/json"}
    served.fail("status", method="POST", path="/api/projects", status=500, body='{"detail": "boom"}', headers=headers)
    with pytest.raises(Broken, match="boom"):
        run(operator())


def test_one_of_two_tasks_at_once_creates_the_project(served):
    with ThreadPoolExecutor(2) as both:
        ends = list(both.map(lambda index: run(operator(if_exists="skip"), map_index=index), range(2)))
    assert sorted(end["created"] for end in ends) == [False, True]
    assert len(projects(served)) == 1


@pytest.mark.parametrize("if_exists", ["fail", "skip", "update"])
def test_a_lost_race_ends_with_the_rivals_project(served, if_exists):
    served.seed({"rivals": [{"name": "alpha", "code": "alp", "label": "Theirs"}]})
    task = operator(if_exists=if_exists, label="Ours")
    if if_exists == "fail":
        with pytest.raises(AirflowFailException, match="created by another"):
            run(task)
    else:
        result = run(task)
        assert (result["created"], result["updated"]) == (False, ["label"] if if_exists == "update" else [])
    (project,) = projects(served)
    assert project["label"] == ("Ours" if if_exists == "update" else "Theirs")


@pytest.mark.parametrize("if_exists", ["fail", "skip"])
def test_a_race_of_two_codes_for_one_name_has_one_winner(served, if_exists):
    served.seed({"rivals": [{"name": "alpha", "code": "other"}]})
    with pytest.raises(AirflowFailException, match=r"project 'alpha' \(other\) exists already, and its code is not"):
        run(operator(if_exists=if_exists))
    assert [project["code"] for project in projects(served)] == ["other"]


def test_a_race_of_two_names_for_one_code_names_the_winner(served):
    served.seed({"rivals": [{"name": "beta", "code": "ALP"}]})
    with pytest.raises(AirflowFailException, match="the code 'alp' belongs to another project, 'beta'"):
        run(operator())


@pytest.mark.parametrize("if_exists", ["fail", "skip", "update"])
def test_a_code_or_label_of_another_project_is_refused_with_its_owner(served, if_exists):
    served.seed({"projects": [{"name": "beta", "code": "ALP"}, {"name": "gamma", "code": "g", "label": "Old"}]})
    with pytest.raises(AirflowFailException, match="the code 'alp' belongs to another project, 'beta'"):
        run(operator(if_exists=if_exists))
    with pytest.raises(AirflowFailException, match="the label 'old' belongs to another project, 'gamma'"):
        run(operator(code="free", label="old", if_exists=if_exists))


@pytest.mark.parametrize("if_exists", ["fail", "skip", "update"])
def test_a_name_that_differs_only_in_case_is_refused_with_the_right_spelling(served, if_exists):
    served.seed({"projects": [{"name": "Alpha", "code": "alp"}]})
    with pytest.raises(AirflowFailException, match=r"project 'Alpha' \(alp\) exists already; .*spell it the same"):
        run(operator(if_exists=if_exists))


def test_a_skeleton_is_not_completed_by_accident(served):
    served.seed({"projects": [{"name": "alpha", "code": "alp", "skeleton": True}]})
    with pytest.raises(AirflowFailException, match="as a skeleton"):
        run(operator(if_exists="update"))


def test_skip_leaves_the_project_alone(served):
    served.seed({"projects": [{"name": "alpha", "code": "alp", "label": "Old", "library": True}]})
    result = run(operator(if_exists="skip", label="New", users={"anna": []}))
    assert (result["created"], result["updated"], result["library"]) == (False, [], True)
    assert projects(served)[0]["label"] == "Old"


def test_update_changes_what_differs_and_tells_what(served, hook):
    served.seed({"projects": [{"name": "alpha", "code": "old", "label": "Old", "color": "#000000"}]})
    wanted = operator(
        if_exists="update",
        label="New",
        library=True,
        color="#ffffff",
        attributes={"fps": 24, "frameStart": 1001, "startDate": "2026-01-31T10:00:00Z"},
        anatomy={"tags": [{"name": "hero"}], "entity_naming": {"separator": "-"}},
        users={"anna": ["supervisor", "artist"]},
    )
    result = run(wanted)
    assert result["updated"] == [
        *("code", "label", "library", "color", "attributes.fps", "attributes.startDate"),
        *("anatomy.tags", "anatomy.entity_naming", "users.anna"),
    ]
    assert (result["created"], result["code"], result["library"]) == (False, "alp", True)
    project = hook.project("alpha")
    assert (project["attrib"]["fps"], project["data"]["color"], project["label"]) == (24, "#ffffff", "New")
    assert [tag["name"] for tag in project["tags"]] == ["hero"]
    assert hook.project_anatomy("alpha")["entity_naming"] == {"capitalization": "lower", "separator": "-"}
    assert project["attrib"]["startDate"].startswith("2026-01-31T10:00:00")
    assert run(wanted)["updated"] == []


def test_update_knows_a_moment_in_another_writing(served, hook):
    served.seed({"projects": [{"name": "alpha", "code": "alp"}]})
    hook.update_project("alpha", {"attrib": {"startDate": "2026-01-31T10:00:00+00:00"}})
    assert run(operator(if_exists="update", attributes={"startDate": "2026-01-31T10:00:00Z"}))["updated"] == []


def test_update_does_not_touch_what_is_not_named(served, hook):
    served.seed({"projects": [{"name": "alpha", "code": "alp", "label": "Old", "library": True, "color": "#000000"}]})
    hook.set_project_anatomy("alpha", {"tags": [{"name": "mine"}], "attributes": {"fps": 12}})
    assert run(operator(if_exists="update", anatomy={"task_types": [{"name": "Only"}]}))["updated"] == [
        "anatomy.task_types"
    ]
    project = hook.project("alpha")
    assert (project["label"], project["library"], project["attrib"]["fps"]) == ("Old", True, 12)
    assert [tag["name"] for tag in project["tags"]] == ["mine"]


def test_update_does_not_apply_a_preset_to_a_project_that_is_there(served, hook):
    served.seed({"projects": [{"name": "alpha", "code": "alp"}], "presets": {"film": {"tags": [{"name": "hero"}]}}})
    assert run(operator(if_exists="update", anatomy_preset="film"))["updated"] == []


def test_an_answer_lost_after_a_change_does_no_harm(served):
    served.seed({"projects": [{"name": "alpha", "code": "alp"}]})
    served.fail("drop", method="PATCH", path="/api/projects/alpha")
    assert run(operator(if_exists="update", label="New"))["updated"] == ["label"]
    assert projects(served)[0]["label"] == "New"


def test_a_change_to_a_code_of_another_project_names_it(served):
    served.seed({"projects": [{"name": "alpha", "code": "a"}, {"name": "beta", "code": "ALP"}]})
    with pytest.raises(AirflowFailException, match="the code 'alp' belongs to another project, 'beta'"):
        run(operator(if_exists="update"))


def test_access_is_taken_away_by_an_empty_list(served, hook):
    served.seed({"projects": [{"name": "alpha", "code": "alp"}]})
    assert run(operator(if_exists="update", users={"anna": []}))["updated"] == ["users.anna"]
    assert hook.project_users("alpha") == {}


def test_without_the_right_to_create_projects_the_task_fails_at_once(served, connect):
    credential = {"login": "anna", "password": "sandbox", "extra": {"api_key": None}}
    connect("ayon_default", served.connection(**credential))
    with pytest.raises(AirflowFailException, match="You are not allowed"):
        run(operator())


def test_arguments_are_templated():
    task = operator(name="{{ run_id }}", label="{{ run_id }}", attributes={"description": "{{ run_id }}"})
    task.render_template_fields({"run_id": "nightly"})
    assert (task.name, task.project_label, task.attributes) == ("nightly", "nightly", {"description": "nightly"})


def test_a_template_may_say_whether_it_is_a_library(served):
    assert run(operator(library="True"))["library"] is True
    with pytest.raises(AirflowFailException, match="library must be true or false, not 'perhaps'"):
        run(operator(library="perhaps"))


def test_a_retry_brings_its_own_project_up_to_date_too(served):
    run(operator(label="Old", if_exists="update"))
    result = run(operator(label="New", if_exists="update"), try_number=2)
    assert (result["created"], result["updated"]) == (True, ["label"])


def test_the_graph_still_shows_the_task_by_its_id():
    assert operator(label="Alpha").label == "create"


def test_the_link_is_named_after_the_product():
    assert AyonLink().name == "Open in AYON"
    assert isinstance(operator().operator_extra_links[0], AyonLink)
