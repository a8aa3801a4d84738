"""What holds on the stand-in and on a real server alike, over both transports."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from self_hosted.ayon import api
from self_hosted.ayon.hook import AyonHook
from self_hosted.core.errors import Broken, Conflict, Invalid, NotFound
from self_hosted.core.flow import Flow, Request


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
