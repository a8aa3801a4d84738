"""What must hold of badlist and safelist on the stand-in and on a real server."""

from __future__ import annotations

import hashlib
import time
import uuid
from typing import Any

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.errors import Broken, Forbidden, Invalid, NotFound
from self_hosted.core.flow import Request

TAG = "network.static.domain"


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


@pytest.fixture(params=api.LISTS)
def name(request) -> str:
    return str(request.param)


@pytest.fixture
def sha256() -> str:
    return hashlib.sha256(uuid.uuid4().bytes).hexdigest()


def own(hook, *reasons: str) -> Any:
    return hook.run(api.own_source(reasons or ["a test"]))


def entry(hook, *hashes: str, **more) -> Any:
    return {**api.file_entry(*hashes), "sources": [own(hook)], **more}


def external(source: str, *reasons: str) -> Any:
    return {"name": source, "type": "external", "reason": list(reasons)}


def sent(method: str, path: str, **body):
    """A request as we do not send it."""
    reply = yield Request(method, f"/api/v4/{path}", **body)
    return reply.json()["api_response"]


def in_the_index(hook, name: str, id_: str) -> Any:
    """The entry, once a search finds it."""
    deadline = time.monotonic() + 10
    while True:
        found = hook.list_entries(name, [id_])
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def test_a_file_is_put_on_a_list_and_found_by_its_hash(hook, ask, name, sha256):
    done = ask(hook, api.add_to_list(name, entry(hook, sha256.upper())))
    assert done == {"id": sha256, "op": "add"}
    found = ask(hook, api.list_entry(name, sha256))
    assert (found["type"], found["enabled"], found["expiry_ts"]) == ("file", True, None)
    assert found["hashes"]["sha256"] == sha256
    assert found["sources"] == [{**own(hook), "classification": "TLP:C"}]


def test_the_best_hash_names_an_entry_and_no_other_finds_it(hook, ask, name, sha256):
    md5 = uuid.uuid4().hex
    assert ask(hook, api.add_to_list(name, entry(hook, md5, sha256)))["id"] == sha256
    with pytest.raises(NotFound, match=f"The hash was not found in the {name}."):
        ask(hook, api.list_entry(name, md5))


def test_a_tag_is_named_by_its_type_and_value_as_the_server_stores_it(hook, ask, name):
    value = f"Evil-{uuid.uuid4().hex}.Example"
    tag = api.tag_entry(TAG, value)
    assert ask(hook, api.add_to_list(name, {**tag, "sources": [own(hook)]}))["id"] == api.entry_id(tag)
    assert hook.list_entry(name, api.entry_id(tag))["tag"] == {"type": TAG, "value": value.lower()}
    with pytest.raises(NotFound):  # by the server's own look-up only what is stored is found
        ask(hook, sent("GET", f"{name}/{TAG}/{value}/"))
    assert ask(hook, sent("GET", f"{name}/{TAG}/{value.lower()}/"))["type"] == "tag"


def test_a_type_of_tag_that_no_file_can_have_is_refused_though_the_server_takes_it(hook, ask, name):
    unknown = {**api.tag_entry("nosuch.tag", uuid.uuid4().hex), "sources": [own(hook)]}
    with pytest.raises(ValueError, match=r"this server knows no nosuch\.tag"):
        ask(hook, api.add_to_list(name, unknown))
    assert ask(hook, sent("PUT", f"{name}/", json=unknown))["op"] == "add"


def test_a_signature_is_put_on_the_safelist_alone_since_of_many_the_names_are_lost(hook, ask):
    signature = {**api.signature_entry(f"Test.{uuid.uuid4().hex}"), "sources": [own(hook)]}
    id_ = api.entry_id(signature)
    with pytest.raises(ValueError, match="one by one"):
        ask(hook, api.add_many_to_list("safelist", [signature]))
    assert ask(hook, sent("PUT", "safelist/add_update_many/", json=[signature]))["success"] == 1
    assert hook.list_entry("safelist", id_)["signature"] is None
    hook.remove_from_list("safelist", id_)
    assert ask(hook, api.add_to_list("safelist", signature)) == {"id": id_, "op": "add"}
    assert hook.list_entry("safelist", id_)["signature"] == signature["signature"]


def test_reasons_and_sources_are_added_and_none_twice(hook, ask, name, sha256):
    for reasons in (["a"], ["a", "b"]):
        ask(hook, api.add_to_list(name, {**api.file_entry(sha256), "sources": [own(hook, *reasons)]}))
    done = ask(hook, api.add_many_to_list(name, [{**api.file_entry(sha256), "sources": [external("feed", "c")]}]))
    assert (done["added"] or done["updated"]) == [sha256]  # the index may not know of it yet
    mine, other = hook.list_entry(name, sha256)["sources"]
    assert (mine["reason"], other["name"], other["reason"]) == (["a", "b"], "feed", ["c"])


def test_what_is_there_just_so_is_left_alone(hook, ask, name, sha256):
    wanted = entry(hook, sha256)
    hook.add_to_list(name, wanted)
    in_the_index(hook, name, sha256)
    done = ask(hook, api.add_many_to_list(name, [wanted]))
    assert done == {"added": [], "updated": [], "unchanged": [sha256], "disabled": []}
    more = ask(hook, api.add_many_to_list(name, [{**wanted, "sources": [own(hook, "another")]}]))
    assert more["updated"] == [sha256]


def test_adding_neither_switches_on_nor_off_and_says_so(hook, ask, name, sha256):
    hook.add_to_list(name, entry(hook, sha256))
    assert ask(hook, api.enable_in_list(name, sha256, False)) is True
    assert ask(hook, api.enable_in_list(name, sha256, False)) is False
    deadline = time.monotonic() + 10
    while in_the_index(hook, name, sha256)[sha256]["enabled"] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert ask(hook, api.add_many_to_list(name, [entry(hook, sha256)]))["disabled"] == [sha256]
    assert hook.list_entry(name, sha256)["enabled"] is False


def test_each_addition_sets_the_expiry_anew_or_takes_it_away(hook, ask, name, sha256):
    hook.add_to_list(name, entry(hook, sha256, dtl=3))
    assert hook.list_entry(name, sha256)["expiry_ts"]
    ask(hook, api.add_to_list(name, entry(hook, sha256)))
    assert hook.list_entry(name, sha256)["expiry_ts"] is None
    ask(hook, api.expire_in_list(name, sha256, "2099-01-31T12:00:00.000000Z"))
    assert hook.list_entry(name, sha256)["expiry_ts"].startswith("2099-01-31T12:00:00")
    ask(hook, api.expire_in_list(name, sha256, None))
    assert hook.list_entry(name, sha256)["expiry_ts"] is None


def test_what_is_not_on_a_list_cannot_be_changed_though_the_server_says_200(hook, ask, name, sha256):
    assert ask(hook, sent("PUT", f"{name}/enable/{sha256}/", json=True)) == {"success": False}
    for flow in (
        api.enable_in_list(name, sha256, True),
        api.expire_in_list(name, sha256, None),
        api.classify_in_list(name, sha256, "admin", "user", "TLP:C"),
        api.remove_source_from_list(name, sha256, "admin", "user"),
    ):
        with pytest.raises(NotFound):
            ask(hook, flow)


def test_sources_are_classified_and_removed_but_for_the_last(hook, ask, name, sha256):
    mine = own(hook)
    hook.add_many_to_list(name, [entry(hook, sha256), {**api.file_entry(sha256), "sources": [external("feed", "c")]}])
    hook.add_many_to_list(name, [entry(hook, sha256)])
    ask(hook, api.classify_in_list(name, sha256, mine["name"], "user", "TLP:C"))
    ask(hook, api.remove_source_from_list(name, sha256, mine["name"], "user"))
    assert [one["name"] for one in hook.list_entry(name, sha256)["sources"]] == ["feed"]
    with pytest.raises((Forbidden, NotFound)):
        ask(hook, api.remove_source_from_list(name, sha256, mine["name"], "user"))


def test_what_is_taken_off_is_gone_or_kept_by_others(hook, ask, name, sha256):
    if "signature_manage" in hook.whoami()["roles"]:
        pytest.skip("this user takes everything off")
    hook.add_to_list(name, entry(hook, sha256))
    assert ask(hook, api.remove_from_list(name, sha256)) == "removed"
    assert ask(hook, api.remove_from_list(name, sha256)) == "absent"
    hook.add_many_to_list(name, [{**api.file_entry(sha256), "sources": [own(hook), external("feed", "c")]}])
    assert ask(hook, api.remove_from_list(name, sha256)) == "kept"
    assert [one["name"] for one in hook.list_entry(name, sha256)["sources"]] == ["feed"]


def test_sources_are_looked_at_one_by_one_only(hook, ask, name, sha256):
    if "signature_import" in hook.whoami()["roles"]:
        pytest.skip("this user may import")
    stranger = {**api.file_entry(sha256), "sources": [{"name": "stranger", "type": "user", "reason": ["x"]}]}
    with pytest.raises(Invalid, match="You cannot add a source for another user"):
        ask(hook, api.add_to_list(name, stranger))
    with pytest.raises(Forbidden, match="sufficient priviledges to add an external source"):
        ask(hook, api.add_to_list(name, {**api.file_entry(sha256), "sources": [external("feed", "c")]}))
    assert ask(hook, api.add_many_to_list(name, [stranger]))["added"] == [sha256]


def test_a_source_is_a_user_or_external_and_not_both(hook, ask, name, sha256):
    hook.add_to_list(name, entry(hook, sha256))
    with pytest.raises(Invalid, match="type conflict: user != external"):
        ask(
            hook,
            api.add_many_to_list(name, [{**api.file_entry(sha256), "sources": [external(own(hook)["name"], "c")]}]),
        )


def test_the_server_fails_on_a_hash_in_upper_case_and_on_a_uri_without_host(hook, ask, name, sha256):
    source = own(hook)
    for broken in (
        {"type": "file", "hashes": {"sha256": sha256.upper()}, "sources": [source]},
        {"type": "tag", "tag": {"type": "network.static.uri", "value": "nowhere"}, "sources": [source]},
    ):
        with pytest.raises(Broken, match="Internal Server Error"):
            ask(hook, sent("PUT", f"{name}/", json=broken))


def test_a_safelist_minds_the_length_of_ids_and_a_badlist_does_not(hook, ask):
    with pytest.raises(Invalid, match="Invalid hash length"):
        ask(hook, api.list_entry("safelist", "abc"))
    with pytest.raises(NotFound):
        ask(hook, api.list_entry("badlist", "abc"))


# Badlist only


def test_attributions_are_kept_in_upper_case_and_once(hook, ask, sha256):
    hook.add_to_list("badlist", entry(hook, sha256, attribution={"family": ["emotet"]}))
    assert ask(hook, api.attribute_in_badlist(sha256, "family", "Emotet")) is False
    assert ask(hook, api.attribute_in_badlist(sha256, "actor", "ta542")) is True
    found = hook.list_entry("badlist", sha256)["attribution"]
    assert (found["family"], found["actor"]) == (["EMOTET"], ["TA542"])
    assert ask(hook, api.attribute_in_badlist(sha256, "actor", "ta542", remove=True)) is True
    assert ask(hook, api.attribute_in_badlist(sha256, "campaign", "x", remove=True)) is False
    with pytest.raises(NotFound):
        ask(hook, api.attribute_in_badlist("ab" * 32, "actor", "x"))


def test_the_server_fails_to_take_away_what_there_is_none_of_and_doubles_what_it_has(hook, ask, sha256):
    hook.add_to_list("badlist", entry(hook, sha256, attribution={"family": ["emotet"]}))
    with pytest.raises(Broken):
        ask(hook, sent("DELETE", f"badlist/attribution/{sha256}/campaign/X/"))
    ask(hook, sent("PUT", f"badlist/attribution/{sha256}/family/emotet/"))
    assert hook.list_entry("badlist", sha256)["attribution"]["family"] == ["EMOTET", "EMOTET"]


def test_similar_files_are_found_by_tlsh_and_ssdeep(hook, ask, sha256):
    tlsh = f"T1{uuid.uuid4().hex}{uuid.uuid4().hex}012345".upper()
    middle = uuid.uuid4().hex
    hook.add_to_list("badlist", entry(hook, tlsh, sha256, f"3:{middle}:ab"))
    in_the_index(hook, "badlist", sha256)
    for value in (tlsh, f"3:{middle}:ab"):
        assert sha256 in [one["hashes"]["sha256"] for one in ask(hook, api.similar_in_badlist(value))]


def test_a_file_can_be_listed_by_its_tlsh_alone_on_the_badlist(hook, ask, sha256):
    tlsh = f"T1{uuid.uuid4().hex}{uuid.uuid4().hex}012345".upper()
    assert ask(hook, api.add_to_list("badlist", entry(hook, tlsh)))["id"] == tlsh
    assert hook.list_entry("badlist", tlsh)["hashes"]["tlsh"] == tlsh
    assert ask(hook, sent("PUT", "safelist/", json=entry(hook, tlsh)))["hash"] == tlsh  # where it is lost
    with pytest.raises(ValueError, match="a file is put on the safelist by its sha256, sha1, md5"):
        ask(hook, api.add_to_list("safelist", entry(hook, tlsh)))
