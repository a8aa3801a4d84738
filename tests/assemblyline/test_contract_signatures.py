"""Contract of signatures and their sources, on the fake server and on live ones."""

from __future__ import annotations

import uuid

import pytest

from self_hosted.assemblyline.api.signatures import additions, fetches, signatures, source_changes, sources, statuses
from self_hosted.core.http.errors import InvalidRequestError, NotFoundError, ServerError
from self_hosted.core.http.flow import Request
from tests.assemblyline.conftest import wait_until
from tests.assemblyline.signature_sets import signature


@pytest.fixture
def source():
    """A name that no other test uses."""
    return f"test_{uuid.uuid4().hex}"


def call(method, path, body, **params):
    """Return a flow that sends one request as it is."""
    yield Request(method, f"/api/v4/signature/{path}/", params, json=body)


def row(source, **changes):
    """Return a complete signature, as the server expects it."""
    fields = {"type": "yara", "source": source, "status": "DEPLOYED", "classification": "TLP:C", "signature_id": "a"}
    return {**signature("a"), **fields, **changes}


@pytest.fixture
def service(request, full, run_flow):
    """A service with sources."""
    if request.node.callspec.params["server"] == "sandbox":
        request.getfixturevalue("served").seed({"signatures": {"sources": {"YARA": []}, "fetch_seconds": 3600}})
    found = run_flow(full, sources.list_all())
    if not found:
        pytest.skip("this server has no service with sources of signatures")
    return next(iter(found))


def test_signatures_are_added_updated_and_deleted(full, run_flow, source):
    ids = [f"yara_{source}_a", f"yara_{source}_B-1"]
    given = [signature("a", revision="3"), signature("b", signature_id="B-1", status="STAGING")]
    assert run_flow(full, additions.add_many(source, "yara", given))["added"] == ids
    wait_until(lambda: run_flow(full, signatures.list_ids(f'source:"{source}"', 2)) == sorted(ids))
    assert run_flow(full, additions.add_many(source, "yara", given))["unchanged"] == ids
    given[0]["data"] += "\n"
    run_flow(full, statuses.set_status(ids[0], "NOISY"))
    outcome = run_flow(full, additions.add_many(source, "yara", given))
    assert (outcome["updated"], outcome["unchanged"]) == ([ids[0]], [ids[1]])
    updated = run_flow(full, signatures.get(ids[0]))
    assert (updated["data"], updated["status"], updated["revision"]) == (given[0]["data"], "NOISY", "3")
    changed = run_flow(full, statuses.set_statuses(ids, "DEPLOYED"))
    assert changed == {"changed": ids, "unchanged": []}
    assert [run_flow(full, signatures.delete(id_)) for id_ in (*ids, ids[0])] == ["deleted", "deleted", "absent"]


def test_a_name_that_belongs_to_another_id_is_skipped(full, run_flow, source):
    run_flow(full, additions.add(source, "yara", signature("a")))
    wait_until(lambda: run_flow(full, signatures.list_ids(f'source:"{source}"', 2)))
    other = signature("a", signature_id="x")
    assert run_flow(full, additions.add_many(source, "yara", [other]))["skipped"] == [f"yara_{source}_x"]
    with pytest.raises(InvalidRequestError, match="A signature with that name already exists"):
        run_flow(full, call("PUT", "add_update", row(source, signature_id="x")))
    run_flow(full, signatures.delete(f"yara_{source}_a"))


def test_the_server_replaces_a_status_that_a_user_has_set_unless_the_new_one_is_deployed(full, run_flow, source):
    id_, params = f"yara_{source}_a", {"source": source, "sig_type": "yara"}
    run_flow(full, additions.add(source, "yara", signature("a")))
    run_flow(full, statuses.set_status(id_, "DISABLED"))
    for status, expected in (("DEPLOYED", "DISABLED"), ("TESTING", "TESTING")):
        run_flow(full, call("PUT", "add_update_many", [row(source, status=status, data=status)], **params))
        assert run_flow(full, signatures.get(id_))["status"] == expected
    run_flow(full, signatures.delete(id_))


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ([{"classification": None}], None, None),
        ([{"status": "BOGUS"}], InvalidRequestError, "BOGUS not in the possible values"),
        ({}, InvalidRequestError, "Source, source type and data are mandatory fields"),
    ],
)
def test_the_server_rejects_incomplete_signatures(full, run_flow, source, body, error, message):
    sent = [row(source, **changes) for changes in body] if isinstance(body, list) else body
    if error is None:
        del sent[0]["classification"]
        error, message = ServerError, "Internal Server Error"
    with pytest.raises(error, match=message):
        run_flow(full, call("PUT", "add_update_many", sent, source=source, sig_type="yara"))


def test_a_source_is_added_changed_fetched_and_removed(full, run_flow, service, source):
    settings = {"uri": "https://example.com/a.git", "sync": "true", "private_key": "a key", "update_interval": 60}
    assert run_flow(full, source_changes.set_source(service, source, settings))["op"] == "added"
    assert run_flow(full, source_changes.set_source(service, source, settings))["op"] == "unchanged"
    changed = run_flow(full, source_changes.set_source(service, source, {"git_branch": "main"}))
    assert (changed["op"], changed["changed"]) == ("updated", ["git_branch"])
    assert run_flow(full, source_changes.set_source(service, source, settings))["op"] == "unchanged"
    assert run_flow(full, sources.set_enabled(service, source, enabled=False))["changed"]
    assert run_flow(full, sources.set_enabled(service, source, enabled=True))["changed"]
    assert run_flow(full, fetches.fetch(service, [source])) == [source]
    assert run_flow(full, fetches.get_statuses())[service][source]["state"] == "UPDATING"
    assert run_flow(full, sources.remove_source(service, source)) is True
    assert run_flow(full, sources.remove_source(service, source)) is False


def test_a_source_without_a_classification_can_never_be_changed(full, run_flow, service, source):
    body = {"name": source, "uri": "https://a", "enabled": "false"}
    run_flow(full, call("PUT", f"sources/{service}", body))
    [found] = [each for each in run_flow(full, sources.list_all())[service] if each["name"] == source]
    assert found["enabled"] is True  # the text is not empty
    complete = {**body, "default_classification": "TLP:C", "override_classification": False}
    with pytest.raises(ServerError, match="Internal Server Error"):
        run_flow(full, call("POST", f"sources/{service}/{source}", complete))
    run_flow(full, sources.remove_source(service, source))


def test_the_server_removes_characters_from_the_name_of_a_source(full, run_flow, service, source):
    run_flow(full, call("PUT", f"sources/{service}", {"name": f"{source} !-.x", "uri": "https://a"}))
    with pytest.raises(InvalidRequestError, match=f"Update source name already exist: {source}_x"):
        run_flow(full, call("PUT", f"sources/{service}", {"name": f"{source}_x", "uri": "https://a"}))
    assert run_flow(full, sources.remove_source(service, f"{source}_x")) is True


def test_a_source_of_an_unknown_service_is_an_error(full, run_flow):
    with pytest.raises(NotFoundError, match="is no service with signature sources"):
        run_flow(full, sources.remove_source("NoService", "a"))
    with pytest.raises(ServerError, match="Internal Server Error"):
        run_flow(full, call("PUT", "sources/NoService", {"name": "a", "uri": "https://a"}))
