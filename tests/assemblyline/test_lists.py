"""Badlist and safelist: entries, additions, updates and removals."""

from __future__ import annotations

import hashlib

import pytest

from self_hosted.assemblyline.api.lists import additions, lists, schema, updates
from self_hosted.core.http.errors import NotFoundError, OutcomeUnknownError, ServerError
from tests.assemblyline.flows import items, reply, result_of

SHA256, MD5, TLSH, SSDEEP = "ab" * 32, "cd" * 16, "T1" + "0F" * 35, "3:abc:d"
TAG = "network.static.domain"
SOURCES = [{"name": "feed", "type": "external", "reason": ["seen"]}]
FILE = {"type": "file", "hashes": {"sha256": SHA256}, "sources": SOURCES}
STORED = {"id": SHA256, "type": "file", "enabled": True, "hashes": FILE["hashes"], "sources": SOURCES}


# Entries


def test_hashes_are_identified_and_spelled_as_on_the_server():
    entry = schema.build_file_entry(SHA256.upper(), MD5.upper(), "EF" * 20, TLSH.lower(), SSDEEP)
    assert entry["hashes"] == {"sha256": SHA256, "md5": MD5, "sha1": "ef" * 20, "tlsh": TLSH, "ssdeep": SSDEEP}


@pytest.mark.parametrize("value", ["", "abc", "xy" * 32, None])
def test_an_invalid_hash_is_rejected(value):
    with pytest.raises(ValueError, match="is no sha256, sha1, md5, tlsh or ssdeep"):
        schema.build_file_entry(value)


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        (TAG, "Evil.Example", "evil.example"),
        ("network.static.uri", "http://Evil.Example/A?b=%20", "http://evil.example/A?b=%20"),
        ("file.name.extracted", "A.exe", "A.exe"),
    ],
)
def test_a_tag_has_the_value_and_the_id_of_the_server(kind, value, stored):
    entry = schema.build_tag_entry(kind, value)
    assert entry["tag"] == {"type": kind, "value": stored}
    assert schema.compute_id(entry) == hashlib.sha256(f"{kind}: {stored}".encode()).hexdigest()


@pytest.mark.parametrize(
    ("tag_type", "value", "message"),
    [
        ("domain", "a", "the type must look like network.static.domain, not 'domain'"),
        (None, "a", "the type must look like network.static.domain, not None"),
        (TAG, " ", "the value of network.static.domain must be a text"),
        (TAG, 5, "the value of network.static.domain must be a text"),
        ("network.static.uri", "evil.example/a", "a URI must start like https://example.com"),
    ],
)
def test_an_invalid_tag_is_rejected(tag_type, value, message):
    with pytest.raises(ValueError, match=message):
        schema.build_tag_entry(tag_type, value)


def test_the_best_hash_of_a_file_is_its_id_and_an_ssdeep_alone_is_none():
    assert schema.compute_id(schema.build_file_entry(MD5, SHA256)) == SHA256
    assert schema.compute_id(schema.build_file_entry(SSDEEP, TLSH)) == TLSH
    with pytest.raises(ValueError, match="an ssdeep alone is not enough"):
        schema.compute_id(schema.build_file_entry(SSDEEP))


def test_the_id_of_a_signature_is_computed_from_its_name():
    assert schema.compute_id(schema.build_signature_entry("A.B")) == hashlib.sha256(b"signature: A.B").hexdigest()


@pytest.mark.parametrize(
    ("list_name", "changes", "message"),
    [
        ("greylist", {}, "list_name must be one of badlist, safelist, not 'greylist'"),
        ("badlist", {"enabled": False}, "unknown enabled; the badlist accepts"),
        ("safelist", {"attribution": {}}, "unknown attribution; the safelist accepts"),
        ("badlist", {"attribution": {"gang": ["x"]}}, "attribution: unknown gang"),
        ("badlist", {"dtl": -1}, "dtl must be a whole number, 0 or more, not -1"),
        ("badlist", {"dtl": "soon"}, "dtl must be a whole number"),
        ("badlist", {"sources": []}, "sources: an entry needs one or more"),
        ("badlist", {"sources": "feed"}, "sources: an entry needs one or more"),
        ("badlist", {"sources": [{"name": "a", "type": "bot", "reason": ["b"]}]}, "the type user or external"),
        ("badlist", {"sources": [{"name": "", "type": "user", "reason": ["b"]}]}, "each needs a name"),
        ("badlist", {"sources": [{"name": "a", "type": "user", "reason": "b"}]}, "the reason must be a list"),
        ("badlist", {"sources": [{"name": "a", "type": "user", "reason": []}]}, "the reason must be a list"),
        ("badlist", {"type": "signature", "signature": {"name": "a"}}, "unknown signature; the badlist accepts"),
        ("badlist", {"type": "hash"}, "the badlist accepts no type 'hash'"),
        ("badlist", {"hashes": {"ssdeep": SSDEEP}}, "a file on the badlist needs one of sha256, sha1, md5, tlsh"),
        ("safelist", {"hashes": {"tlsh": TLSH}}, "a file on the safelist needs one of sha256, sha1, md5"),
        ("badlist", {"hashes": {}}, "a file on the badlist needs one of"),
        ("badlist", {"type": "tag", "tag": None}, "the type must look like network.static.domain, not ''"),
    ],
)
def test_entries_that_the_server_would_fail_on_or_change_are_rejected(list_name, changes, message):
    with pytest.raises(ValueError, match=message):
        schema.parse(list_name, {**FILE, **changes})


# Flows


def test_many_entries_are_sent_in_batches_without_existing_ones():
    hashes = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(1001)]
    entries = [{**FILE, "hashes": {"sha256": sha256}} for sha256 in hashes]
    existing = items({**STORED, "id": hashes[0], "hashes": {"sha256": hashes[0]}})
    stored = reply({"success": 500, "errors": False})
    result, steps = result_of(additions.add_many("badlist", entries), existing, items(), items(), stored, stored)
    assert {name: len(ids) for name, ids in result.items()} == {
        "added": 1000,
        "updated": 0,
        "unchanged": 1,
        "disabled": 0,
    }
    assert [len(step.json) for step in steps if step.method == "PUT"] == [500, 500]
    assert all(step.is_idempotent for step in steps)


@pytest.mark.parametrize(
    ("existing", "further"),
    [
        ({}, {"sources": [{**SOURCES[0], "reason": ["seen", "again"]}]}),
        ({}, {"sources": [{**SOURCES[0], "name": "another"}]}),
        ({}, {"sources": [{**SOURCES[0], "type": "user"}]}),
        ({}, {"hashes": {"sha256": SHA256, "md5": MD5}}),
        ({}, {"attribution": {"family": ["emotet"]}}),
        ({}, {"file": {"size": 5}}),
        ({}, {"dtl": 3}),
        ({"expiry_ts": "2099-01-01T00:00:00.000000Z"}, {}),
        ({"type": "tag"}, {}),
    ],
)
def test_an_entry_with_further_values_is_sent(existing, further):
    flow = additions.add_many("badlist", [{**FILE, **further}])
    result, _ = result_of(flow, items({**STORED, **existing}), reply({"success": 1, "errors": False}))
    assert result["updated"] == [SHA256]


def test_an_attribution_that_exists_in_upper_case_is_not_sent():
    flow = additions.add_many("badlist", [{**FILE, "attribution": {"family": ["emotet"]}}])
    assert result_of(flow, items({**STORED, "attribution": {"family": ["EMOTET"]}}))[0]["unchanged"] == [SHA256]


def test_a_server_that_does_not_store_all_entries_is_an_error():
    with pytest.raises(ServerError, match="the badlist did not store all of 1 entries"):
        result_of(additions.add_many("badlist", [FILE]), items(), reply({"success": 1, "errors": True}))


@pytest.mark.parametrize("part", ["a/b"])
def test_a_part_with_a_slash_is_rejected(part):
    for flow in (
        lambda: updates.remove_source("badlist", SHA256, part, "user"),
        lambda: updates.set_classification("badlist", SHA256, part, "user", "TLP:C"),
        lambda: lists.get("badlist", part),
    ):
        with pytest.raises(ValueError, match="with a slash"):
            result_of(flow())


@pytest.mark.parametrize("expiry", ["2099", "soon", "None"])
def test_an_invalid_expiry_is_rejected(expiry):
    with pytest.raises(ValueError, match="expiry must be a timestamp in ISO 8601"):
        result_of(updates.set_expiry("badlist", SHA256, expiry))


@pytest.mark.parametrize("expiry", ["2099-01-01", "2099-01-01T01:00:00+01:00"])
def test_an_expiry_is_sent_in_utc(expiry):
    _, [request] = result_of(updates.set_expiry("badlist", SHA256, expiry), reply({"success": True}))
    assert request.json == "2099-01-01T00:00:00.000000Z"


def test_only_ssdeep_and_tlsh_have_similar_entries():
    with pytest.raises(ValueError, match="value must be an ssdeep or a TLSH"):
        result_of(lists.find_similar(SHA256))
    _, [request] = result_of(lists.find_similar(SSDEEP), reply([]))
    assert request.path == "/api/v4/badlist/ssdeep/3%3Aabc%3Ad/"


def test_an_unknown_kind_of_attribution_is_rejected():
    with pytest.raises(ValueError, match="kind must be one of actor"):
        result_of(updates.set_attribution(SHA256, "gang", "x"))


def test_the_removal_of_a_source_is_read_back_after_a_lost_response():
    flow = updates.remove_source("badlist", SHA256, "feed", "external")
    result_of(flow, OutcomeUnknownError("lost"), reply({**STORED, "sources": []}))
    unchanged = reply({**STORED, "sources": SOURCES})
    flow = updates.remove_source("badlist", SHA256, "feed", "external")
    with pytest.raises(OutcomeUnknownError):
        result_of(flow, OutcomeUnknownError("lost"), *[unchanged for _ in range(5)])


def test_an_entry_that_disappears_during_its_removal_is_removed():
    flow = lists.remove("badlist", SHA256)
    assert result_of(flow, reply(STORED), reply({"success": False}), NotFoundError("gone"))[0] == "removed"


def test_a_classification_that_the_server_would_replace_is_rejected():
    definition = {"UNRESTRICTED": "TLP:C", "levels_aliases": {}, "levels_map_stl": {}, "enforce": False}
    sources = [{**SOURCES[0], "classification": "TLP:A"}]
    for flow in (
        additions.add("badlist", {**FILE, "sources": sources}),
        additions.add_many("badlist", [{**FILE, "sources": sources}]),
        updates.set_classification("badlist", SHA256, "feed", "external", "TLP:A"),
    ):
        with pytest.raises(ValueError, match="classification: this server enforces no classifications"):
            result_of(flow, reply(definition))
