"""Each write has one effect and succeeds after its response was lost: settings, services and signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from self_hosted.assemblyline.api import services
from self_hosted.assemblyline.api.account import settings
from self_hosted.assemblyline.api.signatures import additions, fetches, signatures, source_changes, sources, statuses
from self_hosted.assemblyline.api.submissions import notifications
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import OutcomeUnknownError
from self_hosted.core.http.flow import Flow
from tests.assemblyline.conftest import upload
from tests.conftest import Served

RULE = {"type": "yara", "source": "own", "signature_id": "a", "name": "a", "data": "rule a {}", "status": "NOISY"}
ID = "yara_own_a"
SOURCE = {"name": "own", "uri": "https://a/b", "enabled": True, "default_classification": "TLP:C"}
SEED = {
    "signatures": {"signatures": [RULE], "sources": {"YARA": [dict(SOURCE)]}},
    "services": {"updates": {"RigScan": {"latest_tag": "4.7.1.0", "update_available": True, "updating": False}}},
    "heuristics": [{"heur_id": "RIGSCAN.1", "name": "Words"}],
    "delay": 0,
}


class Write(NamedTuple):
    """A write whose response is lost.

    :param path: of the request that has the effect, below ``/api/v4``
    :param flow: returns the write
    :param read: reads the effect
    :param after: the expected effect
    """

    path: str
    flow: Callable[[], Flow[Any]]
    read: Callable[[AssemblylineHook], Any]
    after: Any


WRITES = {
    "update_user_settings": Write(
        "/user/settings/admin/",
        lambda: settings.update({"expand_min_score": 7}),
        lambda hook: hook.get_user_settings()["expand_min_score"],
        7,
    ),
    "update_service": Write(
        "/service/RigScan/",
        lambda: services.update("RigScan", {"timeout": 7}),
        lambda hook: hook.get_service("RigScan")["timeout"],
        7,
    ),
    "install_service_update": Write(
        "/service/update/",
        lambda: services.install_update("RigScan"),
        lambda hook: hook.list_service_updates()["RigScan"]["updating"],
        True,
    ),
    "set_signature_status": Write(
        f"/signature/change_status/{ID}/DISABLED/",
        lambda: statuses.set_status(ID, "DISABLED"),
        lambda hook: hook.get_signature(ID)["status"],
        "DISABLED",
    ),
    "set_signature_statuses": Write(
        f"/signature/change_status/{ID}/DISABLED/",
        lambda: statuses.set_statuses([ID], "DISABLED"),
        lambda hook: hook.get_signature(ID)["status"],
        "DISABLED",
    ),
    "add_signature": Write(
        "/signature/add_update_many/",
        lambda: additions.add("own", "yara", {"name": "b", "data": "rule b"}),
        lambda hook: hook.list_signature_ids("*", 9),
        [ID, "yara_own_b"],
    ),
    "add_signatures": Write(
        "/signature/add_update_many/",
        lambda: additions.add_many("own", "yara", [{"name": "a", "data": "rule"}, {"name": "b", "data": "rule"}]),
        lambda hook: [hook.get_signature(id_)["data"] for id_ in hook.list_signature_ids("*", 9)],
        ["rule", "rule"],
    ),
    "delete_signature": Write(
        f"/signature/{ID}/", lambda: signatures.delete(ID), lambda hook: hook.list_signature_ids("*", 9), []
    ),
    "set_signature_source, a new one": Write(
        "/signature/sources/YARA/",
        lambda: source_changes.set_source("YARA", "new", {"uri": "https://a"}),
        lambda hook: [source["name"] for source in hook.list_signature_sources()["YARA"]],
        ["own", "new"],
    ),
    "set_signature_source": Write(
        "/signature/sources/YARA/own/",
        lambda: source_changes.set_source("YARA", "own", {"pattern": "x"}),
        lambda hook: hook.list_signature_sources()["YARA"][0]["pattern"],
        "x",
    ),
    "remove_signature_source": Write(
        "/signature/sources/YARA/own/",
        lambda: sources.remove_source("YARA", "own"),
        lambda hook: hook.list_signature_sources()["YARA"],
        [],
    ),
    "set_signature_source_enabled": Write(
        "/signature/sources/enable/YARA/own/",
        lambda: sources.set_enabled("YARA", "own", enabled=False),
        lambda hook: hook.list_signature_sources()["YARA"][0]["enabled"],
        False,
    ),
    "fetch_signature_sources": Write(
        "/signature/sources/update/YARA/",
        lambda: fetches.fetch("YARA"),
        lambda hook: hook.list_signature_sources()["YARA"][0]["status"]["state"],
        "UPDATING",
    ),
}
METHODS = {"update_service": "POST", "update_user_settings": "POST", "delete_signature": "DELETE"}
TAKES: dict[str, Callable[[str], Flow[Any]]] = {
    "take_notification": notifications.take,
    "take_notifications": notifications.take_many,
}
"""Reads that remove messages, which are lost with a lost response."""


@pytest.fixture
def full(served: Served, connect: Callable[[str, dict[str, Any]], str]):
    served.seed(SEED)
    return AssemblylineHook(connect("full", served.connection(extra={"api_key": "full:full-secret"})))


@pytest.mark.parametrize("name", WRITES)
def test_one_effect_remains(served: Served, full: AssemblylineHook, name: str):
    write = WRITES[name]
    # some reads have the same path as the write
    method = METHODS.get(name, ".*")
    served.fail("drop", path=f"/api/v4{write.path}", method=method)
    full.run(write.flow())
    assert write.read(full) == write.after


@pytest.mark.parametrize("name", TAKES)
def test_a_lost_message_is_an_error(served, full, name):
    full.ingest(upload("x"), {"notification_queue": "nightly"})
    served.fail("drop", path="/api/v4/ingest/get_message.*")
    with pytest.raises(OutcomeUnknownError):
        full.run(TAKES[name]("nightly"))
    assert full.take_notification("nightly") is None
