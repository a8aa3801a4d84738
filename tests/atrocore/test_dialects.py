"""Requests in the dialects whose routes, bodies and filters differ, and filters that fit into a URL."""

from __future__ import annotations

import json

import pytest

from self_hosted.atrocore.api import records
from self_hosted.atrocore.api.dialects import DIALECTS
from self_hosted.atrocore.api.filters import build_query, build_short_query, expand_query
from self_hosted.core.http.errors import InvalidRequestError, NotFoundError
from self_hosted.core.http.flow import Request
from tests.atrocore.conftest import reply, run_by_hand

BY_KEY = {"type": "in", "attribute": "number", "value": ["A", "B"]}
BY_ID = {"type": "in", "attribute": "id", "value": ["1"]}
EITHER = [{"type": "or", "value": [BY_KEY, BY_ID]}]


def translate(dialect, method, path, **parts):
    return DIALECTS[dialect].translate(Request(method, path, **parts))


@pytest.mark.parametrize(
    ("dialect", "path"), [("2.3", "/api/metadata"), ("1.x-2.2", "/api/v1/Metadata"), ("espo", "/api/v1/Metadata")]
)
def test_the_route_of_the_metadata_is_translated(dialect, path):
    assert translate(dialect, "GET", "/api/metadata").path == path


@pytest.mark.parametrize(
    ("dialect", "route", "path"),
    [
        ("1.x-2.2", "/api/entityMassDelete", "/api/v1/Product/action/massDelete"),
        ("espo", "/api/entityMassDelete", "/api/v1/Product/action/massDelete"),
        ("1.x-2.2", "/api/entityRestore", "/api/v1/Product/action/massRestore"),
    ],
)
def test_mass_actions_before_2_3_have_the_entity_in_their_path(dialect, route, path):
    request = translate(dialect, "POST", route, json={"entityName": "Product", "ids": ["1"]}, idempotent=True)
    assert (request.method, request.path, request.json) == ("POST", path, {"ids": ["1"]})
    assert request.is_idempotent


def test_mass_actions_of_2_3_stay_as_they_are():
    body = {"entityName": "Product", "ids": ["1"]}
    request = translate("2.3", "POST", "/api/entityMassDelete", json=body)
    assert (request.path, request.json) == ("/api/entityMassDelete", body)


def test_the_oldest_servers_cannot_restore_records():
    with pytest.raises(NotFoundError):
        translate("espo", "POST", "/api/entityRestore", json={"entityName": "Product", "ids": []})


@pytest.mark.parametrize(
    ("dialect", "size", "expected"), [("espo", 1000, 200), ("espo", 5, 5), ("espo", None, None), ("2.3", 1000, 1000)]
)
def test_pages_are_limited_where_servers_limit_them(dialect, size, expected):
    assert translate(dialect, "GET", "/api/Product", query={"maxSize": size}).query["maxSize"] == expected


# filters


def test_a_filter_is_written_as_json_which_is_shorter():
    query = build_short_query(EITHER)
    assert json.loads(query["where"]) == EITHER
    assert " " not in query["where"]


def test_umlauts_are_written_as_they_are():
    assert "Ä" in build_short_query([{"type": "equals", "attribute": "name", "value": "Ä"}])["where"]


@pytest.mark.parametrize("value", ['6"', "a\\b", "{", "}"])
@pytest.mark.parametrize("kind", ["equals", "in"])
def test_values_that_servers_alter_in_json_are_written_in_brackets(value, kind):
    conditions = [{"type": kind, "attribute": "name", "value": value if kind == "equals" else ["x", value]}]
    assert build_short_query(conditions) == build_query(conditions)


def test_without_conditions_there_is_no_filter():
    assert build_short_query([]) == {}


def test_an_invalid_filter_is_refused():
    with pytest.raises(ValueError, match="'equal' is not a type of condition"):
        build_short_query([{"type": "equal"}])


@pytest.mark.parametrize("dialect", ["2.3", "1.x-2.2"])
def test_newer_servers_read_json(dialect):
    query = build_short_query(EITHER)
    assert translate(dialect, "GET", "/api/Product", query=query).query == query


def test_the_oldest_servers_get_filters_in_brackets():
    request = translate("espo", "GET", "/api/Product", query={**build_short_query(EITHER), "select": "id"})
    assert request.query == {**build_query(EITHER), "select": "id"}
    assert expand_query({"select": "id"}) == {"select": "id"}


def test_a_filter_that_is_too_long_in_brackets_is_rejected_without_a_request():
    query = build_short_query([{**BY_KEY, "value": [f"{n:06}" for n in range(500)]}])
    with pytest.raises(InvalidRequestError, match="too long for a URL") as error:
        translate("espo", "GET", "/api/Product", query=query)
    assert error.value.status == 414


# mass actions


@pytest.mark.parametrize(
    ("flow", "path"), [(records.delete_many, "/api/entityMassDelete"), (records.restore_many, "/api/entityRestore")]
)
def test_many_records_are_changed_with_one_request(flow, path):
    [request], _ = run_by_hand(flow("Product", ["a/b", 1]), reply(200, {"count": 2}))
    assert (request.path, request.json) == (path, {"entityName": "Product", "ids": ["a/b", "1"]})


def test_mass_actions_have_at_most_200_records():
    # 2.3 rejects more, and older servers process them later
    replies = [reply(200, True)] * 3
    requests, _ = run_by_hand(records.delete_many("Product", [str(n) for n in range(401)]), *replies)
    assert [len(request.json["ids"]) for request in requests] == [200, 200, 1]
    assert run_by_hand(records.delete_many("Product", [])) == ([], None)


@pytest.mark.parametrize("record_id", ["", None, "None"])
def test_a_missing_id_is_refused_before_the_first_request(record_id):
    with pytest.raises(ValueError, match="record_ids must be the value of a field"):
        run_by_hand(records.delete_many("Product", ["1", record_id]))
