"""Checks of services and classifications before anything is sent."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline.api import server
from self_hosted.assemblyline.api.submissions import ingests, intake, validation
from tests.assemblyline.conftest import upload
from tests.assemblyline.flows import CONFIGURATION, UPLOAD, reply, result_of

SERVER_CONFIGURATION = {
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
def test_known_services_are_valid(params):
    validation.check_services(params, SERVER_CONFIGURATION)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"services": {"selected": ["clamav"]}},
            "unknown services or categories clamav; this server has Antivirus, ClamAV",
        ),
        ({"services": {"excluded": ["A", "B"]}}, "unknown services or categories A, B"),
        ({"service_spec": {"Nope": {}}}, "unknown services or categories Nope"),
        ({"services": {"selected": "ClamAV"}}, "services.selected must be a list of names, not 'ClamAV'"),
        ({"services": ["ClamAV"]}, "services must be a dictionary with keys among selected, excluded"),
        ({"services": {"chosen": ["ClamAV"]}}, "services must be a dictionary with keys among selected"),
    ],
)
def test_services_that_the_server_would_ignore_are_rejected(params, message):
    with pytest.raises(ValueError, match=message):
        validation.check_services(params, SERVER_CONFIGURATION)


def test_without_a_list_of_services_all_are_valid():
    validation.check_services({"services": {"selected": ["ClamAV"]}}, {})


@pytest.mark.parametrize("classification", ["TLP:C", "tlp:clear", "TLP:W"])
def test_a_classification_that_the_server_stores_is_valid(classification):
    result_of(server.check_classification(classification), reply(DEFINITION))


@pytest.mark.parametrize("classification", ["TLP:AMBER", "nonsense", 7])
def test_a_classification_that_the_server_would_replace_is_rejected(classification):
    with pytest.raises(ValueError, match="would store TLP:C, not"):
        result_of(server.check_classification(classification), reply(DEFINITION))


def test_a_server_that_enforces_classifications_checks_them_itself():
    result_of(server.check_classification("TLP:AMBER"), reply({**DEFINITION, "enforce": True}))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"services": {"selected": ["Nope"]}}, "unknown services or categories Nope"),
        ({"classification": "TLP:A"}, "TLP:C"),
    ],
)
def test_invalid_params_prevent_submits_and_ingests(served, hook, params, message):
    for once in (intake.submit_once, ingests.create_once):
        with pytest.raises(ValueError, match=message):
            hook.run(once(upload("x"), {"params": params}, "tag"))
    assert served.tables()["submissions"] == []


def test_known_services_cost_no_further_request():
    params = {"services": {"selected": ["ClamAV"]}}
    replies = (
        reply({"items": []}),
        reply({**CONFIGURATION, **SERVER_CONFIGURATION, "submission.max_file_size": 9}),
        reply({"sid": "s"}),
    )
    _, requests = result_of(intake.submit_once(UPLOAD, {"params": params}, "tag"), *replies)
    paths = [request.path for request in requests]
    assert paths == ["/api/v4/search/submission/", "/api/v4/help/configuration/", "/api/v4/submit/"]


TYPED = {
    "generate_alert": ("true", True),
    "ignore_cache": (0, False),
    "priority": ("250", 250),
    "ttl": ("0", 0),
    "max_extracted": ("5", 5),
    "groups": ("USERS", ["USERS"]),
    "default_external_sources": ("['a', 'b']", ["a", "b"]),
    "initial_data": ({"passwords": ["infected"]}, '{"passwords": ["infected"]}'),
    "services": ("{'selected': 'ClamAV'}", {"selected": ["ClamAV"]}),
    "service_spec": ('{"ClamAV": "{\'deep\': True}"}', {"ClamAV": {"deep": True}}),
    "type": ("USER", "USER"),
    "classification": (None, None),
}


def test_texts_of_templates_get_the_types_that_the_server_expects():
    given = {name: value for name, (value, _) in TYPED.items()}
    assert validation.parse_params("params", given) == {name: value for name, (_, value) in TYPED.items()}


WRONG = {
    "groups": "USERS",
    "generate_alert": "false",
    "priority": True,
    "ttl": "5",
    "max_extracted": 1.5,
    "initial_data": {"passwords": []},
    "description": 5,
    "default_external_sources": ["a", 5],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_value_that_the_server_would_convert_is_rejected(name):
    with pytest.raises(ValueError, match=rf"params: {name} must be .*, not "):
        validation.check_params("params", {name: WRONG[name]})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("priority", 1501, "params: priority must be"),
        ("ttl", -1, "params: ttl must be"),
        ("initial_data", "no JSON", "params: initial_data must be a dictionary"),
        ("type", ["a"], "params: type must be a text"),
        ("generate_alert", "perhaps", "params: generate_alert must be"),
        ("services", "x", "params: services must be a dictionary"),
        ("deepscan", True, "params: unknown deepscan; valid are auto_archive"),
    ],
)
def test_values_without_a_meaning_are_rejected(name, value, message):
    with pytest.raises(ValueError, match=message):
        validation.parse_params("params", {name: value})


def test_params_must_be_a_dictionary():
    with pytest.raises(ValueError, match="params must be a dictionary, not list"):
        validation.check_params("params", ["deep_scan"])  # type: ignore[arg-type]


def test_params_of_the_wrong_type_prevent_submits_and_ingests(served, hook):
    for create in (intake.submit_once, ingests.create_once):
        with pytest.raises(ValueError, match="params: groups must be a list of texts, not 'USERS'"):
            hook.run(create(upload("x"), {"params": {"groups": "USERS"}}, "tag"))
    with pytest.raises(ValueError, match="params: service_spec must be a dictionary of dictionaries"):
        validation.check_services({"service_spec": {"ClamAV": 5}}, SERVER_CONFIGURATION)
