"""What the logs of AYON's tasks show: one line per action, change, pause and recovery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from self_hosted.ayon.hook import AyonHook
from self_hosted.ayon.operators import AyonCreateProjectOperator
from self_hosted.ayon.sensors import AyonEventSensor
from tests.conftest import Served
from tests.task_logs import Clock, clock, read_lines, read_warnings, require_pauses, run_logged

__all__ = ["clock"]
PROJECTS_PATH = "/api/projects"


@pytest.fixture(autouse=True)
def _connection(hook: AyonHook, _short_recheck_delays: None) -> None:
    """The default connection leads to the fake server."""


def make_create(**arguments: Any) -> Callable[[], AyonCreateProjectOperator]:
    given = {"name": "alpha", "code": "alp", "back_link": False, **arguments}
    return lambda: AyonCreateProjectOperator(task_id="create", **given)


def test_a_new_project_is_logged_with_link_and_result(served: Served, caplog):
    lines = run_logged(make_create(users={"anna": []}), caplog)
    url = f"{served.base_url}/projects/alpha/overview"
    assert sorted(lines) == [
        f"Done: name alpha, code alp, library false, created true, url {url}",
        f"Open in AYON: {url}",
        "Project alpha: access groups of user anna set to none",
        "Project alpha: created, with code alp",
    ]
    assert lines[-1].startswith("Done")


def test_a_changed_project_is_logged_with_old_and_new_values(caplog):
    run_logged(make_create(label="Alpha", attributes={"fps": 25}), caplog)
    lines = run_logged(make_create(label="Beta", attributes={"fps": 30}, if_exists="update"), caplog, max_tries=9)
    changes = [line for line in lines if line.startswith("Project")]
    assert changes == [
        "Project alpha: it exists, and if_exists is 'update'",
        'Project alpha: label "Alpha" -> "Beta", fps 25 -> 30',
    ]


def test_a_project_of_an_earlier_try_is_named(caplog):
    run_logged(make_create(), caplog)
    lines = run_logged(make_create(), caplog, try_number=2)
    assert "Project alpha: found, an earlier try of this task created it" in lines


def test_the_event_that_names_the_task_is_logged(caplog):
    lines = run_logged(make_create(back_link=True), caplog)
    assert len([line for line in lines if line.endswith(": stored, topic airflow.project")]) == 1


def test_each_pause_is_one_line(served: Served, caplog, clock: Clock):
    make = make_create(if_exists="skip")
    require_pauses(make, served, caplog, clock, method="GET", path=PROJECTS_PATH)


def test_a_recovered_response_is_one_line(served: Served, caplog):
    served.fail("drop", method="POST", path=PROJECTS_PATH)
    lines = run_logged(make_create(), caplog)
    assert "POST /api/projects: the response was lost" in read_warnings(caplog)[0]
    assert lines.count("Project alpha: found, an earlier try of this task created it") == 1


def test_changes_by_the_hook_are_logged(hook: AyonHook, caplog):
    run_logged(make_create(), caplog)
    caplog.clear()
    hook.update_project("alpha", {"label": "New", "data": {"color": "#ff0000"}})
    hook.set_project_anatomy("alpha", hook.get_project_anatomy("alpha"))
    hook.set_project_user("alpha", "anna", [])
    assert read_lines(caplog) == [
        'Project alpha: label null -> "New", color null -> "#ff0000"',
        "Project alpha: anatomy set",
        "Project alpha: access groups of user anna set to none",
    ]


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_sensor_logs_its_wait_and_its_result(hook: AyonHook, caplog, deferrable):
    event_id = str(hook.dispatch_event("airflow.done", "hash-of-the-test"))

    def make() -> AyonEventSensor:
        return AyonEventSensor(task_id="wait", event_id=event_id, poke_interval=0.05, deferrable=deferrable)

    link, begin, end, done = run_logged(make, caplog)
    assert link.startswith("Open in AYON: ")
    assert begin.startswith(f"Waiting for event {event_id}: polled at least every N s, until ")
    assert end == f"event {event_id} is 'finished', after N s: the wait is over"
    assert done.startswith(("Done: ", "Done in N s: "))
