"""Every write of lists, bundles, retrohunts, archive and workflows, when its work is done and its answer is lost."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.errors import Uncertain
from self_hosted.core.flow import Flow, Upload
from tests.assemblyline.conftest import upload
from tests.conftest import Ask, Served

SHA256 = "ab" * 32
RULE = 'rule test { strings: $a = "x" condition: $a }'
HUNT = {"description": "a test"}
FEED = {"name": "feed", "type": "external", "reason": ["a"]}
FILE = {**api.file_entry(SHA256), "sources": [FEED]}
OWN = {**api.file_entry(SHA256), "sources": [{"name": "admin", "type": "user", "reason": ["a"]}]}
BOTH = {**FILE, "sources": [FEED, *OWN["sources"]], "attribution": {"family": ["A"]}}
WORKFLOW = {"name": "w", "query": "al.score:>=1000"}


class There:
    """What there is before: an entry, a submission with its bundle, a retrohunt, a workflow.

    :param served: the stand-in
    :param hook: who asks it
    """

    def __init__(self, served: Served, hook: AssemblylineHook) -> None:
        seconds = {"enabled": True, "seconds": 0}
        served.seed({"delay": 0, "retrohunt": seconds, "archive": {"enabled": True, "minimum": ["Dynamic Analysis"]}})
        self.served, self.hook = served, hook

    def listed(self) -> str:
        """An entry of the badlist."""
        self.hook.add_many_to_list("badlist", [BOTH])
        return SHA256

    def submission(self) -> str:
        """A submission."""
        return str(self.hook.submit(upload("x"), {})["sid"])

    def bundle(self) -> tuple[str, Upload]:
        """A bundle of a submission that is not there any more."""
        sid, target = self.submission(), io.BytesIO()
        target.close = lambda: None  # type: ignore[method-assign]
        self.hook.export_bundle(sid, lambda: target)
        self.hook.delete_submission(sid)
        return sid, Upload("a", lambda: io.BytesIO(target.getvalue()), len(target.getvalue()))

    def hunt(self) -> str:
        """A retrohunt."""
        return str(self.hook.start_retrohunt(RULE, HUNT)["key"])

    def workflow(self) -> str:
        """A workflow."""
        return self.hook.add_workflow(WORKFLOW)


class Write(NamedTuple):
    """A write whose answer is lost.

    :param method: of the request that does the work
    :param before: makes what there is before
    :param flow: the write; it is given that
    :param left: what is left: a table of the stand-in, and its number of rows
    """

    method: str
    before: Callable[[There], Any]
    flow: Callable[[Any], Flow[Any]]
    left: tuple[str, int]


def none(_: There) -> None:
    """Nothing is there before."""


def imported(given: tuple[str, Upload]) -> Flow[Any]:
    return api.import_bundle(given[1], given[0])


def rescanned(given: tuple[str, Upload]) -> Flow[Any]:
    return api.import_bundle(given[1], given[0], rescan_services=["RigScan"])


def removed(id_: str) -> Flow[Any]:
    return api.remove_source_from_list("badlist", id_, "admin", "user")


ONE_ENTRY, ONE_WORKFLOW = ("badlist", 1), ("workflow", 1)
WRITES = {
    "add_to_list": Write("PUT", none, lambda _: api.add_to_list("badlist", OWN), ONE_ENTRY),
    "add_many_to_list": Write("PUT", none, lambda _: api.add_many_to_list("badlist", [FILE]), ONE_ENTRY),
    "enable_in_list": Write("PUT", There.listed, lambda id_: api.enable_in_list("badlist", id_, False), ONE_ENTRY),
    "expire_in_list": Write("DELETE", There.listed, lambda id_: api.expire_in_list("badlist", id_, None), ONE_ENTRY),
    "classify_in_list": Write(
        "PUT", There.listed, lambda id_: api.classify_in_list("badlist", id_, "admin", "user", "TLP:C"), ONE_ENTRY
    ),
    "remove_source_from_list": Write("DELETE", There.listed, removed, ONE_ENTRY),
    "attribute_in_badlist": Write(
        "PUT", There.listed, lambda id_: api.attribute_in_badlist(id_, "actor", "b"), ONE_ENTRY
    ),
    "remove_from_list": Write("DELETE", There.listed, lambda id_: api.remove_from_list("badlist", id_), ("badlist", 0)),
    "import_bundle": Write("POST", There.bundle, imported, ("submissions", 1)),
    "import_bundle, with a rescan": Write("POST", There.bundle, rescanned, ("submissions", 1)),
    "start_retrohunt_once": Write("PUT", none, lambda _: api.start_retrohunt_once(RULE, HUNT, "t1"), ("retrohunt", 1)),
    "start_retrohunt": Write("PUT", none, lambda _: api.start_retrohunt(RULE, HUNT), ("retrohunt", 1)),
    "repeat_retrohunt": Write("POST", There.hunt, lambda key: api.repeat_retrohunt(key, "TLP:C"), ("retrohunt", 1)),
    "archive_submission": Write("PUT", There.submission, api.archive_submission, ("submissions", 2)),
    "add_workflow": Write("PUT", none, lambda _: api.add_workflow(WORKFLOW), ONE_WORKFLOW),
    "edit_workflow": Write("POST", There.workflow, lambda id_: api.edit_workflow(id_, {"name": "v"}), ONE_WORKFLOW),
    "enable_workflow": Write("PUT", There.workflow, lambda id_: api.enable_workflow(id_, False), ONE_WORKFLOW),
    "run_workflow": Write("GET", There.workflow, api.run_workflow, ONE_WORKFLOW),
    "delete_workflow": Write("DELETE", There.workflow, api.delete_workflow, ("workflow", 0)),
}
BARE = {"run_workflow", "start_retrohunt"}  # each of them once more would be done once more


@pytest.fixture
def hook(served: Served, connect: Callable[[str, dict[str, Any]], str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("self_hosted.core.transport.SLOWNESS", 1)
    extra = {"read_timeout": 1, "api_key": "full:full-secret"}
    return AssemblylineHook(connect("assemblyline_default", served.connection(extra=extra)))


@pytest.mark.parametrize("fault", [{"kind": "drop"}, {"kind": "slow_after", "seconds": 1.3}], ids=lambda f: f["kind"])
@pytest.mark.parametrize("name", WRITES)
def test_one_effect_remains(served: Served, hook: AssemblylineHook, ask: Ask, name: str, fault: dict[str, Any]):
    write = WRITES[name]
    given = write.before(There(served, hook))
    path = "/api/v4/(badlist/.*|bundle/|retrohunt/|retrohunt/repeat/|archive/.*|workflow/|workflow/.*)"
    path = path if write.method != "GET" else ".*/run/"
    served.fail(method=write.method, path=path, **fault)
    if name in BARE:
        with pytest.raises(Uncertain):
            ask(hook, write.flow(given))
    else:
        ask(hook, write.flow(given))
    table, rows = write.left
    assert len(served.tables()[table]) == rows


def test_a_run_of_a_workflow_is_not_repeated(served: Served, hook: AssemblylineHook):
    id_ = There(served, hook).workflow()
    served.fail("drop", method="GET", path=".*/run/")
    with pytest.raises(Uncertain):
        hook.run_workflow(id_)
    assert [row["runs"] for row in served.tables()["workflow"]] == [1]


def test_no_reason_and_no_attribution_is_there_twice(served: Served, hook: AssemblylineHook):
    There(served, hook).listed()
    served.fail("drop", method="PUT", path="/api/v4/badlist/.*", times=2)
    hook.add_to_list("badlist", {**OWN, "attribution": {"family": ["a"]}})
    entry = hook.list_entry("badlist", SHA256)
    assert [one["reason"] for one in entry["sources"]] == [["a"], ["a"]]
    assert entry["attribution"]["family"] == ["A"]
