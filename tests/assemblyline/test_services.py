"""Services, heuristics and the server itself."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline.api import services
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import NotFoundError, PermissionDeniedError
from tests.assemblyline.flows import reply, result_of

SERVICE = {"name": "CAPE", "version": "4.7.0", "enabled": True, "timeout": 60}


@pytest.fixture
def full(served, connect):
    """A hook with an extended API key."""
    return AssemblylineHook(connect("full", served.connection(extra={"api_key": "full:full-secret"})))


def test_every_user_may_list_the_services(hook):
    [service] = hook.list_services()
    assert (service["name"], service["enabled"]) == ("RigScan", True)
    assert service["category"] in hook.get_service_constants()["categories"]


def test_only_administrators_may_read_the_settings_of_a_service(hook):
    with pytest.raises(PermissionDeniedError, match="administration"):
        hook.get_service("RigScan")


@pytest.mark.parametrize(("version", "path"), [(None, "/api/v4/service/a%20b/"), ("1", "/api/v4/service/a%20b/1/")])
def test_a_service_is_read_as_it_is_or_as_of_a_version(version, path):
    _, (request,) = result_of(services.get("a b", version), reply(SERVICE))
    assert request.path == path


def test_a_service_is_disabled_once(full):
    assert full.list_service_versions("RigScan") == [full.get_service("RigScan")["version"]]
    assert full.update_service("RigScan", {"enabled": False})["changed"] == ["enabled"]
    assert full.list_services()[0]["enabled"] is False
    assert full.update_service("RigScan", {"enabled": False})["changed"] == []


def test_an_update_sends_all_settings_and_is_idempotent():
    flow = services.update("CAPE", {"timeout": 90, "enabled": True})
    result, (_, sent) = result_of(flow, reply(SERVICE), reply({"success": True}))
    assert (sent.method, sent.json, sent.is_idempotent) == ("POST", {**SERVICE, "timeout": 90}, True)
    assert result == {"name": "CAPE", "version": "4.7.0", "changed": ["timeout"]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"enable": False}, "changes: unknown enable; CAPE has name"),
        ({"name": "X"}, "the name of CAPE cannot be changed"),
    ],
)
def test_a_setting_that_the_service_does_not_have_is_rejected(changes, message):
    flow = services.update("CAPE", changes)
    next(flow)
    with pytest.raises(ValueError, match=message):
        flow.send(reply(SERVICE))


def test_an_unknown_service_is_not_found(full):
    with pytest.raises(NotFoundError, match="nosuch service does not exist"):
        full.update_service("nosuch", {"enabled": False})


def test_a_service_is_updated_if_there_is_a_newer_image(served, full):
    assert full.install_service_update("RigScan") == {"name": "RigScan", "status": "current"}
    served.seed({"services": {"updates": {"RigScan": {"latest_tag": "4.7.1.0", "update_available": True}}}})
    assert full.list_service_updates()["RigScan"]["latest_tag"] == "4.7.1.0"
    assert full.install_service_update("RigScan") == {"name": "RigScan", "status": "updating"}
    assert full.install_service_update("RigScan") == {"name": "RigScan", "status": "updating"}


def test_the_credentials_of_a_registry_are_sent_but_not_returned():
    update = {"auth": "secret", "image": "a:2", "latest_tag": "2", "update_available": True, "updating": False}
    shown, _ = result_of(services.list_updates(), reply({"CAPE": update}))
    assert shown == {"CAPE": {name: update[name] for name in update if name != "auth"}}
    result, (_, sent) = result_of(
        services.install_update("CAPE"), reply({"CAPE": update}), reply({"success": True, "status": "updated"})
    )
    assert sent.json == {"name": "CAPE", "update_data": update}
    assert result == {"name": "CAPE", "status": "updated"}


# Heuristics


def test_a_heuristic_and_how_often_it_was_raised(served, hook):
    served.seed({"heuristics": [{"heur_id": "CAPE.1", "name": "Drops a file", "score": 100, "stats": {"count": 3}}]})
    assert hook.get_heuristic("CAPE.1")["score"] == 100
    assert [(stats["heur_id"], stats["count"]) for stats in hook.get_heuristic_stats()] == [("CAPE.1", 3)]
    with pytest.raises(NotFoundError, match="Heuristic not found"):
        hook.get_heuristic("CAPE.2")


# The server


def test_a_paused_component_is_not_enabled(served, hook):
    served.seed({"paused": ["dispatcher"]})
    assert not hook.is_component_enabled("dispatcher")
    assert hook.is_component_enabled("ingester")


def test_terms_constants_and_classifications_are_returned(served, hook):
    assert hook.get_terms_of_service() is None
    served.seed({"help": {"tos": "# Be nice"}})
    assert hook.get_terms_of_service() == "# Be nice"
    assert "tag_types" in hook.get_constants()
    assert hook.get_classification_definition()["UNRESTRICTED"] == "TLP:C"


def test_these_calls_do_not_count_toward_the_daily_quota(served, full):
    served.seed({"quotas": {"daily_api_calls": 1}})
    (
        full.list_services(),
        full.get_service("RigScan"),
        full.get_constants(),
        full.get_terms_of_service(),
        full.get_classification_definition(),
    )
    assert served.product.quotas.api_calls == 0
