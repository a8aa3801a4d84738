"""AYON does the work and the answer is lost: one effect remains, and the call succeeds all the same."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import requests

from self_hosted.ayon import api
from self_hosted.ayon.api import creation
from self_hosted.ayon.hook import AyonHook
from self_hosted.core.errors import Conflict, Uncertain
from self_hosted.sandbox.ayon.product import PASSWORD
from tests.conftest import Served

READS = {
    *("me", "info", "user", "attributes", "access_groups", "anatomy_presets", "anatomy_preset", "graphql"),
    *("project", "projects", "find_project", "creator", "project_anatomy", "project_users"),
    *("event", "events", "entity_statuses", "background_operation", "reviewables"),
}
FILM: dict[str, Any] = {"name": "film", "code": "flm"}


class Write(NamedTuple):
    """One request that changes something.

    :param flow: name of the published flow that sends it
    :param method: of the request
    :param path: of the request
    :param call: does it
    :param effect: what there is to see afterwards, exactly once
    :param there: whether the project is there before
    :param result: what the call returns
    """

    flow: str
    method: str
    path: str
    call: Callable[[AyonHook], Any]
    effect: Callable[[Served, AyonHook], bool]
    there: bool = True
    result: Any = None


def one_project(served: Served, hook: AyonHook) -> bool:
    topics = [event["topic"] for event in served.tables()["events"]]
    return len(served.tables()["projects"]) == 1 and topics.count("entity.project.created") == 1


def labelled(served: Served, hook: AyonHook) -> bool:
    return bool(hook.project("film")["label"] == "Film")


def tagged(served: Served, hook: AyonHook) -> bool:
    return [tag["name"] for tag in hook.project_anatomy("film")["tags"]] == ["hero"]


def access(served: Served, hook: AyonHook) -> bool:
    return hook.project_users("film") == {"anna": ["freelancer"]}


def ensured(if_exists: str, **wanted: Any) -> Callable[[AyonHook], Any]:
    return lambda hook: hook.ensure_project(
        api.WantedProject(**FILM, **wanted), sender="airflow.me", if_exists=if_exists
    )


def made(*, created: bool, updated: tuple[str, ...] = ()) -> dict[str, Any]:
    return {**FILM, "library": False, "created": created, "updated": list(updated)}


TAGS = {"tags": [{"name": "hero"}]}
USERS = {"anna": ["freelancer"]}
P = "/api/projects"
WRITES = [
    Write("create_project", "POST", P, lambda hook: hook.create_project(FILM), one_project, there=False),
    Write(
        "update_project", "PATCH", f"{P}/film", lambda hook: hook.update_project("film", {"label": "Film"}), labelled
    ),
    Write(
        "set_project_anatomy", "POST", f"{P}/film/anatomy", lambda hook: hook.set_project_anatomy("film", TAGS), tagged
    ),
    Write(
        "set_project_user",
        "PATCH",
        f"{P}/film/users/anna",
        lambda hook: hook.set_project_user("film", "anna", ["freelancer"]),
        access,
    ),
    *(
        Write("ensure_project", "POST", P, ensured(mode), one_project, there=False, result=made(created=True))
        for mode in api.IF_EXISTS
    ),
    Write(
        "ensure_project",
        "PATCH",
        f"{P}/film/users/anna",
        ensured("fail", users=USERS),
        access,
        there=False,
        result=made(created=True),
    ),
    Write(
        "ensure_project",
        "PATCH",
        f"{P}/film",
        ensured("update", label="Film"),
        labelled,
        result=made(created=False, updated=("label",)),
    ),
    Write(
        "ensure_project",
        "POST",
        f"{P}/film/anatomy",
        ensured("update", anatomy=TAGS),
        tagged,
        result=made(created=False, updated=("anatomy.tags",)),
    ),
    Write(
        "ensure_project",
        "PATCH",
        f"{P}/film/users/anna",
        ensured("update", users=USERS),
        access,
        result=made(created=False, updated=("users.anna",)),
    ),
]


def named(write: Write) -> str:
    return f"{write.flow} {write.method} {write.path}"


@pytest.fixture(params=["dropped", "late"])
def lose(request: pytest.FixtureRequest, served: Served) -> Callable[..., None]:
    """Have the stand-in do the work and lose the answer: the connection ends, or the client has given up by then."""
    kind = {"dropped": "drop", "late": "slow_after"}[request.param]
    return lambda **where: served.fail(kind, seconds=1.3, **where)


def fired(served: Served) -> int:
    """How many of the arranged faults befell a request."""
    counts = requests.get(f"{served.url}/_control/counts", timeout=10).json()
    return sum(counts["faults"].values())


def connected(served: Served, connect: Callable[..., str], **fields: Any) -> AyonHook:
    return AyonHook(connect("ayon_default", served.connection(**fields)))


@pytest.mark.parametrize("write", WRITES, ids=named)
def test_a_write_whose_answer_is_lost_is_done_once_and_succeeds(served, connect, lose, write: Write):
    hook = connected(served, connect, extra={"read_timeout": 1})
    if write.there:
        served.seed({"projects": [FILM]})
    lose(method=write.method, path=write.path)
    assert write.call(hook) == write.result
    assert write.effect(served, hook)
    assert fired(served) == 1


def test_every_flow_that_is_published_is_known_to_write_or_to_read():
    flows = {name: inspect.unwrap(member) for name, member in vars(AyonHook).items() if hasattr(member, "__wrapped__")}
    published = {name for name, flow in flows.items() if inspect.isgeneratorfunction(flow)}
    assert published == READS | {write.flow for write in WRITES}


def test_a_login_whose_answer_is_lost_is_repeated(served, connect, lose):
    credential = {"login": "boss", "password": PASSWORD, "extra": {"api_key": None, "read_timeout": 1}}
    lose(method="POST", path="/api/auth/login")
    assert connected(served, connect, **credential).me()["name"] == "boss"
    assert served.product.studio.failed_logins == 0


def test_a_lost_refusal_is_still_a_refusal(served, hook):
    served.seed({"projects": [FILM]})
    served.fail("drop", method="POST", path=P)
    with pytest.raises(Conflict, match="already exists"):
        hook.create_project(FILM)


def test_a_creation_that_never_arrived_is_made_up_for(served, hook):
    served.fail("refuse", method="POST", path=P)
    hook.create_project(FILM)
    assert one_project(served, hook)


def test_what_nobody_knows_remains_uncertain(served, connect, monkeypatch):
    monkeypatch.setattr(creation, "LOOKS", (0.01, 0.01))
    served.fail("refuse", method="POST", path=P, times=2)
    with pytest.raises(Uncertain):
        connected(served, connect, extra={"retry_budget": 0}).create_project(FILM)
    assert served.tables()["projects"] == []
