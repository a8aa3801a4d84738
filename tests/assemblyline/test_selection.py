"""Services and classification, checked before anything is sent."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.api.selection import check_classification, check_services
from tests.assemblyline.conftest import upload
from tests.assemblyline.flows import UPLOAD, reply, result_of

SETTINGS = {
    "services.categories": [["Antivirus", ["ClamAV"]], ["Extraction", []]],
    "services.stages": [["CORE", ["ClamAV", "Odd"]]],
}
DEFINITION = {
    "UNRESTRICTED": "TLP:C",
    "enforce": False,
    "levels_aliases": {"TLP:W": "TLP:C", "RESTRICTED": "TLP:A"},
    "levels_map_stl": {"TLP:C": "TLP:CLEAR", "TLP:A": "TLP:AMBER"},
}


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"services": None},
        {"services": {"selected": ["ClamAV", "Extraction"], "excluded": ["Odd"], "rescan": [], "resubmit": []}},
        {"service_spec": {"ClamAV": {"timeout": 5}}},
    ],
)
def test_what_the_server_has_may_be_named(params):
    check_services(params, SETTINGS)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"services": {"selected": ["clamav"]}}, "no service or category clamav; it has Antivirus, ClamAV, Extraction"),
        ({"services": {"excluded": ["A", "B"]}}, "no service or category A, B"),
        ({"service_spec": {"Nope": {}}}, "no service or category Nope"),
        ({"services": {"selected": "ClamAV"}}, "services.selected must be a list of names, not 'ClamAV'"),
        ({"services": ["ClamAV"]}, "services must be a dictionary of selected, excluded, rescan, resubmit"),
        ({"services": {"chosen": ["ClamAV"]}}, "services must be a dictionary of selected"),
    ],
)
def test_what_the_server_would_ignore_is_refused(params, words):
    with pytest.raises(ValueError, match=words):
        check_services(params, SETTINGS)


def test_a_server_that_does_not_tell_its_services_is_believed():
    check_services({"services": {"selected": ["ClamAV"]}}, {})


@pytest.mark.parametrize("classification", ["TLP:C", "tlp:clear", "TLP:W"])
def test_a_classification_that_is_stored_as_it_is_may_be_given(classification):
    result_of(check_classification(classification), reply(DEFINITION))


@pytest.mark.parametrize("classification", ["TLP:AMBER", "nonsense", 7])
def test_a_server_that_enforces_none_would_store_another(classification):
    with pytest.raises(ValueError, match="would store TLP:C instead of"):
        result_of(check_classification(classification), reply(DEFINITION))


def test_a_server_that_enforces_them_is_left_to_judge():
    result_of(check_classification("TLP:AMBER"), reply({**DEFINITION, "enforce": True}))


@pytest.mark.parametrize(
    ("params", "words"),
    [({"services": {"selected": ["Nope"]}}, "no service or category Nope"), ({"classification": "TLP:A"}, "TLP:C")],
)
def test_neither_submit_nor_ingest_sends_anything_then(served, hook, params, words):
    for once in (api.submit_once, api.ingest_once):
        with pytest.raises(ValueError, match=words):
            hook.run(once(upload("x"), {"params": params}, "tag"))
    assert served.tables()["submissions"] == []


def test_services_that_there_are_cost_no_request_more():
    params = {"services": {"selected": ["ClamAV"]}}
    replies = reply({"items": []}), reply({**SETTINGS, "submission.max_file_size": 9}), reply({"sid": "s"})
    _, requests = result_of(api.submit_once(UPLOAD, {"params": params}, "tag"), *replies)
    paths = [request.path for request in requests]
    assert paths == ["/api/v4/search/submission/", "/api/v4/help/configuration/", "/api/v4/submit/"]
