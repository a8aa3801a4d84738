"""The digest of a submission: the flow by hand."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.assemblyline.api.submissions import digests
from self_hosted.core.http.errors import NotReadyError, PermanentError, ServerError
from tests.assemblyline.flows import CONFIGURATION, reply, result_of

SHA256 = "0" * 64
DONE: dict[str, Any] = {
    "sid": "s",
    "state": "completed",
    "max_score": 1200,
    "file_count": 3,
    "error_count": 2,
    "errors": [f"{SHA256}.Av.v1.c0.e21", f"{SHA256}.Yara.v2.c0.e1"],
}
NO_TAGS: dict[str, Any] = {"attribution": {}, "behavior": {}, "ioc": {}}


def tag(value, kind="info", safelisted=False):
    return [value, kind, safelisted, "TLP:C"]


def summary(**changes):
    return {
        "tags": NO_TAGS,
        "attack_matrix": {},
        "heuristics": {},
        "partial": False,
        "filtered": False,
        **changes,
    }


def digest(found, errors=None, document=None, first=20):
    replies = [
        reply(document or DONE),
        reply(CONFIGURATION),
        reply(found),
        reply({"result": {}, "error": errors or {}}),
    ]
    return result_of(digests.get("s", first), *replies)[0]


def test_the_worst_values_come_first_without_safelisted_ones():
    found = [
        tag("c"),
        tag("b", "malicious"),
        tag("trusted", "malicious", True),
        tag("a", "suspicious"),
        tag("0", "safe"),
    ]
    report = digest(summary(tags={**NO_TAGS, "ioc": {"network.static.ip": found}}), first=3)
    assert report["iocs"] == [
        {"type": "network.static.ip", "value": value, "classification": "TLP:C"} for value in ("b", "a", "c")
    ]
    assert report["ioc_counts"] == {"network.static.ip": 4}


def test_a_type_with_only_safelisted_values_is_omitted():
    report = digest(summary(tags={**NO_TAGS, "attribution": {"av.virus_name": [tag("x", safelisted=True)]}}))
    assert report["attribution"] == {}


def test_each_technique_is_listed_once():
    matrix = {
        "execution": [["T1059", "Shell", "info"], ["T1059", "Shell", "malicious"]],
        "impact": [["T1486", "E", "info"]],
    }
    assert digest(summary(attack_matrix=matrix))["attack"] == ["T1059", "T1486"]


def test_failed_services_are_listed_even_if_their_errors_are_hidden():
    report = digest(summary(), {DONE["errors"][1]: {"response": {"message": "m" * 400, "status": "FAIL_RECOVERABLE"}}})
    hidden, shown = report["failed_services"]
    assert hidden == {"service": "Av", "sha256": SHA256, "error": "service down", "message": "", "status": None}
    assert (shown["service"], len(shown["message"]), shown["status"]) == ("Yara", 300, "FAIL_RECOVERABLE")
    assert report["error_count"] == 2


def test_only_the_first_failed_services_are_read():
    report, steps = result_of(
        digests.get("s", 1), *map(reply, (DONE, CONFIGURATION, summary(), {"result": {}, "error": {}}))
    )
    assert steps[-1].json["error"] == DONE["errors"][:1]
    assert len(report["failed_services"]) == 1


def test_a_running_submission_has_no_report():
    with pytest.raises(NotReadyError, match="is submitted, not completed"):
        result_of(digests.get("s"), reply({**DONE, "state": "submitted"}))


def test_a_cancelled_submission_has_no_report():
    with pytest.raises(PermanentError, match="cancelled"):
        result_of(digests.get("s"), reply({**DONE, "to_be_deleted": True}))


@pytest.mark.parametrize(
    "changes",
    [
        {"tags": {**NO_TAGS, "ioc": {"network.static.ip": [["a", "info"]]}}},
        {"tags": {**NO_TAGS, "attribution": {"family": [[7, "info", False]]}}},
        {"tags": {**NO_TAGS, "ioc": {"network.static.ip": [["a", "info", False, 7]]}}},
        {"attack_matrix": {"impact": [[]]}},
        {"heuristics": {"info": [["id"]]}},
    ],
)
def test_an_invalid_row_is_an_unexpected_response(changes):
    with pytest.raises(ServerError, match="unexpected response: the summary of submission s has an invalid row"):
        digest(summary(**changes))


def test_an_invalid_key_of_an_error_is_an_unexpected_response():
    with pytest.raises(ServerError, match="unexpected response: key must be that of a result or an error, not 'x'"):
        digest(summary(), document={**DONE, "errors": ["x"]})


def test_a_failure_without_a_response_is_described_by_its_key():
    [failed, _] = digest(summary(), errors={DONE["errors"][0]: {"response": None}})["failed_services"]
    assert (failed["service"], failed["message"]) == ("Av", "")


def test_values_of_an_unknown_kind_come_last():
    found = [tag("a", "new kind"), tag("b", "safe")]
    report = digest(summary(tags={**NO_TAGS, "ioc": {"network.static.ip": found}}))
    assert [ioc["value"] for ioc in report["iocs"]] == ["b", "a"]
