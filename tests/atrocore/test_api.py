"""Flows by hand, without a server: dialects, session, filters and records."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from self_hosted.atrocore.api import filters, records, session, timestamps
from self_hosted.atrocore.api.dialects import DIALECTS
from self_hosted.atrocore.api.session import Credential
from self_hosted.core.http.errors import (
    AuthenticationError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    ServerError,
    UnavailableError,
    UnreachableError,
)
from self_hosted.core.http.flow import Request, Secret
from tests.atrocore.conftest import reply, run_by_hand

CREDENTIAL = Credential("me", "a password")
BASIC = b64encode(b"me:a password").decode()
TOKEN = b64encode(b"me:token").decode()


# dialects


@pytest.mark.parametrize(
    ("dialect", "path", "translated"),
    [
        ("2.3", "/api/Product", "/api/Product"),
        ("2.3", "/api/upsert", "/api/upsert"),
        ("2.3", "/api/userSession", "/api/userSession"),
        ("1.x-2.2", "/api/Product/1", "/api/v1/Product/1"),
        ("1.x-2.2", "/api/upsert", "/api/v1/MassActions/action/upsert"),
        ("1.x-2.2", "/api/userSession", "/api/v1/App/user"),
        ("espo", "/api/Product/1", "/api/v1/Product/1"),
        ("espo", "/api/userSession", "/api/v1/App/user"),
        ("espo", "/openapi.json", "/openapi.json"),
    ],
)
def test_paths_are_translated(dialect, path, translated):
    assert DIALECTS[dialect].translate(Request("GET", path)).path == translated


def test_a_route_that_the_dialect_lacks_is_not_found_without_a_request():
    with pytest.raises(NotFoundError, match="servers with the dialect espo have no such route"):
        DIALECTS["espo"].translate(Request("POST", "/api/upsert"))


def test_requests_to_espo_mark_the_token_as_a_token():
    request = DIALECTS["espo"].translate(Request("GET", "/api/Product"))
    assert request.headers == {"Espo-Authorization-By-Token": "true"}


# session


def openapi(url):
    return reply(200, {"openapi": "3.0.0", "info": {"version": "2"}, "servers": [{"url": url}]})


NOT_FOUND = NotFoundError("")
TOKEN_ONLY = reply(200, {"authorizationToken": TOKEN})


@pytest.mark.parametrize(("url", "dialect"), [("/api", "2.3"), ("/pim/api/", "2.3"), ("/api/v1", "1.x-2.2")])
def test_the_openapi_document_shows_the_dialect(url, dialect):
    requests, (found, token) = run_by_hand(session.detect_dialect(CREDENTIAL), openapi(url), TOKEN_ONLY)
    assert (found.name, token) == (dialect, TOKEN)
    assert [request.path for request in requests] == [
        "/openapi.json",
        f"{found.base}{'/userSession' if dialect == '2.3' else '/App/user'}",
    ]
    assert requests[0].headers == {}
    assert requests[1].headers == {"Authorization": f"Basic {BASIC}", "Authorization-Token-Only": "true"}


@pytest.mark.parametrize(
    "hidden", [NotFoundError(""), PermissionDeniedError(""), reply(200, b"<html>a portal</html>"), reply(200, [])]
)
def test_without_openapi_document_2_3_is_detected_by_its_rejection(hidden):
    requests, (found, _) = run_by_hand(
        session.detect_dialect(CREDENTIAL), hidden, AuthenticationError("Unauthorized"), TOKEN_ONLY
    )
    assert found.name == "2.3"
    assert requests[1].headers == {}


@pytest.mark.parametrize(
    "rejection", [AuthenticationError("a proxy's own message"), NotFoundError(""), reply(200, b"<html>")]
)
def test_any_other_rejection_means_an_older_server(rejection):
    requests, (found, token) = run_by_hand(
        session.detect_dialect(CREDENTIAL), NOT_FOUND, rejection, TOKEN_ONLY, reply(200, {"user": {"userName": "me"}})
    )
    assert (found.name, token) == ("1.x-2.2", TOKEN)
    assert requests[2].headers["Authorization"] == f"Basic {BASIC}"
    assert requests[2].headers["Espo-Authorization"] == BASIC
    assert requests[3].headers == {"Authorization-Token": TOKEN}


def test_a_server_that_ignores_authorization_token_has_the_dialect_espo():
    _, (found, token) = run_by_hand(
        session.detect_dialect(CREDENTIAL),
        NOT_FOUND,
        NOT_FOUND,
        reply(200, {"token": "token", "user": {"userName": "me"}}),
        AuthenticationError("Unauthorized"),
        reply(200, {"user": {"userName": "me"}}),
    )
    assert (found.name, token) == ("espo", TOKEN)


def test_with_an_existing_token_the_older_dialects_are_detected_without_a_login():
    existing = Credential("", "", TOKEN)
    requests, (found, _) = run_by_hand(
        session.detect_dialect(existing), NOT_FOUND, NOT_FOUND, AuthenticationError(""), reply(200, {})
    )
    assert found.name == "espo"
    assert requests[2].headers == {"Authorization-Token": TOKEN}
    assert requests[3].headers == {"Espo-Authorization": TOKEN, "Espo-Authorization-By-Token": "true"}


@pytest.mark.parametrize("error", [UnreachableError(""), UnavailableError(""), OutcomeUnknownError("")])
@pytest.mark.parametrize("requests_before", [0, 1])
def test_a_missing_response_does_not_determine_the_dialect(error, requests_before):
    with pytest.raises(type(error)):
        run_by_hand(session.detect_dialect(CREDENTIAL), *[NOT_FOUND] * requests_before, error)


def test_a_rejected_password_is_not_sent_in_another_dialect():
    with pytest.raises(AuthenticationError):
        run_by_hand(session.detect_dialect(CREDENTIAL), NOT_FOUND, NOT_FOUND, AuthenticationError("Unauthorized"))


def test_the_encoded_password_is_masked_before_it_is_sent():
    flow = session.login(DIALECTS["2.3"], CREDENTIAL)
    assert next(flow) == Secret(BASIC)


def test_the_repr_of_a_credential_shows_no_secret():
    assert "a password" not in repr(CREDENTIAL)
    assert TOKEN not in repr(Credential("", "", TOKEN))


# filters


def test_a_filter_is_written_with_brackets():
    conditions: list[Any] = [
        {"type": "in", "attribute": "number", "value": ["a", "b"]},
        {"type": "or", "value": [{"type": "isNull", "attribute": "ean"}, {"type": "isTrue", "attribute": "isActive"}]},
    ]
    assert filters.build_query(conditions) == {
        "where[0][type]": "in",
        "where[0][attribute]": "number",
        "where[0][value][]": ["a", "b"],
        "where[1][type]": "or",
        "where[1][value][0][type]": "isNull",
        "where[1][value][0][attribute]": "ean",
        "where[1][value][1][type]": "isTrue",
        "where[1][value][1][attribute]": "isActive",
    }


@pytest.mark.parametrize(
    "conditions",
    [
        [{"type": "equal", "attribute": "number", "value": "a"}],
        [{"attribute": "number", "value": "a"}],
        [{"type": "and", "value": [{"type": "or", "value": [{"type": "isnull", "attribute": "ean"}]}]}],
    ],
)
def test_an_unknown_type_of_condition_is_rejected(conditions):
    with pytest.raises(ValueError, match="is not a type of condition; similar types are"):
        filters.build_query(conditions)


def test_the_error_about_an_unknown_type_of_condition_names_similar_types():
    with pytest.raises(ValueError, match="'equal' is not a type of condition; similar types are equals, "):
        filters.build_query([{"type": "equal", "attribute": "number", "value": "a"}])


# timestamps


@pytest.mark.parametrize(
    "timestamp",
    [
        datetime(2026, 6, 1, 14, 30, tzinfo=timezone(timedelta(hours=2))),
        datetime(2026, 6, 1, 12, 30, tzinfo=UTC),
        datetime(2026, 6, 1, 12, 30),
    ],
)
def test_timestamps_are_written_in_utc_without_a_time_zone(timestamp):
    assert timestamps.to_text(timestamp) == "2026-06-01 12:30:00"


# records


def test_lookups_are_split_by_number_and_by_length():
    keys = [f"{number}" for number in range(250)]
    requests, _ = run_by_hand(records.find("Product", "number", keys), *[reply(200, {"list": []})] * 3)
    assert [len(request.query["where[0][value][]"]) for request in requests] == [100, 100, 50]

    long_keys = ["ä" * 200 + str(number) for number in range(10)]
    requests, _ = run_by_hand(records.find("Product", "number", long_keys), *[reply(200, {"list": []})] * 3)
    assert all(len(request.target) < 8000 for request in requests)
    assert sum(len(request.query["where[0][value][]"]) for request in requests) == 10


def test_a_lookup_without_values_sends_no_request():
    requests, found = run_by_hand(records.find("Product", "number", []))
    assert (requests, found) == ([], {})


def test_records_with_the_same_key_are_found_together():
    same = [{"id": "1", "number": "W"}, {"id": "2", "number": "W"}]
    _, found = run_by_hand(records.find("Product", "number", ["W"]), reply(200, {"list": same}))
    assert found == {"W": same}


def test_a_create_with_a_lost_response_is_read_back():
    requests, record = run_by_hand(
        records.create("Product", {"id": "1", "name": "a"}), OutcomeUnknownError("lost"), reply(200, {"id": "1"})
    )
    assert [request.method for request in requests] == ["POST", "GET"]
    assert record == {"id": "1"}
    assert not requests[0].is_idempotent


@pytest.mark.parametrize(
    "flow", [records.create("Product", {"id": "1", "name": "a"}), records.update("Product", "1", {"name": "a"})]
)
def test_what_was_written_is_read_back_in_the_language_of_the_write(flow):
    requests, _ = run_by_hand(flow, OutcomeUnknownError("lost"), reply(200, {"id": "1", "name": "a"}))
    assert [request.headers.get("language") for request in requests] == [None, ""]


def test_the_outcome_of_a_create_stays_unknown_if_no_record_is_found():
    with pytest.raises(OutcomeUnknownError, match="lost"):
        run_by_hand(records.create("Product", {"id": "1"}), OutcomeUnknownError("lost"), NotFoundError(""))


def test_a_create_without_an_id_gets_a_random_one():
    read_back = reply(200, {"id": "of the server", "name": "changed since"})
    requests, _ = run_by_hand(records.create("Product", {"name": "a"}), OutcomeUnknownError("lost"), read_back)
    record_id = requests[0].json["id"]
    assert re.fullmatch(r"[0-9a-f]{24}", record_id)
    assert requests[1].path == f"/api/Product/{record_id}"


def test_an_update_returns_whether_the_record_changed():
    assert not run_by_hand(records.update("Product", "1", {"name": "a"}), reply(304))[1]
    assert run_by_hand(records.update("Product", "1", {"name": "a"}), reply(200, {}))[1]


def test_an_update_with_a_lost_response_is_sent_again_only_if_it_had_no_effect():
    update = {"name": "a", "_prev": {"name": "b"}}
    requests, changed = run_by_hand(
        records.update("Product", "1", update), OutcomeUnknownError("lost"), reply(200, {"id": "1", "name": "a"})
    )
    assert ([request.method for request in requests], changed) == (["PATCH", "GET"], True)

    replies = OutcomeUnknownError("lost"), reply(200, {"id": "1", "name": "b"}), reply(200, {})
    requests, changed = run_by_hand(records.update("Product", "1", update), *replies)
    assert ([request.method for request in requests], changed) == (["PATCH", "GET", "PATCH"], True)
    assert not requests[0].is_idempotent


def test_deleting_a_missing_record_is_a_success():
    assert run_by_hand(records.delete("Product", "1"), NotFoundError(""))[1] is None


def test_an_upsert_with_a_lost_response_is_sent_again_with_the_same_ids():
    done = [{"status": "NotModified"}, {"status": "NotModified"}]
    payloads = [{"id": "1"}, {"name": "without an id"}]
    requests, results = run_by_hand(records.upsert("Product", payloads), OutcomeUnknownError("lost"), reply(200, done))
    assert results == done
    assert requests[0].json == requests[1].json
    assert [bool(item["payload"]["id"]) for item in requests[0].json] == [True, True]


@pytest.mark.parametrize(("body", "received"), [([], "0"), ({}, "no")])
def test_an_upsert_response_without_a_result_for_each_item_is_a_server_error(body, received):
    with pytest.raises(ServerError, match=f"2 records were sent, but the response has {received} results"):
        run_by_hand(records.upsert("Product", [{"id": "1"}, {"id": "2"}]), reply(200, body))
