"""What may not be written: by the definition of a field, and by the roles of the user."""

from __future__ import annotations

import pytest

from self_hosted.atrocore.api import permissions
from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Secret
from tests.atrocore.conftest import reply, run_by_hand
from tests.atrocore.sync.samples import describe

BEN = {
    "token": "t",
    "user": {"userName": "ben", "isAdmin": False},
    "acl": {
        "table": {"Product": {"read": "all", "stream": "no", "edit": "all", "delete": "no", "create": "yes"}},
        "fieldTable": {
            "Product": {
                "price": {"read": "yes", "edit": "no"},
                "mpn": {"read": "no", "edit": "yes"},
                "brand": {"read": "yes", "edit": "no"},
            }
        },
    },
}


def session(*, table=None, fields=None):
    return {"user": {"userName": "ben"}, "acl": {"table": {"Product": table}, "fieldTable": {"Product": fields or []}}}


def forbidden(name, given=BEN):
    _, schema = describe(name, session=given)
    return list(schema.fields.values())[-1].forbidden


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("createdAt", "it is read-only"),
        ("brandName", "the server sets it; write brandId"),
        ("categoriesNames", "the server sets it; write categoriesIds"),
        ("unitPrice", "the server computes it"),
        ("statusDeDe", "the server sets it; write status"),
        ("range", "fields of the type rangeFloat cannot be written"),
        ("image", "fields of the type unknown cannot be written"),
    ],
)
def test_fields_that_the_server_would_drop_are_forbidden(name, reason):
    assert forbidden(name, None) == reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("price", "the user's roles do not permit to edit it"),
        ("priceUnitId", "the user's roles do not permit to edit it"),  # it belongs to the price
        ("brand", "the user's roles do not permit to edit it"),
        ("brandId", "the user's roles do not permit to edit it"),
        ("mpn", "the user's roles do not permit to read it"),
        ("name", ""),
    ],
)
def test_fields_that_the_roles_exclude_are_forbidden(name, reason):
    assert forbidden(name) == reason


def test_actions_that_the_roles_exclude_are_forbidden():
    _, schema = describe(session=BEN)
    reason = "the user's roles do not permit to delete records of the entity Product"
    assert schema.forbidden == {"delete": reason, "restore": reason}


@pytest.mark.parametrize("table", [False, {"create": "no", "read": "no", "edit": "no", "delete": "no"}])
def test_without_access_every_action_is_forbidden(table):
    _, schema = describe(session=session(table=table))
    assert set(schema.forbidden) == {"create", "update", "restore", "deactivate", "delete"}


@pytest.mark.parametrize("table", [True, None, [], {}])
def test_what_no_role_names_is_permitted(table):
    assert describe(session=session(table=table))[1].forbidden == {}


def test_an_administrator_may_do_everything():
    assert not forbidden("price", {**BEN, "user": {"userName": "ben", "isAdmin": True}})


@pytest.mark.parametrize("acl", [[], {}, {"table": [], "fieldTable": []}])
def test_empty_tables_of_php_are_lists(acl):
    assert not forbidden("price", {"user": {"userName": "ben"}, "acl": acl})


def test_records_cannot_be_deactivated_if_the_switch_may_not_be_edited():
    _, schema = describe(session=session(fields={"isActive": {"edit": "no"}}))
    assert schema.forbidden == {"deactivate": "the user's roles do not permit to edit isActive"}


def test_a_key_that_the_user_may_not_read_is_refused():
    with pytest.raises(ValueError, match="key: the user's roles do not permit to read sku"):
        describe(session=session(fields={"sku": {"read": "no"}}))


@pytest.mark.parametrize("table", ["all", 3, {"edit": 1}])
def test_malformed_permissions_are_an_error_of_the_server(table):
    with pytest.raises(ServerError, match=r"acl\.table\.Product"):
        describe(session=session(table=table))


def test_the_token_of_the_session_is_masked():
    flow = permissions.get("Product")
    next(flow)
    assert flow.send(reply(200, BEN)) == Secret("t")


def test_permissions_need_an_entity():
    with pytest.raises(ValueError, match="entity must be the name of an entity"):
        run_by_hand(permissions.get("App/user"))
