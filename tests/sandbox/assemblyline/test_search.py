"""Searches and look-ups by hash of the stand-in, asked without our hook: the quirks they must have."""

from __future__ import annotations

import pytest
import requests

from self_hosted.sandbox.assemblyline.access import API_KEYS
from self_hosted.sandbox.assemblyline.dates import moment, span, timestamp
from self_hosted.sandbox.assemblyline.search import index_of, matching, ordered, search

KEY = {"X-User": "admin", "X-Apikey": "sandbox:sandbox-secret"}
FULL = {"X-User": "admin", "X-Apikey": "full:full-secret"}
SHA256 = "ab" * 32
DOCUMENTS = [
    {"id": "a", "size": 1, "type": "text/plain", "labels": ["x", "y z"], "seen": {"last": "2026-01-01T00:00:00Z"}},
    {"id": "b", "size": 22, "type": 'we"ird', "seen": {"last": "2026-01-02T12:00:00.5Z"}, "is_supplementary": True},
    {"id": "c", "size": 300, "comments": [{"text": "The quick fox", "uname": "u"}], "entropy": 1.5},
]


def ids(query: str) -> str:
    index = index_of("file", DOCUMENTS)
    return "".join(one["id"] for one in matching(index, {"query": query}))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("*", "abc"),
        ("*:*", "abc"),
        ("id:(a OR c)", "ac"),
        ("a b", "ab"),  # without a field: words of the fields that are searched by default
        ("size:>=22", "bc"),
        ("size:(>1 AND <300)", "b"),
        ("size:[1 TO 22}", "a"),
        ("size:{1 TO *]", "bc"),
        ("size:22.0", "b"),
        (r"size:\-1", ""),
        ('type:"text/plain"', "a"),
        (r"type:text\/plain", "a"),
        ("type:/text.pl.*/", "a"),
        (r'type:"we\"ird"', "b"),
        ("type:t?xt*", "a"),
        ("type:TEXT*", ""),
        ('labels:"y z"', "a"),
        ("labels:y", ""),
        ("comments.text:QUICK", "c"),
        ('comments.text:"quick fox"', "c"),
        ('comments.text:"fox quick"', ""),
        ("comments.text:qu*", "c"),
        ("comments:*", "c"),
        ("_exists_:labels", "a"),
        ("NOT _exists_:labels", "bc"),
        ("is_supplementary:true", "b"),
        ("is_supplementary:TRUE", "b"),
        ("seen.last:[2026-01-01 TO 2026-01-02]", "a"),
        ("seen.last:[2026-01-01||+1d TO *]", "b"),
        ('seen.last:>"2026-01-02T00:00:00Z"', "b"),
        ("seen.last:<now", "ab"),
        ("id:a || id:b", "ab"),
        ("id:a && !size:2", "a"),
        ("+id:(a b) -id:a", "b"),
        ("(id:a OR id:b) AND size:22", "b"),
        # AND makes both of its sides mandatory, and what stands between ORs is then of no account
        ("id:a OR id:b AND size:22", "b"),
        ("id:b AND size:22 OR id:a", "b"),
        ("nosuch:*", ""),
    ],
)
def test_the_language_of_queries(query, found):
    assert ids(query) == found


@pytest.mark.parametrize(
    "query",
    [
        "(",
        "a:(b",
        "a)",
        "a AND",
        "OR a",
        "a:b:c",
        "size:[1 TO",
        "size:x",
        'a:"b',
        "seen.last:[soon TO *]",
        "()",
        "a:",
        "-",
    ],
)
def test_what_is_no_query_is_refused(query):
    index = index_of("file", DOCUMENTS)
    with pytest.raises(Exception, match="Failed to parse query"):
        matching(index, {"query": query})


def test_what_has_no_value_comes_last_in_either_direction():
    index = index_of("file", DOCUMENTS)
    assert [one["id"] for one in ordered(index, index.documents, "seen.last asc")] == ["a", "b", "c"]
    assert [one["id"] for one in ordered(index, index.documents, "seen.last desc")] == ["b", "a", "c"]
    assert [one["id"] for one in ordered(index, index.documents, "type asc, size desc")] == ["a", "b", "c"]


def test_dates_are_reckoned_and_rounded():
    assert moment("2026-01-02T03:04:05Z") == "2026-01-02T03:04:05Z"
    assert moment("2026-01-02T03:04:05.678Z||-1d/h") == "2026-01-01T03:00:00Z"
    assert moment("2026-01-02||+1w/d") == "2026-01-09T00:00:00Z"
    assert 3599 < timestamp("now") - timestamp("now-1h") < 3601
    assert span("+2d") == 172_800
    with pytest.raises(ValueError, match="now-1y"):
        timestamp("now-1y")


# Over HTTP


@pytest.fixture
def served(served):
    served.seed({"delay": 0})
    return served


@pytest.fixture
def call(served):
    """``call("POST", "search/file/", {...})``: status, message and response; a GET's words go into the address."""

    def send(method, path, asked=None, headers=KEY):
        how = {"params": asked} if method == "GET" else {"json": asked or {}}
        answer = requests.request(method, f"{served.base_url}/api/v4/{path}", headers=headers, timeout=10, **how)
        envelope = answer.json()
        return answer.status_code, envelope["api_error_message"], envelope["api_response"]

    return send


@pytest.fixture
def three(call):
    """Three submissions with scores of 1, 2 and 3."""
    for score in (1, 2, 3):
        call("POST", "submit/", {"plaintext": f"RIG-SCORE:{score}", "metadata": {"n": score}})
    assert call("POST", "search/submission/", {"query": "*"})[2]["total"] == 3


@pytest.mark.usefixtures("three")
def test_pages_show_what_there_was_when_the_first_was_read(call):
    wanted = {"query": "*", "rows": 2, "fl": "max_score", "sort": "max_score desc", "deep_paging_id": "*"}
    _, _, first = call("POST", "search/submission/", wanted)
    assert first["items"] == [{"max_score": 3}, {"max_score": 2}]
    assert (first["total"], first["rows"], first["offset"]) == (None, 2, 0)
    call("POST", "submit/", {"plaintext": "RIG-SCORE:0"})
    wanted["deep_paging_id"] = first["next_deep_paging_id"]
    _, _, last = call("POST", "search/submission/", wanted)
    assert last["items"] == [{"max_score": 1}]
    assert "next_deep_paging_id" not in last
    # it is forgotten once its last page is sent
    status, words, _ = call("POST", "search/submission/", wanted)
    assert status == 400
    assert "No search context found" in words


@pytest.mark.usefixtures("three")
def test_a_full_last_page_is_followed_by_an_empty_one(call):
    _, _, first = call("POST", "search/submission/", {"query": "*", "rows": 3, "deep_paging_id": "*"})
    asked = {"query": "*", "rows": 3, "deep_paging_id": first["next_deep_paging_id"]}
    _, _, last = call("POST", "search/submission/", asked)
    assert (last["items"], "next_deep_paging_id" in last) == ([], False)


@pytest.mark.usefixtures("three")
def test_a_search_by_pages_does_not_live_for_ever(served, call):
    _, _, first = call("POST", "search/submission/", {"query": "*", "rows": 2, "deep_paging_id": "*"})
    assert len(served.tables()["searches"]) == 1
    served.product.kept["searches"]["under_way"][first["next_deep_paging_id"].split(",")[0]]["until"] = 0
    asked = {"query": "*", "deep_paging_id": first["next_deep_paging_id"]}
    assert call("POST", "search/submission/", asked)[0] == 400


@pytest.mark.parametrize(("track", "total"), [(None, 10_000), (True, 10_001), ("true", 10_001), ("7", 7)])
def test_the_total_is_cut_unless_it_is_asked_for(track, total):
    documents = [{"sha256": f"{number:064x}"} for number in range(10_001)]
    assert search(documents, {"query": "*", "rows": 0, "track_total_hits": track}, "file")["total"] == total


@pytest.mark.usefixtures("three")
def test_numbers_in_an_address_are_text_and_filters_are_several(call):
    asked = {"query": "*", "rows": "1", "filters": ["max_score:>1", "max_score:<3"], "fl": "max_score"}
    _, _, found = call("GET", "search/submission/", asked)
    assert (found["items"], found["rows"]) == ([{"max_score": 2}], 1)


@pytest.mark.usefixtures("three")
def test_metadata_are_fields_of_their_own(call):
    assert call("POST", "search/facet/submission/metadata.n/")[2] == {"1": 1, "2": 1, "3": 1}
    assert call("GET", "search/fields/submission/")[2]["metadata.n"]["type"] == "wildcard"


@pytest.mark.usefixtures("three")
def test_facets_are_at_most_a_hundred_and_ten_unless_told_otherwise(served, call):
    for number in range(110):
        call("POST", "submit/", {"plaintext": f"RIG-SCORE:{number}", "params": {"priority": number + 1}})
    assert len(call("POST", "search/facet/submission/max_score/")[2]) == 10
    assert len(call("POST", "search/facet/submission/max_score/", {"size": 500})[2]) == 100


@pytest.mark.usefixtures("three")
def test_a_histogram_shows_steps_without_anything_on_demand(call):
    path = "search/histogram/submission/max_score/"
    assert call("POST", path, {"start": 0, "end": 4, "gap": 2})[2] == {"0": 1, "2": 2}
    assert call("POST", path, {"start": 0, "end": 4, "gap": 2, "mincount": 0})[2] == {"0": 1, "2": 2, "4": 0}
    assert call("POST", path, {"start": "soon"})[1].startswith("SearchException: Could not parse histogram ranges")


@pytest.mark.usefixtures("three")
def test_groups_are_counted_by_rows_and_documents_by_total(call):
    asked = {"rows": 2, "fl": "max_score", "sort": "max_score desc"}
    _, _, found = call("POST", "search/grouped/submission/max_score/", asked)
    assert [one["value"] for one in found["items"]] == [3, 2]
    assert (found["total"], found["rows"]) == (3, 2)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("search/user/", 403),
        ("search/nosuch/", 403),
        ("search/facet/apikey/uname/", 403),
        ("search/file/", 200),
        ("search/retrohunt/", 200),
    ],
)
def test_some_indexes_are_only_for_administrators(call, path, status):
    assert call("POST", path, {"query": "*"})[0] == status


def test_of_api_keys_nothing_can_be_listed_even_by_administrators(call):
    assert call("POST", "search/user/", {"query": "*"}, FULL)[0] == 200
    answer = call("POST", "search/apikey/", {"query": "*"}, FULL)
    assert answer[:2] == (400, "Not a valid index to search in: apikey")
    assert call("POST", "search/nosuch/", {"query": "*"}, FULL)[:2] == (400, "Not a valid index to search in: nosuch")


def test_roles_are_those_of_each_index(call, monkeypatch):
    monkeypatch.setitem(API_KEYS, ("admin", "sandbox:sandbox-secret"), ("alert_view",))
    assert call("POST", "search/alert/", {"query": "*"})[0] == 200
    status, words, _ = call("POST", "search/file/", {"query": "*"})
    assert (status, "requires the role 'submission_view' for request on index 'file'" in words) == (403, True)
    assert call("POST", "search/alert/", {"query": "*", "use_archive": True})[:2] == (
        403,
        "User is not allowed to view the archive",
    )
    monkeypatch.setitem(API_KEYS, ("admin", "sandbox:sandbox-secret"), ("submission_create",))
    assert "requires one of the following roles: alert_view" in call("POST", "search/alert/", {"query": "*"})[1]
    assert "requires one of the following roles: alert_view" in call("GET", f"hash_search/{SHA256}/")[1]


def test_searches_count_toward_the_quota_and_questions_for_fields_do_not(served, call):
    served.seed({"quotas": {"daily_api_calls": 2}})
    for _ in range(3):
        assert call("GET", "search/fields/file/")[0] == 200
    assert call("POST", "search/file/", {"query": "*"})[0] == 200
    assert call("GET", "hash_search/list_data_sources/")[0] == 200
    assert call("POST", "search/file/", {"query": "*"})[0] == 503


@pytest.mark.parametrize("rows", ["x", -1])
def test_rows_that_are_no_number_are_refused(call, rows):
    assert call("POST", "search/file/", {"query": "*", "rows": rows})[0] == 400


# Hashes


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("xyz", (400, "Invalid hash. This API only supports sha256, md5, sha1, ssdeep, tlsh.")),
        (SHA256, (200, None)),
        (SHA256.upper(), (200, None)),
        ("3:abc:def", (200, None)),
        (f"{SHA256}/?db=nosuch", (404, "File hash not found.")),
        (f"{SHA256}/?db=x.nothing", (404, "File hash not found.")),
        (f"{SHA256}/?db=x.other", (422, "Unsupported hash type.")),
        (
            f"{SHA256}/?db=x.nothing|x.fails",
            (500, "One or more errors occured. See individual source results for more "),
        ),
        (f"{SHA256}/?db=x.knows|x.fails", (200, None)),
    ],
)
def test_the_status_of_a_look_up_is_that_of_all_sources_together(served, call, value, answer):
    item = {"confirmed": False, "data": {}, "description": "d", "malicious": False}
    known = {"x.knows": {SHA256: [item]}, "x.nothing": {SHA256: []}}
    served.seed({"hash_sources": {**known, "x.fails": {"error": "e"}, "x.other": {"error": "Unsupported hash type."}}})
    path, _, query = value.partition("/?")
    status, words, _ = call("GET", f"hash_search/{path}/?{query}")
    assert (status, words[: len(answer[1])] if words else words) == answer


def test_alerts_are_a_source(call):
    ask = {"plaintext": "RIG-SCORE:600", "params": {"generate_alert": True}}
    sha256 = call("POST", "submit/", ask)[2]["files"][0]["sha256"]
    _, _, found = call("GET", f"hash_search/{sha256}/")
    assert found["al"]["items"][0]["description"] == "File found in AL with score of 600."
    assert found["alert"]["items"][0]["malicious"] is True
