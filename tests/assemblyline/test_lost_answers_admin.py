"""Writes of administrators, when their work is done and their answers are lost: all may be repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.errors import Uncertain
from self_hosted.core.flow import Flow
from tests.assemblyline.conftest import upload
from tests.conftest import Ask, Served

RULE = {"type": "yara", "source": "own", "signature_id": "a", "name": "a", "data": "rule a {}", "status": "NOISY"}
ID = "yara_own_a"
SEED = {
    "signatures": {"signatures": [RULE], "sources": {"YARA": [{"name": "own", "uri": "https://a/b", "enabled": True}]}},
    "services": {"updates": {"RigScan": {"latest_tag": "4.7.1.0", "update_available": True, "updating": False}}},
    "heuristics": [{"heur_id": "RIGSCAN.1", "name": "Words"}],
    "delay": 0,
}


class Write(NamedTuple):
    """A write whose answer is lost.

    :param path: of the request that does the work, below ``/api/v4``
    :param flow: the write
    :param seen: what is there afterwards, from the hook
    :param after: what that is
    """

    path: str
    flow: Callable[[], Flow[Any]]
    seen: Callable[[AssemblylineHook], Any]
    after: Any


WRITES = {
    "change_user_settings": Write(
        "/user/settings/admin/",
        lambda: api.change_user_settings({"expand_min_score": 7}),
        lambda hook: hook.user_settings()["expand_min_score"],
        7,
    ),
    "change_service": Write(
        "/service/RigScan/",
        lambda: api.change_service("RigScan", {"timeout": 7}),
        lambda hook: hook.service("RigScan")["timeout"],
        7,
    ),
    "update_service": Write(
        "/service/update/",
        lambda: api.update_service("RigScan"),
        lambda hook: hook.service_updates()["RigScan"]["updating"],
        True,
    ),
    "change_signature_status": Write(
        f"/signature/change_status/{ID}/DISABLED/",
        lambda: api.change_signature_status(ID, "DISABLED"),
        lambda hook: hook.signature(ID)["status"],
        "DISABLED",
    ),
    "enable_signature_source": Write(
        "/signature/sources/enable/YARA/own/",
        lambda: api.enable_signature_source("YARA", "own", enabled=False),
        lambda hook: hook.signature_sources()["YARA"][0]["enabled"],
        False,
    ),
    "update_signature_sources": Write(
        "/signature/sources/update/YARA/",
        lambda: api.update_signature_sources("YARA"),
        lambda hook: hook.signature_sources()["YARA"][0]["status"]["state"],
        "UPDATING",
    ),
}
TAKES: dict[str, Callable[[str], Flow[Any]]] = {"take_message": api.take_message, "take_messages": api.take_messages}
"""What nobody gets back: messages that were on their way."""


@pytest.fixture
def full(served: Served, connect: Callable[[str, dict[str, Any]], str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("self_hosted.core.transport.SLOWNESS", 1)
    served.seed(SEED)
    extra = {"api_key": "full:full-secret", "read_timeout": 1}
    return AssemblylineHook(connect("full", served.connection(extra=extra)))


both_faults = pytest.mark.parametrize(
    "fault", [{"kind": "drop"}, {"kind": "slow_after", "seconds": 1.3}], ids=lambda fault: fault["kind"]
)


@both_faults
@pytest.mark.parametrize("name", WRITES)
def test_one_effect_remains(served: Served, full: AssemblylineHook, ask: Ask, name: str, fault: dict[str, Any]):
    write = WRITES[name]
    # reading goes by the same path as some of the writes
    method = "POST" if name in {"change_service", "change_user_settings"} else ".*"
    served.fail(path=f"/api/v4{write.path}", method=method, **fault)
    ask(full, write.flow())
    assert write.seen(full) == write.after


@both_faults
@pytest.mark.parametrize("name", TAKES)
def test_a_message_whose_answer_is_lost_is_told_to_be_so(served, full, ask, name, fault):
    full.ingest(upload("x"), {"notification_queue": "nightly"})
    served.fail(path="/api/v4/ingest/get_message.*", **fault)
    with pytest.raises(Uncertain):
        ask(full, TAKES[name]("nightly"))
    assert full.take_message("nightly") is None
