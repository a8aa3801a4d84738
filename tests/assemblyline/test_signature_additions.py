"""Additions of signatures: new rules, and new rules of existing signatures."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline.api.signatures import additions
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import ConflictError, PermissionDeniedError, ServerError
from tests.assemblyline.flows import items, reply, result_of
from tests.assemblyline.signature_sets import signature

DEFINITION = {
    "UNRESTRICTED": "TLP:C",
    "enforce": True,
    "levels_aliases": {"TLP:W": "TLP:C"},
    "levels_map_lts": {"TLP:CLEAR": "TLP:C", "TLP:AMBER": "TLP:A"},
    "levels_map_stl": {"TLP:C": "TLP:CLEAR", "TLP:A": "TLP:AMBER"},
}
A, B = "yara_own_a", "yara_own_b"


@pytest.fixture
def full(served, connect):
    """A hook with an extended API key."""
    return AssemblylineHook(connect("full", served.connection(extra={"api_key": "full:full-secret"})))


def add(row, existing, level="TLP:C"):
    """Return what one addition sends, for an existing signature or none."""
    found = items({"id": A, "name": "a", "status": "NOISY", "classification": level, **existing} if existing else {})
    replies = [reply(DEFINITION)] * (2 if "classification" in row else 1)
    _, steps = result_of(
        additions.add_many("own", "yara", [row]),
        *replies,
        found if existing else items(),
        *([reply({"success": 1, "errors": False, "skipped": []})] if row["data"] != existing.get("data") else []),
    )
    return steps[-1].json


def test_equal_signatures_are_not_sent_again(full):
    rows = [signature("a", revision="2"), signature("b", status="STAGING")]
    first = full.add_signatures("own", "yara", rows, "NOISY")
    assert first == {"added": [A, B], "updated": [], "unchanged": [], "skipped": []}
    assert [full.get_signature(id_)["status"] for id_ in (A, B)] == ["NOISY", "STAGING"]
    assert full.add_signatures("own", "yara", rows, "NOISY")["unchanged"] == [A, B]
    rows[1]["data"] += "\n"
    again = full.add_signatures("own", "yara", rows, "NOISY")
    assert again == {"added": [], "updated": [B], "unchanged": [A], "skipped": []}


def test_an_existing_signature_keeps_its_status(full):
    full.add_signature("own", "yara", signature("a"))
    full.set_signature_status(A, "DISABLED")
    for status in ("DEPLOYED", "TESTING"):
        assert full.add_signature("own", "yara", signature("a", data=status), status) == {"id": A, "op": "updated"}
        assert full.get_signature(A)["status"] == "DISABLED"


def test_an_invalid_signature_with_a_new_rule_gets_the_status_of_a_new_one():
    assert add(signature("a"), {"data": "x", "status": "INVALID"})[0]["status"] == "DEPLOYED"
    assert add(signature("a"), {"data": "x", "status": "TESTING"})[0]["status"] == "TESTING"


def test_a_classification_is_compared_in_every_spelling():
    row = signature("a", classification="tlp:amber//REL TO A")
    equal = {"data": row["data"]}
    replies = (reply(DEFINITION), reply(DEFINITION))
    for level, op in (("TLP:A//REL TO A", "unchanged"), ("TLP:A", "updated"), (None, "updated")):
        found = items({"id": A, "name": "a", "status": "NOISY", "classification": level, **equal})
        stored = [reply({"success": 1, "errors": False, "skipped": []})] if op == "updated" else []
        outcome, _ = result_of(additions.add("own", "yara", row), *replies, found, *stored)
        assert outcome["op"] == op


def test_the_classification_is_kept_or_the_lowest():
    assert add(signature("a"), {"data": "x"}, "TLP:A")[0]["classification"] == "TLP:A"
    assert add(signature("a"), {})[0]["classification"] == "TLP:C"
    assert add(signature("a", classification="TLP:G"), {"data": "x"}, "TLP:A")[0]["classification"] == "TLP:G"


def test_a_classification_that_the_server_would_replace_is_rejected(full):
    with pytest.raises(ValueError, match="classification: this server enforces no classifications"):
        full.add_signature("own", "yara", signature("a", classification="TLP:A"))


def test_a_name_that_belongs_to_another_id_is_skipped(full):
    full.add_signature("own", "yara", signature("a"))
    other = signature("a", signature_id="x")
    assert full.add_signatures("own", "yara", [other, signature("b")])["skipped"] == ["yara_own_x"]
    with pytest.raises(ConflictError, match="another signature of own has the name a"):
        full.add_signature("own", "yara", other)
    assert full.add_signature("other", "yara", other)["op"] == "added"


def test_the_requests_have_a_limited_size(monkeypatch):
    rows = {str(number): {"data": "x" * 10} for number in range(5)}
    monkeypatch.setattr(additions, "MAX_BATCH_ROWS", 2)
    assert [len(batch) for batch in additions.split_batches(rows)] == [2, 2, 1]
    monkeypatch.setattr(additions, "MAX_BATCH_CHARACTERS", 9)
    assert [len(batch) for batch in additions.split_batches(rows)] == [1] * 5


@pytest.mark.parametrize("response", [{"success": 0, "errors": False}, {"success": 1, "errors": True}])
def test_signatures_that_are_not_stored_are_an_error(response):
    replies = (reply(DEFINITION), items(), reply({"skipped": [], **response}))
    with pytest.raises(ServerError, match="not all of 1 signatures of own were stored"):
        result_of(additions.add_many("own", "yara", [signature("a")]), *replies)


def test_no_signatures_cost_no_request(full):
    assert full.add_signatures("own", "yara", []) == {"added": [], "updated": [], "unchanged": [], "skipped": []}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"name": "a"}], "data of 'a' must be the text of its rule"),
        ([{"data": "x"}], "signatures: name must be"),
        ([signature("a", source="x")], "unknown source; valid are name, data"),
        ([signature("a", status="INVALID")], "signatures: status must be one of DEPLOYED"),
        ([signature("a", signature_id="x/y")], "x/y"),
        ([signature("a"), signature("a")], "two have the id 'a' or the name 'a'"),
        ([signature("a"), signature("a", signature_id="b")], "two have the id 'b' or the name 'a'"),
        ([signature("a", data="x" * 5_000_001)], "has 5000001 characters; at most 5000000"),
        ({"name": "a"}, "must be a list of dictionaries, not dict"),
        (["a"], "each must be a dictionary, not str"),
    ],
)
def test_values_that_the_server_would_drop_or_fail_on_are_rejected(rows, message):
    with pytest.raises(ValueError, match=message):
        next(additions.add_many("own", "yara", rows))


@pytest.mark.parametrize("arguments", [("a/b", "yara"), ("own", ""), ("own", "..")])
def test_names_that_make_no_file_names_are_rejected(arguments: tuple[str, str]):
    with pytest.raises(ValueError, match="must consist of letters, digits"):
        next(additions.add_many(arguments[0], arguments[1], []))


def test_an_addition_requires_the_role_signature_import(hook):
    with pytest.raises(PermissionDeniedError, match="signature_import"):
        hook.add_signature("own", "yara", signature("a"))
