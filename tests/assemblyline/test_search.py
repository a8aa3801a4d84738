"""Searches and aggregations, and the hook's iterator over all results."""

from __future__ import annotations

import json
from typing import Any

import pytest

from self_hosted.assemblyline.api.search import aggregations, lucene, search
from self_hosted.assemblyline.errors import parse_error
from self_hosted.core.http.errors import InvalidRequestError, ServerError
from tests.assemblyline.conftest import upload
from tests.assemblyline.flows import items, reply, result_of

QUERY = "'query': " * 100  # the server repeats the whole query
EXPIRED = f"SearchException: {QUERY}, error: NotFoundError(404, 'x', 'No search context found for id [a]')"


def page(*documents, following=None):
    window = {"items": list(documents), "offset": 0, "rows": 2, "total": None}
    return reply({**window, "next_deep_paging_id": following} if following else window)


def test_a_search_sends_its_arguments_and_is_idempotent():
    arguments = {"query": "a:b", "filters": ["c:d"], "fl": "sid,max_score", "sort": "a desc, b.c asc", "rows": 0}
    found, (request,) = result_of(search.find("file", arguments), items({"sid": "s"}))
    assert found == [{"sid": "s"}]
    assert (request.method, request.path, request.json) == ("POST", "/api/v4/search/file/", arguments)
    assert request.is_idempotent


def test_numbers_may_be_text():
    _, (request,) = result_of(search.find("file", {"query": "*", "rows": "5", "offset": "10"}), items())
    assert (request.json["rows"], request.json["offset"]) == (5, 10)


def test_a_result_contains_the_total():
    flow = search.find_with_total("file", {"query": "*", "track_total_hits": True})
    assert result_of(flow, items({"sid": "s"}))[0]["total"] == 1


INVALID = [
    ("nosuch", {"query": "*"}, "index must be one of alert, badlist"),
    ("file", {"query": "*", "row": 1}, "unknown row; this search accepts archive_only, filters"),
    ("file", {"query": " "}, "query must be a Lucene query"),
    ("file", {"query": None}, "query must be a Lucene query"),
    ("file", {"query": "*", "filters": [""]}, "filters must be a Lucene query"),
    ("file", {"query": "*", "filters": ""}, "filters must be a Lucene query"),
    ("file", {"query": "*", "fl": ["sid"]}, "fl must be text such as 'sid,max_score'"),
    ("file", {"query": "*", "fl": "sid, max_score"}, "fl must be text"),
    ("file", {"query": "*", "sort": "sid"}, "sort must be text such as 'times.submitted desc"),
    ("file", {"query": "*", "sort": "sid up"}, "sort must be text"),
    ("file", {"query": "*", "rows": "five"}, "rows must be a whole number, 0 or more, not 'five'"),
    ("file", {"query": "*", "rows": -1}, "rows must be a whole number"),
    ("file", {"query": "*", "offset": True}, "offset must be a whole number"),
    ("file", {"query": "*", "offset": 9_999, "rows": 2}, "reach 10001, .*search_all"),
    ("file", {"query": "*", "offset": 9_976}, "reach 10001"),
]


@pytest.mark.parametrize(("index", "arguments", "message"), INVALID)
def test_arguments_that_the_server_would_ignore_or_misread_are_rejected(index, arguments, message):
    with pytest.raises(ValueError, match=message):
        result_of(search.find(index, arguments))


@pytest.mark.parametrize("name", ["offset", "timeout", "track_total_hits"])
def test_pages_have_neither_an_offset_nor_a_time_limit(name):
    with pytest.raises(ValueError, match=f"unknown {name}"):
        search.find_all("file", {"query": "*", name: 1})


def test_a_page_without_rows_is_rejected():
    with pytest.raises(ValueError, match="rows must be a whole number, 1 or more, not 0"):
        result_of(search.read_page("file", {"query": "*", "rows": 0}))


def test_a_page_contains_the_id_of_the_next_one():
    found, (request,) = result_of(search.read_page("file", {"query": "*"}), page({"a": 1}, following="pit,x"))
    assert found == ([{"a": 1}], "pit,x")
    assert request.json == {"query": "*", "rows": 500, "deep_paging_id": "*"}
    last, (request,) = result_of(search.read_page("file", {"query": "*", "rows": 2}, "pit,x"), page())
    assert last == ([], None)
    assert request.json == {"query": "*", "rows": 2, "deep_paging_id": "pit,x"}


def test_an_expired_search_is_an_error_that_is_left_to_the_retries():
    with pytest.raises(ServerError, match=r"expired: the server keeps it for 5 minutes"):
        result_of(search.read_page("file", {"query": "*"}, "pit,x"), parse_error(reply(status=400, message=EXPIRED)))
    with pytest.raises(InvalidRequestError, match="Failed to parse"):
        result_of(
            search.read_page("file", {"query": "("}), InvalidRequestError("SearchException: Failed to parse query [(]")
        )


@pytest.mark.parametrize(
    ("flow", "path"),
    [
        (aggregations.get_facet("file", "type", {"size": 100}), "facet/file/type"),
        (aggregations.get_histogram("file", "size", {"gap": 10}), "histogram/file/size"),
        (aggregations.get_stats("file", "size", {"query": "*"}), "stats/file/size"),
        (aggregations.get_groups("file", "a b", {"limit": 2}), "grouped/file/a%20b"),
    ],
)
def test_an_aggregation_names_index_and_field(flow, path):
    response: dict[str, Any] = {"count": 1, "min": 1, "max": 1, "avg": 1, "sum": 1}
    response |= {"total": 1, "offset": 0, "rows": 25, "items": []} if path.startswith("grouped") else {}
    found, (request,) = result_of(flow, reply(response))
    assert found == response
    assert (request.method, request.path) == ("POST", f"/api/v4/search/{path}/")
    assert request.is_idempotent


@pytest.mark.parametrize(
    ("create", "message"),
    [
        (lambda: aggregations.get_facet("file", "type", {"size": 101}), "size must be a whole number, from 1 to 100"),
        (
            lambda: aggregations.get_facet("file", "type", {"size": "many"}),
            "size must be a whole number, from 1 to 100",
        ),
        (lambda: aggregations.get_facet("file", "type", {"rows": 1}), "unknown rows"),
        (lambda: aggregations.get_stats("nosuch", "type", {}), "index must be one of"),
        (lambda: aggregations.list_fields("nosuch"), "index must be one of"),
    ],
)
def test_arguments_that_an_aggregation_would_cut_off_or_ignore_are_rejected(create, message):
    with pytest.raises(ValueError, match=message):
        result_of(create())


def test_the_fields_of_an_index_are_listed(hook):
    assert hook.list_search_fields("submission")["max_score"]["type"] == "integer"


def test_any_text_is_quoted_as_one_phrase():
    assert lucene.quote('a" OR "b\\') == '"a\\" OR \\"b\\\\"'
    assert lucene.quote_any(["a", "b"]) == '("a" OR "b")'


def test_the_url_of_a_search_contains_its_query():
    assert search.build_page_url("http://al", "file", 'a:"b" c') == "http://al/search/file?query=a%3A%22b%22+c"


# The hook


@pytest.fixture
def seven(served, hook):
    """Seven submissions, with scores 0 to 6, completed."""
    served.seed({"delay": 0})
    for number in range(7):
        hook.submit(upload(f"RIG-SCORE:{number}"), {"metadata": {"n": number}})
    assert hook.search_with_total("submission", {"query": "*"})["total"] == 7


@pytest.mark.usefixtures("seven")
@pytest.mark.parametrize("rows", [1, 3, 7, 100])
def test_all_results_come_in_order_for_every_page_size(served, hook, rows):
    arguments = {"query": "max_score:>=1", "fl": "max_score", "sort": "max_score desc", "rows": rows}
    assert [document["max_score"] for document in hook.search_all("submission", arguments)] == [6, 5, 4, 3, 2, 1]
    assert served.tables()["searches"] == []


@pytest.mark.usefixtures("seven")
def test_documents_that_arrive_meanwhile_are_not_in_the_results(served, hook):
    found = hook.search_all("submission", {"query": "*", "fl": "sid", "rows": 3})
    next(found)
    hook.submit(upload("an eighth"), {})
    assert len(list(found)) == 6


@pytest.mark.usefixtures("seven")
def test_a_search_with_too_long_a_pause_is_an_error(served, hook):
    served.seed({"searches": {"keep_alive": 0}})
    found = hook.search_all("submission", {"query": "*", "rows": 3})
    with pytest.raises(ServerError, match="without long pauses"):
        list(found)


@pytest.mark.usefixtures("seven")
def test_a_page_whose_response_was_lost_is_read_again(served, hook):
    served.fail("drop", method="POST", path="/api/v4/search/submission/")
    found = [
        document["max_score"]
        for document in hook.search_all("submission", {"query": "*", "fl": "max_score", "rows": 2})
    ]
    assert sorted(found) == list(range(7))


def test_an_empty_query_is_rejected_by_the_call(hook):
    with pytest.raises(ValueError, match="query must be"):
        hook.search_all("submission", {"query": ""})


def test_a_facet_of_nothing_is_empty(hook):
    assert json.dumps(hook.search_facet("submission", "state", {})) == "{}"
