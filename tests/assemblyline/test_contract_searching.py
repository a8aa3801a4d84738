"""What must hold on the stand-in and on a real server when indexes are searched and hashes looked up."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.triggers import SUBMISSION
from self_hosted.core.errors import Broken, Forbidden, Invalid
from self_hosted.core.flow import Request
from self_hosted.core.wait import Waiter, wait

NOBODYS = "0123456789abcdef" * 4


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


@pytest.fixture
def five(hook, unique) -> str:
    """Five submissions of this test's own, with scores of 0, 10, 20, 30 and 40, indexed; what to find them by."""
    for number in range(5):
        completed(hook, f"{unique} {number} RIG-SCORE:{10 * number}", unique, n=number)
    mine = f'metadata.of:"{unique}"'
    until(lambda: hook.search_result("submission", {"query": f"{mine} AND state:completed"})["total"] == 5)
    return mine


def completed(hook, words: str, unique: str, **metadata: Any) -> str:
    sid = hook.submit({"plaintext": words}, {"metadata": {"of": unique, **metadata}})["sid"]
    wait(hook, SUBMISSION, Waiter(sid, time.time() + 30, 0.2))
    return str(sid)


def until(holds) -> None:
    """The index lags about a second behind."""
    deadline = time.time() + 15
    while not holds():
        assert time.time() < deadline
        time.sleep(0.2)


def digest(words: str, kind: str = "sha256") -> str:
    return hashlib.new(kind, words.encode(), usedforsecurity=False).hexdigest()


def scores(hook, ask, query: str, **wanted: Any) -> list[int]:
    asked = {"query": query, "fl": "max_score", "sort": "max_score asc", **wanted}
    return [one["max_score"] for one in ask(hook, api.search("submission", asked))]


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


def test_the_language_of_queries_is_understood_alike(hook, ask, five):
    found = {query: scores(hook, ask, f"{five} AND ({query})") for query, _ in QUERIES}
    assert found == dict(QUERIES)
    assert {query: scores(hook, ask, five, filters=[query]) for query, _ in QUERIES} == dict(QUERIES)


def test_offset_rows_sort_and_fields(hook, ask, five):
    assert scores(hook, ask, five, offset=1, rows=2, sort="max_score desc") == [30, 20]
    assert scores(hook, ask, five, sort="state asc, max_score desc") == [40, 30, 20, 10, 0]
    wanted = {"query": five, "fl": "sid,files.sha256,metadata.n,params.psid,times.submitted", "rows": 1}
    [one] = ask(hook, api.search("submission", wanted))
    assert {name: set(value) for name, value in one.items() if isinstance(value, dict)} == {
        "metadata": {"n"},
        "times": {"submitted"},
    }
    assert set(one["files"][0]) == {"sha256"}


def test_without_fields_only_those_come_back_that_the_index_stores(hook, ask, five):
    [one] = ask(hook, api.search("submission", {"query": five, "rows": 1}))
    assert {"sid", "id", "state", "max_score", "classification"} <= set(one)
    assert not {"files", "metadata", "results"} & set(one)
    assert set(one["params"]) <= {"description", "submitter"}
    [whole] = ask(hook, api.search("submission", {"query": five, "rows": 1, "fl": "*"}))
    assert {"files", "metadata"} <= set(whole)


def test_a_result_tells_how_much_there_is(hook, ask, five):
    found = ask(hook, api.search_result("submission", {"query": five, "rows": 0, "track_total_hits": True}))
    assert found == {"items": [], "offset": 0, "rows": 0, "total": 5}


@pytest.mark.parametrize("rows", [1, 2, 5, 6])
def test_pages_go_on_until_there_is_no_next_one(hook, ask, five, rows):
    wanted = {"query": five, "fl": "max_score", "sort": "max_score desc", "rows": rows}
    found, paging_id = [], "*"
    while paging_id:
        items, paging_id = ask(hook, api.search_page("submission", wanted, paging_id))
        found += [one["max_score"] for one in items]
    assert found == [40, 30, 20, 10, 0]


def test_an_iterator_sorts_by_several_fields(hook, five):
    wanted = {"query": five, "fl": "max_score", "sort": "state asc, max_score asc", "rows": 2}
    assert [one["max_score"] for one in hook.search_all("submission", wanted)] == [0, 10, 20, 30, 40]


def test_a_paging_id_that_is_not_known_is_a_clear_error(hook, ask):
    with pytest.raises(Broken, match="over before its last page"):
        ask(hook, api.search_page("submission", {"query": "*"}, "bm9zdWNo,WzFd"))


def test_values_are_counted(hook, ask, five):
    facet = ask(hook, api.search_facet("submission", "max_score", {"query": five, "size": 100}))
    assert facet == dict.fromkeys(["0", "10", "20", "30", "40"], 1)
    assert ask(hook, api.search_facet("submission", "state", {"query": five})) == {"completed": 5}
    assert ask(hook, api.search_facet("submission", "state", {"query": five, "mincount": 6})) == {}
    assert len(ask(hook, api.search_facet("submission", "max_score", {"query": five, "size": 2}))) == 2


def test_statistics_of_numbers(hook, ask, five):
    stats = ask(hook, api.search_stats("submission", "max_score", {"query": five}))
    assert stats == {"count": 5, "min": 0, "max": 40, "avg": 20, "sum": 100}
    nothing = ask(hook, api.search_stats("submission", "max_score", {"query": "sid:nosuch"}))
    assert (nothing["count"], nothing["min"]) == (0, None)


def test_histograms_of_numbers_and_dates(hook, ask, five):
    wanted = {"query": five, "start": 0, "end": 60, "gap": 20, "mincount": 0}
    assert ask(hook, api.search_histogram("submission", "max_score", wanted)) == {"0": 2, "20": 2, "40": 1, "60": 0}
    wanted = {"query": five, "start": "now-1h", "end": "now+1h", "gap": "+1h"}
    assert sum(ask(hook, api.search_histogram("submission", "times.submitted", wanted)).values()) == 5


def test_what_is_found_is_grouped(hook, ask, five):
    wanted = {"query": five, "fl": "max_score", "limit": 2, "group_sort": "max_score desc"}
    found = ask(hook, api.search_grouped("submission", "state", wanted))
    items = [{"max_score": 40}, {"max_score": 30}]
    assert found["items"] == [{"value": "completed", "total": 5, "items": items}]
    assert found["total"] == 5


def test_fields_are_described(hook, ask):
    fields = ask(hook, api.search_fields("submission"))
    told = {name: (one["type"], one["list"], one["stored"]) for name, one in fields.items()}
    assert told["max_score"] == ("integer", False, True)
    assert told["files.sha256"] == ("keyword", True, False)
    assert told["times.submitted"] == ("date", False, True)
    assert told["params.description"] == ("text", False, True)


@pytest.mark.parametrize("index", api.INDEXES)
def test_every_index_can_be_searched(hook, ask, index):
    assert "items" in ask(hook, api.search_result(index, {"query": "*", "rows": 1}))
    assert ask(hook, api.search_fields(index))["id"]["type"] == "keyword"


@pytest.mark.parametrize("index", ["user", "error", "emptyresult", "apikey"])
def test_the_indexes_of_administrators_need_that_role(hook, ask, index):
    with pytest.raises(Forbidden, match="administration"):
        ask(hook, api.search(index, {"query": "*"}))


def of(path: str, **wanted: Any):
    """A search that is not checked before it is sent."""

    def flow():
        return (yield Request("POST", f"/api/v4/search/{path}/", json=wanted, repeatable=True))

    return flow()


@pytest.mark.parametrize(
    ("path", "wanted", "words"),
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
def test_refusals_say_what_is_wrong(hook, ask, path, wanted, words):
    with pytest.raises(Invalid, match=words):
        ask(hook, of(path, **wanted))


def test_an_unknown_index_is_said_to_be_one_of_administrators(hook, ask):
    with pytest.raises(Forbidden, match="requires the role 'administration' for request on index 'nosuch'"):
        ask(hook, of("nosuch", query="*"))


@pytest.mark.parametrize("wanted", [{"fl": ["sid"]}, {"archive_only": True}, {"deep_paging_id": "a,b"}])
def test_the_server_fails_on_what_we_do_not_send(hook, ask, wanted):
    with pytest.raises(Broken, match="Internal Server Error"):
        ask(hook, of("submission", query="*", **wanted))


def test_the_form_in_the_address_is_understood_too(hook, ask, five):
    query = {"query": five, "filters": ["max_score:>=20", "max_score:<=30"], "fl": "max_score", "sort": "max_score asc"}

    def flow():
        return (yield Request("GET", "/api/v4/search/submission/", query)).json()["api_response"]

    assert [one["max_score"] for one in ask(hook, flow())["items"]] == [20, 30]


# Hashes


def test_sources_are_named(hook, ask):
    assert {"al", "alert"} <= set(ask(hook, api.list_data_sources()))


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5"])
def test_what_sources_know_of_a_file(hook, ask, unique, kind):
    words = f"{unique} RIG-SCORE:1500"
    completed(hook, words, unique)
    until(lambda: hook.hash_search(digest(words), ["al"])["al"]["items"])
    found = ask(hook, api.hash_search(digest(words, kind).upper(), ["al"]))
    [item] = found["al"]["items"]
    assert (found["al"]["error"], item["malicious"], item["confirmed"]) == (None, True, False)
    assert (item["data"]["sha256"], item["data"]["score"]) == (digest(words), 1500)


def test_what_no_source_knows_is_no_error(hook, ask):
    found = ask(hook, api.hash_search(NOBODYS))
    assert found["al"] == found["alert"] == {"error": None, "items": []}
    assert ask(hook, api.hash_search(NOBODYS, ["nosuch"])) == {}


def test_a_source_that_is_unknown_is_named(hook, ask):
    with pytest.raises(ValueError, match="there is no nosuch on this server, which has al, alert"):
        ask(hook, api.look_up_hashes([NOBODYS], sources=["nosuch"]))


def test_files_are_looked_up_with_their_worst_submission_by_any_hash(hook, ask, unique):
    words = f"{unique} RIG-SCORE:400 RIG-CHILD:{unique} RIG-SCORE:350"
    sid = completed(hook, words, unique)
    hashes = [digest(words, kind) for kind in ("sha256", "sha1", "md5")]
    until(lambda: hook.look_up_hashes(hashes)[2]["sid"])
    *found, unknown = ask(hook, api.look_up_hashes([*hashes, NOBODYS], max_age="1h", sources=["al"]))
    for one in found:
        assert (one["known"], one["sid"], one["max_score"], one["verdict"]) == (True, sid, 400, "suspicious")
        assert (one["sha256"], one["malicious"], one["badlisted"], one["safelisted"]) == (
            hashes[0],
            False,
            False,
            False,
        )
        assert one["sources"]["al"]["malicious"] is False
    assert (unknown["known"], unknown["verdict"]) == (False, None)


def test_a_file_within_another_is_known_by_its_own_score(hook, ask, unique):
    child = f"{unique} RIG-SCORE:350"
    completed(hook, f"{unique} 2 RIG-SCORE:400\nRIG-CHILD:{child}", unique)
    until(lambda: hook.look_up_hashes([digest(child)])[0]["known"])
    [found] = ask(hook, api.look_up_hashes([digest(child)]))
    assert (found["sid"], found["max_score"], found["verdict"]) == (None, 350, "suspicious")
