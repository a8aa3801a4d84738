"""Contract of badlist and safelist, on the fake server and on live ones."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import pytest

from self_hosted.assemblyline.api.lists import additions, lists, schema, updates
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import InvalidRequestError, NotFoundError, PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Request
from tests.assemblyline.conftest import wait_until

TAG = "network.static.domain"


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


@pytest.fixture(params=schema.LIST_NAMES)
def name(request) -> str:
    return str(request.param)


@pytest.fixture
def sha256() -> str:
    return hashlib.sha256(uuid.uuid4().bytes).hexdigest()


def own_source(hook, *reasons: str) -> Any:
    return hook.run(additions.get_own_source(reasons or ["a test"]))


def build_entry(hook, *hashes: str, **values) -> Any:
    return {**schema.build_file_entry(*hashes), "sources": [own_source(hook)], **values}


def external_source(source: str, *reasons: str) -> Any:
    return {"name": source, "type": "external", "reason": list(reasons)}


def send(method: str, path: str, **body):
    """Send a request that the package never sends."""
    reply = yield Request(method, f"/api/v4/{path}", **body)
    return reply.json()["api_response"]


def wait_for_index(hook, name: str, id_: str) -> Any:
    """Return the entry as soon as a search finds it."""
    return wait_until(lambda: hook.get_list_entries(name, [id_]))


def test_a_file_is_added_to_a_list_and_found_by_hash(hook, run_flow, name, sha256):
    result = run_flow(hook, additions.add(name, build_entry(hook, sha256.upper())))
    assert result == {"id": sha256, "op": "add"}
    found = run_flow(hook, lists.get(name, sha256))
    assert (found["type"], found["enabled"], found["expiry_ts"]) == ("file", True, None)
    assert found["hashes"]["sha256"] == sha256
    assert found["sources"] == [{**own_source(hook), "classification": "TLP:C"}]


def test_only_the_best_hash_finds_an_entry(hook, run_flow, name, sha256):
    md5 = uuid.uuid4().hex
    assert run_flow(hook, additions.add(name, build_entry(hook, md5, sha256)))["id"] == sha256
    with pytest.raises(NotFoundError, match=f"The hash was not found in the {name}."):
        run_flow(hook, lists.get(name, md5))


def test_the_id_of_a_tag_is_computed_from_its_stored_value(hook, run_flow, name):
    value = f"Evil-{uuid.uuid4().hex}.Example"
    tag = schema.build_tag_entry(TAG, value)
    assert run_flow(hook, additions.add(name, {**tag, "sources": [own_source(hook)]}))["id"] == schema.compute_id(tag)
    assert hook.get_list_entry(name, schema.compute_id(tag))["tag"] == {"type": TAG, "value": value.lower()}
    with pytest.raises(NotFoundError):  # the server finds the stored value only
        run_flow(hook, send("GET", f"{name}/{TAG}/{value}/"))
    assert run_flow(hook, send("GET", f"{name}/{TAG}/{value.lower()}/"))["type"] == "tag"


def test_an_unknown_type_of_tag_is_rejected_although_the_server_accepts_it(hook, run_flow, name):
    unknown = {**schema.build_tag_entry("nosuch.tag", uuid.uuid4().hex), "sources": [own_source(hook)]}
    with pytest.raises(ValueError, match=r"unknown types nosuch\.tag"):
        run_flow(hook, additions.add(name, unknown))
    assert run_flow(hook, send("PUT", f"{name}/", json=unknown))["op"] == "add"


def test_signatures_are_added_one_by_one_because_the_server_loses_names(hook, run_flow):
    signature = {**schema.build_signature_entry(f"Test.{uuid.uuid4().hex}"), "sources": [own_source(hook)]}
    id_ = schema.compute_id(signature)
    with pytest.raises(ValueError, match="one by one"):
        run_flow(hook, additions.add_many("safelist", [signature]))
    assert run_flow(hook, send("PUT", "safelist/add_update_many/", json=[signature]))["success"] == 1
    assert hook.get_list_entry("safelist", id_)["signature"] is None
    hook.remove_from_list("safelist", id_)
    assert run_flow(hook, additions.add("safelist", signature)) == {"id": id_, "op": "add"}
    assert hook.get_list_entry("safelist", id_)["signature"] == signature["signature"]


def test_reasons_and_sources_are_added_once(hook, run_flow, name, sha256):
    for reasons in (["a"], ["a", "b"]):
        run_flow(
            hook, additions.add(name, {**schema.build_file_entry(sha256), "sources": [own_source(hook, *reasons)]})
        )
    result = run_flow(
        hook, additions.add_many(name, [{**schema.build_file_entry(sha256), "sources": [external_source("feed", "c")]}])
    )
    assert (result["added"] or result["updated"]) == [sha256]  # the index may not hold it yet
    own, other = hook.get_list_entry(name, sha256)["sources"]
    assert (own["reason"], other["name"], other["reason"]) == (["a", "b"], "feed", ["c"])


def test_an_equal_entry_is_unchanged(hook, run_flow, name, sha256):
    entry = build_entry(hook, sha256)
    hook.add_to_list(name, entry)
    wait_for_index(hook, name, sha256)
    result = run_flow(hook, additions.add_many(name, [entry]))
    assert result == {"added": [], "updated": [], "unchanged": [sha256], "disabled": []}
    updated = run_flow(hook, additions.add_many(name, [{**entry, "sources": [own_source(hook, "another")]}]))
    assert updated["updated"] == [sha256]


def test_an_addition_does_not_enable_a_disabled_entry(hook, run_flow, name, sha256):
    hook.add_to_list(name, build_entry(hook, sha256))
    assert run_flow(hook, updates.set_enabled(name, sha256, False)) is True
    assert run_flow(hook, updates.set_enabled(name, sha256, False)) is False
    wait_until(lambda: not wait_for_index(hook, name, sha256)[sha256]["enabled"])
    assert run_flow(hook, additions.add_many(name, [build_entry(hook, sha256)]))["disabled"] == [sha256]
    assert hook.get_list_entry(name, sha256)["enabled"] is False


def test_each_addition_resets_the_expiry(hook, run_flow, name, sha256):
    hook.add_to_list(name, build_entry(hook, sha256, dtl=3))
    assert hook.get_list_entry(name, sha256)["expiry_ts"]
    run_flow(hook, additions.add(name, build_entry(hook, sha256)))
    assert hook.get_list_entry(name, sha256)["expiry_ts"] is None
    run_flow(hook, updates.set_expiry(name, sha256, "2099-01-31T12:00:00.000000Z"))
    assert hook.get_list_entry(name, sha256)["expiry_ts"].startswith("2099-01-31T12:00:00")
    run_flow(hook, updates.set_expiry(name, sha256, None))
    assert hook.get_list_entry(name, sha256)["expiry_ts"] is None


def test_a_missing_entry_is_an_error_although_the_server_answers_200(hook, run_flow, name, sha256):
    assert run_flow(hook, send("PUT", f"{name}/enable/{sha256}/", json=True)) == {"success": False}
    for flow in (
        updates.set_enabled(name, sha256, True),
        updates.set_expiry(name, sha256, None),
        updates.set_classification(name, sha256, "admin", "user", "TLP:C"),
        updates.remove_source(name, sha256, "admin", "user"),
    ):
        with pytest.raises(NotFoundError):
            run_flow(hook, flow)


def test_sources_are_classified_and_removed_except_the_last(hook, run_flow, name, sha256):
    own = own_source(hook)
    hook.add_many_to_list(
        name,
        [build_entry(hook, sha256), {**schema.build_file_entry(sha256), "sources": [external_source("feed", "c")]}],
    )
    hook.add_many_to_list(name, [build_entry(hook, sha256)])
    run_flow(hook, updates.set_classification(name, sha256, own["name"], "user", "TLP:C"))
    run_flow(hook, updates.remove_source(name, sha256, own["name"], "user"))
    assert [source["name"] for source in hook.get_list_entry(name, sha256)["sources"]] == ["feed"]
    with pytest.raises((PermissionDeniedError, NotFoundError)):
        run_flow(hook, updates.remove_source(name, sha256, own["name"], "user"))


def test_a_removed_entry_is_gone_or_kept_by_other_sources(hook, run_flow, name, sha256):
    if "signature_manage" in hook.get_account()["roles"]:
        pytest.skip("this user may remove all entries")
    hook.add_to_list(name, build_entry(hook, sha256))
    assert run_flow(hook, lists.remove(name, sha256)) == "removed"
    assert run_flow(hook, lists.remove(name, sha256)) == "absent"
    hook.add_many_to_list(
        name, [{**schema.build_file_entry(sha256), "sources": [own_source(hook), external_source("feed", "c")]}]
    )
    assert run_flow(hook, lists.remove(name, sha256)) == "kept"
    assert [source["name"] for source in hook.get_list_entry(name, sha256)["sources"]] == ["feed"]


def test_the_server_checks_sources_of_single_additions_only(hook, run_flow, name, sha256):
    if "signature_import" in hook.get_account()["roles"]:
        pytest.skip("this user may import")
    foreign = {**schema.build_file_entry(sha256), "sources": [{"name": "stranger", "type": "user", "reason": ["x"]}]}
    with pytest.raises(InvalidRequestError, match="You cannot add a source for another user"):
        run_flow(hook, additions.add(name, foreign))
    with pytest.raises(PermissionDeniedError, match="sufficient priviledges to add an external source"):
        run_flow(
            hook, additions.add(name, {**schema.build_file_entry(sha256), "sources": [external_source("feed", "c")]})
        )
    assert run_flow(hook, additions.add_many(name, [foreign]))["added"] == [sha256]


def test_a_source_is_a_user_or_external_and_not_both(hook, run_flow, name, sha256):
    hook.add_to_list(name, build_entry(hook, sha256))
    with pytest.raises(InvalidRequestError, match="type conflict: user != external"):
        run_flow(
            hook,
            additions.add_many(
                name, [{**schema.build_file_entry(sha256), "sources": [external_source(own_source(hook)["name"], "c")]}]
            ),
        )


def test_the_server_fails_on_a_hash_in_upper_case_and_on_a_uri_without_host(hook, run_flow, name, sha256):
    source = own_source(hook)
    for broken in (
        {"type": "file", "hashes": {"sha256": sha256.upper()}, "sources": [source]},
        {"type": "tag", "tag": {"type": "network.static.uri", "value": "nowhere"}, "sources": [source]},
    ):
        with pytest.raises(ServerError, match="Internal Server Error"):
            run_flow(hook, send("PUT", f"{name}/", json=broken))


def test_only_the_safelist_checks_the_length_of_ids(hook, run_flow):
    with pytest.raises(InvalidRequestError, match="Invalid hash length"):
        run_flow(hook, lists.get("safelist", "abc"))
    with pytest.raises(NotFoundError):
        run_flow(hook, lists.get("badlist", "abc"))


# Badlist only


def test_attributions_are_stored_once_in_upper_case(hook, run_flow, sha256):
    hook.add_to_list("badlist", build_entry(hook, sha256, attribution={"family": ["emotet"]}))
    assert run_flow(hook, updates.set_attribution(sha256, "family", "Emotet")) is False
    assert run_flow(hook, updates.set_attribution(sha256, "actor", "ta542")) is True
    found = hook.get_list_entry("badlist", sha256)["attribution"]
    assert (found["family"], found["actor"]) == (["EMOTET"], ["TA542"])
    assert run_flow(hook, updates.set_attribution(sha256, "actor", "ta542", remove=True)) is True
    assert run_flow(hook, updates.set_attribution(sha256, "campaign", "x", remove=True)) is False
    with pytest.raises(NotFoundError):
        run_flow(hook, updates.set_attribution("ab" * 32, "actor", "x"))


def test_the_server_fails_on_missing_attributions_and_duplicates_existing_ones(hook, run_flow, sha256):
    hook.add_to_list("badlist", build_entry(hook, sha256, attribution={"family": ["emotet"]}))
    with pytest.raises(ServerError):
        run_flow(hook, send("DELETE", f"badlist/attribution/{sha256}/campaign/X/"))
    run_flow(hook, send("PUT", f"badlist/attribution/{sha256}/family/emotet/"))
    assert hook.get_list_entry("badlist", sha256)["attribution"]["family"] == ["EMOTET", "EMOTET"]


def test_similar_files_are_found_by_tlsh_and_ssdeep(hook, run_flow, sha256):
    tlsh = f"T1{uuid.uuid4().hex}{uuid.uuid4().hex}012345".upper()
    ssdeep = f"3:a/b//{uuid.uuid4().hex}+:c/d"
    hook.add_to_list("badlist", build_entry(hook, tlsh, sha256, ssdeep))
    wait_for_index(hook, "badlist", sha256)
    for value in (tlsh, ssdeep):
        assert sha256 in [entry["hashes"]["sha256"] for entry in run_flow(hook, lists.find_similar(value))]


def test_only_the_badlist_accepts_a_tlsh_alone(hook, run_flow, sha256):
    tlsh = f"T1{uuid.uuid4().hex}{uuid.uuid4().hex}012345".upper()
    assert run_flow(hook, additions.add("badlist", build_entry(hook, tlsh)))["id"] == tlsh
    assert hook.get_list_entry("badlist", tlsh)["hashes"]["tlsh"] == tlsh
    assert run_flow(hook, send("PUT", "safelist/", json=build_entry(hook, tlsh)))["hash"] == tlsh  # the server loses it
    with pytest.raises(ValueError, match="a file on the safelist needs one of sha256, sha1, md5"):
        run_flow(hook, additions.add("safelist", build_entry(hook, tlsh)))
