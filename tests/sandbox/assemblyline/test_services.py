"""Services, signatures and heuristics."""

from __future__ import annotations

import pytest

from tests.sandbox.assemblyline.api import FULL_KEY

RULE = {"type": "yara", "source": "own", "signature_id": "a", "name": "a", "data": "rule a {}", "status": "NOISY"}
SOURCE = {"name": "own", "uri": "https://example.com/a", "enabled": True, "password": "secret"}


@pytest.fixture
def admin(call):
    """``admin("GET", "service/updates/")``: a reply with the API key of an administrator."""
    return lambda method, path, **options: call(method, path, FULL_KEY, **options)


# Services


def test_missing_settings_of_a_service_get_their_defaults(admin):
    service = admin("GET", "service/RigScan/").response
    admin("POST", "service/RigScan/", json={**service, "timeout": 7})
    assert admin("GET", "service/RigScan/").response["timeout"] == 7
    admin("POST", "service/RigScan/", json={"version": service["version"]})
    assert admin("GET", "service/RigScan/").response["timeout"] == 60


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        ("GET", "service/nosuch/", None, (404, "nosuch service does not exist")),
        ("GET", "service/RigScan/9/", None, (404, "RigScan service does not exist")),
        ("GET", "service/versions/nosuch/", None, (404, "nosuch service does not exist")),
        ("POST", "service/RigScan/", {}, (404, "The service you are trying to modify does not exist")),
        (
            "POST",
            "service/RigScan/",
            {"version": "4.7.0.1", "name": "Other"},
            (400, "You cannot change the service name"),
        ),
    ],
)
def test_invalid_requests_for_services_are_rejected(admin, method, path, body, error):
    assert admin(method, path, json=body).error == error


def test_all_users_can_list_services(call):
    assert [service["name"] for service in call("GET", "service/all/").response] == ["RigScan"]
    assert "CORE" in call("GET", "service/constants/").response["stages"]


# Signatures and heuristics


@pytest.fixture
def _signatures(served):
    served.seed({"signatures": {"signatures": [RULE], "sources": {"YARA": [SOURCE]}}})


@pytest.mark.usefixtures("_signatures")
@pytest.mark.parametrize("path", ["nosuch/NOISY/", "yara_own_a/NOSUCH/", "yara_own_a/STAGING/"])
def test_an_invalid_change_of_status_is_an_internal_error(admin, path):
    assert admin("GET", f"signature/change_status/{path}").error == (500, "Internal Server Error")


@pytest.mark.usefixtures("_signatures")
def test_an_unknown_source_is_an_internal_error_or_ignored(admin):
    enable = admin("PUT", "signature/sources/enable/YARA/nosuch/", json={"enabled": True})
    assert enable.error == (500, "Internal Server Error")
    assert admin("PUT", "signature/sources/update/YARA/?sources=own,nosuch").response["sources"] == ["own"]
    message = "{service} doesn't contain an update configuration."
    assert admin("PUT", "signature/sources/update/RigScan/").error == (404, message)
    assert admin("PUT", "signature/sources/RigScan/", json={"name": "a"}).error[0] == 400
    assert admin("PUT", "signature/sources/update/nosuch/").error == (500, "Internal Server Error")


@pytest.mark.usefixtures("_signatures")
def test_sources_contain_their_passwords(admin):
    assert admin("GET", "signature/sources/").response["YARA"]["sources"][0]["password"] == "secret"


@pytest.mark.usefixtures("_signatures")
def test_the_index_of_signatures_does_not_contain_rules(call):
    [item] = call("GET", "search/signature/?query=*").response["items"]
    assert (item["id"], "data" in item) == ("yara_own_a", False)


def test_an_unknown_signature_or_heuristic_is_not_found(call):
    for path in ("signature/nosuch/", "heuristics/nosuch/"):
        assert call("GET", path).status == 404
