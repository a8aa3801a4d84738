"""Badlist and safelist: entries and flows by hand, the operators against the stand-in."""

from __future__ import annotations

import hashlib

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline import api
from self_hosted.assemblyline.operators import (
    AssemblylineAddToListOperator,
    AssemblylineEnableListEntryOperator,
    AssemblylineRemoveFromListOperator,
)
from self_hosted.core.errors import Broken, NotFound, Uncertain
from self_hosted.core.operator import LINK_KEY
from tests.assemblyline.flows import items, reply, result_of
from tests.context import context

SHA256, MD5, TLSH, SSDEEP = "ab" * 32, "cd" * 16, "T1" + "0F" * 35, "3:ab/c:d"
TAG = "network.static.domain"
SOURCES = [{"name": "feed", "type": "external", "reason": ["seen"]}]
FILE = {"type": "file", "hashes": {"sha256": SHA256}, "sources": SOURCES}
STORED = {"id": SHA256, "type": "file", "enabled": True, "hashes": FILE["hashes"], "sources": SOURCES}


# Entries


def test_hashes_are_told_apart_by_what_they_look_like_and_put_into_the_servers_case():
    entry = api.file_entry(SHA256.upper(), MD5.upper(), "EF" * 20, TLSH.lower(), SSDEEP)
    assert entry["hashes"] == {"sha256": SHA256, "md5": MD5, "sha1": "ef" * 20, "tlsh": TLSH, "ssdeep": SSDEEP}


@pytest.mark.parametrize("value", ["", "abc", "xy" * 32, None])
def test_what_is_no_hash_is_refused(value):
    with pytest.raises(ValueError, match="is no sha256, sha1, md5, tlsh or ssdeep"):
        api.file_entry(value)


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        (TAG, "Evil.Example", "evil.example"),
        ("network.static.uri", "http://Evil.Example/A?b=%20", "http://evil.example/A?b=%20"),
        ("file.name.extracted", "A.exe", "A.exe"),
    ],
)
def test_a_tag_is_kept_and_named_as_the_server_does(kind, value, stored):
    entry = api.tag_entry(kind, value)
    assert entry["tag"] == {"type": kind, "value": stored}
    assert api.entry_id(entry) == hashlib.sha256(f"{kind}: {stored}".encode()).hexdigest()


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("domain", "a", "'domain' is no type of tag"),
        (None, "a", "None is no type of tag"),
        (TAG, " ", "the value of network.static.domain must be text"),
        (TAG, 5, "the value of network.static.domain must be text"),
        ("network.static.uri", "evil.example/a", "'evil.example/a' is no URI"),
    ],
)
def test_what_is_no_tag_is_refused(kind, value, words):
    with pytest.raises(ValueError, match=words):
        api.tag_entry(kind, value)


def test_the_best_hash_names_a_file_and_an_ssdeep_alone_does_not():
    assert api.entry_id(api.file_entry(MD5, SHA256)) == SHA256
    assert api.entry_id(api.file_entry(SSDEEP, TLSH)) == TLSH
    with pytest.raises(ValueError, match="an ssdeep alone is not enough"):
        api.entry_id(api.file_entry(SSDEEP))


def test_a_signature_is_named_by_its_name():
    assert api.entry_id(api.signature_entry("A.B")) == hashlib.sha256(b"signature: A.B").hexdigest()


@pytest.mark.parametrize(
    ("list_name", "changes", "words"),
    [
        ("greylist", {}, "list_name must be badlist or safelist, not 'greylist'"),
        ("badlist", {"enabled": False}, "the badlist takes no enabled"),
        ("safelist", {"attribution": {}}, "the safelist takes no attribution"),
        ("badlist", {"attribution": {"gang": ["x"]}}, "attribution: there is no gang"),
        ("badlist", {"dtl": -1}, "dtl must be a number of days, 0 for ever, not -1"),
        ("badlist", {"dtl": "3"}, "dtl must be a number of days"),
        ("badlist", {"sources": []}, "sources: an entry needs one or more"),
        ("badlist", {"sources": "feed"}, "sources: an entry needs one or more"),
        ("badlist", {"sources": [{"name": "a", "type": "bot", "reason": ["b"]}]}, "the type user or external"),
        ("badlist", {"sources": [{"name": "", "type": "user", "reason": ["b"]}]}, "each needs a name"),
        ("badlist", {"sources": [{"name": "a", "type": "user", "reason": "b"}]}, "the reason must be a list"),
        ("badlist", {"sources": [{"name": "a", "type": "user", "reason": []}]}, "the reason must be a list"),
        ("badlist", {"type": "signature", "signature": {"name": "a"}}, "the badlist takes no signature"),
        ("badlist", {"type": "hash"}, "the badlist takes no type 'hash'"),
        ("badlist", {"hashes": {"ssdeep": SSDEEP}}, "a file is put on the badlist by its sha256, sha1, md5, tlsh"),
        ("safelist", {"hashes": {"tlsh": TLSH}}, "a file is put on the safelist by its sha256, sha1, md5"),
        ("badlist", {"hashes": {}}, "a file is put on the badlist by"),
        ("badlist", {"type": "tag", "tag": None}, "'' is no type of tag"),
    ],
)
def test_what_the_server_would_fail_on_or_leave_out_is_refused(list_name, changes, words):
    with pytest.raises(ValueError, match=words):
        api.checked_entry(list_name, {**FILE, **changes})


# Flows


def test_many_are_sent_in_parts_and_those_that_are_there_are_not():
    hashes = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(1001)]
    wanted = [{**FILE, "hashes": {"sha256": one}} for one in hashes]
    there = items({**STORED, "id": hashes[0], "hashes": {"sha256": hashes[0]}})
    taken = reply({"success": 500, "errors": False})
    result, steps = result_of(api.add_many_to_list("badlist", wanted), there, items(), items(), taken, taken)
    assert {name: len(ids) for name, ids in result.items()} == {
        "added": 1000,
        "updated": 0,
        "unchanged": 1,
        "disabled": 0,
    }
    assert [len(step.json) for step in steps if step.method == "PUT"] == [500, 500]
    assert all(step.may_be_repeated for step in steps)


@pytest.mark.parametrize(
    ("stored", "wanted"),
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
def test_what_says_more_than_the_entry_that_is_there_is_sent(stored, wanted):
    flow = api.add_many_to_list("badlist", [{**FILE, **wanted}])
    result, _ = result_of(flow, items({**STORED, **stored}), reply({"success": 1, "errors": False}))
    assert result["updated"] == [SHA256]


def test_an_attribution_that_is_there_in_upper_case_is_not_sent():
    flow = api.add_many_to_list("badlist", [{**FILE, "attribution": {"family": ["emotet"]}}])
    assert result_of(flow, items({**STORED, "attribution": {"family": ["EMOTET"]}}))[0]["unchanged"] == [SHA256]


def test_a_server_that_does_not_take_all_has_failed():
    with pytest.raises(Broken, match="the badlist did not take all of 1 entries"):
        result_of(api.add_many_to_list("badlist", [FILE]), items(), reply({"success": 1, "errors": True}))


@pytest.mark.parametrize("part", ["a/b"])
def test_a_part_with_a_slash_which_the_server_would_not_find_is_refused(part):
    for flow in (
        lambda: api.remove_source_from_list("badlist", SHA256, part, "user"),
        lambda: api.classify_in_list("badlist", SHA256, part, "user", "TLP:C"),
        lambda: api.list_entry("badlist", part),
    ):
        with pytest.raises(ValueError, match="holds a slash"):
            result_of(flow())


@pytest.mark.parametrize("expiry", ["2099", "2099-01-01", "2099-01-01T00:00:00Z"])
def test_a_moment_that_the_server_could_not_read_is_refused(expiry):
    with pytest.raises(ValueError, match="expiry must be like 2027"):
        result_of(api.expire_in_list("badlist", SHA256, expiry))


def test_what_is_neither_ssdeep_nor_tlsh_resembles_nothing():
    with pytest.raises(ValueError, match="neither an ssdeep nor a TLSH"):
        result_of(api.similar_in_badlist(SHA256))
    _, [request] = result_of(api.similar_in_badlist(SSDEEP), reply([]))
    assert request.path == "/api/v4/badlist/ssdeep/3%3Aab%2Fc%3Ad/"


def test_an_unknown_kind_of_attribution_is_refused():
    with pytest.raises(ValueError, match="kind must be one of actor"):
        result_of(api.attribute_in_badlist(SHA256, "gang", "x"))


def test_a_source_whose_removal_was_not_answered_is_looked_for():
    flow = api.remove_source_from_list("badlist", SHA256, "feed", "external")
    result_of(flow, Uncertain("lost"), reply({"sources": []}))
    there = reply({"sources": SOURCES})
    flow = api.remove_source_from_list("badlist", SHA256, "feed", "external")
    with pytest.raises(Uncertain):
        result_of(flow, Uncertain("lost"), *[there for _ in range(5)])


def test_what_goes_while_it_is_removed_is_removed():
    flow = api.remove_from_list("badlist", SHA256)
    assert result_of(flow, reply(STORED), reply({"success": False}), NotFound("gone"))[0] == "removed"


def test_a_classification_that_the_server_would_replace_is_refused():
    definition = {"UNRESTRICTED": "TLP:C", "levels_aliases": {}, "levels_map_stl": {}, "enforce": False}
    sources = [{**SOURCES[0], "classification": "TLP:A"}]
    for flow in (
        api.add_to_list("badlist", {**FILE, "sources": sources}),
        api.add_many_to_list("badlist", [{**FILE, "sources": sources}]),
        api.classify_in_list("badlist", SHA256, "feed", "external", "TLP:A"),
    ):
        with pytest.raises(ValueError, match="classification: this server enforces no classifications"):
            result_of(flow, reply(definition))


# Operators


def run(kind, told=None, **arguments):
    task = kind(task_id="task", **{"list_name": "badlist", **arguments})
    return task.execute(told or context(task))


def add(**arguments):
    return run(AssemblylineAddToListOperator, **{"reason": "a test", **arguments})


@pytest.mark.parametrize("list_name", api.LISTS)
def test_files_and_tags_are_put_on_a_list_once(served, hook, conn_id, list_name):
    arguments = {"hashes": [SHA256, MD5], "tags": {TAG: ["Evil.Example", "b.example"]}, "list_name": list_name}
    result = add(**arguments)
    expected = {"list_name": list_name, "disabled": [], "url": f"{served.base_url}/manage/{list_name}"}
    assert result == {**expected, "added": 4, "updated": 0, "unchanged": 0}
    assert add(**arguments) == {**expected, "added": 0, "updated": 0, "unchanged": 4}
    entry = hook.list_entry(list_name, MD5)
    assert entry["sources"] == [
        {"name": "admin", "type": "user", "reason": ["a test"], "classification": "TLP:C"},
    ]


def test_a_feed_says_so_under_its_own_name(hook, conn_id):
    attribution = {"family": "emotet"}
    add(hashes=SHA256, source="feed", classification="TLP:C", attribution=attribution, dtl="3", reason=["a", "b"])
    entry = hook.list_entry("badlist", SHA256)
    assert entry["sources"] == [
        {"name": "feed", "type": "external", "reason": ["a", "b"], "classification": "TLP:C"},
    ]
    assert entry["attribution"]["family"] == ["EMOTET"]
    assert entry["expiry_ts"]
    assert add(hashes=SHA256, source="feed", classification="TLP:C", reason="a")["updated"] == 1


def test_what_is_switched_off_stays_off_and_is_told(hook, conn_id):
    add(hashes=SHA256)
    switch = {"hashes": SHA256, "enabled": "false"}
    result = run(AssemblylineEnableListEntryOperator, **switch)
    assert (result["changed"], result["unchanged"], result["enabled"]) == (1, 0, False)
    assert run(AssemblylineEnableListEntryOperator, **switch)["unchanged"] == 1
    assert add(hashes=SHA256, reason="again")["disabled"] == [SHA256]
    assert hook.list_entry("badlist", SHA256)["enabled"] is False
    assert run(AssemblylineEnableListEntryOperator, hashes=SHA256)["changed"] == 1


def test_what_is_not_on_the_list_is_not_switched(conn_id):
    with pytest.raises(AirflowFailException, match="The hash was not found in the badlist"):
        run(AssemblylineEnableListEntryOperator, hashes=SHA256)


def test_things_are_taken_off_and_what_others_keep_is_told(hook, conn_id):
    add(hashes=[SHA256, MD5])
    add(hashes=MD5, source="feed")
    result = run(AssemblylineRemoveFromListOperator, hashes=[SHA256, MD5, "ef" * 20], confirm=True)
    assert (result["removed"], result["absent"], result["kept"]) == (1, 1, [MD5])
    assert [one["name"] for one in hook.list_entry("badlist", MD5)["sources"]] == ["feed"]


def test_the_link_leads_to_the_one_entry_or_to_the_list(served, conn_id):
    for hashes, page in ((SHA256, f"badlist/{SHA256}"), ([SHA256, MD5], "badlist")):
        told = context(None)
        run(AssemblylineAddToListOperator, told, reason="a", hashes=hashes)
        assert told["ti"].xcoms[LINK_KEY] == f"{served.base_url}/manage/{page}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "give hashes or tags, one at least"),
        ({"hashes": [], "tags": {}}, "give hashes or tags, one at least"),
        ({"hashes": "abc"}, "hashes: 'abc' is no sha256"),
        ({"hashes": 5}, "hashes must be a text or a list of texts, not 5"),
        ({"tags": ["a"]}, "tags must be like"),
        ({"hashes": SHA256, "attribution": "EMOTET"}, "attribution must be like"),
        ({"tags": {TAG: [5]}}, "tags network.static.domain must be a text or a list of texts"),
        ({"hashes": SHA256, "list_name": "greylist"}, "list_name must be badlist or safelist, not 'greylist'"),
        ({"hashes": SHA256, "reason": ""}, "reason is missing"),
        ({"hashes": SHA256, "dtl": "soon"}, "dtl must be a whole number, 1 or more, not 'soon'"),
        ({"hashes": SHA256, "attribution": {"gang": "x"}}, "attribution: there is no gang"),
        ({"hashes": SHA256, "list_name": "safelist", "attribution": {"family": "x"}}, "takes no attribution"),
        ({"hashes": TLSH, "list_name": "safelist"}, "a file is put on the safelist by its sha256, sha1, md5"),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_sent(served, conn_id, arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        add(**arguments)
    assert served.tables()["badlist"] == served.tables()["safelist"] == []


@pytest.mark.parametrize("confirm", [False, "False"])
def test_nothing_is_taken_off_without_the_word(conn_id, confirm):
    with pytest.raises(AirflowFailException, match="confirm must be true"):
        run(AssemblylineRemoveFromListOperator, hashes=SHA256, confirm=confirm)


def test_what_is_to_be_switched_on_or_off_must_be_said(conn_id):
    with pytest.raises(AirflowFailException, match="enabled must be true or false, not 'on'"):
        run(AssemblylineEnableListEntryOperator, hashes=SHA256, enabled="on")
