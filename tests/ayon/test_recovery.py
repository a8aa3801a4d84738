"""Each write has one effect and succeeds after a lost response."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import requests

from self_hosted.ayon.api.projects.project_spec import ProjectSpec
from self_hosted.ayon.api.projects.provision import IF_EXISTS
from self_hosted.ayon.hook import AyonHook
from self_hosted.core.http.errors import ConflictError, OutcomeUnknownError
from self_hosted.sandbox.ayon import PASSWORD
from tests.conftest import Served

READS = {
    *("get_current_user", "get_user", "get_server_info", "list_attributes", "list_access_groups", "query_graphql"),
    *("list_anatomy_presets", "get_anatomy_preset", "get_project", "list_projects", "find_project"),
    *("get_project_creator", "get_project_anatomy", "get_project_users", "get_event", "list_events"),
    *("get_entity_statuses", "get_background_operation", "list_reviewables"),
}
FILM: dict[str, Any] = {"name": "film", "code": "flm"}


class Write(NamedTuple):
    """One request of a write.

    :param name: name of the hook's method
    :param method: HTTP method of the request
    :param path: path of the request
    :param call: does the write
    :param has_effect: whether the effect exists exactly once
    :param exists: whether the project exists before
    :param expected: the expected result
    """

    name: str
    method: str
    path: str
    call: Callable[[AyonHook], Any]
    has_effect: Callable[[Served, AyonHook], bool]
    exists: bool = True
    expected: Any = None


def has_one_project(served: Served, hook: AyonHook) -> bool:
    topics = [event["topic"] for event in served.tables()["events"]]
    return len(served.tables()["projects"]) == 1 and topics.count("entity.project.created") == 1


def has_label(served: Served, hook: AyonHook) -> bool:
    return bool(hook.get_project("film")["label"] == "Film")


def has_tag(served: Served, hook: AyonHook) -> bool:
    return [tag["name"] for tag in hook.get_project_anatomy("film")["tags"]] == ["hero"]


def has_access(served: Served, hook: AyonHook) -> bool:
    return hook.get_project_users("film") == {"anna": ["freelancer"]}


def ensure(if_exists: str, **values: Any) -> Callable[[AyonHook], Any]:
    project_spec = ProjectSpec(**FILM, **values)
    return lambda hook: hook.ensure_project(project_spec, sender="airflow.me", if_exists=if_exists)


def result(*, created: bool, updated: tuple[str, ...] = ()) -> dict[str, Any]:
    return {**FILM, "library": False, "created": created, "updated": list(updated)}


TAGS = {"tags": [{"name": "hero"}]}
USERS = {"anna": ["freelancer"]}
PROJECTS_PATH = "/api/projects"
WRITES = [
    Write(
        "create_project", "POST", PROJECTS_PATH, lambda hook: hook.create_project(FILM), has_one_project, exists=False
    ),
    Write(
        "update_project",
        "PATCH",
        f"{PROJECTS_PATH}/film",
        lambda hook: hook.update_project("film", {"label": "Film"}),
        has_label,
    ),
    Write(
        "set_project_anatomy",
        "POST",
        f"{PROJECTS_PATH}/film/anatomy",
        lambda hook: hook.set_project_anatomy("film", TAGS),
        has_tag,
    ),
    Write(
        "set_project_user",
        "PATCH",
        f"{PROJECTS_PATH}/film/users/anna",
        lambda hook: hook.set_project_user("film", "anna", ["freelancer"]),
        has_access,
    ),
    Write(
        "dispatch_event",
        "POST",
        "/api/events",
        lambda hook: hook.dispatch_event("airflow.test", "hash", project="film"),
        lambda served, hook: [event["topic"] for event in served.tables()["events"]].count("airflow.test") == 1,
    ),
    *(
        Write(
            "ensure_project",
            "POST",
            PROJECTS_PATH,
            ensure(mode),
            has_one_project,
            exists=False,
            expected=result(created=True),
        )
        for mode in IF_EXISTS
    ),
    Write(
        "ensure_project",
        "PATCH",
        f"{PROJECTS_PATH}/film/users/anna",
        ensure("fail", users=USERS),
        has_access,
        exists=False,
        expected=result(created=True),
    ),
    Write(
        "ensure_project",
        "PATCH",
        f"{PROJECTS_PATH}/film",
        ensure("update", label="Film"),
        has_label,
        expected=result(created=False, updated=("label",)),
    ),
    Write(
        "ensure_project",
        "POST",
        f"{PROJECTS_PATH}/film/anatomy",
        ensure("update", anatomy=TAGS),
        has_tag,
        expected=result(created=False, updated=("anatomy.tags",)),
    ),
    Write(
        "ensure_project",
        "PATCH",
        f"{PROJECTS_PATH}/film/users/anna",
        ensure("update", users=USERS),
        has_access,
        expected=result(created=False, updated=("users.anna",)),
    ),
]


def describe(write: Write) -> str:
    return f"{write.name} {write.method} {write.path}"


def count_faults(served: Served) -> int:
    """Return the number of requests that a fault hit."""
    counts = requests.get(f"{served.url}/_control/counts", timeout=60).json()
    return sum(counts["faults"].values())


def create_hook(served: Served, connect: Callable[..., str], **fields: Any) -> AyonHook:
    return AyonHook(connect("ayon_default", served.connection(**fields)))


@pytest.mark.parametrize("write", WRITES, ids=describe)
def test_a_write_whose_response_is_lost_has_one_effect_and_succeeds(served, hook, write: Write):
    if write.exists:
        served.seed({"projects": [FILM]})
    served.fail("drop", method=write.method, path=write.path)
    assert write.call(hook) == write.expected
    assert write.has_effect(served, hook)
    assert count_faults(served) == 1


@pytest.mark.parametrize("fault", ["slow_after", "slow"])
def test_a_creation_that_is_done_before_or_after_the_timeout_of_the_client_has_one_effect(served, connect, fault):
    hook = create_hook(served, connect, extra={"read_timeout": 1})
    served.fail(fault, method="POST", path=PROJECTS_PATH, seconds=1.3)
    assert ensure("fail")(hook) == result(created=True)
    assert has_one_project(served, hook)
    assert count_faults(served) == 1


def test_each_method_is_a_known_read_or_has_a_case():
    flows = {name: inspect.unwrap(member) for name, member in vars(AyonHook).items() if hasattr(member, "__wrapped__")}
    methods = {name for name, flow in flows.items() if inspect.isgeneratorfunction(flow)}
    assert methods == READS | {write.name for write in WRITES}


def test_a_login_whose_response_is_lost_is_repeated(served, connect):
    credential = {"login": "boss", "password": PASSWORD, "extra": {"api_key": None}}
    served.fail("drop", method="POST", path="/api/auth/login")
    assert create_hook(served, connect, **credential).get_current_user()["name"] == "boss"
    assert served.product.state.failed_logins == 0


@pytest.mark.usefixtures("_short_recheck_delays")
def test_a_lost_rejection_is_rejected_again(served, hook):
    served.seed({"projects": [FILM]})
    served.fail("drop", method="POST", path=PROJECTS_PATH)
    with pytest.raises(ConflictError, match="already exists"):
        hook.create_project(FILM)


def test_a_lost_request_is_sent_again(served, hook):
    served.fail("refuse", method="POST", path=PROJECTS_PATH)
    hook.create_project(FILM)
    assert has_one_project(served, hook)


@pytest.mark.usefixtures("_short_recheck_delays")
def test_two_lost_requests_leave_the_outcome_unknown(served, connect):
    served.fail("refuse", method="POST", path=PROJECTS_PATH, times=2)
    with pytest.raises(OutcomeUnknownError):
        create_hook(served, connect, extra={"retry_timeout": 0}).create_project(FILM)
    assert served.tables()["projects"] == []
