"""Services, heuristics, and what the server says of itself."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.errors import Forbidden, NotFound
from tests.assemblyline.flows import reply, result_of

SERVICE = {"name": "CAPE", "version": "4.7.0", "enabled": True, "timeout": 60}


@pytest.fixture
def full(served, connect):
    """A hook whose API key has all rights."""
    return AssemblylineHook(connect("full", served.connection(extra={"api_key": "full:full-secret"})))


def test_everybody_may_know_what_services_there_are(hook):
    [service] = hook.services()
    assert (service["name"], service["enabled"]) == ("RigScan", True)
    assert service["category"] in hook.service_constants()["categories"]


def test_how_a_service_is_set_is_for_administrators(hook):
    with pytest.raises(Forbidden, match="administration"):
        hook.service("RigScan")


@pytest.mark.parametrize(("version", "path"), [(None, "/api/v4/service/a%2Fb/"), ("1", "/api/v4/service/a%2Fb/1/")])
def test_a_service_is_asked_for_as_it_is_or_as_a_version_comes(version, path):
    _, (request,) = result_of(api.service("a/b", version), reply(SERVICE))
    assert request.path == path


def test_a_service_is_disabled_once(full):
    assert full.service_versions("RigScan") == [full.service("RigScan")["version"]]
    assert full.change_service("RigScan", {"enabled": False})["changed"] == ["enabled"]
    assert full.services()[0]["enabled"] is False
    assert full.change_service("RigScan", {"enabled": False})["changed"] == []


def test_a_change_sends_the_whole_of_the_settings_and_may_be_repeated():
    flow = api.change_service("CAPE", {"timeout": 90, "enabled": True})
    result, (_, sent) = result_of(flow, reply(SERVICE), reply({"success": True}))
    assert (sent.method, sent.json, sent.may_be_repeated) == ("POST", {**SERVICE, "timeout": 90}, True)
    assert result == {"name": "CAPE", "version": "4.7.0", "changed": ["timeout"]}


@pytest.mark.parametrize(
    ("changes", "words"), [({"enable": False}, "CAPE has no enable; it has name"), ({"name": "X"}, "no other name")]
)
def test_a_setting_that_the_service_does_not_have_is_refused(changes, words):
    flow = api.change_service("CAPE", changes)
    next(flow)
    with pytest.raises(ValueError, match=words):
        flow.send(reply(SERVICE))


def test_an_unknown_service_is_not_found(full):
    with pytest.raises(NotFound, match="nosuch service does not exist"):
        full.change_service("nosuch", {"enabled": False})


def test_a_service_is_brought_up_to_date_when_there_is_something_newer(served, full):
    assert full.update_service("RigScan") == {"name": "RigScan", "status": "current"}
    served.seed({"services": {"updates": {"RigScan": {"latest_tag": "4.7.1.0", "update_available": True}}}})
    assert full.service_updates()["RigScan"]["latest_tag"] == "4.7.1.0"
    assert full.update_service("RigScan") == {"name": "RigScan", "status": "updating"}
    assert full.update_service("RigScan") == {"name": "RigScan", "status": "updating"}


def test_the_credentials_of_a_registry_are_sent_back_and_never_shown():
    known = {"auth": "secret", "image": "a:2", "latest_tag": "2", "update_available": True, "updating": False}
    shown, _ = result_of(api.service_updates(), reply({"CAPE": known}))
    assert shown == {"CAPE": {name: known[name] for name in known if name != "auth"}}
    result, (_, sent) = result_of(
        api.update_service("CAPE"), reply({"CAPE": known}), reply({"success": True, "status": "updated"})
    )
    assert sent.json == {"name": "CAPE", "update_data": known}
    assert result == {"name": "CAPE", "status": "updated"}


# Heuristics


def test_a_heuristic_and_how_often_it_was_raised(served, hook):
    served.seed({"heuristics": [{"heur_id": "CAPE.1", "name": "Drops a file", "score": 100, "stats": {"count": 3}}]})
    assert hook.heuristic("CAPE.1")["score"] == 100
    assert [(one["heur_id"], one["count"]) for one in hook.heuristic_stats()] == [("CAPE.1", 3)]
    with pytest.raises(NotFound, match="Heuristic not found"):
        hook.heuristic("CAPE.2")


# The server


def test_a_paused_component_is_told(served, hook):
    served.seed({"paused": ["dispatcher"]})
    assert not hook.component_status("dispatcher")
    assert hook.component_status("ingester")


def test_terms_and_constants_and_classifications(served, hook):
    assert hook.terms_of_service() is None
    served.seed({"help": {"tos": "# Be nice"}})
    assert hook.terms_of_service() == "# Be nice"
    assert "tag_types" in hook.constants()
    assert hook.classification_definition()["UNRESTRICTED"] == "TLP:C"


def test_nothing_of_this_counts_toward_the_daily_quota(served, full):
    served.seed({"quotas": {"daily_api_calls": 1}})
    (
        full.services(),
        full.service("RigScan"),
        full.constants(),
        full.terms_of_service(),
        full.classification_definition(),
    )
    assert served.product.access.api_calls == 0
