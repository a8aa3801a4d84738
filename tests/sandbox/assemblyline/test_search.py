"""Searches over HTTP: paging, facets, histograms and permissions."""

from __future__ import annotations

import pytest

from self_hosted.sandbox.assemblyline.authentication import API_KEYS
from tests.sandbox.assemblyline.api import FULL_KEY

pytestmark = pytest.mark.usefixtures("fast")


@pytest.fixture
def submit_scores(call, fast):
    """``submit_scores(1, 2)``: submit a file with each score."""

    def submit_files(*scores):
        for score in scores:
            body = {"plaintext": f"RIG-SCORE:{score}", "metadata": {"n": score}}
            assert call("POST", "submit/", json=body).status == 200
        call("POST", "search/submission/", json={"query": "*"})  # updates the documents

    return submit_files


@pytest.fixture
def _three(submit_scores):
    submit_scores(1, 2, 3)


@pytest.fixture
def search_index(call):
    """``search_index("submission/", query="*")``: the reply to a search."""
    return lambda path, headers=None, **params: call(
        "POST", f"search/{path}", **({"headers": headers} if headers else {}), json=params
    )


@pytest.mark.usefixtures("_three")
def test_deep_paging_returns_the_documents_at_the_time_of_the_first_page(search_index, submit_scores):
    params = {"query": "*", "rows": 2, "fl": "max_score", "sort": "max_score desc"}
    first = search_index("submission/", **params, deep_paging_id="*").response
    assert first["items"] == [{"max_score": 3}, {"max_score": 2}]
    assert (first["total"], first["rows"], first["offset"]) == (None, 2, 0)
    submit_scores(0)
    last = search_index("submission/", **params, deep_paging_id=first["next_deep_paging_id"]).response
    assert last["items"] == [{"max_score": 1}]
    assert "next_deep_paging_id" not in last
    status, message = search_index("submission/", **params, deep_paging_id=first["next_deep_paging_id"]).error
    assert status == 400  # the search ends with its last page
    assert "No search context found" in message


@pytest.mark.usefixtures("_three")
def test_a_full_last_page_is_followed_by_an_empty_page(search_index):
    first = search_index("submission/", query="*", rows=3, deep_paging_id="*").response
    last = search_index("submission/", query="*", rows=3, deep_paging_id=first["next_deep_paging_id"]).response
    assert (last["items"], "next_deep_paging_id" in last) == ([], False)


@pytest.mark.usefixtures("_three")
def test_a_search_with_deep_paging_expires(served, search_index):
    first = search_index("submission/", query="*", rows=2, deep_paging_id="*").response
    assert len(served.tables()["searches"]) == 1
    [cursor] = served.product.state["searches"]["open"].values()
    cursor["expires_at"] = 0
    assert search_index("submission/", query="*", deep_paging_id=first["next_deep_paging_id"]).status == 400


@pytest.mark.usefixtures("_three")
def test_an_expired_search_with_deep_paging_is_removed_by_the_next_one(served, search_index):
    for _ in range(2):
        search_index("submission/", query="*", rows=2, deep_paging_id="*")
        [cursor] = served.product.state["searches"]["open"].values()
        cursor["expires_at"] = 0


@pytest.mark.usefixtures("_three")
def test_a_get_request_accepts_numbers_as_text_and_several_filters(call):
    params = {"query": "*", "rows": "1", "filters": ["max_score:>1", "max_score:<3"], "fl": "max_score"}
    page = call("GET", "search/submission/", params=params).response
    assert (page["items"], page["rows"]) == ([{"max_score": 2}], 1)


@pytest.mark.parametrize("rows", ["x", -1])
def test_an_invalid_number_of_rows_is_rejected(search_index, rows):
    assert search_index("file/", query="*", rows=rows).status == 400


@pytest.mark.usefixtures("_three")
def test_metadata_is_searched_as_fields(call, search_index):
    assert search_index("facet/submission/metadata.n/").response == {"1": 1, "2": 1, "3": 1}
    assert call("GET", "search/fields/submission/").response["metadata.n"]["type"] == "wildcard"


def test_a_facet_has_at_most_100_values_and_10_by_default(search_index, submit_scores):
    submit_scores(*range(110))
    assert len(search_index("facet/submission/max_score/").response) == 10
    assert len(search_index("facet/submission/max_score/", size=500).response) == 100


@pytest.mark.usefixtures("_three")
def test_a_histogram_includes_empty_steps_on_request(search_index):
    path, limits = "histogram/submission/max_score/", {"start": 0, "end": 4, "gap": 2}
    assert search_index(path, **limits).response == {"0": 1, "2": 2}
    assert search_index(path, **limits, mincount=0).response == {"0": 1, "2": 2, "4": 0}
    assert search_index(path, start="soon").message.startswith("SearchException: Could not parse histogram ranges")


@pytest.mark.usefixtures("_three")
def test_groups_are_limited_by_rows_and_the_total_counts_documents(search_index):
    page = search_index("grouped/submission/max_score/", rows=2, fl="max_score", sort="max_score desc").response
    assert [group["value"] for group in page["items"]] == [3, 2]
    assert (page["total"], page["rows"]) == (3, 2)


def test_some_indexes_require_an_administrator(search_index):
    statuses = {"user/": 403, "nosuch/": 403, "facet/apikey/uname/": 403, "file/": 200, "retrohunt/": 200}
    assert {path: search_index(path, query="*").status for path in statuses} == statuses
    assert search_index("user/", FULL_KEY, query="*").status == 200
    for name in ("apikey", "nosuch"):  # API keys cannot be listed
        message = f"Not a valid index to search in: {name}"
        assert search_index(f"{name}/", FULL_KEY, query="*").error == (400, message)


def test_each_index_requires_its_role(call, search_index, monkeypatch):
    monkeypatch.setitem(API_KEYS, ("admin", "sandbox:sandbox-secret"), ("alert_view",))
    assert search_index("alert/", query="*").status == 200
    status, message = search_index("file/", query="*").error
    assert (status, "requires the role 'submission_view' for request on index 'file'" in message) == (403, True)
    archive_error = (403, "User is not allowed to view the archive")
    assert search_index("alert/", query="*", use_archive=True).error == archive_error
    monkeypatch.setitem(API_KEYS, ("admin", "sandbox:sandbox-secret"), ("submission_create",))
    required = "requires one of the following roles: alert_view"
    assert required in search_index("alert/", query="*").message
    assert required in call("GET", f"hash_search/{'ab' * 32}/").message


def test_searches_count_toward_the_quota_and_requests_for_fields_do_not(served, call, search_index):
    served.seed({"quotas": {"daily_api_calls": 2}})
    for _ in range(3):
        assert call("GET", "search/fields/file/").status == 200
    assert search_index("file/", query="*").status == 200
    assert call("GET", "hash_search/list_data_sources/").status == 200
    assert search_index("file/", query="*").status == 503
