"""Every write, when its work is done and its answer is lost: one effect remains, and the call succeeds."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.errors import Uncertain
from self_hosted.core.flow import Flow
from tests.assemblyline.conftest import upload
from tests.conftest import Ask, Served

READS = {
    "configuration",
    "ingested_submissions",
    "is_completed",
    "is_taken_up",
    "paused_components",
    "reused_submissions",
    "search_submissions",
    "submission",
    "submission_profile",
    "submissions",
    "tagged_submission",
    "tagged_submissions",
    "verdict_bands",
    "whoami",
}
BARE = {
    # without a tag nobody can say what came of them: who calls them is told so, and they are not repeated
    "ingest_file",
    "submit_file",
}
TAG = "t1"
TAGGED = {"metadata": {api.TAG: TAG}}
LONG = "RIG-SLEEP:60"


class Write(NamedTuple):
    """A write whose answer is lost.

    :param method: of the request that does the work
    :param flow: the write; it is given the submissions there are
    :param before: how many submissions there are before
    :param after: how many are left
    """

    method: str
    flow: Callable[[list[str]], Flow[Any]]
    before: int
    after: int


WRITES = {
    "submit_file": Write("POST", lambda _: api.submit_file(upload("x"), {}), 0, 1),
    "submit_file_once": Write("POST", lambda _: api.submit_file_once(upload("x"), {}, TAG), 0, 1),
    "submit_file_once, waiting": Write("POST", lambda _: api.submit_file_once(upload("x"), {}, TAG, 60), 0, 1),
    "ingest_file": Write("POST", lambda _: api.ingest_file(upload("x"), {}), 0, 1),
    "ingest_file_once": Write("POST", lambda _: api.ingest_file_once(upload("x"), {}, TAG), 0, 1),
    "ingest_file_once, ignoring the cache": Write(
        "POST", lambda _: api.ingest_file_once(upload("x"), {"params": {"ignore_cache": True}}, TAG), 0, 1
    ),
    "delete_submission": Write("DELETE", lambda sids: api.delete_submission(sids[0]), 2, 1),
    "cancel_submission": Write("DELETE", lambda sids: api.cancel_submission(sids[0]), 2, 1),
    "end_duplicates": Write("DELETE", lambda sids: api.end_duplicates(TAG, sids[0]), 2, 1),
}


@pytest.fixture
def hook(served: Served, connect: Callable[[str, dict[str, Any]], str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("self_hosted.core.transport.SLOWNESS", 1)
    return AssemblylineHook(connect("assemblyline_default", served.connection(extra={"read_timeout": 1})))


@pytest.mark.parametrize("fault", [{"kind": "drop"}, {"kind": "slow_after", "seconds": 1.3}], ids=lambda f: f["kind"])
@pytest.mark.parametrize("name", WRITES)
def test_one_effect_remains(served: Served, hook: AssemblylineHook, ask: Ask, name: str, fault: dict[str, Any]):
    write = WRITES[name]
    sids = [hook.submit_file(upload(LONG), TAGGED)["sid"] for _ in range(write.before)]
    served.fail(method=write.method, path="/api/v4/(submit|ingest|submission/.*)/", **fault)
    if name in BARE:
        with pytest.raises(Uncertain):
            ask(hook, write.flow(sids))
    else:
        assert ask(hook, write.flow(sids)) is not False
    assert len(served.tables()["submissions"]) == write.after


def test_an_ingest_of_what_is_known_makes_no_submission_though_its_answer_is_lost(served, hook, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.tagging.LOOKS", ())
    hook.ingest_file(upload("x"), {})
    served.fail("drop", method="POST", path="/api/v4/ingest/")
    assert hook.ingest_file_once(upload("x"), {}, TAG)
    assert len(served.tables()["submissions"]) == 1


def test_every_write_that_can_be_asked_for_is_tried_here():
    members = vars(AssemblylineHook).items()
    published = {name for name, member in members if inspect.isfunction(member) and hasattr(member, "__wrapped__")}
    assert {name.partition(",")[0] for name in WRITES} == published - READS
