"""Searches: the flows by hand, and the hook's iterator against the stand-in."""

from __future__ import annotations

import json

import pytest

from self_hosted.assemblyline import api
from self_hosted.core.errors import Broken, Invalid
from tests.assemblyline.conftest import upload
from tests.assemblyline.flows import items, reply, result_of

GONE = "SearchException: collection: x, error: NotFoundError(404, 'x', 'No search context found for id [a]')"


def page(*found, following=None):
    told = {"items": list(found), "offset": 0, "rows": 2, "total": None}
    return reply({**told, "next_deep_paging_id": following} if following else told)


def test_a_search_sends_what_is_wanted_and_may_be_repeated():
    wanted = {"query": "a:b", "filters": ["c:d"], "fl": "sid,max_score", "sort": "a desc, b.c asc", "rows": 0}
    found, (request,) = result_of(api.search("file", wanted), items({"sid": "s"}))
    assert found == [{"sid": "s"}]
    assert (request.method, request.path, request.json) == ("POST", "/api/v4/search/file/", wanted)
    assert request.may_be_repeated


def test_a_result_tells_how_much_there_is():
    flow = api.search_result("file", {"query": "*", "track_total_hits": True})
    assert result_of(flow, items({"sid": "s"}))[0]["total"] == 1


WRONG = [
    ("nosuch", {"query": "*"}, "index must be one of alert, badlist"),
    ("file", {"query": "*", "row": 1}, "takes no row; it takes archive_only, filters"),
    ("file", {"query": " "}, "query must be a Lucene query"),
    ("file", {"query": None}, "query must be a Lucene query"),
    ("file", {"query": "*", "filters": [""]}, "filters must be a Lucene query"),
    ("file", {"query": "*", "filters": ""}, "filters must be a Lucene query"),
    ("file", {"query": "*", "fl": ["sid"]}, "fl must be text such as 'sid,max_score'"),
    ("file", {"query": "*", "fl": "sid, max_score"}, "fl must be text"),
    ("file", {"query": "*", "sort": "sid"}, "sort must be text such as 'times.submitted desc"),
    ("file", {"query": "*", "sort": "sid up"}, "sort must be text"),
    ("file", {"query": "*", "rows": "5"}, "rows must be a whole number"),
    ("file", {"query": "*", "rows": -1}, "rows must be a whole number"),
    ("file", {"query": "*", "offset": True}, "offset must be a whole number"),
    ("file", {"query": "*", "offset": 9_999, "rows": 2}, "reach 10001 deep.*search_all"),
    ("file", {"query": "*", "offset": 9_976}, "reach 10001 deep"),
]


@pytest.mark.parametrize(("index", "wanted", "words"), WRONG)
def test_what_the_server_would_ignore_misread_or_fail_on_is_refused(index, wanted, words):
    with pytest.raises(ValueError, match=words):
        result_of(api.search(index, wanted))


@pytest.mark.parametrize("name", ["offset", "timeout", "track_total_hits"])
def test_pages_have_neither_an_offset_nor_a_time_limit(name):
    with pytest.raises(ValueError, match=f"takes no {name}"):
        api.search_all("file", {"query": "*", name: 1})


def test_a_page_without_rows_is_refused():
    with pytest.raises(ValueError, match="rows must be 1 or more"):
        result_of(api.search_page("file", {"query": "*", "rows": 0}))


def test_a_page_tells_where_the_next_one_begins():
    found, (request,) = result_of(api.search_page("file", {"query": "*"}), page({"a": 1}, following="pit,x"))
    assert found == ([{"a": 1}], "pit,x")
    assert request.json == {"query": "*", "rows": 500, "deep_paging_id": "*"}
    last, (request,) = result_of(api.search_page("file", {"query": "*", "rows": 2}, "pit,x"), page())
    assert last == ([], None)
    assert request.json == {"query": "*", "rows": 2, "deep_paging_id": "pit,x"}


def test_a_search_that_the_server_forgot_says_so_and_is_left_to_the_retries():
    with pytest.raises(Broken, match=r"over before its last page was read: .* 5 minutes"):
        result_of(api.search_page("file", {"query": "*"}, "pit,x"), Invalid(GONE))
    with pytest.raises(Invalid, match="Failed to parse"):
        result_of(api.search_page("file", {"query": "("}), Invalid("SearchException: Failed to parse query [(]"))


@pytest.mark.parametrize(
    ("flow", "path"),
    [
        (api.search_facet("file", "type", {"size": 100}), "facet/file/type"),
        (api.search_histogram("file", "size", {"gap": 10}), "histogram/file/size"),
        (api.search_stats("file", "size", {"query": "*"}), "stats/file/size"),
        (api.search_grouped("file", "a/b", {"limit": 2}), "grouped/file/a%2Fb"),
    ],
)
def test_counting_names_index_and_field(flow, path):
    found, (request,) = result_of(flow, reply({"x": 1}))
    assert found == {"x": 1}
    assert (request.method, request.path) == ("POST", f"/api/v4/search/{path}/")
    assert request.may_be_repeated


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: api.search_facet("file", "type", {"size": 101}), "size must be 1 to 100"),
        (lambda: api.search_facet("file", "type", {"size": "many"}), "size must be 1 to 100"),
        (lambda: api.search_facet("file", "type", {"rows": 1}), "takes no rows"),
        (lambda: api.search_stats("nosuch", "type", {}), "index must be one of"),
        (lambda: api.search_fields("nosuch"), "index must be one of"),
    ],
)
def test_what_counting_would_cut_off_or_ignore_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        result_of(make())


def test_fields_are_told(hook):
    assert hook.search_fields("submission")["max_score"]["type"] == "integer"


def test_a_text_is_one_phrase_whatever_is_in_it():
    assert api.phrase('a" OR "b\\') == '"a\\" OR \\"b\\\\"'
    assert api.any_of(["a", "b"]) == '("a" OR "b")'


def test_the_page_of_a_search_holds_its_query():
    assert api.search_url("http://al", "file", 'a:"b" c') == "http://al/search/file?query=a%3A%22b%22+c"


# The hook


@pytest.fixture
def seven(served, hook):
    """Seven submissions, with scores 0 to 6, completed."""
    served.seed({"delay": 0})
    for number in range(7):
        hook.submit(upload(f"RIG-SCORE:{number}"), {"metadata": {"n": number}})
    assert hook.search_result("submission", {"query": "*"})["total"] == 7


@pytest.mark.usefixtures("seven")
@pytest.mark.parametrize("rows", [1, 3, 7, 100])
def test_all_that_is_found_comes_in_order_whatever_the_pages(served, hook, rows):
    wanted = {"query": "max_score:>=1", "fl": "max_score", "sort": "max_score desc", "rows": rows}
    assert [one["max_score"] for one in hook.search_all("submission", wanted)] == [6, 5, 4, 3, 2, 1]
    assert served.tables()["searches"] == []


@pytest.mark.usefixtures("seven")
def test_what_comes_meanwhile_is_not_among_it(served, hook):
    found = hook.search_all("submission", {"query": "*", "fl": "sid", "rows": 3})
    next(found)
    hook.submit(upload("an eighth"), {})
    assert len(list(found)) == 6


@pytest.mark.usefixtures("seven")
def test_a_search_that_pauses_for_too_long_says_so(served, hook):
    served.seed({"searches": {"keep_alive": 0}})
    found = hook.search_all("submission", {"query": "*", "rows": 3})
    with pytest.raises(Broken, match="Read without long pauses"):
        list(found)


@pytest.mark.usefixtures("seven")
def test_a_page_whose_answer_is_lost_is_read_again(served, hook):
    served.fail("drop", method="POST", path="/api/v4/search/submission/")
    found = [one["max_score"] for one in hook.search_all("submission", {"query": "*", "fl": "max_score", "rows": 2})]
    assert sorted(found) == list(range(7))


def test_a_query_that_is_none_is_refused_when_it_is_asked_for(hook):
    with pytest.raises(ValueError, match="query must be"):
        hook.search_all("submission", {"query": ""})


def test_no_answer_holds_more_than_json(hook):
    assert json.dumps(hook.search_facet("submission", "state", {})) == "{}"
