"""Each write has one effect and succeeds after its response was lost: lists, bundles, retrohunts and workflows."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from self_hosted.assemblyline.api import archive, workflows
from self_hosted.assemblyline.api.bundles import bundles
from self_hosted.assemblyline.api.lists import additions, lists, schema, updates
from self_hosted.assemblyline.api.retrohunts import starts
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import OutcomeUnknownError
from self_hosted.core.http.flow import Flow, Upload
from tests.assemblyline.conftest import upload
from tests.conftest import Served

SHA256 = "ab" * 32
RULE = 'rule test { strings: $a = "x" condition: $a }'
HUNT = {"description": "a test"}
FEED = {"name": "feed", "type": "external", "reason": ["a"]}
FILE = {**schema.build_file_entry(SHA256), "sources": [FEED]}
OWN = {**schema.build_file_entry(SHA256), "sources": [{"name": "admin", "type": "user", "reason": ["a"]}]}
BOTH = {**FILE, "sources": [FEED, *OWN["sources"]], "attribution": {"family": ["A"]}}
WORKFLOW = {"name": "w", "query": "al.score:>=1000"}


class Objects:
    """Creates the objects that exist before a write.

    :param served: the fake server
    :param hook: creates them
    """

    def __init__(self, served: Served, hook: AssemblylineHook) -> None:
        seconds = {"enabled": True, "seconds": 0}
        served.seed({
            "delay": 0,
            "retrohunt": seconds,
            "archive": {"enabled": True, "minimum": ["Dynamic Analysis"]},
        })
        self.served, self.hook = served, hook

    def entry(self) -> str:
        """Create a badlist entry and return its id."""
        self.hook.add_many_to_list("badlist", [BOTH])
        return SHA256

    def submission(self) -> str:
        """Create a submission and return its id."""
        return str(self.hook.submit(upload("x"), {})["sid"])

    def bundle(self) -> tuple[str, Upload]:
        """Return the id and the bundle of a deleted submission."""
        sid, target = self.submission(), io.BytesIO()
        target.close = lambda: None  # type: ignore[method-assign]
        self.hook.export_bundle(sid, lambda: target)
        self.hook.delete_submission(sid)
        return sid, Upload("a", lambda: io.BytesIO(target.getvalue()), len(target.getvalue()))

    def retrohunt(self) -> str:
        """Start a retrohunt and return its key."""
        return str(self.hook.start_retrohunt(RULE, HUNT)["key"])

    def workflow(self) -> str:
        """Create a workflow and return its id."""
        return self.hook.create_workflow(WORKFLOW)


class Write(NamedTuple):
    """A write whose response is lost.

    :param method: of the request that has the effect
    :param prepare: creates an object
    :param flow: takes the object and returns the write
    :param left: a table of the fake server, and its expected number of rows
    """

    method: str
    prepare: Callable[[Objects], Any]
    flow: Callable[[Any], Flow[Any]]
    left: tuple[str, int]


def no_object(_: Objects) -> None:
    """Create nothing."""


def import_bundle(given: tuple[str, Upload]) -> Flow[Any]:
    return bundles.import_from(given[1], given[0])


def import_and_rescan(given: tuple[str, Upload]) -> Flow[Any]:
    return bundles.import_from(given[1], given[0], rescan_services=["RigScan"])


def remove_source(id_: str) -> Flow[Any]:
    return updates.remove_source("badlist", id_, "admin", "user")


ONE_ENTRY, ONE_WORKFLOW = ("badlist", 1), ("workflow", 1)
WRITES = {
    "add_to_list": Write("PUT", no_object, lambda _: additions.add("badlist", OWN), ONE_ENTRY),
    "add_many_to_list": Write("PUT", no_object, lambda _: additions.add_many("badlist", [FILE]), ONE_ENTRY),
    "set_list_entry_enabled": Write(
        "PUT", Objects.entry, lambda id_: updates.set_enabled("badlist", id_, False), ONE_ENTRY
    ),
    "set_list_entry_expiry": Write(
        "DELETE", Objects.entry, lambda id_: updates.set_expiry("badlist", id_, None), ONE_ENTRY
    ),
    "set_list_entry_classification": Write(
        "PUT",
        Objects.entry,
        lambda id_: updates.set_classification("badlist", id_, "admin", "user", "TLP:C"),
        ONE_ENTRY,
    ),
    "remove_list_entry_source": Write("DELETE", Objects.entry, remove_source, ONE_ENTRY),
    "set_list_entry_attribution": Write(
        "PUT", Objects.entry, lambda id_: updates.set_attribution(id_, "actor", "b"), ONE_ENTRY
    ),
    "remove_from_list": Write("DELETE", Objects.entry, lambda id_: lists.remove("badlist", id_), ("badlist", 0)),
    "import_bundle": Write("POST", Objects.bundle, import_bundle, ("submissions", 1)),
    "import_bundle, with a rescan": Write("POST", Objects.bundle, import_and_rescan, ("submissions", 1)),
    "start_retrohunt_once": Write("PUT", no_object, lambda _: starts.start_once(RULE, HUNT, "t1"), ("retrohunt", 1)),
    "start_retrohunt": Write("PUT", no_object, lambda _: starts.start(RULE, HUNT), ("retrohunt", 1)),
    "repeat_retrohunt": Write("POST", Objects.retrohunt, lambda key: starts.repeat(key, "TLP:C"), ("retrohunt", 1)),
    "archive_submission": Write("PUT", Objects.submission, archive.add_submission, ("submissions", 2)),
    "create_workflow": Write("PUT", no_object, lambda _: workflows.create(WORKFLOW), ONE_WORKFLOW),
    "update_workflow": Write("POST", Objects.workflow, lambda id_: workflows.update(id_, {"name": "v"}), ONE_WORKFLOW),
    "set_workflow_enabled": Write("PUT", Objects.workflow, lambda id_: workflows.set_enabled(id_, False), ONE_WORKFLOW),
    "run_workflow": Write("GET", Objects.workflow, workflows.run, ONE_WORKFLOW),
    "delete_workflow": Write("DELETE", Objects.workflow, workflows.delete, ("workflow", 0)),
}
UNKNOWN_OUTCOME = {"run_workflow", "start_retrohunt"}  # not idempotent


@pytest.fixture
def hook(served: Served, connect: Callable[[str, dict[str, Any]], str]):
    extra = {"api_key": "full:full-secret"}
    return AssemblylineHook(connect("assemblyline_default", served.connection(extra=extra)))


@pytest.mark.parametrize("name", WRITES)
def test_one_effect_remains(served: Served, hook: AssemblylineHook, name: str):
    write = WRITES[name]
    given = write.prepare(Objects(served, hook))
    path = "/api/v4/(badlist/.*|bundle/|retrohunt/|retrohunt/repeat/|archive/.*|workflow/|workflow/.*)"
    path = path if write.method != "GET" else ".*/run/"
    served.fail("drop", method=write.method, path=path)
    if name in UNKNOWN_OUTCOME:
        with pytest.raises(OutcomeUnknownError):
            hook.run(write.flow(given))
    else:
        hook.run(write.flow(given))
    table, rows = write.left
    assert len(served.tables()[table]) == rows


def test_a_run_of_a_workflow_is_not_repeated(served: Served, hook: AssemblylineHook):
    id_ = Objects(served, hook).workflow()
    served.fail("drop", method="GET", path=".*/run/")
    with pytest.raises(OutcomeUnknownError):
        hook.run_workflow(id_)
    assert [row["runs"] for row in served.tables()["workflow"]] == [1]


def test_reasons_and_attributions_are_added_once(served: Served, hook: AssemblylineHook):
    Objects(served, hook).entry()
    served.fail("drop", method="PUT", path="/api/v4/badlist/.*", times=2)
    hook.add_to_list("badlist", {**OWN, "attribution": {"family": ["a"]}})
    entry = hook.get_list_entry("badlist", SHA256)
    assert [source["reason"] for source in entry["sources"]] == [["a"], ["a"]]
    assert entry["attribution"]["family"] == ["A"]
