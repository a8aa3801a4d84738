"""Tests of ayon/operators/projects.py: a project is created exactly once, or an existing one is used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.ayon.hook import AyonHook
from self_hosted.ayon.operators import AyonCreateProjectOperator, AyonLink
from self_hosted.core.http.errors import OutcomeUnknownError, ServerError, UnavailableError
from self_hosted.core.tasks.operator import idempotency_key
from tests.context import context

ORIGIN = "Airflow DAG dag, task task, run run: http://airflow/dags/dag/runs/run/tasks/task"


@pytest.fixture
def _no_retries(served, connect) -> None:
    """Let the connection send each request once."""
    connect("ayon_default", served.connection(extra={"retry_timeout": 0}))


@pytest.fixture(autouse=True)
def _connection(served, connect) -> None:
    connect("ayon_default", served.connection())


def create(**arguments: Any) -> AyonCreateProjectOperator:
    return AyonCreateProjectOperator(**{"task_id": "create", "name": "alpha", "code": "alp", **arguments})


def run(task, **ti):
    return task.execute(context(task, max_tries=task.retries, **ti))


def list_projects(served):
    return served.tables()["projects"]


def test_a_project_is_created(served):
    task = create(label="Alpha", library=True, color="#ff0000")
    task_context = context(task)
    result = task.execute(task_context)
    url = f"{served.base_url}/projects/alpha/overview"
    assert result == {"name": "alpha", "code": "alp", "library": True, "created": True, "updated": [], "url": url}
    assert task_context["ti"].xcoms == {"product_url": url}
    (project,) = list_projects(served)
    assert (project["label"], project["library"]) == ("Alpha", True)


def test_a_new_project_has_attributes_preset_and_users(served, hook):
    served.seed({"presets": {"film": {"tags": [{"name": "hero"}], "attributes": {"fps": 30, "clipIn": 5}}}})
    run(
        create(
            anatomy_preset="film",
            attributes={"fps": 24, "endDate": "2026-01-31T00:00:00"},
            users={"anna": ["freelancer"]},
        )
    )
    project = hook.get_project("alpha")
    assert [tag["name"] for tag in project["tags"]] == ["hero"]
    assert (project["attrib"]["fps"], project["attrib"]["clipIn"]) == (24, 5)
    assert hook.get_project_users("alpha") == {"anna": ["freelancer"]}


def test_a_custom_attribute_of_the_studio_can_be_set(served, hook):
    served.seed({"attributes": [{"name": "mood", "type": "string", "scope": ["project"]}]})
    run(create(attributes={"mood": "gloomy"}))
    assert hook.get_project("alpha")["attrib"]["mood"] == "gloomy"


def test_attributes_override_the_primary_preset(served, hook):
    served.seed({"presets": {"film": {"tags": [{"name": "hero"}]}}, "primaryPreset": "film"})
    run(create(attributes={"fps": 24}))
    assert [tag["name"] for tag in hook.get_project("alpha")["tags"]] == ["hero"]


def test_an_anatomy_may_be_partial(hook):
    run(create(anatomy={"task_types": [{"name": "Only"}], "attributes": {"fps": 12}}, attributes={"clipIn": 3}))
    project = hook.get_project("alpha")
    assert [task_type["name"] for task_type in project["taskTypes"]] == ["Only"]
    assert (project["attrib"]["fps"], project["attrib"]["clipIn"]) == (12, 3)
    assert project["folderTypes"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "a-b"}, "name must be"),
        ({"code": ""}, "code must be"),
        ({"if_exists": "replace"}, "if_exists must be one of fail, skip, update"),
        ({"anatomy_preset": "nope"}, "anatomy_preset: AYON has no preset 'nope'; it has film"),
        ({"attributes": {"fsp": 25}}, "attributes: projects have no 'fsp'"),
        ({"attributes": {"email": "a@b"}}, "attributes: projects have no 'email'"),
        ({"anatomy": {"attributes": {"fsp": 25}}}, "attributes: projects have no 'fsp'"),
        ({"attributes": {"mood": "x"}}, "'mood' takes effect only after a restart of AYON"),
        ({"users": {"ghost": ["artist"]}}, "AYON has no user 'ghost'"),
        ({"users": {"anna": ["nobody"]}}, "AYON has no access group 'nobody'"),
        ({"attributes": {"fps": "many"}}, "fps: value is not a valid float"),
        ({"attributes": {"startDate": "2026-01-31"}}, "invalid datetime format"),
    ],
)
def test_invalid_arguments_fail_without_a_project(served, arguments, message):
    inactive = {"name": "mood", "type": "string", "scope": ["project"], "needs_restart": True}
    served.seed({"presets": {"film": {}}, "attributes": [inactive]})
    with pytest.raises(AirflowFailException, match=message):
        run(create(**arguments))
    assert list_projects(served) == []


def test_a_lost_response_to_the_creation_leaves_one_project(served):
    served.fail("drop", method="POST", path="/api/projects")
    assert run(create())["created"] is True
    assert len(list_projects(served)) == 1


@pytest.mark.usefixtures("_no_retries")
def test_a_retry_completes_a_project_after_the_death_of_a_worker(served):
    task = create(users={"anna": ["freelancer"]}, retries=2)
    served.fail("status", method="PATCH", path="/api/projects/alpha/users/anna")
    with pytest.raises(UnavailableError):
        run(task)
    assert len(list_projects(served)) == 1
    assert run(task, try_number=2)["created"] is True
    assert AyonHook().get_project_users("alpha") == {"anna": ["freelancer"]}


def test_a_retry_recognizes_its_own_project(served):
    task = create(retries=1)
    assert run(task) == run(task, try_number=2)
    assert len(list_projects(served)) == 1


def test_a_cleared_task_does_not_recognize_its_earlier_project(served):
    task = create(retries=1)
    run(task)
    with pytest.raises(AirflowFailException, match="created by another"):
        task.execute(context(task, try_number=2, max_tries=2))


def test_a_mapped_task_does_not_recognize_the_project_of_another(served):
    run(create(), map_index=0)
    with pytest.raises(AirflowFailException, match="created by another"):
        run(create(), map_index=1)


def test_the_sender_of_the_creation_identifies_the_task(served):
    task = create()
    run(task)
    event = served.product.state.events[0]
    assert event["sender"] == f"airflow.{idempotency_key(context(task, max_tries=task.retries))}"
    assert event["senderType"] == "airflow"


def test_an_event_names_the_task_once(served):
    task = create()
    run(task, try_number=1)
    run(task, try_number=2)
    [event] = [event for event in served.product.state.events if event["topic"] == "airflow.project"]
    assert event["description"] == f"Project alpha created by {ORIGIN}"
    assert (event["project"], event["summary"]["airflow_task_id"]) == ("alpha", "task")


def test_an_update_is_recorded_and_an_unchanged_project_is_not(served):
    served.seed({"projects": [{"name": "alpha", "code": "alp"}]})
    for label in ("Alpha", "Alpha"):
        run(create(label=label, if_exists="update"), task_id=f"update{len(served.tables()['events'])}")
    events = [event for event in served.product.state.events if event["topic"] == "airflow.project"]
    assert [event["description"].split(" by ")[0] for event in events] == ["Project alpha updated"]


def test_without_back_link_no_event_names_the_task(served):
    run(create(back_link="False"))
    assert {event["topic"] for event in served.tables()["events"]} == {"entity.project.created"}


def test_the_task_succeeds_without_the_permission_to_store_events(served, caplog, capsys):
    served.fail("status", status=403, method="POST", path="/api/events")
    assert run(create())["created"] is True
    assert "No event in AYON names this task" in caplog.text + capsys.readouterr().out


def test_the_creation_is_retried_while_the_server_is_unavailable(served):
    served.fail("status", method="POST", path="/api/projects", headers={"Retry-After": "0"}, times=2)
    assert run(create())["created"] is True


@pytest.mark.usefixtures("_no_retries", "_short_recheck_delays")
def test_a_lost_request_is_left_to_the_retries_of_the_task(served):
    served.fail("refuse", method="POST", path="/api/projects", times=2)
    with pytest.raises(OutcomeUnknownError):
        run(create())
    assert list_projects(served) == []


@pytest.mark.usefixtures("_short_recheck_delays")
def test_a_server_error_is_left_to_the_retries_of_the_task(served):
    headers = {"content-type": "application/json"}
    served.fail("status", method="POST", path="/api/projects", status=500, body='{"detail": "boom"}', headers=headers)
    with pytest.raises(ServerError, match="boom"):
        run(create())


def test_one_of_two_concurrent_tasks_creates_the_project(served):
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda index: run(create(if_exists="skip"), map_index=index), range(2)))
    assert sorted(result["created"] for result in results) == [False, True]
    assert len(list_projects(served)) == 1


@pytest.mark.parametrize("if_exists", ["fail", "skip", "update"])
def test_after_a_lost_race_the_project_of_the_other_client_exists(served, if_exists):
    served.seed({"concurrent_projects": [{"name": "alpha", "code": "alp", "label": "Theirs"}]})
    task = create(if_exists=if_exists, label="Ours")
    if if_exists == "fail":
        with pytest.raises(AirflowFailException, match="created by another"):
            run(task)
    else:
        result = run(task)
        assert (result["created"], result["updated"]) == (False, ["label"] if if_exists == "update" else [])
    (project,) = list_projects(served)
    assert project["label"] == ("Ours" if if_exists == "update" else "Theirs")


@pytest.mark.parametrize("if_exists", ["fail", "skip"])
def test_after_a_lost_race_for_a_name_the_other_code_is_an_error(served, if_exists):
    served.seed({"concurrent_projects": [{"name": "alpha", "code": "other"}]})
    with pytest.raises(AirflowFailException, match=r"project 'alpha' \(other\) already exists, and its code is not"):
        run(create(if_exists=if_exists))
    assert [project["code"] for project in list_projects(served)] == ["other"]


def test_after_a_lost_race_for_a_code_the_error_names_the_other_project(served):
    served.seed({"concurrent_projects": [{"name": "beta", "code": "ALP"}]})
    with pytest.raises(AirflowFailException, match="the code 'alp' belongs to another project, 'beta'"):
        run(create())


@pytest.mark.parametrize("if_exists", ["fail", "skip", "update"])
def test_a_code_or_label_of_another_project_is_rejected_with_its_name(served, if_exists):
    served.seed({"projects": [{"name": "beta", "code": "ALP"}, {"name": "gamma", "code": "g", "label": "Old"}]})
    with pytest.raises(AirflowFailException, match="the code 'alp' belongs to another project, 'beta'"):
        run(create(if_exists=if_exists))
    with pytest.raises(AirflowFailException, match="the label 'old' belongs to another project, 'gamma'"):
        run(create(code="free", label="old", if_exists=if_exists))


@pytest.mark.parametrize("if_exists", ["fail", "skip", "update"])
def test_a_name_in_another_case_is_rejected_with_the_existing_spelling(served, if_exists):
    served.seed({"projects": [{"name": "Alpha", "code": "alp"}]})
    with pytest.raises(
        AirflowFailException,
        match=r"project 'Alpha' \(alp\) already exists; project names are case-insensitive: use this",
    ):
        run(create(if_exists=if_exists))


def test_a_skeleton_is_rejected(served):
    served.seed({"projects": [{"name": "alpha", "code": "alp", "skeleton": True}]})
    with pytest.raises(AirflowFailException, match="as a skeleton"):
        run(create(if_exists="update"))


def test_skip_leaves_the_project_unchanged(served):
    served.seed({"projects": [{"name": "alpha", "code": "alp", "label": "Old", "library": True}]})
    result = run(create(if_exists="skip", label="New", users={"anna": []}))
    assert (result["created"], result["updated"], result["library"]) == (False, [], True)
    assert list_projects(served)[0]["label"] == "Old"


def test_update_changes_and_returns_the_values_that_differ(served, hook):
    served.seed({"projects": [{"name": "alpha", "code": "old", "label": "Old", "color": "#000000"}]})
    task = create(
        if_exists="update",
        label="New",
        library=True,
        color="#ffffff",
        attributes={"fps": 24, "frameStart": 1001, "startDate": "2026-01-31T10:00:00Z"},
        anatomy={"tags": [{"name": "hero"}], "entity_naming": {"separator": "-"}},
        users={"anna": ["supervisor", "artist"]},
    )
    result = run(task)
    assert result["updated"] == [
        *("code", "label", "library", "color", "attributes.fps", "attributes.startDate"),
        *("anatomy.tags", "anatomy.entity_naming", "users.anna"),
    ]
    assert (result["created"], result["code"], result["library"]) == (False, "alp", True)
    project = hook.get_project("alpha")
    assert (project["attrib"]["fps"], project["data"]["color"], project["label"]) == (24, "#ffffff", "New")
    assert [tag["name"] for tag in project["tags"]] == ["hero"]
    assert hook.get_project_anatomy("alpha")["entity_naming"] == {"capitalization": "lower", "separator": "-"}
    assert project["attrib"]["startDate"].startswith("2026-01-31T10:00:00")
    assert run(task)["updated"] == []


def test_update_recognizes_a_timestamp_in_another_notation(served, hook):
    served.seed({"projects": [{"name": "alpha", "code": "alp"}]})
    hook.update_project("alpha", {"attrib": {"startDate": "2026-01-31T10:00:00+00:00"}})
    assert run(create(if_exists="update", attributes={"startDate": "2026-01-31T10:00:00Z"}))["updated"] == []


def test_the_order_of_templates_and_roots_which_the_server_does_not_keep_is_no_difference(served):
    entries = [{"name": "default", "directory": "a", "file": "b"}, {"name": "unreal", "directory": "c", "file": "d"}]
    anatomy = {"templates": {"work": entries}, "roots": [{"name": "work"}, {"name": "usb"}]}
    task = create(anatomy=anatomy, retries=1)
    assert run(task) == run(task, try_number=2)
    assert run(create(anatomy=anatomy, if_exists="update"))["updated"] == []


@pytest.mark.parametrize("if_exists", ["fail", "skip", "update"])
def test_a_retry_does_not_report_its_project_as_created_if_its_values_have_changed(served, hook, if_exists):
    task = create(label="Ours", users={"anna": ["freelancer"]}, if_exists=if_exists, retries=1)
    run(task)
    hook.update_project("alpha", {"label": "Theirs"})
    if if_exists == "fail":
        with pytest.raises(AirflowFailException, match="other values of label than this task creates"):
            run(task, try_number=2)
    else:
        result = run(task, try_number=2)
        expected = (True, ["label"]) if if_exists == "update" else (False, [])
        assert (result["created"], result["updated"]) == expected
    assert list_projects(served)[0]["label"] == ("Ours" if if_exists == "update" else "Theirs")


def test_update_keeps_values_without_an_argument(served, hook):
    served.seed({"projects": [{"name": "alpha", "code": "alp", "label": "Old", "library": True, "color": "#000000"}]})
    hook.set_project_anatomy("alpha", {"tags": [{"name": "mine"}], "attributes": {"fps": 12}})
    assert run(create(if_exists="update", anatomy={"task_types": [{"name": "Only"}]}))["updated"] == [
        "anatomy.task_types"
    ]
    project = hook.get_project("alpha")
    assert (project["label"], project["library"], project["attrib"]["fps"]) == ("Old", True, 12)
    assert [tag["name"] for tag in project["tags"]] == ["mine"]


def test_update_does_not_apply_a_preset_to_an_existing_project(served, hook):
    served.seed({"projects": [{"name": "alpha", "code": "alp"}], "presets": {"film": {"tags": [{"name": "hero"}]}}})
    assert run(create(if_exists="update", anatomy_preset="film"))["updated"] == []


def test_a_lost_response_to_an_update_leaves_one_change(served):
    served.seed({"projects": [{"name": "alpha", "code": "alp"}]})
    served.fail("drop", method="PATCH", path="/api/projects/alpha")
    assert run(create(if_exists="update", label="New"))["updated"] == ["label"]
    assert list_projects(served)[0]["label"] == "New"


def test_the_error_of_an_update_names_the_project_that_has_the_code(served):
    served.seed({"projects": [{"name": "alpha", "code": "a"}, {"name": "beta", "code": "ALP"}]})
    with pytest.raises(AirflowFailException, match="the code 'alp' belongs to another project, 'beta'"):
        run(create(if_exists="update"))


def test_an_empty_list_of_access_groups_removes_the_access(served, hook):
    served.seed({"projects": [{"name": "alpha", "code": "alp"}]})
    assert run(create(if_exists="update", users={"anna": []}))["updated"] == ["users.anna"]
    assert hook.get_project_users("alpha") == {}


def test_a_missing_permission_is_not_retried(served, connect):
    credential = {"login": "anna", "password": "sandbox", "extra": {"api_key": None}}
    connect("ayon_default", served.connection(**credential))
    with pytest.raises(AirflowFailException, match="You are not allowed"):
        run(create())


def test_arguments_are_templated():
    task = create(name="{{ run_id }}", label="{{ run_id }}", attributes={"description": "{{ run_id }}"})
    task.render_template_fields({"run_id": "nightly"})
    assert (task.name, task.project_label, task.attributes) == ("nightly", "nightly", {"description": "nightly"})


def test_templates_may_render_values_as_text(served, hook):
    task = create(library="True", attributes='{"fps": 24}', users="{'anna': ['freelancer']}")
    assert run(task)["library"] is True
    assert hook.get_project("alpha")["attrib"]["fps"] == 24
    assert hook.get_project_users("alpha") == {"anna": ["freelancer"]}


def test_a_retry_updates_its_own_project(served):
    run(create(label="Old", if_exists="update"))
    result = run(create(label="New", if_exists="update"), try_number=2)
    assert (result["created"], result["updated"]) == (True, ["label"])


def test_the_label_of_the_project_is_not_the_label_of_the_task():
    assert create(label="Alpha").label == "create"


def test_the_link_is_named_after_the_product():
    assert AyonLink().name == "Open in AYON"
    assert isinstance(create().operator_extra_links[0], AyonLink)
