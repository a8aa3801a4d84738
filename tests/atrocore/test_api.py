"""Flows by hand, without a server: errors, dialects, signing in, filters and records."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

import pytest

from self_hosted.atrocore import api
from self_hosted.atrocore.api.dialects import DIALECTS
from self_hosted.atrocore.api.session import Credential
from self_hosted.core.errors import (
    Broken,
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    LoginRefused,
    NotFound,
    Uncertain,
    Unreachable,
)
from self_hosted.core.flow import Request, Secret
from tests.atrocore.conftest import reply, run_by_hand

POST, GET, PATCH = (Request(method, "/api/Product") for method in ("POST", "GET", "PATCH"))
ME = Credential("me", "a password")
BASIC = b64encode(b"me:a password").decode()
TOKEN = b64encode(b"me:token").decode()


# errors


@pytest.mark.parametrize(
    ("request_", "status", "text", "kind"),
    [
        (POST, 400, "Body does not match schema for Request [post /{entityName}]", Invalid),
        (POST, 400, "Body does not match schema for Response [post /upsert 200]", Uncertain),
        (PATCH, 400, "Body does not match schema for Response [patch /{entityName}/{id} 200]", Uncertain),
        (GET, 401, "Unauthorized", LoginRefused),
        (GET, 403, "", Forbidden),
        (GET, 404, "", NotFound),
        (PATCH, 409, "editedByAnotherUser name", Conflict),
        (POST, 413, "<html><title>413 Request Entity Too Large</title></html>", Broken),
        (GET, 500, "SQLSTATE[42703]", Broken),
        (PATCH, 500, "SQLSTATE[42703]", Broken),
        (POST, 500, "SQLSTATE[42703]", Uncertain),
        (POST, 502, "<html></html>", Uncertain),
        (GET, 503, "", Busy),
        (POST, 504, "<html></html>", Uncertain),
    ],
)
def test_an_error_is_told_from_status_and_text(request_, status, text, kind):
    error = api.error_of(reply(status, text.encode(), request_))
    assert error is not None
    assert (type(error), error.status) == (kind, status)


@pytest.mark.parametrize("status", [200, 304])
def test_success_and_not_modified_are_no_errors(status):
    assert api.error_of(reply(status)) is None


def test_a_redirect_points_at_the_base_url():
    assert "correct the base URL" in str(api.error_of(reply(301, location="https://elsewhere")))


def test_the_reason_is_read_from_the_header_when_the_body_is_empty():
    error = api.error_of(reply(400, b"", POST, x_status_reason="fieldIsRequired: name"))
    assert str(error) == "POST /api/Product: fieldIsRequired: name (HTTP 400)"


def test_without_a_reason_the_error_still_says_something():
    assert "check the base URL and the dialect" in str(api.error_of(reply(404)))


def test_of_a_web_page_only_the_title_is_shown():
    page = b"<!DOCTYPE html><html><head><title>\n 502 Bad Gateway </title></head></html>"
    assert "a web page instead of an answer: 502 Bad Gateway" in str(api.error_of(reply(502, page)))


def test_endless_sql_is_cut():
    assert len(str(api.error_of(reply(500, b"SELECT " * 1000)))) < 600


def test_an_expired_password_is_a_refused_login():
    assert isinstance(api.error_of(reply(403, b"", password_expired="true")), LoginRefused)


# dialects


@pytest.mark.parametrize(
    ("dialect", "path", "spoken"),
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
def test_paths_are_translated(dialect, path, spoken):
    assert DIALECTS[dialect].spoken(Request("GET", path)).path == spoken


def test_what_a_dialect_does_not_have_is_not_found_without_asking():
    with pytest.raises(NotFound, match="servers that speak espo have no such route"):
        DIALECTS["espo"].spoken(Request("POST", "/api/upsert"))


def test_espo_is_told_that_tokens_are_tokens():
    request = DIALECTS["espo"].spoken(Request("GET", "/api/Product"))
    assert request.headers == {"Espo-Authorization-By-Token": "true"}


# signing in


def described(url):
    return reply(200, {"openapi": "3.0.0", "info": {"version": "2"}, "servers": [{"url": url}]})


NOTHING_THERE = NotFound("")
TOKEN_ONLY = reply(200, {"authorizationToken": TOKEN})


@pytest.mark.parametrize(("url", "dialect"), [("/api", "2.3"), ("/pim/api/", "2.3"), ("/api/v1", "1.x-2.2")])
def test_the_description_tells_the_dialect(url, dialect):
    asked, (found, token) = run_by_hand(api.detected(ME), described(url), TOKEN_ONLY)
    assert (found.name, token) == (dialect, TOKEN)
    assert [request.path for request in asked] == [
        "/openapi.json",
        f"{found.base}{'/userSession' if dialect == '2.3' else '/App/user'}",
    ]
    assert asked[0].headers == {}
    assert asked[1].headers == {"Authorization": f"Basic {BASIC}", "Authorization-Token-Only": "true"}


@pytest.mark.parametrize("hidden", [NotFound(""), Forbidden(""), reply(200, b"<html>a portal</html>"), reply(200, [])])
def test_without_description_the_refusal_tells_2_3(hidden):
    asked, (found, _) = run_by_hand(api.detected(ME), hidden, LoginRefused("Unauthorized"), TOKEN_ONLY)
    assert found.name == "2.3"
    assert asked[1].headers == {}


@pytest.mark.parametrize("refusal", [LoginRefused("a proxy's own words"), NotFound(""), reply(200, b"<html>")])
def test_any_other_refusal_means_an_older_server(refusal):
    asked, (found, token) = run_by_hand(api.detected(ME), NOTHING_THERE, refusal, TOKEN_ONLY, reply(200, {"user": {}}))
    assert (found.name, token) == ("1.x-2.2", TOKEN)
    assert asked[2].headers["Authorization"] == f"Basic {BASIC}"
    assert asked[2].headers["Espo-Authorization"] == BASIC
    assert asked[3].headers == {"Authorization-Token": TOKEN}


def test_a_server_that_overlooks_authorization_token_speaks_espo():
    _, (found, token) = run_by_hand(
        api.detected(ME),
        NOTHING_THERE,
        NOTHING_THERE,
        reply(200, {"token": "token", "user": {"userName": "me"}}),
        LoginRefused("Unauthorized"),
        reply(200, {"user": {}}),
    )
    assert (found.name, token) == ("espo", TOKEN)


def test_a_ready_token_tells_the_older_dialects_apart_without_a_login():
    ready = Credential("", "", TOKEN)
    asked, (found, _) = run_by_hand(api.detected(ready), NOTHING_THERE, NOTHING_THERE, LoginRefused(""), reply(200, {}))
    assert found.name == "espo"
    assert asked[2].headers == {"Authorization-Token": TOKEN}
    assert asked[3].headers == {"Espo-Authorization": TOKEN, "Espo-Authorization-By-Token": "true"}


@pytest.mark.parametrize("lost", [Unreachable(""), Busy(""), Uncertain("")])
@pytest.mark.parametrize("before", [0, 1])
def test_a_server_that_does_not_answer_tells_nothing(lost, before):
    with pytest.raises(type(lost)):
        run_by_hand(api.detected(ME), *[NOTHING_THERE] * before, lost)


def test_a_refused_password_is_not_tried_in_another_dialect():
    with pytest.raises(LoginRefused):
        run_by_hand(api.detected(ME), NOTHING_THERE, NOTHING_THERE, LoginRefused("Unauthorized"))


def test_the_encoded_password_is_hidden_before_it_is_sent():
    flow = api.login(DIALECTS["2.3"], ME)
    assert next(flow) == Secret(BASIC)


def test_a_credential_does_not_show_its_secrets():
    assert "a password" not in repr(ME)
    assert TOKEN not in repr(Credential("", "", TOKEN))


# filters


def test_a_filter_is_written_with_brackets():
    conditions: list[Any] = [
        {"type": "in", "attribute": "number", "value": ["a", "b"]},
        {"type": "or", "value": [{"type": "isNull", "attribute": "ean"}, {"type": "isTrue", "attribute": "isActive"}]},
    ]
    assert api.where_query(conditions) == {
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
def test_a_type_the_server_would_drop_is_refused(conditions):
    with pytest.raises(ValueError, match="no type of condition that AtroCore knows"):
        api.where_query(conditions)


# records


def test_lists_are_read_page_by_page():
    pages = [reply(200, {"list": [{"id": str(n)} for n in range(size)]}) for size in (200, 200, 3)]
    asked, found = run_by_hand(api.records("Product", select=["number"]), *pages)
    assert len(found) == 403
    assert [request.query["offset"] for request in asked] == [0, 200, 400]
    assert {request.query["maxSize"] for request in asked} == {200}
    assert asked[0].query["select"] == "number"


def test_lookups_are_split_by_number_and_by_length():
    keys = [f"{number}" for number in range(250)]
    asked, _ = run_by_hand(api.records_by("Product", "number", keys), *[reply(200, {"list": []})] * 3)
    assert [len(request.query["where[0][value][]"]) for request in asked] == [100, 100, 50]

    long_keys = ["ä" * 200 + str(number) for number in range(10)]
    asked, _ = run_by_hand(api.records_by("Product", "number", long_keys), *[reply(200, {"list": []})] * 3)
    assert all(len(request.target) < 8000 for request in asked)
    assert sum(len(request.query["where[0][value][]"]) for request in asked) == 10


def test_a_lookup_of_nothing_asks_nothing():
    asked, found = run_by_hand(api.records_by("Product", "number", []))
    assert (asked, found) == ([], {})


def test_records_that_share_a_key_are_found_together():
    same = [{"id": "1", "number": "W"}, {"id": "2", "number": "W"}]
    _, found = run_by_hand(api.records_by("Product", "number", ["W"]), reply(200, {"list": same}))
    assert found == {"W": same}


def test_a_create_whose_answer_was_lost_is_read_back():
    asked, record = run_by_hand(
        api.create_record("Product", {"id": "1", "name": "a"}), Uncertain("lost"), reply(200, {"id": "1"})
    )
    assert [request.method for request in asked] == ["POST", "GET"]
    assert record == {"id": "1"}
    assert not asked[0].may_be_repeated


def test_a_create_that_left_nothing_behind_stays_uncertain():
    with pytest.raises(Uncertain, match="lost"):
        run_by_hand(api.create_record("Product", {"id": "1"}), Uncertain("lost"), NotFound(""))


def test_a_create_without_an_id_is_given_one_to_be_read_back_by():
    asked, _ = run_by_hand(api.create_record("Product", {"name": "a"}), Uncertain("lost"), reply(200, {}))
    given = asked[0].json["id"]
    assert re.fullmatch(r"[0-9a-f]{24}", given)
    assert asked[1].path == f"/api/Product/{given}"


def test_an_update_tells_whether_it_changed_anything():
    assert not run_by_hand(api.update_record("Product", "1", {"name": "a"}), reply(304))[1]
    assert run_by_hand(api.update_record("Product", "1", {"name": "a"}), reply(200, {}))[1]


def test_an_update_whose_answer_was_lost_is_sent_again_only_when_it_had_no_effect():
    update = {"name": "a", "_prev": {"name": "b"}}
    asked, changed = run_by_hand(
        api.update_record("Product", "1", update), Uncertain("lost"), reply(200, {"name": "a"})
    )
    assert ([request.method for request in asked], changed) == (["PATCH", "GET"], True)

    answers = Uncertain("lost"), reply(200, {"name": "b"}), reply(200, {})
    asked, changed = run_by_hand(api.update_record("Product", "1", update), *answers)
    assert ([request.method for request in asked], changed) == (["PATCH", "GET", "PATCH"], True)
    assert not asked[0].may_be_repeated


def test_what_is_gone_need_not_be_deleted():
    assert run_by_hand(api.delete_record("Product", "1"), NotFound(""))[1] is None


def test_an_upsert_whose_answer_was_lost_is_sent_again_with_the_very_same_ids():
    done = [{"status": "NotModified"}, {"status": "NotModified"}]
    payloads = [{"id": "1"}, {"name": "without an id"}]
    asked, results = run_by_hand(api.upsert("Product", payloads), Uncertain("lost"), reply(200, done))
    assert results == done
    assert asked[0].json == asked[1].json
    assert [bool(item["payload"]["id"]) for item in asked[0].json] == [True, True]


def test_an_upsert_that_answers_for_fewer_items_is_broken():
    with pytest.raises(Broken, match="2 records were sent"):
        run_by_hand(api.upsert("Product", [{"id": "1"}, {"id": "2"}]), reply(200, []))


# schema


def description(**schemas):
    return reply(200, {"openapi": "3.0.0", "components": {"schemas": schemas}})


def test_the_schema_of_2_3_has_types_and_required_fields():
    post = {"properties": {"name": {"type": "string"}, "price": {"type": "number"}}, "required": ["name"]}
    patch = {"properties": {"name": {"type": "string"}, "note": {"type": "string"}}}
    _, schema = run_by_hand(api.schema("Product"), description(Product={}, ProductPost=post, ProductPatch=patch))
    assert schema.types == {"name": "string", "price": "number", "note": "string"}
    assert schema.lacking({"price": 1}) == {"name"}


def test_the_schema_of_older_servers_has_no_types_to_rely_on():
    old = {
        "properties": {"price": {"type": "string"}, "createdAt": {"readOnly": True}, "brandId": {}},
        "required": ["price", "brand"],
    }
    _, schema = run_by_hand(api.schema("Product"), description(Product=old))
    assert schema.types == {"price": "", "brandId": ""}
    assert schema.required == {"price"}
    assert schema.typed({"price": "1.50"}) == {"price": "1.50"}


def test_without_description_there_is_no_schema():
    assert run_by_hand(api.schema("Product"), NotFound(""))[1] is None


def test_an_entity_the_server_does_not_have_is_named():
    with pytest.raises(ValueError, match="entity: the server has no 'Prodct'"):
        run_by_hand(api.schema("Prodct"), description(Product={}))


TYPES = {"a": "string", "n": "number", "i": "integer", "b": "boolean", "l": "array", "o": "object", "u": ""}


@pytest.mark.parametrize(
    ("given", "typed"),
    [
        ({"a": 7, "n": "1.50", "i": "3", "b": "true"}, {"a": "7", "n": 1.5, "i": 3, "b": True}),
        ({"n": "12", "i": 4.0, "b": 0}, {"n": 12, "i": 4, "b": False}),
        ({"l": '["x"]', "o": '{"x": 1}'}, {"l": ["x"], "o": {"x": 1}}),
        ({"l": ["x"], "o": {}, "u": "as it is"}, {"l": ["x"], "o": {}, "u": "as it is"}),
        ({"a": "", "n": "", "b": "", "l": "", "o": ""}, {"a": "", "n": None, "b": None, "l": [], "o": {}}),
        ({"a": None, "n": None}, {"a": None, "n": None}),
        ({"a": "007"}, {"a": "007"}),
    ],
)
def test_texts_become_what_the_fields_hold(given, typed):
    assert api.Schema("Product", TYPES).typed(given) == typed


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"n": "a lot"}, "n: 'a lot' is no number"),
        ({"n": True}, "n: True is no number"),
        ({"i": "1.5"}, "i: '1.5' is no integer"),
        ({"b": "perhaps"}, "b: 'perhaps' is no boolean"),
        ({"l": "x"}, "l: 'x' is no array"),
        ({"o": "[]"}, "o: '\\[\\]' is no object"),
        ({"colour": "red", "size": 1}, "Product has no writable field colour, size: AtroCore would drop it"),
    ],
)
def test_what_the_server_would_not_store_is_refused(row, words):
    with pytest.raises(ValueError, match=words):
        api.Schema("Product", TYPES).typed(row)
