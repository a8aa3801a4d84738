"""The stand-in's account, services, signatures, queues and ontologies, asked without our hook: their quirks."""

from __future__ import annotations

import json

import pytest
import requests

KEY = {"X-User": "admin", "X-Apikey": "sandbox:sandbox-secret"}
FULL = {"X-User": "admin", "X-Apikey": "full:full-secret"}
USER = {"X-User": "user", "X-Apikey": "sandbox:user-secret"}
RULE = {"type": "yara", "source": "own", "signature_id": "a", "name": "a", "data": "rule a {}"}
SOURCE = {"name": "own", "uri": "https://example.com/a", "enabled": True, "password": "secret"}


@pytest.fixture
def served(served):
    served.seed({"delay": 0})
    return served


@pytest.fixture
def call(served):
    """``call("GET", "user/whoami/")``: the reply; by an extended API key unless told otherwise."""

    def send(method, path, headers=FULL, **body):
        return requests.request(method, f"{served.base_url}/api/v4/{path}", headers=headers, timeout=10, **body)

    return send


def message(reply):
    return reply.status_code, reply.json()["api_error_message"]


def told(reply):
    assert reply.status_code == 200, reply.text
    return reply.json()["api_response"]


# The account


@pytest.mark.parametrize("quotas", [{}, {"daily_api_calls": 1}])
def test_a_quota_of_0_means_none_or_nothing_left(served, call, quotas):
    served.seed({"quotas": quotas})
    call("GET", "user/whoami/")
    assert told(call("GET", "user/quotas/admin/")) == {"daily_api": 0, "daily_submission": 0}


@pytest.mark.parametrize("what", ["settings", "quotas"])
@pytest.mark.parametrize("user", ["__CURRENT__", "user"])
def test_only_the_own_name_is_taken_for_the_user(call, what, user):
    status, words = message(call("GET", f"user/{what}/{user}/", KEY))
    assert (status, "You are not allowed to view settings for another user then yourself." in words) == (403, True)


def test_settings_that_are_not_sent_stay_but_profiles_are_reset(call):
    settings = {"default_zip_password": "a", "expand_min_score": 7, "submission_profiles": {"static": {"ttl": 5}}}
    assert told(call("POST", "user/settings/admin/", json=settings)) == {"success": True}
    assert told(call("GET", "user/settings/admin/"))["submission_profiles"]["static"]["ttl"] == 5
    call("POST", "user/settings/admin/", json={"default_zip_password": "a"})
    after = told(call("GET", "user/settings/admin/"))
    assert (after["expand_min_score"], after["submission_profiles"]["static"]["ttl"]) == (7, 30)


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ({}, (403, "Encryption password can't be empty.")),
        ({"default_zip_password": "a", "preferred_submission_profile": "nosuch", "nosuch": 1}, (200, "")),
    ],
)
def test_a_password_is_needed_and_what_is_unknown_ignored(call, settings, answer):
    assert message(call("POST", "user/settings/admin/", json=settings)) == answer
    assert told(call("GET", "user/settings/admin/"))["preferred_submission_profile"] == "default"


def test_an_encoding_must_be_one_of_three(call):
    status, words = message(
        call("POST", "user/settings/admin/", json={"default_zip_password": "a", "download_encoding": "tar"})
    )
    assert (status, words.startswith("[download_encoding] tar not in the possible values: {")) == (400, True)


def test_a_session_by_password_has_all_roles_of_its_user(call):
    login = call("POST", "auth/login/", {}, json={"user": "admin", "password": "admin"})
    cookie = f"session={login.cookies['session']}"
    headers = {"Cookie": cookie, "X-XSRF-TOKEN": login.cookies["XSRF-TOKEN"]}
    assert "administration" in told(call("GET", "user/whoami/", headers))["roles"]


# Services


def test_settings_of_a_service_that_are_not_sent_are_as_they_come(call):
    service = told(call("GET", "service/RigScan/"))
    call("POST", "service/RigScan/", json={**service, "timeout": 7})
    assert told(call("GET", "service/RigScan/"))["timeout"] == 7
    call("POST", "service/RigScan/", json={"version": service["version"]})
    assert told(call("GET", "service/RigScan/"))["timeout"] == 60


@pytest.mark.parametrize(
    ("method", "path", "body", "answer"),
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
def test_services_are_refused_in_the_servers_words(call, method, path, body, answer):
    assert message(call(method, path, json=body)) == answer


def test_only_some_of_it_is_for_everybody(call):
    assert call("GET", "service/all/", KEY).ok
    assert call("GET", "service/constants/", KEY).ok
    role = "requires one of the following roles: administration"
    for path in ("service/RigScan/", "service/updates/", "service/versions/RigScan/"):
        assert message(call("GET", path, KEY))[1].endswith(f"[API /api/v4/{path} {role}]")


def test_services_that_there_are_not_are_selected_without_a_word(call):
    options = {"plaintext": "x", "params": {"services": {"selected": ["NoSuch"]}, "classification": "nonsense"}}
    document = told(call("POST", "submit/", json=options))
    assert document["params"]["services"]["selected"] == ["NoSuch"]
    assert document["classification"] == "TLP:C"


# Signatures


@pytest.fixture
def stocked(served):
    served.seed({"signatures": {"signatures": [{**RULE, "status": "NOISY"}], "sources": {"YARA": [SOURCE]}}})


@pytest.mark.parametrize("path", ["nosuch/NOISY/", "yara_own_a/NOSUCH/", "yara_own_a/STAGING/"])
def test_a_status_that_cannot_be_is_an_internal_error(stocked, call, path):
    assert message(call("GET", f"signature/change_status/{path}")) == (500, "Internal Server Error")


def test_an_unknown_source_is_an_internal_error_or_left_out(stocked, call):
    enable = call("PUT", "signature/sources/enable/YARA/nosuch/", json={"enabled": True})
    assert message(enable) == (500, "Internal Server Error")
    assert told(call("PUT", "signature/sources/update/YARA/?sources=own,nosuch"))["sources"] == ["own"]
    words = "{service} doesn't contain an update configuration."
    assert message(call("PUT", "signature/sources/update/nosuch/")) == (404, words)


def test_sources_tell_their_secrets(stocked, call):
    assert told(call("GET", "signature/sources/"))["YARA"]["sources"][0]["password"] == "secret"


def test_rules_are_not_in_the_index(stocked, call):
    [found] = told(call("GET", "search/signature/?query=*"))["items"]
    assert (found["id"], "data" in found) == ("yara_own_a", False)


@pytest.mark.parametrize("path", ["signature/nosuch/", "heuristics/nosuch/"])
def test_what_there_is_not_is_not_found(call, path):
    assert message(call("GET", path))[0] == 404


# Queues


def ingest(call, **options):
    return told(call("POST", "ingest/", json={"plaintext": "RIG-SCORE:5", "notification_queue": "q", **options}))


def test_reading_a_message_removes_it_and_another_user_sees_none(call):
    ingest_id = ingest(call)["ingest_id"]
    assert told(call("GET", "ingest/get_message/q/", USER)) is None
    assert told(call("GET", "ingest/get_message/q/"))["ingest_id"] == ingest_id
    assert told(call("GET", "ingest/get_message/q/")) is None


@pytest.mark.parametrize(("size", "count"), [("1", 1), ("2", 2), ("0", 0), ("-1", 3), ("", 3)])
def test_a_page_of_messages_is_as_large_as_asked_for(call, size, count):
    for _ in range(3):
        ingest(call)
    query = f"?page_size={size}" if size else ""
    assert len(told(call("GET", f"ingest/get_message_list/q/{query}"))) == count


def test_a_page_size_that_is_no_number_is_an_internal_error(call):
    assert message(call("GET", "ingest/get_message_list/q/?page_size=a"))[0] == 500


def test_the_threshold_holds_back_scores_but_no_failures(served, call):
    ingest(call, notification_threshold=6)
    assert told(call("GET", "ingest/get_message/q/")) is None
    served.seed({"messages": {"dropping": True}})
    ingest(call, plaintext="other", notification_threshold=6)
    dropped = told(call("GET", "ingest/get_message/q/"))
    assert (dropped["failure"], dropped["score"]) == ("Skipped", None)
    assert told(call("GET", "search/submission/?query=*"))["total"] == 1


# Ontologies


def test_ontologies_have_no_envelope(call):
    sid = told(call("POST", "submit/", json={"plaintext": "RIG-SCORE:5"}))["sid"]
    reply = call("GET", f"ontology/submission/{sid}/")
    assert [json.loads(line)["results"]["score"] for line in reply.text.splitlines()] == [5]
    assert message(call("GET", "ontology/submission/nosuch/")) == (404, "There is no submission with sid: nosuch")
