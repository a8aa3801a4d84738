"""Lucene queries and sort orders."""

from __future__ import annotations

import pytest

from self_hosted.sandbox.assemblyline.search.engine import build_index, match_documents, search, sort_documents

DOCUMENTS = [
    {"id": "a", "size": 1, "type": "text/plain", "labels": ["x", "y z"], "seen": {"last": "2026-01-01T00:00:00Z"}},
    {"id": "b", "size": 22, "type": 'we"ird', "seen": {"last": "2026-01-02T12:00:00.5Z"}, "is_supplementary": True},
    {"id": "c", "size": 300, "comments": [{"text": "The quick fox", "uname": "u"}], "entropy": 1.5},
]


def find_ids(query: str) -> str:
    index = build_index("file", DOCUMENTS)
    return "".join(document["id"] for document in match_documents(index, {"query": query}))


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("*", "abc"),
        ("*:*", "abc"),
        ("id:(a OR c)", "ac"),
        ("a b", "ab"),  # terms without a field search the default fields
        ("size:>=22", "bc"),
        ("size:(>1 AND <300)", "b"),
        ("size:[1 TO 22}", "a"),
        ("size:{1 TO *]", "bc"),
        ("size:[-5 TO 1]", "a"),
        ("size:22.0", "b"),
        (r"size:\-1", ""),
        ('type:"text/plain"', "a"),
        (r"type:text\/plain", "a"),
        ("type:/text.pl.*/", "a"),
        (r'type:"we\"ird"', "b"),
        ("type:t?xt*", "a"),
        ("type:TEXT*", ""),
        ('labels:"y z"', "a"),
        (r"labels:y\ z", "a"),
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
        ("seen.last:[2026-01-01T00:00:00Z TO 2026-01-01T00:00:01Z]", "a"),
        ("seen.last:[2026-01-01||+1d TO *]", "b"),
        ("seen.last:[2026-01-01T00:00:00+00:00||-1d TO 2026-01-01T01:00:00+01:00]", "a"),
        ("seen.last:{2026-01-01T01:00:00+01:00 TO *}", "b"),
        ('seen.last:>"2026-01-02T00:00:00Z"', "b"),
        ("seen.last:<now", "ab"),
        ("id:a || id:b", "ab"),
        ("id:a && !size:2", "a"),
        ("!id:a", "bc"),
        ('labels:"||" OR id:b', "b"),  # symbols in phrases are no operators
        ("+id:(a b) -id:a", "b"),
        ("NOT (id:a OR id:b)", "c"),
        ("(id:a OR id:b) AND size:22", "b"),
        # AND makes both sides mandatory, so that clauses between ORs are optional
        ("id:a OR id:b AND size:22", "b"),
        ("id:b AND size:22 OR id:a", "b"),
        ("id:a OR id:b AND NOT size:22 OR id:c", ""),
        ("nosuch:*", ""),
    ],
)
def test_a_query_matches_documents_as_in_elasticsearch(query, ids):
    assert find_ids(query) == ids


@pytest.mark.parametrize(
    "query",
    [
        "(",
        "a:(b",
        "a)",
        "a AND",
        "OR a",
        "a:b:c",
        "a:-1",
        "a:b/c",
        "a:2026-01-01T00:00:00Z",
        "a:b~1",
        '"a b"~2',
        "a^2",
        "size:[1 TO",
        "size:x",
        "size:[a TO b]",
        'a:"b',
        "a:/(/",
        "seen.last:[soon TO *]",
        "()",
        "a:",
        "-",
    ],
)
def test_an_invalid_or_unsupported_query_is_rejected(query):
    with pytest.raises(Exception, match="Failed to parse query"):
        find_ids(query)


def test_hundreds_of_values_are_matched():
    documents = [{"sha256": f"{number:064x}"} for number in range(1000)]
    hashes = " OR ".join(f'"{number:064x}"' for number in range(0, 1000, 2))
    assert search(documents, {"query": f"sha256:({hashes})", "rows": 0}, "file")["total"] == 500


def test_documents_without_a_value_are_last_in_both_directions():
    index = build_index("file", DOCUMENTS)

    def sort(order):
        return "".join(document["id"] for document in sort_documents(index, index.documents, order))

    assert sort("seen.last asc") == "abc"
    assert sort("seen.last desc") == "bac"
    assert sort("type asc, size desc") == "abc"


@pytest.mark.parametrize(("track", "total"), [(None, 10_000), (True, 10_001), ("true", 10_001), ("7", 7)])
def test_the_total_is_limited_unless_the_request_raises_the_limit(track, total):
    documents = [{"sha256": f"{number:064x}"} for number in range(10_001)]
    assert search(documents, {"query": "*", "rows": 0, "track_total_hits": track}, "file")["total"] == total
