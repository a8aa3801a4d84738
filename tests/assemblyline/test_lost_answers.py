"""Every write, when its work is done and its answer is lost: one effect remains, and the call succeeds."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.errors import Uncertain
from self_hosted.core.flow import Flow
from tests.assemblyline import (
    test_lost_answers_admin,
    test_lost_answers_alerts,
    test_lost_answers_files,
    test_lost_answers_lists,
)
from tests.assemblyline.conftest import upload
from tests.conftest import Ask, Served

READS = {
    "alert",
    "alert_count",
    "alert_counts",
    "alert_ontology",
    "alert_statistics",
    "alerts",
    "classification_definition",
    "component_status",
    "configuration",
    "constants",
    "download_file",
    "download_signatures",
    "export_bundle",
    "file_ascii",
    "file_children",
    "file_hex",
    "file_info",
    "file_ontology",
    "file_results",
    "file_results_of_service",
    "file_score",
    "file_strings",
    "full_submission",
    "group_submissions",
    "grouped_alerts",
    "hash_search",
    "heuristic",
    "heuristic_stats",
    "ingested_submissions",
    "is_completed",
    "is_taken_up",
    "list_data_sources",
    "list_entries",
    "list_entry",
    "look_up_hashes",
    "paused_components",
    "quotas",
    "related_alerts",
    "retrohunt",
    "retrohunt_errors",
    "retrohunt_hits",
    "retrohunt_types",
    "retrohunts",
    "reused_submissions",
    "running_submissions",
    "search",
    "search_all",
    "search_facet",
    "search_fields",
    "search_grouped",
    "search_histogram",
    "search_page",
    "search_result",
    "search_retrohunts",
    "search_signatures",
    "search_stats",
    "search_submissions",
    "search_workflows",
    "service",
    "service_constants",
    "service_error",
    "service_result",
    "service_results",
    "service_updates",
    "service_versions",
    "services",
    "signature",
    "signature_sources",
    "signature_stats",
    "similar_in_badlist",
    "submission",
    "submission_digest",
    "submission_file",
    "submission_ontology",
    "submission_profile",
    "submission_report",
    "submission_summary",
    "submission_tree",
    "submissions",
    "tagged_retrohunt",
    "tagged_submission",
    "tagged_submissions",
    "terms_of_service",
    "user_settings",
    "user_submissions",
    "verdict_bands",
    "whoami",
    "workflow",
    "workflow_labels",
}
BARE = {
    # the server copies the metadata of the old submission, so that no tag of ours can be in the new one
    "resubmit",
    "resubmit_for_dynamic",
    "resubmit_with_profile",
}
TAG = "t1"
TAGGED = {"metadata": {api.TAG: TAG}}
LONG = "RIG-SLEEP:60"
LONGS_SHA256 = hashlib.sha256(LONG.encode()).hexdigest()


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
    "submit": Write("POST", lambda _: api.submit({"plaintext": "x"}, {}), 0, 1),
    "submit_once, of text": Write("POST", lambda _: api.submit_once({"plaintext": "x"}, {}, TAG), 0, 1),
    "submit_once, of a URL": Write("POST", lambda _: api.submit_once({"url": "http://a.example"}, {}, TAG), 0, 1),
    "submit_once, of a known file": Write("POST", lambda _: api.submit_once({"sha256": LONGS_SHA256}, {}, "t2"), 1, 2),
    "resubmit": Write("GET", lambda sids: api.resubmit(sids[0]), 1, 2),
    "resubmit_for_dynamic": Write("GET", lambda _: api.resubmit_for_dynamic(LONGS_SHA256), 1, 2),
    "resubmit_with_profile": Write("PUT", lambda _: api.resubmit_with_profile("static", LONGS_SHA256), 1, 2),
    "submit_once": Write("POST", lambda _: api.submit_once(upload("x"), {}, TAG), 0, 1),
    "submit_once, waiting": Write("POST", lambda _: api.submit_once(upload("x"), {}, TAG, 60), 0, 1),
    "ingest": Write("POST", lambda _: api.ingest(upload("x"), {}), 0, 1),
    "ingest_once": Write("POST", lambda _: api.ingest_once(upload("x"), {}, TAG), 0, 1),
    "ingest, of text": Write("POST", lambda _: api.ingest({"plaintext": "x"}, {}), 0, 1),
    "ingest_once, ignoring the cache": Write(
        "POST", lambda _: api.ingest_once(upload("x"), {"params": {"ignore_cache": True}}, TAG), 0, 1
    ),
    "delete_submission": Write("DELETE", lambda sids: api.delete_submission(sids[0]), 2, 1),
    "delete_submissions": Write("DELETE", lambda sids: api.delete_submissions(sids[:1]), 2, 1),
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
    sids = [hook.submit(upload(LONG), TAGGED)["sid"] for _ in range(write.before)]
    served.fail(method=write.method, path="/api/v4/(submit|submit/.*|ingest|submission/.*)/", **fault)
    if name in BARE:
        with pytest.raises(Uncertain):
            ask(hook, write.flow(sids))
    else:
        assert ask(hook, write.flow(sids)) is not False
    assert len(served.tables()["submissions"]) == write.after


def test_an_ingest_of_what_is_known_makes_no_submission_though_its_answer_is_lost(served, hook, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.tagging.LOOKS", ())
    hook.ingest(upload("x"), {})
    served.fail("drop", method="POST", path="/api/v4/ingest/")
    assert hook.ingest_once(upload("x"), {}, TAG)
    assert len(served.tables()["submissions"]) == 1


def test_every_write_that_can_be_asked_for_is_tried_here():
    members = vars(AssemblylineHook).items()
    published = {name for name, member in members if inspect.isfunction(member) and hasattr(member, "__wrapped__")}
    elsewhere = {
        *test_lost_answers_admin.WRITES,
        *test_lost_answers_admin.TAKES,
        *test_lost_answers_alerts.WRITES,
        *test_lost_answers_files.WRITES,
        *test_lost_answers_lists.WRITES,
    }
    assert {name.partition(",")[0] for name in {*WRITES, *elsewhere}} == published - READS
