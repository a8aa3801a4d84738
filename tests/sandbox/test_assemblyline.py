"""The stand-in of Assemblyline, asked without our hook: the quirks it must have."""

from __future__ import annotations

import hashlib
import io
import zipfile

import pytest
import requests

from self_hosted.sandbox.assemblyline import Assemblyline
from self_hosted.sandbox.assemblyline.access import BEARER_TOKEN
from self_hosted.sandbox.assemblyline.scan import EICAR, scan

KEY = {"X-User": "admin", "X-Apikey": "sandbox:sandbox-secret"}


@pytest.fixture(scope="module")
def _served(serve):
    return serve(Assemblyline())


@pytest.fixture
def served(_served):
    _served.reset()
    return _served


@pytest.fixture
def call(served):
    """``call("GET", "user/whoami/")``: status and envelope; by API key unless told otherwise."""

    def send(method, path, headers=KEY, **body):
        return requests.request(
            method, f"{served.base_url}/api/v4/{path}", headers=headers, allow_redirects=False, timeout=10, **body
        )

    return send


@pytest.fixture
def submit(call):
    """``submit("RIG-SCORE:5")``: the submission's document, as answered."""

    def send(words, options="{}", name="a.txt"):
        data = words if isinstance(words, bytes) else words.encode()
        return call("POST", "submit/", data={"json": options}, files={"bin": (name, data)})

    return send


def message(reply):
    return reply.status_code, reply.json()["api_error_message"]


# Paths and envelope


def test_every_json_answer_has_the_envelope(call):
    envelope = call("GET", "user/whoami/").json()
    assert set(envelope) == {"api_response", "api_error_message", "api_server_version", "api_status_code"}
    assert envelope["api_status_code"] == 200


def test_a_path_without_its_last_slash_is_redirected_with_html(served, call):
    reply = call("GET", "user/whoami")
    assert reply.status_code == 308
    assert reply.headers["location"] == f"{served.base_url}/api/v4/user/whoami/"
    assert "html" in reply.headers["content-type"]


def test_a_wrong_method_is_answered_with_html(call):
    reply = call("PUT", "submit/")
    assert reply.status_code == 405
    assert "html" in reply.headers["content-type"]


def test_an_unknown_path_is_named(call):
    assert message(call("GET", "no/such/")) == (404, "Api does not exist (/api/v4/no/such/)")


def test_a_body_that_is_not_declared_as_json_is_an_error_with_status_200(call):
    reply = call("POST", "search/submission/", data="x")
    assert message(reply)[0] == 200
    assert message(reply)[1].startswith("415 Unsupported Media Type")


# Signing in


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({}, (401, "Session not found")),
        ({"X-User": "admin"}, (401, "Session not found")),
        ({"X-User": "admin", "X-Apikey": "a:b"}, (401, "Invalid user or APIKey")),
        ({"Cookie": "session=old"}, (401, "Session not found")),
        ({**KEY, "Authorization": "Basic YTpi"}, (500, "Internal Server Error")),
        ({**KEY, "Authorization": "Bearer abc"}, (500, "Internal Server Error")),
        ({"Authorization": "Bearer a.b.c"}, (403, "Access Denied (/api/v4/user/whoami/) [oAuth login is disabled]")),
        ({"Authorization": f"Bearer {BEARER_TOKEN}"}, (200, "")),
    ],
)
def test_credentials_are_judged_as_the_real_server_does(call, headers, answer):
    assert message(call("GET", "user/whoami/", headers)) == answer


def test_a_session_by_password_needs_its_xsrf_token(call):
    login = call("POST", "auth/login/", {}, json={"user": "admin", "password": "admin"})
    cookie = {"Cookie": f"session={login.cookies['session']}"}
    status, words = message(call("GET", "user/whoami/", cookie))
    assert (status, words) == (403, "Access Denied (/api/v4/user/whoami/) [Invalid XSRF token]")
    assert call("GET", "user/whoami/", {**cookie, "X-XSRF-TOKEN": login.cookies["XSRF-TOKEN"]}).ok


def test_a_session_by_key_needs_no_xsrf_token(call):
    login = call("POST", "auth/login/", {}, json={"user": "admin", "apikey": "sandbox:sandbox-secret"})
    assert call("GET", "user/whoami/", {"Cookie": f"session={login.cookies['session']}"}).ok


def test_a_wrong_password_is_refused(call):
    login = call("POST", "auth/login/", {}, json={"user": "admin", "password": "x"})
    assert message(login) == (401, "Wrong username or password")


def test_sessions_end_on_demand(served, call):
    login = call("POST", "auth/login/", {}, json={"user": "admin", "apikey": "sandbox:sandbox-secret"})
    served.end_sessions()
    assert call("GET", "user/whoami/", {"Cookie": f"session={login.cookies['session']}"}).status_code == 401


def test_a_missing_role_is_named(call):
    reply = call("POST", "submit/", {"X-User": "admin", "X-Apikey": "readonly:readonly-secret"})
    assert reply.status_code == 403
    assert "requires one of the following roles: submission_create" in message(reply)[1]


# Submitting


@pytest.mark.parametrize(
    ("words", "score", "files", "errors"),
    [
        ("nothing", 0, 1, 0),
        ("RIG-SCORE:-5", -5, 1, 0),
        ("RIG-SCORE:300", 300, 1, 0),
        ("RIG-FAIL RIG-SCORE:300", 0, 1, 1),
        ("RIG-CHILD:RIG-SCORE:700\nRIG-CHILD:b", 700, 3, 0),
        ("RIG-CHILD:same\nRIG-CHILD:same", 0, 2, 0),
        (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + EICAR + b"!$H+H*", 1000, 1, 0),
        (b"PK\x03\x04 but no archive", 0, 1, 1),
    ],
)
def test_what_is_written_in_a_file_decides_what_is_found(served, call, submit, words, score, files, errors):
    served.seed({"delay": 0})
    sid = submit(words).json()["api_response"]["sid"]
    found = call("GET", f"submission/{sid}/").json()["api_response"]
    assert found["state"] == "completed"
    assert (found["max_score"], found["file_count"], found["error_count"]) == (score, files, errors)


def test_archives_are_opened_and_archives_within_them():
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("deep.txt", "RIG-SCORE:650")
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
        archive.writestr("folder/", "")
        archive.writestr("folder/b.txt", "RIG-SCORE:10")
    findings = scan(outer)
    assert (len(findings.scores), findings.max_score) == (4, 650)


def test_the_state_moves_with_time(served, call, submit):
    sid = submit("RIG-SLEEP:60 RIG-SCORE:5").json()["api_response"]["sid"]
    assert call("GET", f"submission/is_completed/{sid}/").json()["api_response"] is False
    document = call("GET", f"submission/{sid}/").json()["api_response"]
    assert (document["state"], document["max_score"], document["times"]["completed"]) == ("submitted", 0, None)


def test_unknown_params_and_profiles_are_ignored_silently(submit):
    reply = submit("x", '{"params": {"foo": 1, "priority": 7}, "submission_profile": "nosuch"}')
    assert reply.status_code == 200
    params = reply.json()["api_response"]["params"]
    assert "foo" not in params
    assert params["priority"] == 7


def test_metadata_becomes_flat_text(submit):
    reply = submit("x", '{"metadata": {"a": {"b": 1}, "c": true}}')
    assert reply.json()["api_response"]["metadata"] == {"a.b": "1", "c": "true"}


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({"data": "x"}, (400, "Invalid content type")),
        ({"json": {}}, (400, "Missing file to scan. No binary or fetching method provided.")),
        ({"files": {"bin": ("a", b"")}}, (400, "File empty.")),
        ({"files": {"bin": ("a", b"x" * 11)}}, (413, "File too big to be scanned (11 > 10).")),
        ({"json": {"plaintext": "x" * 11}}, (413, "File too big to be scanned (11 > 10).")),
        (
            {"json": {"sha256": "a" * 64}},
            (404, "SHA256 does not exist in Assemblyline and no external sources are available."),
        ),
    ],
)
def test_what_cannot_be_scanned_is_refused(served, call, request_, answer):
    served.seed({"configuration": {"submission.max_file_size": 10}})
    assert message(call("POST", "submit/", **request_)) == answer


def test_ignore_size_lifts_the_limit(served, submit):
    served.seed({"configuration": {"submission.max_file_size": 1}})
    assert submit("too large", '{"params": {"ignore_size": true}}').ok


def test_text_and_base64_are_taken_as_json(call):
    for body in ({"plaintext": "hello", "name": "a"}, {"base64": "aGVsbG8="}):
        document = call("POST", "submit/", json=body).json()["api_response"]
        assert document["files"][0]["size"] == 5


# Quotas


def test_daily_and_concurrent_quotas_are_told_apart_by_words_only(served, submit, call):
    served.seed({"quotas": {"concurrent_submissions": 1}, "delay": 60})
    assert submit("x").ok
    assert message(submit("y")) == (503, "You've exceeded your maximum concurrent submission quota of 1")
    served.seed({"quotas": {"concurrent_submissions": 0, "daily_submissions": 1}})
    assert message(submit("y")) == (503, "You've reached your daily maximum submission quota of 1")
    served.seed({"quotas": {"daily_api_calls": 1}})
    assert call("GET", "user/whoami/").headers["x-remaining-quota-api"] == "0"
    refused = call("GET", "user/whoami/")
    assert message(refused) == (503, "You've exceeded your daily maximum API calls quota of 1")
    assert call("GET", "help/configuration/").ok


# Submitting something else, and anew


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("hxxps[:]//a[.]example/x", "https://a.example/x"),
        ("hxxp[://]a.example", "http://a.example"),
        ("nonsense", "nonsense"),
    ],
)
def test_any_text_is_taken_for_a_url_and_names_the_submission(call, address, name):
    document = call("POST", "submit/", json={"url": address, "name": "ignored"}).json()["api_response"]
    assert document["files"][0]["name"] == name


@pytest.mark.parametrize(("text", "status"), [("YWJj", 200), ("Y W J j", 200), ("YWJjZ", 400)])
def test_base64_is_read_leniently_as_far_as_that_goes(call, text, status):
    assert call("POST", "submit/", json={"base64": text}).status_code == status


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5"])
def test_a_file_is_known_by_its_hashes_in_lower_case_only(call, submit, kind):
    submit("x")
    digest = hashlib.new(kind, b"x", usedforsecurity=False).hexdigest()
    document = call("POST", "submit/", json={kind: digest}).json()["api_response"]
    assert document["files"] == [{"name": digest, "sha256": hashlib.sha256(b"x").hexdigest(), "size": 1}]
    words = f"{kind.upper()} does not exist in Assemblyline and no external sources are available."
    assert message(call("POST", "submit/", json={kind: digest.upper()})) == (404, words)


def test_a_known_file_outlives_its_submissions(served, call, submit):
    served.seed({"delay": 0})
    document = submit("RIG-SCORE:5").json()["api_response"]
    call("DELETE", f"submission/{document['sid']}/")
    assert call("POST", "submit/", json={"sha256": document["files"][0]["sha256"]}).ok


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "submit/resubmit/{sid}/", 200),
        ("GET", "submit/resubmit/nosuch/", 404),
        ("GET", "submit/dynamic/{sha256}/", 200),
        ("GET", "submit/dynamic/{sha256}/?copy_sid=nosuch", 200),
        ("GET", "submit/dynamic/nosuch/", 404),
        ("PUT", "submit/static/{sha256}/", 200),
        ("PUT", "submit/default/{sha256}/", 500),
        ("PUT", "submit/nosuch/nosuch/", 404),
    ],
)
def test_what_there_is_is_made_anew(served, call, submit, method, path, status):
    document = submit("x").json()["api_response"]
    reply = call(method, path.format(sid=document["sid"], sha256=document["files"][0]["sha256"]))
    assert reply.status_code == status
    assert len(served.tables()["submissions"]) == (2 if status == 200 else 1)


def test_what_is_made_anew_counts_as_a_submission(served, call, submit):
    served.seed({"quotas": {"concurrent_submissions": 1}, "delay": 60})
    sid = submit("x").json()["api_response"]["sid"]
    words = "You've exceeded your maximum concurrent submission quota of 1"
    assert message(call("GET", f"submit/resubmit/{sid}/")) == (503, words)


# Ingesting


@pytest.fixture
def ingest(call):
    """``ingest("RIG-SCORE:5")``: the ingest's id."""

    def send(words, options="{}"):
        reply = call("POST", "ingest/", data={"json": options}, files={"bin": ("a.txt", words.encode())})
        return reply.json()["api_response"]["ingest_id"]

    return send


def test_an_ingest_becomes_a_submission_with_another_id_and_forced_params(call, ingest):
    ingest_id = ingest("x", '{"params": {"priority": 900, "description": "d", "max_extracted": 7}}')
    [item] = found(call, f'metadata.ingest_id:"{ingest_id}"', fl="*")["items"]
    assert item["sid"] != ingest_id
    params = item["params"]
    assert (params["priority"], params["max_extracted"], params["description"]) == (250, 100, "[INGEST] d")
    assert set(item["metadata"]) == {"ingest_id", "type", "ts"}


@pytest.mark.parametrize(
    ("options", "submissions"), [("{}", 1), ('{"params": {"deep_scan": true}}', 2), ('{"metadata": {"a": "b"}}', 1)]
)
def test_a_file_with_the_same_params_makes_no_second_submission(served, ingest, options, submissions):
    ids = {ingest("x"), ingest("x", options)}
    assert len(ids) == 2
    assert len(served.tables()["submissions"]) == submissions


@pytest.mark.parametrize(("words", "submissions"), [("x", 2), ("RIG-SLEEP:60", 1)])
def test_ignore_cache_helps_once_the_earlier_submission_is_completed(served, ingest, words, submissions):
    served.seed({"delay": 0})
    for _ in range(2):
        ingest(words, '{"params": {"ignore_cache": true}}')
    assert len(served.tables()["submissions"]) == submissions


def test_what_was_submitted_is_not_known_to_the_ingester(served, submit, ingest):
    submit("x")
    ingest("x")
    assert len(served.tables()["submissions"]) == 2


def test_generate_alert_beside_params_is_ignored(call, ingest):
    ingest("x", '{"generate_alert": true}')
    assert found(call, "*", fl="params")["items"][0]["params"]["generate_alert"] is False


def test_a_threshold_must_be_a_number(call):
    reply = call("POST", "ingest/", json={"plaintext": "x", "notification_threshold": "a"})
    assert message(reply) == (400, "notification_threshold should be and int")


def test_running_ingests_have_a_quota_of_their_own(served, submit, ingest, call):
    served.seed({"quotas": {"concurrent_submissions": 1, "concurrent_ingests": 1}, "delay": 60})
    ingest("x")
    assert submit("y").ok
    reply = call("POST", "ingest/", json={"plaintext": "z"})
    assert message(reply) == (503, "You've exceeded your maximum async concurrent submission quota of 1")


# Queues that nobody serves


def test_a_component_is_active_unless_it_is_paused_or_unknown(served, call):
    served.seed({"paused": ["dispatcher"]})
    asked = {name: call("GET", f"system/status/{name}/").json()["api_response"] for name in ("ALL", "ingester", "x")}
    assert asked == {
        "ALL": {"ingester": True, "dispatcher": False},
        "ingester": {"ingester": True},
        "x": {"x": False},
    }


def test_a_paused_dispatcher_brings_to_an_end_what_it_has_and_takes_up_nothing(served, call, submit):
    running = submit("RIG-SLEEP:60").json()["api_response"]["sid"]
    served.seed({"paused": ["dispatcher"], "delay": 0})
    waiting = submit("x").json()["api_response"]["sid"]
    assert call("GET", f"live/setup_watch_queue/{running}/").json()["api_response"]["wq_id"].endswith("-WQ")
    reply = call("GET", f"live/setup_watch_queue/{waiting}/")
    assert message(reply) == (404, "No dispatchers are processing this submission.")
    assert call("GET", f"submission/is_completed/{waiting}/").json()["api_response"] is False
    served.seed({"paused": []})
    assert call("GET", f"submission/is_completed/{waiting}/").json()["api_response"] is True


def test_a_paused_ingester_makes_no_submissions_before_it_goes_on(served, ingest):
    served.seed({"paused": ["ingester"]})
    ingest("x")
    assert served.tables()["submissions"] == []
    served.seed({"paused": []})
    assert len(served.tables()["submissions"]) == 1


# Finding and deleting


def found(call, query, **asked):
    return call("POST", "search/submission/", json={"query": query, **asked}).json()["api_response"]


def test_submissions_are_found_by_id_and_metadata(served, call, submit):
    sids = [submit("x", f'{{"metadata": {{"a.b": "v {n}"}}}}').json()["api_response"]["sid"] for n in range(3)]
    assert found(call, f'sid:("{sids[0]}" OR "{sids[2]}")', fl="sid", sort="times.submitted asc")["items"] == [
        {"sid": sids[0]},
        {"sid": sids[2]},
    ]
    assert [item["sid"] for item in found(call, 'metadata.a.b:"v 1"')["items"]] == [sids[1]]
    assert found(call, "*", rows=1)["total"] == 3
    assert call("GET", "search/submission/?query=*&rows=2").json()["api_response"]["rows"] == 2


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ('metadata.a:"b" AND state:completed', 1),
        ('metadata.a:"b" AND state:submitted', 0),
        ("metadata.a:*", 1),
        ("metadata.nosuch:*", 0),
        ("times.completed:[now-1d TO now]", 2),
        ("times.completed:[* TO now-1m]", 0),
        (f'files.sha256:("{hashlib.sha256(b"x").hexdigest()}" OR "other")', 1),
        ('metadata.c:"d AND e:(f)"', 1),
    ],
)
def test_clauses_fields_of_lists_dates_and_existence_are_understood(served, call, submit, query, number):
    served.seed({"delay": 0})
    submit("x", '{"metadata": {"a": "b"}}')
    submit("y", '{"metadata": {"c": "d AND e:(f)"}}')
    assert found(call, "*")["total"] == 2  # completes them
    assert found(call, query)["total"] == number


def test_parts_of_fields_can_be_asked_for_and_those_without_a_value_are_left_out(served, call, submit):
    submit("x", '{"metadata": {"a": "b", "c": "d"}, "params": {"description": "e"}}')
    fields = "sid,metadata.a,params.psid,params.description,files.size,times.completed"
    [item] = found(call, "*", fl=fields)["items"]
    assert item.pop("sid")
    assert item == {"metadata": {"a": "b"}, "params": {"description": "e"}, "files": [{"size": 1}]}


def test_files_are_known_by_when_they_were_handed_in_last(call, submit):
    submit("x")
    [file] = call("POST", "search/file/", json={"query": "seen.last:[now-1m TO now]"}).json()["api_response"]["items"]
    submit("x")
    [again] = call("POST", "search/file/", json={"query": "*"}).json()["api_response"]["items"]
    assert file["sha256"] == hashlib.sha256(b"x").hexdigest()
    assert (again["seen"]["first"], again["seen"]["count"]) == (file["seen"]["first"], 2)
    assert again["seen"]["last"] > file["seen"]["last"]


def test_an_unknown_index_is_one_that_only_administrators_may_search(call):
    assert call("POST", "search/nosuch/", json={"query": "*"}).status_code == 403


def test_the_search_index_lags_on_demand(served, call, submit):
    served.seed({"index_lag": 60})
    sid = submit("x").json()["api_response"]["sid"]
    assert found(call, f'sid:"{sid}"')["items"] == []
    assert call("GET", f"submission/{sid}/").ok


def test_a_deleted_submission_is_gone(served, call, submit):
    served.seed({"delay": 0})
    sid = submit("x").json()["api_response"]["sid"]
    assert call("DELETE", f"submission/{sid}/").json()["api_response"] == {"success": True}
    assert message(call("DELETE", f"submission/{sid}/")) == (404, f"There is no submission with sid: {sid}")
    assert message(call("GET", f"submission/{sid}/")) == (404, f"Submission ID {sid} does not exists.")


def test_a_submission_deleted_while_it_is_analysed_comes_back_marked(served, call, submit):
    served.seed({"delay": 0.2})
    sid = submit("RIG-SCORE:900").json()["api_response"]["sid"]
    assert call("DELETE", f"submission/{sid}/").ok
    assert call("GET", f"submission/{sid}/").status_code == 404
    assert found(call, f'sid:"{sid}"')["items"] == []
    served.product.submissions[sid].completed_at = 0
    document = call("GET", f"submission/{sid}/").json()["api_response"]
    assert (document["state"], document["max_score"], document["to_be_deleted"]) == ("completed", 0, True)


def test_the_page_shows_submissions_and_no_secret(served, submit):
    submit("<b>x</b>", name="evil<script>.txt")
    page = requests.get(served.url, timeout=10).text
    assert "evil&lt;script&gt;.txt" in page
    assert "sandbox-secret" not in page


# The vendor's own client


def test_the_official_client_submits_and_reads_back(served):
    client_module = pytest.importorskip("assemblyline_client")
    served.seed({"delay": 0})
    client = client_module.get_client(served.base_url, apikey=("admin", "sandbox:sandbox-secret"), retries=1)
    document = client.submit(fname="a.txt", content=b"RIG-SCORE:400", metadata={"k": "v"})
    sha256 = document["files"][0]["sha256"]
    assert client.submit(sha256=sha256)["files"][0]["sha256"] == sha256
    assert client.submit.resubmit(document["sid"])["metadata"] == {"k": "v"}
    assert client.submit.dynamic(sha256, name="n")["params"]["services"]["selected"] == ["Dynamic Analysis"]
    assert client.submission.is_completed(document["sid"])
    assert client.submission(document["sid"])["max_score"] == 400
    assert client.search.submission('metadata.k:"v"')["total"] == 2
    assert client.submission.delete(document["sid"]) == {"success": True}


def test_the_official_client_signs_in_by_password(served):
    client_module = pytest.importorskip("assemblyline_client")
    client = client_module.get_client(served.base_url, auth=("admin", "admin"), retries=1)
    assert client.search.submission("*")["total"] == 0
