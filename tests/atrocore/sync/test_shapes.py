"""Malformed responses: each is an error of the server that names what is wrong, never another exception."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.atrocore.api import metadata as metadata_flows, pages
from self_hosted.core.http.errors import OutcomeUnknownError, SelfHostedError, ServerError
from self_hosted.core.sync.target import Change
from tests.atrocore.conftest import reply, run_by_hand
from tests.atrocore.sync.samples import ADMIN, describe, metadata, specs

CREATE = Change("create", "A", "1", {"name": "a"})
DELETE = Change("delete", "A", "1", {})
PAGE = b"<html>Log in</html>"


def describe_with(document, session=ADMIN):
    target, _ = describe()
    return run_by_hand(target.describe(specs()), reply(200, document), reply(200, session))


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (PAGE, "not JSON"),
        ([], "the body"),
        ({}, "entityDefs"),
        ({"entityDefs": []}, "entityDefs"),
        ({"entityDefs": {"Product": []}}, r"entityDefs\.Product"),
        ({"entityDefs": {"Product": {"fields": 3}}}, r"entityDefs\.Product\.fields"),
        ({"entityDefs": {"Product": {"fields": {"sku": "varchar"}}}}, r"entityDefs\.Product\.fields"),
    ],
)
def test_malformed_metadata_is_an_error_of_the_server(document, problem):
    target, _ = describe()
    with pytest.raises(ServerError, match=problem):
        run_by_hand(target.describe(specs()), reply(200, document))


def test_empty_objects_of_php_are_lists():
    document: Any = {"entityDefs": {"Product": {"fields": [], "links": []}}}
    _, found = run_by_hand(metadata_flows.get("Product"), reply(200, document))
    assert (found.fields, found.links) == ({}, {})


def test_an_entity_without_fields_has_no_key():
    target, _ = describe()
    with pytest.raises(ValueError, match="Product has no field 'sku'"):
        run_by_hand(target.describe(specs()), *[reply(200, {"entityDefs": {"Product": {}}}), reply(200, ADMIN)])


def test_the_metadata_need_the_name_of_an_entity():
    with pytest.raises(ValueError, match="entity must be the name of an entity"):
        run_by_hand(metadata_flows.get("../x"))


@pytest.mark.parametrize(
    "changes",
    [
        {"min": "0", "max": "x"},
        {"maxLength": "14"},
        {"options": "a", "optionsIds": 3},
        {"required": "yes"},
        {"pattern": ["x"]},
        {"multilangLocale": 3, "multilangField": ["name"]},
    ],
)
def test_odd_parameters_of_a_field_are_ignored(changes):
    document = metadata(mpn={"type": "varchar", **changes}, sortOrder={"type": "int", **changes})
    target, _ = describe()
    _, schema = run_by_hand(target.describe(specs("mpn", "sortOrder")), reply(200, document), reply(200, ADMIN))
    assert (schema.fields["mpn"].max_length, schema.fields["mpn"].options) == (255, {})


@pytest.mark.parametrize("session", [PAGE, [], {"acl": 3}, {"acl": {"table": 3}}, {"user": 3}])
def test_a_malformed_session_is_an_error_of_the_server(session):
    with pytest.raises(ServerError):
        describe_with(metadata(), session)


@pytest.mark.parametrize("body", [PAGE, [], {}, {"list": {}}, {"list": ["x"]}, {"list": [{}]}, {"list": [{"id": 1}]}])
def test_a_malformed_list_is_an_error_of_the_server(body):
    target, schema = describe()
    for flow in (target.page(schema, None), target.find(schema, ["A"]), target.read(schema, ["1"])):
        with pytest.raises(ServerError):
            run_by_hand(flow, reply(200, body))


@pytest.mark.parametrize("body", [PAGE, [], {}, {"total": "5"}])
def test_a_malformed_number_of_records_is_an_error_of_the_server(body):
    with pytest.raises(ServerError):
        run_by_hand(pages.count("Product", ()), reply(200, body))


@pytest.mark.parametrize("body", [PAGE, {}, [], [None], ["x"], [{"status": 5}], [{}, {}]])
def test_a_malformed_result_of_a_write_leaves_its_outcome_open(body):
    target, schema = describe("name")
    with pytest.raises(SelfHostedError) as error:
        run_by_hand(target.write(schema, [CREATE]), reply(200, body, method="POST"))
    assert isinstance(error.value, OutcomeUnknownError | ServerError)


def test_a_page_of_a_proxy_is_no_deletion():
    target, schema = describe("name")
    with pytest.raises(ServerError, match="not JSON"):
        run_by_hand(target.write(schema, [DELETE]), reply(200, PAGE))


def test_texts_of_the_server_are_cleaned_before_they_are_shown():
    target, _ = describe()
    document = metadata(**{"colour\x1b[31m": {"type": "a\x07b"}})
    with pytest.raises(ValueError, match="similar fields are") as error:
        run_by_hand(target.describe(specs("colour\x1b")), reply(200, document), reply(200, ADMIN))
    assert "\x1b[31m" not in str(error.value)
    _, schema = run_by_hand(target.describe(specs("colour\x1b[31m")), reply(200, document), reply(200, ADMIN))
    assert "\x07" not in schema.fields["colour\x1b[31m"].forbidden
