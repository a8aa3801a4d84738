"""What must hold on the stand-in and on a real server, asked as workers and as triggers ask."""

from __future__ import annotations

import hashlib
import io
import time

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.operators import AssemblylineSubmitFileOperator
from self_hosted.assemblyline.sensors import AssemblylineIngestSensor, AssemblylineSubmissionSensor
from self_hosted.assemblyline.triggers import INGEST, SUBMISSION
from self_hosted.core.errors import Forbidden, Invalid, LoginRefused, NotFound
from self_hosted.core.flow import Request, Upload
from self_hosted.core.wait import Waiter, wait
from tests.context import context

NO_SUCH = "0123456789abcdefABCDEF"


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


def upload(words: str, name: str = "contract.txt") -> Upload:
    data = words.encode()
    return Upload(name, lambda: io.BytesIO(data), len(data))


def completed(hook, sid: str):
    return wait(hook, SUBMISSION, Waiter(sid, time.time() + 30, 0.2))


def test_the_credential_is_accepted(hook):
    passed, sentence = hook.test_connection()
    assert (passed, "with the roles to submit" in sentence) == (True, True), sentence


def test_the_configuration_has_size_limit_and_bands(hook, ask):
    assert ask(hook, api.configuration())["submission.max_file_size"] > 0
    bands = ask(hook, api.verdict_bands())
    assert list(bands) == list(api.VERDICTS)
    assert sorted(bands.values()) == list(bands.values())


def test_a_known_profile_is_found_and_an_unknown_one_refused_with_the_names_there_are(hook, ask):
    assert ask(hook, api.submission_profile("static"))["ttl"] >= 0
    with pytest.raises(Invalid, match=r"Select one of.*'static'"):
        ask(hook, api.submission_profile("nosuch"))


@pytest.mark.parametrize(
    ("words", "facts"),
    [
        ("RIG-SCORE:350", {"max_score": 350, "file_count": 1, "error_count": 0}),
        ("RIG-FAIL", {"max_score": 0, "file_count": 1, "error_count": 1}),
        ("RIG-CHILD:RIG-SCORE:700", {"max_score": 700, "file_count": 2, "error_count": 0}),
        ("nothing", {"max_score": 0, "file_count": 1, "error_count": 0}),
    ],
)
def test_a_file_is_submitted_and_analysed(hook, ask, unique, words, facts):
    beginning = ask(hook, api.submit(upload(f"{unique} {words}"), {"metadata": {"case": unique}}))
    assert beginning["state"] == "submitted"
    assert beginning["files"][0]["name"] == "contract.txt"
    seen = completed(hook, beginning["sid"])
    assert (seen.state, seen.done) == ("completed", True)
    assert facts.items() <= seen.facts.items()


def test_a_name_of_any_letters_arrives(hook, ask, unique):
    document = ask(hook, api.submit(upload(unique, 'näme "☃".txt'), {"name": 'näme "☃".txt'}))
    assert document["files"][0]["name"] == 'näme "☃".txt'


def test_metadata_is_stored_as_flat_text_and_found(hook, ask, unique):
    metadata = {"case": {"id": unique}, "urgent": True}
    sid = ask(hook, api.submit(upload(unique), {"metadata": metadata}))["sid"]
    stored = ask(hook, api.submission(sid))["metadata"]
    assert {name: stored[name] for name in stored if name != api.TAG} == {"case.id": unique, "urgent": "true"}
    completed(hook, sid)
    found = ask(hook, api.search_submissions(f"metadata.case.id:{api.phrase(unique)}"))
    assert [document["sid"] for document in found] == [sid]


def test_params_that_the_server_knows_arrive_and_others_vanish(hook, ask, unique):
    params = {"priority": 321, "ttl": 1, "no_such_param": 1}
    document = ask(hook, api.submit(upload(unique), {"params": params}))
    assert (document["params"]["priority"], document["params"]["ttl"]) == (321, 1)
    assert "no_such_param" not in document["params"]


def test_what_was_submitted_under_a_tag_is_not_submitted_again(hook, ask, unique):
    first = ask(hook, api.submit_once(upload(unique), {}, unique))
    completed(hook, first["sid"])
    assert ask(hook, api.submit_once(upload(unique), {}, unique))["sid"] == first["sid"]
    assert len(ask(hook, api.search_submissions(f"metadata.airflow_task:{api.phrase(unique)}"))) == 1


def test_many_submissions_are_seen_by_one_question(hook, ask, unique):
    sids = [ask(hook, api.submit(upload(f"{unique} {number}"), {}))["sid"] for number in range(3)]
    for sid in sids:
        completed(hook, sid)
    seen = ask(hook, SUBMISSION.ask([*sids, NO_SUCH]))
    assert {sid: found.state for sid, found in seen.items()} == {
        **dict.fromkeys(sids, "completed"),
        NO_SUCH: "gone",
    }


def test_what_was_made_twice_is_ended(hook, ask, unique):
    tagged = {"metadata": {api.TAG: unique}}
    first, second = (ask(hook, api.submit(upload(unique), tagged))["sid"] for _ in range(2))
    for sid in (first, second):
        completed(hook, sid)
    assert ask(hook, api.tagged_submission(unique))["sid"] == first
    assert ask(hook, api.end_duplicates(unique, first)) == [second]
    assert ask(hook, api.submission_if_any(second)) is None
    assert ask(hook, api.submission(first))["state"] == "completed"


def test_what_is_submitted_anew_from_a_submission_is_not_the_tasks(hook, ask, unique):
    params = {"description": "Resubmit contract.txt for analysis"}
    ask(hook, api.submit(upload(unique), {"metadata": {api.TAG: unique}, "params": params}))
    own = ask(hook, api.submit(upload(unique), {"metadata": {api.TAG: unique}}))["sid"]
    completed(hook, own)
    assert [found["sid"] for found in ask(hook, api.tagged_submissions(unique))] == [own]


# Ingests


def analysed(hook, key: str):
    return wait(hook, INGEST, Waiter(key, time.time() + 30, 0.2))


def test_what_is_ingested_is_analysed(hook, ask, unique):
    ingest_id = ask(hook, api.ingest(upload(f"{unique} RIG-SCORE:350"), {"params": {"priority": 900}}))
    seen = analysed(hook, ingest_id)
    assert (seen.state, seen.facts["max_score"], seen.facts["deduplicated"]) == ("completed", 350, False)
    document = ask(hook, api.submission(seen.facts["sid"]))
    assert document["metadata"]["ingest_id"] == ingest_id
    assert (document["params"]["priority"], document["params"]["max_extracted"]) == (250, 100)
    assert document["params"]["description"].startswith("[INGEST] ")


def test_what_the_server_has_is_ingested_by_its_hash_and_text_without_a_file(hook, ask, unique):
    known = ask(hook, api.submit({"plaintext": f"{unique} RIG-SCORE:350"}, {}))["files"][0]["sha256"]
    by_hash = ask(hook, api.ingest({"sha256": known}, {}))
    by_text = ask(hook, api.ingest_once({"plaintext": f"{unique} RIG-SCORE:5"}, {}, unique))
    assert [analysed(hook, key).facts["max_score"] for key in (by_hash, by_text)] == [350, 5]
    with pytest.raises(NotFound, match="SHA256 does not exist in Assemblyline"):
        ask(hook, api.ingest({"sha256": "0" * 64}, {}))


def test_what_was_ingested_under_a_tag_is_not_ingested_again(hook, ask, unique):
    first = ask(hook, api.ingest_once(upload(unique), {"params": {"ignore_cache": True}}, unique))
    analysed(hook, first)
    assert ask(hook, api.ingest_once(upload(unique), {"params": {"ignore_cache": True}}, unique)) == first


def test_a_known_file_makes_no_submission_and_is_answered_by_the_earlier_one(hook, ask, unique, monkeypatch):
    first = analysed(hook, ask(hook, api.ingest(upload(unique), {})))
    second = ask(hook, api.ingest(upload(unique), {}))
    digest = hashlib.sha256(unique.encode()).hexdigest()
    key = api.ingest_key(second, digest)
    assert ask(hook, INGEST.ask([key])) == {}
    monkeypatch.setattr("self_hosted.assemblyline.api.ingests.SETTLED", "now-2s")
    seen = analysed(hook, key)
    assert seen.facts == {**first.facts, "deduplicated": True}
    assert ask(hook, api.ingested_submissions([second])) == {}


def test_many_ingests_are_seen_by_one_question(hook, ask, unique):
    keys = [ask(hook, api.ingest(upload(f"{unique} {number}"), {})) for number in range(3)]
    for key in keys:
        analysed(hook, key)
    seen = ask(hook, INGEST.ask([*keys, NO_SUCH]))
    assert {key: one.state for key, one in seen.items()} == dict.fromkeys(keys, "completed")


# Queues


def test_a_submission_is_taken_up_while_it_is_analysed(hook, ask, unique):
    assert ask(hook, api.paused_components()) == set()
    sid = ask(hook, api.submit(upload(f"{unique} RIG-SLEEP:3"), {}))["sid"]
    deadline = time.time() + 2
    while not ask(hook, api.is_taken_up(sid)):
        assert time.time() < deadline
    completed(hook, sid)
    assert not ask(hook, api.is_taken_up(sid))
    with pytest.raises(Forbidden, match="You are not allowed to access this submissions"):
        ask(hook, api.is_taken_up(NO_SUCH))


def test_a_running_submission_is_cancelled_and_gone(hook, ask, unique):
    sid = ask(hook, api.submit(upload(f"{unique} RIG-SLEEP:3"), {}))["sid"]
    assert ask(hook, api.is_completed(sid)) is False
    ask(hook, api.cancel_submission(sid))
    assert ask(hook, api.submission_if_any(sid)) is None
    ask(hook, api.cancel_submission(sid))


def test_a_completed_submission_survives_a_cancel_and_can_be_deleted(hook, ask, unique):
    sid = ask(hook, api.submit(upload(unique), {}))["sid"]
    completed(hook, sid)
    ask(hook, api.cancel_submission(sid))
    assert ask(hook, api.submission(sid))["state"] == "completed"
    ask(hook, api.delete_submission(sid))
    with pytest.raises(NotFound, match="no submission with sid"):
        ask(hook, api.delete_submission(sid))


@pytest.mark.parametrize(
    ("request_", "kind", "words"),
    [
        (Request("GET", "/api/v4/user/whoami"), Invalid, "correct the base URL"),
        (Request("GET", "/api/v4/no/such/"), NotFound, "Api does not exist"),
        (Request("PUT", "/api/v4/submit/"), Invalid, "check the base URL"),
        (Request("GET", f"/api/v4/submission/{NO_SUCH}/"), NotFound, "does not exists"),
        (Request("POST", "/api/v4/search/submission/", form={"query": "*"}), Invalid, "415 Unsupported Media Type"),
        (Request("GET", "/api/v4/search/submission/"), Invalid, "There was no search query"),
        (Request("POST", "/api/v4/search/submission/", json={"query": 'sid:("a"'}), Invalid, "SearchException"),
        (
            Request("POST", "/api/v4/search/submission/", json={"query": "*", "offset": 9999, "rows": 2}),
            Invalid,
            "Result window is too large",
        ),
        (Request("POST", "/api/v4/submit/", parts={"json": "{"}), Invalid, "Expecting property name|Bad Request"),
        (Request("POST", "/api/v4/submit/", parts={"json": "{}"}), Invalid, "400 Bad Request"),
        (Request("POST", "/api/v4/submit/", parts={"json": "{}", "bin": upload("")}), Invalid, "File empty"),
        (Request("POST", "/api/v4/submit/", form={"a": "b"}), Invalid, "Invalid content type"),
        (Request("POST", "/api/v4/submit/", json={}), Invalid, "Missing file to scan"),
        (Request("POST", "/api/v4/submit/", json={"sha256": "a" * 64}), NotFound, "no external sources"),
        (Request("POST", "/api/v4/ingest/", json={}), Invalid, "Missing file to scan"),
        (
            Request("POST", "/api/v4/ingest/", json={"plaintext": "a", "notification_threshold": "a"}),
            Invalid,
            "notification_threshold should be and int",
        ),
        (Request("GET", "/api/v4/search/nosuch/", query={"query": "*"}), Forbidden, "administration"),
    ],
)
def test_errors_mean_and_say_the_same(hook, ask, request_, kind, words):
    def flow():
        return (yield request_)

    with pytest.raises(kind, match=words):
        ask(hook, flow())


def test_a_wrong_secret_is_refused(hook, connect, server):
    connection = {**hook.get_connection(server).extra_dejson, "api_key": "rig:wrong"}
    settings = hook.settings.address.base_url
    wrong = {"conn_type": "assemblyline", "host": settings, "login": "admin", "extra": connection}
    with pytest.raises(LoginRefused):
        AssemblylineHook(connect("wrong", {**wrong, "password": None})).configuration()


def test_operator_and_sensor_agree(server, unique):
    submit = AssemblylineSubmitFileOperator(
        task_id="scan", content=f"{unique} RIG-SCORE:800", name="a.txt", poll_interval=0.3, assemblyline_conn_id=server
    )
    result = submit.execute(context(submit, run_id=unique))
    assert (result["max_score"], result["state"]) == (800, "completed")
    sensor = AssemblylineSubmissionSensor(
        task_id="wait", sid=result["sid"], poke_interval=0.3, assemblyline_conn_id=server
    )
    assert sensor.execute(context(sensor)) == result


def test_the_sensor_of_ingests_agrees_too(server, hook, unique):
    ingest_id = hook.ingest(upload(f"{unique} RIG-SCORE:800"), {})
    sensor = AssemblylineIngestSensor(
        task_id="wait", ingest_id=ingest_id, poke_interval=0.3, assemblyline_conn_id=server
    )
    result = sensor.execute(context(sensor))
    assert (result["ingest_id"], result["max_score"], result["deduplicated"]) == (ingest_id, 800, False)
