"""The operators that report, judge and delete, against the stand-in; and the digest of what a server tells."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.operators import (
    AssemblylineDeleteSubmissionOperator,
    AssemblylineReportOperator,
    AssemblylineSetVerdictOperator,
)
from self_hosted.assemblyline.sensors import AssemblylineIngestSensor, AssemblylineSubmissionSensor
from self_hosted.core.errors import Broken, Final, Overdue, Uncertain
from self_hosted.core.operator import LINK_KEY
from tests.assemblyline.flows import BANDS, CONFIGURATION, reply, result_of
from tests.context import context

SHA256 = "0" * 64
DONE: dict[str, Any] = {
    "state": "completed",
    "max_score": 1200,
    "file_count": 3,
    "error_count": 2,
    "errors": [f"{SHA256}.Av.v1.c0.e21", f"{SHA256}.Yara.v2.c0.e1"],
}


@pytest.fixture(autouse=True)
def _connected(conn_id, served):
    served.seed({"delay": 0})


def execute(kind, **arguments):
    task = kind(task_id="t", **arguments)
    told = context(task)
    return task.execute(told), told["ti"].xcoms


def tag(value, kind="info", safelisted=False):
    return [value, kind, safelisted, "TLP:C"]


def summary(**changes):
    return {
        "tags": {"attribution": {}, "behavior": {}, "ioc": {}},
        "attack_matrix": {},
        "heuristics": {},
        "partial": False,
        "filtered": False,
        **changes,
    }


def digest(told, errors=None, document=None, first=20):
    replies = [reply(document or DONE), reply(CONFIGURATION), reply(told), reply({"result": {}, "error": errors or {}})]
    return result_of(api.submission_digest("s", first), *replies)[0]


def test_the_worst_come_first_and_the_safelisted_not_at_all():
    found = [
        tag("c"),
        tag("b", "malicious"),
        tag("trusted", "malicious", True),
        tag("a", "suspicious"),
        tag("0", "safe"),
    ]
    told = digest(summary(tags={"attribution": {}, "ioc": {"network.static.ip": found}}), first=3)
    assert told["iocs"] == {"network.static.ip": {"count": 4, "first": ["b", "a", "c"]}}


def test_a_type_of_which_all_is_safelisted_is_left_out():
    told = digest(summary(tags={"ioc": {}, "attribution": {"av.virus_name": [tag("x", safelisted=True)]}}))
    assert told["attribution"] == {}


def test_a_technique_is_told_once():
    matrix = {
        "execution": [["T1059", "Shell", "info"], ["T1059", "Shell", "malicious"]],
        "impact": [["T1486", "E", "info"]],
    }
    assert digest(summary(attack_matrix=matrix))["attack"] == ["T1059", "T1486"]


def test_services_that_failed_are_told_by_their_keys_even_when_their_errors_are_hidden():
    told = digest(summary(), {DONE["errors"][1]: {"response": {"message": "m" * 400, "status": "FAIL_RECOVERABLE"}}})
    hidden, shown = told["failed_services"]
    assert hidden == {"service": "Av", "sha256": SHA256, "error": "service down", "message": "", "status": None}
    assert (shown["service"], len(shown["message"]), shown["status"]) == ("Yara", 300, "FAIL_RECOVERABLE")
    assert told["error_count"] == 2


def test_only_the_first_failed_services_are_asked_for():
    told, steps = result_of(
        api.submission_digest("s", 1), *map(reply, (DONE, CONFIGURATION, summary(), {"result": {}, "error": {}}))
    )
    assert steps[-1].json["error"] == DONE["errors"][:1]
    assert len(told["failed_services"]) == 1


def test_what_runs_still_is_not_digested():
    with pytest.raises(Overdue, match="is submitted, not completed"):
        result_of(api.submission_digest("s"), reply({"state": "submitted"}))


def test_what_was_cancelled_is_not_digested():
    with pytest.raises(Final, match="cancelled"):
        result_of(api.submission_digest("s"), reply({**DONE, "to_be_deleted": True}))


def test_a_report_is_small_and_links_to_the_submission(served, submitted):
    sid = submitted("RIG-SCORE:1100")
    result, xcoms = execute(AssemblylineReportOperator, sid=sid)
    assert (result["sid"], result["verdict"], result["max_score"], result["output_file"]) == (
        sid,
        "malicious",
        1100,
        None,
    )
    assert result["bands"] == BANDS
    assert result["iocs"]["network.static.uri"] == {"count": 1, "first": ["http://rig.example.com/x"]}
    assert xcoms == {LINK_KEY: f"{served.base_url}/submission/detail/{sid}"}
    assert result["url"] == xcoms[LINK_KEY]


def test_all_that_is_told_goes_to_a_file(submitted, tmp_path):
    sid, output = submitted("RIG-SCORE:1100"), tmp_path / "reports" / "all.json"
    result, _ = execute(AssemblylineReportOperator, sid=sid, output_file=str(output), first="1")
    told = json.loads(output.read_text())
    assert result["output_file"] == str(output)
    assert told["submission"]["sid"] == sid
    assert [one["result"]["score"] for one in told["submission"]["results"].values()] == [1100]
    assert "ioc" in told["summary"]["tags"]


def test_failed_services_are_named_in_the_log(submitted, capsys):
    sid = submitted("RIG-FAIL")
    execute(AssemblylineReportOperator, sid=sid)
    told = capsys.readouterr().out
    assert f"1 services failed on submission {sid}" in told
    assert "RigScan (exception)" in told


def test_a_report_on_what_is_not_completed_is_left_to_retries(served, submitted):
    sid = submitted("RIG-SLEEP:60")
    with pytest.raises(Overdue, match="wait for it first"):
        execute(AssemblylineReportOperator, sid=sid)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"sid": ""}, "sid must be"), ({"sid": "s", "first": "few"}, "first must be a whole number")],
)
def test_a_report_needs_an_id_and_a_number(arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        execute(AssemblylineReportOperator, **arguments)


def test_a_verdict_is_said_once(served, submitted):
    sid = submitted("x")
    for changed in (True, False):
        result, xcoms = execute(AssemblylineSetVerdictOperator, sid=sid, verdict="malicious")
        assert result == {"sid": sid, "verdict": "malicious", "changed": changed, "url": xcoms[LINK_KEY]}


@pytest.mark.parametrize(
    ("sid", "verdict", "words"), [("", "malicious", "sid must be"), ("s", "bad", "verdict must be one")]
)
def test_a_verdict_is_checked_before_anything_is_sent(sid, verdict, words):
    with pytest.raises(AirflowFailException, match=words):
        execute(AssemblylineSetVerdictOperator, sid=sid, verdict=verdict)


def test_a_verdict_that_was_not_stored_is_an_error():
    replies = (reply({"username": "u", **ACCOUNT}), reply({"verdict": {}}), reply({"success": False}))
    with pytest.raises(Broken, match="not stored"):
        result_of(api.set_verdict("s", "malicious"), *replies)


ACCOUNT = {
    "api_daily_quota": 0,
    "submission_daily_quota": 0,
    "settings": {"submission_profiles": {}},
    "configuration": {
        "submission": {"verdicts": {}, "max_file_size": 1, "max_dtl": 0},
        "ui": {"enforce_quota": True},
    },
}


def delete(**arguments):
    result, xcoms = execute(AssemblylineDeleteSubmissionOperator, **{"confirm": True, **arguments})
    assert result.pop("url") == xcoms[LINK_KEY]
    return result


def left(served):
    return [one["sid"] for one in served.tables()["submissions"]]


def test_submissions_are_deleted_and_a_second_time_are_absent(served, submitted):
    sids, kept = [submitted("x"), submitted("RIG-SLEEP:60")], submitted("y")
    assert delete(sids=sids) == {"deleted": 2, "absent": 0, "sids": sids}
    assert left(served) == [kept]
    assert delete(sids=sids) == {"deleted": 0, "absent": 2, "sids": []}


def test_one_submission_is_given_as_text(served, submitted):
    assert delete(sids=submitted("x"))["deleted"] == 1
    assert left(served) == []


def test_no_submissions_are_none(served, submitted):
    submitted("x")
    assert delete(sids=[])["deleted"] == 0
    assert len(left(served)) == 1


def test_a_query_finds_what_is_deleted(served, submitted):
    for case in ("1", "2", "1"):
        submitted("x", metadata={"case": case})
    assert delete(query='metadata.case:"1"')["deleted"] == 2
    assert len(left(served)) == 1


def test_a_list_that_a_template_gave_as_text_is_deleted_and_not_taken_for_one_id(served, submitted):
    sids = [submitted("x") for _ in range(2)]
    assert delete(sids=str(sids), confirm="True")["deleted"] == 2
    assert left(served) == []


@pytest.mark.parametrize("by", ["sids", "query"])
def test_more_than_the_limit_deletes_none(served, submitted, by):
    sids = [submitted("x") for _ in range(3)]
    with pytest.raises(AirflowFailException, match="more than 2 submissions"):
        delete(**{"sids": sids} if by == "sids" else {"query": "*"}, at_most="2")
    assert len(left(served)) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sids": ["s"], "confirm": False}, "confirm must be true"),
        ({"sids": ["s"], "confirm": "yes"}, "confirm must be true or false"),
        ({}, "either sids or query"),
        ({"sids": ["s"], "query": "*"}, "either sids or query"),
        ({"query": " "}, "must not be empty"),
        ({"sids": [1]}, "sids must be"),
        ({"sids": "None"}, "sids must be a text or a list of texts, not 'None'"),
        ({"query": "*", "at_most": "all"}, "at_most must be a whole number"),
        ({"query": "*", "at_most": 5001}, "5000 or less"),
    ],
)
def test_deleting_takes_care(arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        delete(**arguments)


def test_what_belongs_to_others_is_told_after_the_rest_is_deleted():
    there = {"to_be_deleted": False}
    replies = (NOT_FOUND, reply(there), reply({"success": True}))
    with pytest.raises(Final, match="1 of 2 submissions belong to other users and were not deleted: a"):
        result_of(api.delete_submissions(["a", "b"]), *replies)


NOT_FOUND = api.error_of(reply("", 404, "There is no submission with sid: a"))


def test_what_somebody_else_submitted_stays(served, submitted, connect):
    own, other = submitted("x"), AssemblylineHook(connect("of_user", served.connection(login="user", extra=USER)))
    foreign = other.submit({"plaintext": "y"}, {})["sid"]
    with pytest.raises(AirflowFailException, match=f"belong to other users and were not deleted: {foreign}"):
        delete(sids=[foreign, own])
    assert left(served) == [foreign]


USER = {"api_key": "sandbox:user-secret"}


def test_a_task_that_is_tried_again_deletes_what_is_left(served, submitted, monkeypatch):
    sids = [submitted("x"), submitted("y")]
    served.fail("status", method="DELETE", path=f"/api/v4/submission/{sids[1]}/", status=500)
    with pytest.raises((Broken, Uncertain)):
        delete(sids=sids)
    assert delete(sids=sids) == {"deleted": 1, "absent": 1, "sids": sids[1:]}
    assert left(served) == []


def test_sensors_tell_in_the_log_how_many_services_failed(submitted, ingested, capsys):
    for sensor in (
        AssemblylineSubmissionSensor(task_id="t", sid=submitted("RIG-FAIL"), poke_interval=0.02),
        AssemblylineIngestSensor(task_id="t", ingest_id=ingested("RIG-FAIL"), poke_interval=0.02),
    ):
        sid = sensor.execute(context(sensor))["sid"]
        assert f"1 services failed on submission {sid}" in capsys.readouterr().out
