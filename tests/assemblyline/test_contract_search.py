"""Contract of searches and lookups by hash, on the fake server and on live ones."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest

from self_hosted.assemblyline import waits
from self_hosted.assemblyline.api.files import data_sources, reputation
from self_hosted.assemblyline.api.search import aggregations, checks, search
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import InvalidRequestError, PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Request
from self_hosted.core.wait.loop import wait_in_worker
from self_hosted.core.wait.pending import PendingWait
from tests.assemblyline.conftest import wait_until

MISSING_SHA256 = "0123456789abcdef" * 4


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


@pytest.fixture
def five(hook, unique) -> str:
    """A query for five indexed submissions, with scores of 0, 10, 20, 30 and 40."""
    for number in range(5):
        submit_and_wait(hook, f"{unique} {number} RIG-SCORE:{10 * number}", unique, n=number)
    own = f'metadata.of:"{unique}"'
    wait_until(lambda: hook.search_with_total("submission", {"query": f"{own} AND state:completed"})["total"] == 5)
    return own


def submit_and_wait(hook, text: str, unique: str, **metadata: Any) -> str:
    sid = hook.submit({"plaintext": text}, {"metadata": {"of": unique, **metadata}})["sid"]
    wait_in_worker(hook, waits.SUBMISSION, PendingWait(sid, time.time() + 60, 0.2))
    return str(sid)


def digest(text: str, kind: str = "sha256") -> str:
    return hashlib.new(kind, text.encode(), usedforsecurity=False).hexdigest()


def scores(hook, run_flow, query: str, **arguments: Any) -> list[int]:
    merged = {"query": query, "fl": "max_score", "sort": "max_score asc", **arguments}
    return [document["max_score"] for document in run_flow(hook, search.find("submission", merged))]


QUERIES = [
    ("max_score:>=20", [20, 30, 40]),
    ("max_score:>20", [30, 40]),
    ("max_score:<10", [0]),
    ("max_score:[10 TO 30]", [10, 20, 30]),
    ("max_score:{10 TO 30]", [20, 30]),
    ("max_score:{10 TO 30}", [20]),
    ("max_score:(10 OR 40)", [10, 40]),
    ("max_score:(>=10 AND <30)", [10, 20]),
    ("NOT max_score:20", [0, 10, 30, 40]),
    ("-max_score:20", [0, 10, 30, 40]),
    ("max_score:0 OR (max_score:>10 AND max_score:<40)", [0, 20, 30]),
    ("max_score:10 max_score:20", [10, 20]),
    ("+max_score:>10 -max_score:30", [20, 40]),
    ('metadata.n:"3"', [30]),
    ("metadata.n:*", [0, 10, 20, 30, 40]),
    ("metadata.nosuch:*", []),
    ("_exists_:times.completed", [0, 10, 20, 30, 40]),
    ("_exists_:params.psid", []),
    ("state:comp*", [0, 10, 20, 30, 40]),
    ("state:c?mpleted AND metadata.n:(1 OR 2)", [10, 20]),
    ("times.completed:[now-1h TO now]", [0, 10, 20, 30, 40]),
    ("times.completed:[* TO now-1h]", []),
    ('times.submitted:["2020-01-01T00:00:00Z" TO *]', [0, 10, 20, 30, 40]),
    ("times.submitted:[2020-01-01T00:00:00.123456Z TO now-1h/h}", []),
    ("times.submitted:[2020-01-01 TO 2020-12-31]", []),
    ("to_be_deleted:false", [0, 10, 20, 30, 40]),
    ("nosuch:1", []),
]


def test_queries_have_the_same_results(hook, run_flow, five):
    found = {query: scores(hook, run_flow, f"{five} AND ({query})") for query, _ in QUERIES}
    assert found == dict(QUERIES)
    assert {query: scores(hook, run_flow, five, filters=[query]) for query, _ in QUERIES} == dict(QUERIES)


def test_offset_rows_sort_and_fields_have_the_same_effect(hook, run_flow, five):
    assert scores(hook, run_flow, five, offset=1, rows=2, sort="max_score desc") == [30, 20]
    assert scores(hook, run_flow, five, sort="state asc, max_score desc") == [40, 30, 20, 10, 0]
    arguments = {"query": five, "fl": "sid,files.sha256,metadata.n,params.psid,times.submitted", "rows": 1}
    [document] = run_flow(hook, search.find("submission", arguments))
    assert {name: set(value) for name, value in document.items() if isinstance(value, dict)} == {
        "metadata": {"n"},
        "times": {"submitted"},
    }
    assert set(document["files"][0]) == {"sha256"}


def test_without_fl_only_stored_fields_are_returned(hook, run_flow, five):
    [document] = run_flow(hook, search.find("submission", {"query": five, "rows": 1}))
    assert {"sid", "id", "state", "max_score", "classification"} <= set(document)
    assert not {"files", "metadata", "results"} & set(document)
    assert set(document["params"]) <= {"description", "submitter"}
    [whole] = run_flow(hook, search.find("submission", {"query": five, "rows": 1, "fl": "*"}))
    assert {"files", "metadata"} <= set(whole)


def test_a_result_contains_the_total(hook, run_flow, five):
    found = run_flow(hook, search.find_with_total("submission", {"query": five, "rows": 0, "track_total_hits": True}))
    assert found == {"items": [], "offset": 0, "rows": 0, "total": 5}


@pytest.mark.parametrize("rows", [1, 2, 5, 6])
def test_all_pages_are_read(hook, run_flow, five, rows):
    arguments = {"query": five, "fl": "max_score", "sort": "max_score desc", "rows": rows}
    found, paging_id = [], "*"
    while paging_id:
        items, paging_id = run_flow(hook, search.read_page("submission", arguments, paging_id))
        found += [document["max_score"] for document in items]
    assert found == [40, 30, 20, 10, 0]


def test_an_iterator_sorts_by_several_fields(hook, five):
    arguments = {"query": five, "fl": "max_score", "sort": "state asc, max_score asc", "rows": 2}
    assert [document["max_score"] for document in hook.search_all("submission", arguments)] == [0, 10, 20, 30, 40]


def test_an_unknown_paging_id_is_a_clear_error(hook, run_flow):
    with pytest.raises(ServerError, match="paginated search expired"):
        run_flow(hook, search.read_page("submission", {"query": "*"}, "bm9zdWNo,WzFd"))


def test_values_are_counted(hook, run_flow, five):
    facet = run_flow(hook, aggregations.get_facet("submission", "max_score", {"query": five, "size": 100}))
    assert facet == dict.fromkeys(["0", "10", "20", "30", "40"], 1)
    assert run_flow(hook, aggregations.get_facet("submission", "state", {"query": five})) == {"completed": 5}
    assert run_flow(hook, aggregations.get_facet("submission", "state", {"query": five, "mincount": 6})) == {}
    assert len(run_flow(hook, aggregations.get_facet("submission", "max_score", {"query": five, "size": 2}))) == 2


def test_numbers_have_statistics(hook, run_flow, five):
    stats = run_flow(hook, aggregations.get_stats("submission", "max_score", {"query": five}))
    assert stats == {"count": 5, "min": 0, "max": 40, "avg": 20, "sum": 100}
    nothing = run_flow(hook, aggregations.get_stats("submission", "max_score", {"query": "sid:nosuch"}))
    assert (nothing["count"], nothing["min"]) == (0, None)


def test_numbers_and_dates_have_histograms(hook, run_flow, five):
    arguments = {"query": five, "start": 0, "end": 60, "gap": 20, "mincount": 0}
    assert run_flow(hook, aggregations.get_histogram("submission", "max_score", arguments)) == {
        "0": 2,
        "20": 2,
        "40": 1,
        "60": 0,
    }
    arguments = {"query": five, "start": "now-1h", "end": "now+1h", "gap": "+1h"}
    assert sum(run_flow(hook, aggregations.get_histogram("submission", "times.submitted", arguments)).values()) == 5


def test_results_are_grouped(hook, run_flow, five):
    arguments = {"query": five, "fl": "max_score", "limit": 2, "group_sort": "max_score desc"}
    found = run_flow(hook, aggregations.get_groups("submission", "state", arguments))
    items = [{"max_score": 40}, {"max_score": 30}]
    assert found["items"] == [{"value": "completed", "total": 5, "items": items}]
    assert found["total"] == 5


def test_fields_have_a_type(hook, run_flow):
    fields = run_flow(hook, aggregations.list_fields("submission"))
    types = {name: (field["type"], field["list"], field["stored"]) for name, field in fields.items()}
    assert types["max_score"] == ("integer", False, True)
    assert types["files.sha256"] == ("keyword", True, False)
    assert types["times.submitted"] == ("date", False, True)
    assert types["params.description"] == ("text", False, True)


@pytest.mark.parametrize("index", checks.INDEXES)
def test_every_index_can_be_searched(hook, run_flow, index):
    assert "items" in run_flow(hook, search.find_with_total(index, {"query": "*", "rows": 1}))
    assert run_flow(hook, aggregations.list_fields(index))["id"]["type"] == "keyword"


@pytest.mark.parametrize("index", ["user", "error", "emptyresult", "apikey"])
def test_admin_indexes_require_the_role_administration(hook, run_flow, index):
    with pytest.raises(PermissionDeniedError, match="administration"):
        run_flow(hook, search.find(index, {"query": "*"}))


def send_search(path: str, **body: Any):
    """Send a search without checks."""

    def flow():
        return (yield Request("POST", f"/api/v4/search/{path}/", json=body, idempotent=True))

    return flow()


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("submission", {"query": "max_score:[1 TO"}, r"SearchException: Failed to parse query \[max_score:\[1 TO\]"),
        ("submission", {"query": "max_score:>1 OR"}, "Failed to parse query"),
        ("submission", {"query": "*", "filters": ["("]}, "Failed to parse query"),
        ("submission", {"query": ""}, "There was no search query"),
        ("submission", {"query": "*", "sort": "sid up"}, "SearchException: Unknown sort parameter sid up"),
        ("submission", {"query": "*", "offset": 9999, "rows": 2}, r"Result window is too large.*\[10000\].*\[10001\]"),
        ("facet/submission/nosuch", {}, "Field 'nosuch' is not a valid field in index: submission"),
        ("stats/submission/sid", {}, "Field 'sid' is not a numeric field"),
        ("histogram/submission/sid", {}, "is of type 'keyword'. Only 'integer' or 'date' are acceptable"),
        ("histogram/submission/max_score", {"gap": 1}, "limited to a maximum of 100 steps.* generate 2000 steps"),
    ],
)
def test_rejected_searches_have_the_same_message(hook, run_flow, path, body, message):
    with pytest.raises(InvalidRequestError, match=message):
        run_flow(hook, send_search(path, **body))


def test_an_unknown_index_counts_as_an_admin_index(hook, run_flow):
    with pytest.raises(PermissionDeniedError, match="requires the role 'administration' for request on index 'nosuch'"):
        run_flow(hook, send_search("nosuch", query="*"))


@pytest.mark.parametrize("body", [{"fl": ["sid"]}, {"archive_only": True}, {"deep_paging_id": "a,b"}])
def test_the_server_fails_on_arguments_that_are_rejected_first(hook, run_flow, body):
    with pytest.raises(ServerError, match="Internal Server Error"):
        run_flow(hook, send_search("submission", query="*", **body))


def test_a_search_may_be_a_get(hook, run_flow, five):
    query = {"query": five, "filters": ["max_score:>=20", "max_score:<=30"], "fl": "max_score", "sort": "max_score asc"}

    def flow():
        return (yield Request("GET", "/api/v4/search/submission/", query)).json()["api_response"]

    assert [document["max_score"] for document in run_flow(hook, flow())["items"]] == [20, 30]


# Hashes


def test_data_sources_are_listed(hook, run_flow):
    assert {"al", "alert"} <= set(run_flow(hook, data_sources.list_all()))


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5"])
def test_data_sources_find_a_file(hook, run_flow, unique, kind):
    text = f"{unique} RIG-SCORE:1500"
    submit_and_wait(hook, text, unique)
    wait_until(lambda: hook.search_data_sources(digest(text), ["al"])["al"]["items"])
    found = run_flow(hook, data_sources.search(digest(text, kind).upper(), ["al"]))
    [item] = found["al"]["items"]
    assert (found["al"]["error"], item["malicious"], item["confirmed"]) == (None, True, False)
    assert (item["data"]["sha256"], item["data"]["score"]) == (digest(text), 1500)


def test_an_unknown_hash_is_no_error(hook, run_flow):
    found = run_flow(hook, data_sources.search(MISSING_SHA256))
    assert found["al"] == found["alert"] == {"error": None, "items": []}
    assert run_flow(hook, data_sources.search(MISSING_SHA256, ["nosuch"])) == {}


def test_an_unknown_data_source_is_rejected(hook, run_flow):
    with pytest.raises(ValueError, match="unknown nosuch; this server has al, alert"):
        run_flow(hook, reputation.look_up([MISSING_SHA256], sources=["nosuch"]))


def test_each_hash_finds_the_worst_submission(hook, run_flow, unique):
    text = f"{unique} RIG-SCORE:400 RIG-CHILD:{unique} RIG-SCORE:350"
    sid = submit_and_wait(hook, text, unique)
    hashes = [digest(text, kind) for kind in ("sha256", "sha1", "md5")]
    wait_until(lambda: hook.look_up_hashes(hashes)[2]["sid"])
    *found, unknown = run_flow(hook, reputation.look_up([*hashes, MISSING_SHA256], max_age="1h", sources=["al"]))
    for finding in found:
        assert (finding["known"], finding["sid"], finding["max_score"], finding["verdict"]) == (
            True,
            sid,
            400,
            "suspicious",
        )
        assert (finding["sha256"], finding["malicious"], finding["badlisted"], finding["safelisted"]) == (
            hashes[0],
            False,
            False,
            False,
        )
        assert finding["sources"]["al"]["malicious"] is False
    assert (unknown["known"], unknown["verdict"]) == (False, None)


def test_an_extracted_file_has_its_own_score(hook, run_flow, unique):
    child = f"{unique} RIG-SCORE:350"
    submit_and_wait(hook, f"{unique} 2 RIG-SCORE:400\nRIG-CHILD:{child}", unique)
    wait_until(lambda: hook.look_up_hashes([digest(child)])[0]["known"])
    [found] = run_flow(hook, reputation.look_up([digest(child)]))
    assert (found["sid"], found["max_score"], found["verdict"]) == (None, 350, "suspicious")
