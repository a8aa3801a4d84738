"""Contract of submissions and ingests, on the fake server and on live ones, in workers and triggers."""

from __future__ import annotations

import hashlib
import io
import time

import pytest

from self_hosted.assemblyline import waits
from self_hosted.assemblyline.api import server
from self_hosted.assemblyline.api.account import account
from self_hosted.assemblyline.api.search import lucene
from self_hosted.assemblyline.api.submissions import activity, idempotency, ingests, intake, submissions, verdicts
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.operators import AssemblylineSubmitFileOperator
from self_hosted.assemblyline.sensors import AssemblylineIngestSensor, AssemblylineSubmissionSensor
from self_hosted.core.http.errors import AuthenticationError, InvalidRequestError, NotFoundError, PermissionDeniedError
from self_hosted.core.http.flow import Request, Upload
from self_hosted.core.wait.loop import wait_in_worker
from self_hosted.core.wait.pending import PendingWait
from tests.assemblyline.conftest import wait_until
from tests.context import context

MISSING_SID = "0123456789abcdefABCDEF"


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


def upload(text: str, name: str = "contract.txt") -> Upload:
    data = text.encode()
    return Upload(name, lambda: io.BytesIO(data), len(data))


def wait_for(hook, sid: str):
    return wait_in_worker(hook, waits.SUBMISSION, PendingWait(sid, time.time() + 60, 0.2))


def test_the_credential_is_accepted(hook):
    passed, sentence = hook.test_connection()
    assert (passed, "with the roles to submit" in sentence) == (True, True), sentence


def test_the_configuration_contains_size_limit_and_bands(hook, run_flow):
    assert run_flow(hook, server.get_configuration())["submission.max_file_size"] > 0
    bands = run_flow(hook, verdicts.get_bands())
    assert list(bands) == list(verdicts.VERDICTS)
    assert sorted(bands.values()) == list(bands.values())


def test_an_unknown_profile_is_rejected_with_the_existing_names(hook, run_flow):
    assert run_flow(hook, account.get_submission_profile("static"))["ttl"] >= 0
    with pytest.raises(InvalidRequestError, match=r"Select one of.*'static'"):
        run_flow(hook, account.get_submission_profile("nosuch"))


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("RIG-SCORE:350", {"max_score": 350, "file_count": 1, "error_count": 0}),
        ("RIG-FAIL", {"max_score": 0, "file_count": 1, "error_count": 1}),
        ("RIG-CHILD:RIG-SCORE:700", {"max_score": 700, "file_count": 2, "error_count": 0}),
        ("nothing", {"max_score": 0, "file_count": 1, "error_count": 0}),
    ],
)
def test_a_file_is_submitted_and_analysed(hook, run_flow, unique, text, details):
    document = run_flow(hook, intake.submit(upload(f"{unique} {text}"), {"metadata": {"case": unique}}))
    assert document["state"] == "submitted"
    assert document["files"][0]["name"] == "contract.txt"
    observed = wait_for(hook, document["sid"])
    assert (observed.state, observed.done) == ("completed", True)
    assert details.items() <= observed.details.items()


def test_a_name_may_have_any_characters(hook, run_flow, unique):
    document = run_flow(hook, intake.submit(upload(unique, 'näme "☃".txt'), {"name": 'näme "☃".txt'}))
    assert document["files"][0]["name"] == 'näme "☃".txt'


def test_metadata_is_stored_as_flat_text_and_found(hook, run_flow, unique):
    metadata = {"case": {"id": unique}, "urgent": True}
    sid = run_flow(hook, intake.submit(upload(unique), {"metadata": metadata}))["sid"]
    stored = run_flow(hook, submissions.get(sid))["metadata"]
    assert {name: stored[name] for name in stored if name != idempotency.METADATA_KEY} == {
        "case.id": unique,
        "urgent": "true",
    }
    wait_for(hook, sid)
    found = run_flow(hook, submissions.search(f"metadata.case.id:{lucene.quote(unique)}"))
    assert [document["sid"] for document in found] == [sid]


def test_the_server_keeps_known_params_and_drops_others(hook, run_flow, unique):
    params = {"priority": 321, "ttl": 1, "no_such_param": 1}
    document = run_flow(hook, intake.submit(upload(unique), {"params": params}))
    assert (document["params"]["priority"], document["params"]["ttl"]) == (321, 1)
    assert "no_such_param" not in document["params"]


def test_a_tag_is_submitted_once(hook, run_flow, unique):
    first = run_flow(hook, intake.submit_once(upload(unique), {}, unique))
    wait_for(hook, first["sid"])
    assert run_flow(hook, intake.submit_once(upload(unique), {}, unique))["sid"] == first["sid"]
    assert len(run_flow(hook, submissions.search(f"metadata.airflow_task:{lucene.quote(unique)}"))) == 1


def test_many_submissions_are_observed_together(hook, run_flow, unique):
    sids = [run_flow(hook, intake.submit(upload(f"{unique} {number}"), {}))["sid"] for number in range(3)]
    for sid in sids:
        wait_for(hook, sid)
    observations = run_flow(hook, waits.SUBMISSION.refresh([*sids, MISSING_SID]))
    assert {sid: observation.state for sid, observation in observations.items()} == {
        **dict.fromkeys(sids, "completed"),
        MISSING_SID: "missing",
    }


def test_duplicates_are_deleted(hook, run_flow, unique):
    tagged = {"metadata": {idempotency.METADATA_KEY: unique}}
    first, second = (run_flow(hook, intake.submit(upload(unique), tagged))["sid"] for _ in range(2))
    for sid in (first, second):
        wait_for(hook, sid)
    assert run_flow(hook, idempotency.get(unique))["sid"] == first
    assert run_flow(hook, idempotency.end_duplicates(unique, first)) == [second]
    assert run_flow(hook, submissions.get_if_present(second)) is None
    assert run_flow(hook, submissions.get(first))["state"] == "completed"


def test_a_tag_of_another_file_is_submitted_again_and_its_submission_is_left_alone(hook, run_flow, unique):
    tagged = {"metadata": {idempotency.METADATA_KEY: unique}}
    other = run_flow(hook, intake.submit(upload(f"{unique} RIG-SCORE:1000"), tagged))["sid"]
    wait_for(hook, other)
    own = run_flow(hook, intake.submit_once(upload(unique), {}, unique))
    wait_for(hook, own["sid"])
    assert own["sid"] != other
    assert len(own["left_alone"]) == 1
    assert run_flow(hook, idempotency.get(unique, upload(unique)))["sid"] == own["sid"]
    assert run_flow(hook, idempotency.end_duplicates(unique, own["sid"])) == []
    assert run_flow(hook, submissions.get_if_present(other))["max_score"] == 1000


def test_other_services_are_another_request(hook, run_flow, unique):
    options = {"metadata": {idempotency.METADATA_KEY: unique}}
    params = {"services": {"selected": ["Antivirus"]}}
    first = run_flow(hook, intake.submit(upload(unique), options))["sid"]
    second = run_flow(hook, intake.submit(upload(unique), {**options, "params": params}))["sid"]
    for sid in (first, second):
        wait_for(hook, sid)
    assert run_flow(hook, idempotency.end_duplicates(unique, first)) == []


@pytest.mark.parametrize("kind", ["url", "md5", "sha256", "plaintext"])
def test_the_submission_of_a_source_is_found_by_its_content(hook, run_flow, unique, kind):
    content = unique.encode()
    run_flow(hook, intake.submit(upload(unique), {}))
    sources = {
        "url": "hxxp[:]//exa[.]mple.com/" + unique,
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "plaintext": unique,
    }
    source = {kind: sources[kind]}
    sid = run_flow(hook, intake.submit_once(source, {}, unique))["sid"]
    wait_for(hook, sid)
    assert run_flow(hook, idempotency.get(unique, source))["sid"] == sid
    other = {"url": f"{sources['url']}/other"} if kind == "url" else upload("other")
    assert run_flow(hook, idempotency.get(unique, other)) is None


def test_a_copy_of_a_submission_does_not_count(hook, run_flow, unique):
    params = {"description": "Resubmit contract.txt for analysis"}
    run_flow(hook, intake.submit(upload(unique), {"metadata": {idempotency.METADATA_KEY: unique}, "params": params}))
    own = run_flow(hook, intake.submit(upload(unique), {"metadata": {idempotency.METADATA_KEY: unique}}))["sid"]
    wait_for(hook, own)
    assert [found["sid"] for found in run_flow(hook, idempotency.list_by_tag(unique))] == [own]


# Ingests


def wait_for_ingest(hook, key: str):
    return wait_in_worker(hook, waits.INGEST, PendingWait(key, time.time() + 60, 0.2))


def test_an_ingested_file_is_analysed(hook, run_flow, unique):
    ingest_id = run_flow(hook, ingests.create(upload(f"{unique} RIG-SCORE:350"), {"params": {"priority": 900}}))
    observed = wait_for_ingest(hook, ingest_id)
    assert (observed.state, observed.details["max_score"], observed.details["deduplicated"]) == (
        "completed",
        350,
        False,
    )
    document = run_flow(hook, submissions.get(observed.details["sid"]))
    assert document["metadata"]["ingest_id"] == ingest_id
    assert (document["params"]["priority"], document["params"]["max_extracted"]) == (250, 100)
    assert document["params"]["description"].startswith("[INGEST] ")


def test_known_files_are_ingested_by_hash_and_texts_without_a_file(hook, run_flow, unique):
    known = run_flow(hook, intake.submit({"plaintext": f"{unique} RIG-SCORE:350"}, {}))["files"][0]["sha256"]
    by_hash = run_flow(hook, ingests.create({"sha256": known}, {}))
    by_text = run_flow(hook, ingests.create_once({"plaintext": f"{unique} RIG-SCORE:5"}, {}, unique))
    assert [wait_for_ingest(hook, key).details["max_score"] for key in (by_hash, by_text)] == [350, 5]
    with pytest.raises(NotFoundError, match="SHA256 does not exist in Assemblyline"):
        run_flow(hook, ingests.create({"sha256": "0" * 64}, {}))


def test_a_tag_is_ingested_once(hook, run_flow, unique):
    first = run_flow(hook, ingests.create_once(upload(unique), {"params": {"ignore_cache": True}}, unique))
    wait_for_ingest(hook, first)
    assert run_flow(hook, ingests.create_once(upload(unique), {"params": {"ignore_cache": True}}, unique)) == first


def test_a_known_file_reuses_the_earlier_submission(hook, run_flow, unique, monkeypatch):
    first = wait_for_ingest(hook, run_flow(hook, ingests.create(upload(unique), {})))
    second = run_flow(hook, ingests.create(upload(unique), {}))
    digest = hashlib.sha256(unique.encode()).hexdigest()
    key = waits.build_ingest_key(second, digest)
    assert run_flow(hook, waits.INGEST.refresh([key])) == {}
    monkeypatch.setattr("self_hosted.assemblyline.api.submissions.ingests.SETTLED_BEFORE", "now-2s")
    observed = wait_for_ingest(hook, key)
    assert observed.details == {**first.details, "deduplicated": True}
    assert run_flow(hook, ingests.get_submissions([second])) == {}


def test_many_ingests_are_observed_together(hook, run_flow, unique):
    keys = [run_flow(hook, ingests.create(upload(f"{unique} {number}"), {})) for number in range(3)]
    for key in keys:
        wait_for_ingest(hook, key)
    observed = run_flow(hook, waits.INGEST.refresh([*keys, MISSING_SID]))
    assert {key: observation.state for key, observation in observed.items()} == dict.fromkeys(keys, "completed")


# Running submissions


def test_a_submission_is_dispatched_while_it_is_analysed(hook, run_flow, unique):
    assert run_flow(hook, server.list_paused_components()) == set()
    sid = run_flow(hook, intake.submit(upload(f"{unique} RIG-SLEEP:3"), {}))["sid"]
    wait_until(lambda: run_flow(hook, activity.is_dispatched(sid)))
    wait_for(hook, sid)
    assert not run_flow(hook, activity.is_dispatched(sid))
    with pytest.raises(PermissionDeniedError, match="You are not allowed to access this submissions"):
        run_flow(hook, activity.is_dispatched(MISSING_SID))


def test_a_running_submission_is_cancelled(hook, run_flow, unique):
    sid = run_flow(hook, intake.submit(upload(f"{unique} RIG-SLEEP:3"), {}))["sid"]
    assert run_flow(hook, submissions.is_completed(sid)) is False
    run_flow(hook, submissions.cancel(sid))
    assert run_flow(hook, submissions.get_if_present(sid)) is None
    run_flow(hook, submissions.cancel(sid))


def test_a_completed_submission_survives_a_cancel_and_can_be_deleted(hook, run_flow, unique):
    sid = run_flow(hook, intake.submit(upload(unique), {}))["sid"]
    wait_for(hook, sid)
    run_flow(hook, submissions.cancel(sid))
    assert run_flow(hook, submissions.get(sid))["state"] == "completed"
    run_flow(hook, submissions.delete(sid))
    with pytest.raises(NotFoundError, match="no submission with sid"):
        run_flow(hook, submissions.delete(sid))


@pytest.mark.parametrize(
    ("request_", "error_class", "message"),
    [
        (Request("GET", "/api/v4/user/whoami"), InvalidRequestError, "correct the base URL"),
        (Request("GET", "/api/v4/no/such/"), NotFoundError, "Api does not exist"),
        (Request("PUT", "/api/v4/submit/"), InvalidRequestError, "check the base URL"),
        (Request("GET", f"/api/v4/submission/{MISSING_SID}/"), NotFoundError, "does not exists"),
        (
            Request("POST", "/api/v4/search/submission/", form={"query": "*"}),
            InvalidRequestError,
            "415 Unsupported Media Type",
        ),
        (Request("GET", "/api/v4/search/submission/"), InvalidRequestError, "There was no search query"),
        (
            Request("POST", "/api/v4/search/submission/", json={"query": 'sid:("a"'}),
            InvalidRequestError,
            "SearchException",
        ),
        (
            Request("POST", "/api/v4/search/submission/", json={"query": "*", "offset": 9999, "rows": 2}),
            InvalidRequestError,
            "Result window is too large",
        ),
        (
            Request("POST", "/api/v4/submit/", parts={"json": "{"}),
            InvalidRequestError,
            "Expecting property name|Bad Request",
        ),
        (Request("POST", "/api/v4/submit/", parts={"json": "{}"}), InvalidRequestError, "400 Bad Request"),
        (
            Request("POST", "/api/v4/submit/", parts={"json": "{}", "bin": upload("")}),
            InvalidRequestError,
            "File empty",
        ),
        (Request("POST", "/api/v4/submit/", form={"a": "b"}), InvalidRequestError, "Invalid content type"),
        (Request("POST", "/api/v4/submit/", json={}), InvalidRequestError, "Missing file to scan"),
        (Request("POST", "/api/v4/submit/", json={"sha256": "a" * 64}), NotFoundError, "no external sources"),
        (Request("POST", "/api/v4/ingest/", json={}), InvalidRequestError, "Missing file to scan"),
        (
            Request("POST", "/api/v4/ingest/", json={"plaintext": "a", "notification_threshold": "a"}),
            InvalidRequestError,
            "notification_threshold should be and int",
        ),
        (Request("GET", "/api/v4/search/nosuch/", query={"query": "*"}), PermissionDeniedError, "administration"),
    ],
)
def test_errors_have_the_same_class_and_message(hook, run_flow, request_, error_class, message):
    def flow():
        return (yield request_)

    with pytest.raises(error_class, match=message):
        run_flow(hook, flow())


def test_a_wrong_secret_is_rejected(hook, connect, server):
    connection = {**hook.get_connection(server).extra_dejson, "api_key": "rig:wrong"}
    host = hook.settings.address.base_url
    wrong = {"conn_type": "assemblyline", "host": host, "login": "admin", "extra": connection}
    with pytest.raises(AuthenticationError):
        AssemblylineHook(connect("wrong", {**wrong, "password": None})).get_configuration()


def test_operator_and_sensor_return_the_same_result(server, unique):
    submit = AssemblylineSubmitFileOperator(
        task_id="scan", content=f"{unique} RIG-SCORE:800", name="a.txt", poll_interval=0.3, assemblyline_conn_id=server
    )
    result = submit.execute(context(submit, run_id=unique))
    assert (result["max_score"], result["state"]) == (800, "completed")
    sensor = AssemblylineSubmissionSensor(
        task_id="wait", sid=result["sid"], poke_interval=0.3, assemblyline_conn_id=server
    )
    assert sensor.execute(context(sensor)) == result


def test_the_sensor_of_ingests_returns_the_same_result(server, hook, unique):
    ingest_id = hook.ingest(upload(f"{unique} RIG-SCORE:800"), {})
    sensor = AssemblylineIngestSensor(
        task_id="wait", ingest_id=ingest_id, poke_interval=0.3, assemblyline_conn_id=server
    )
    result = sensor.execute(context(sensor))
    assert (result["ingest_id"], result["max_score"], result["deduplicated"]) == (ingest_id, 800, False)
