"""Each write has one effect and succeeds after its response was lost: submissions and ingests."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from self_hosted.assemblyline.api.submissions import idempotency, ingests, intake, resubmissions, submissions
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import OutcomeUnknownError
from self_hosted.core.http.flow import Flow
from tests.assemblyline import (
    test_recovery_admin,
    test_recovery_alerts,
    test_recovery_files,
    test_recovery_lists,
)
from tests.assemblyline.conftest import upload
from tests.conftest import Served

READ_VERBS = {"count", "download", "export", "find", "get", "is", "list", "look", "save", "search"}
UNKNOWN_OUTCOME = {
    # the server copies the metadata of the old submission, so the new one has no tag of its own
    "resubmit",
    "resubmit_for_dynamic_analysis",
    "resubmit_with_profile",
}
TAG = "t1"
TAGGED = {"metadata": {idempotency.METADATA_KEY: TAG}}
LONG = "RIG-SLEEP:60"
LONG_SHA256 = hashlib.sha256(LONG.encode()).hexdigest()


class Write(NamedTuple):
    """A write whose response is lost.

    :param method: of the request that has the effect
    :param flow: takes the ids of the existing submissions and returns the write
    :param before: number of submissions before
    :param after: number of submissions after
    """

    method: str
    flow: Callable[[list[str]], Flow[Any]]
    before: int
    after: int


WRITES = {
    "submit": Write("POST", lambda _: intake.submit({"plaintext": "x"}, {}), 0, 1),
    "submit_once, of text": Write("POST", lambda _: intake.submit_once({"plaintext": "x"}, {}, TAG), 0, 1),
    "submit_once, of a URL": Write("POST", lambda _: intake.submit_once({"url": "http://a.example"}, {}, TAG), 0, 1),
    "submit_once, of a known file": Write(
        "POST", lambda _: intake.submit_once({"sha256": LONG_SHA256}, {}, "t2"), 1, 2
    ),
    "resubmit": Write("GET", lambda sids: resubmissions.create(sids[0]), 1, 2),
    "resubmit_for_dynamic_analysis": Write(
        "GET", lambda _: resubmissions.create_for_dynamic_analysis(LONG_SHA256), 1, 2
    ),
    "resubmit_with_profile": Write("PUT", lambda _: resubmissions.create_with_profile("static", LONG_SHA256), 1, 2),
    "submit_once": Write("POST", lambda _: intake.submit_once(upload("x"), {}, TAG), 0, 1),
    "submit_once, waiting": Write("POST", lambda _: intake.submit_once(upload("x"), {}, TAG, 60), 0, 1),
    "ingest": Write("POST", lambda _: ingests.create(upload("x"), {}), 0, 1),
    "ingest_once": Write("POST", lambda _: ingests.create_once(upload("x"), {}, TAG), 0, 1),
    "ingest, of text": Write("POST", lambda _: ingests.create({"plaintext": "x"}, {}), 0, 1),
    "ingest_once, ignoring the cache": Write(
        "POST", lambda _: ingests.create_once(upload("x"), {"params": {"ignore_cache": True}}, TAG), 0, 1
    ),
    "delete_submission": Write("DELETE", lambda sids: submissions.delete(sids[0]), 2, 1),
    "delete_submissions": Write("DELETE", lambda sids: submissions.delete_many(sids[:1]), 2, 1),
    "cancel_submission": Write("DELETE", lambda sids: submissions.cancel(sids[0]), 2, 1),
    "end_duplicate_submissions": Write("DELETE", lambda sids: idempotency.end_duplicates(TAG, sids[0]), 2, 1),
}


@pytest.fixture
def impatient(served: Served, connect: Callable[[str, dict[str, Any]], str], monkeypatch: pytest.MonkeyPatch):
    """A hook that waits for a response for one second."""
    monkeypatch.setattr("self_hosted.core.http.transport.LONG_RUNNING_TIMEOUT_FACTOR", 1)
    return AssemblylineHook(connect("impatient", served.connection(extra={"read_timeout": 1})))


@pytest.mark.parametrize("name", WRITES)
def test_one_effect_remains(served: Served, hook: AssemblylineHook, name: str):
    write = WRITES[name]
    sids = [hook.submit(upload(LONG), TAGGED)["sid"] for _ in range(write.before)]
    served.fail("drop", method=write.method, path="/api/v4/(submit|submit/.*|ingest|submission/.*)/")
    if name in UNKNOWN_OUTCOME:
        with pytest.raises(OutcomeUnknownError):
            hook.run(write.flow(sids))
    else:
        assert hook.run(write.flow(sids)) is not False
    assert len(served.tables()["submissions"]) == write.after


def test_a_slow_response_is_read_back(served: Served, impatient: AssemblylineHook):
    served.fail("slow_after", method="POST", path="/api/v4/submit/", seconds=1.3)
    assert impatient.submit({"plaintext": LONG}, {})["state"] == "submitted"
    assert len(served.tables()["submissions"]) == 1


def test_an_ingest_of_a_known_file_makes_no_submission_after_a_lost_response(served, hook, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.recovery.RECHECK_DELAYS_SECONDS", ())
    hook.ingest(upload("x"), {})
    served.fail("drop", method="POST", path="/api/v4/ingest/")
    assert hook.ingest_once(upload("x"), {}, TAG)
    assert len(served.tables()["submissions"]) == 1


def test_every_write_of_the_hook_has_a_case():
    members = vars(AssemblylineHook).items()
    methods = {name for name, member in members if inspect.isfunction(member) and hasattr(member, "__wrapped__")}
    writes = {name for name in methods if name.partition("_")[0] not in READ_VERBS}
    elsewhere = {
        *test_recovery_admin.WRITES,
        *test_recovery_admin.TAKES,
        *test_recovery_alerts.WRITES,
        *test_recovery_files.WRITES,
        *test_recovery_lists.WRITES,
    }
    assert {name.partition(",")[0] for name in {*WRITES, *elsewhere}} == writes
