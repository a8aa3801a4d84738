"""Arguments that take the results of other tasks."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline.operators import references

SHA256, MD5 = "ab" * 32, "cd" * 16


@pytest.mark.parametrize("value", ["s1", " s1 ", {"sid": "s1"}, "{'sid': 's1', 'url': None}", '{"sid": "s1"}'])
def test_an_id_may_be_a_result(value):
    assert references.parse_sid("sid", value) == "s1"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"key": "k"}, "sid: the result of the other task has no sid"),
        ({"sid": None}, "sid must be the id of a submission, not None"),
        ({"sid": "None"}, "sid must be the id of a submission, not 'None'"),
        ("{sid", "sid must be a dictionary, not str"),
        ([1.5], r"sid must be the id of a submission, not \[1.5\]"),
    ],
)
def test_a_result_without_the_id_is_invalid(value, message):
    with pytest.raises(ValueError, match=message):
        references.parse_sid("sid", value)


@pytest.mark.parametrize(
    ("value", "sids"),
    [
        (None, []),
        ("", []),
        ([], []),
        ("[]", []),
        ("s1", ["s1"]),
        ({"sid": "s1"}, ["s1"]),
        ([{"sid": "s1"}, "s2"], ["s1", "s2"]),
        ("[{'sid': 's1'}, {'sid': 's2'}]", ["s1", "s2"]),
        ({"rows": [{"sid": "s1"}], "count": 1}, ["s1"]),
        ({"hashes": [{"hash": "h", "sid": None}, {"hash": "i", "sid": "s1"}], "sid": "s1"}, ["s1"]),
    ],
)
def test_a_list_of_ids_may_be_results(value, sids):
    assert references.parse_sids("sids", value) == sids


@pytest.mark.parametrize("value", [["s1", ""], [{"url": "u"}], [None, 1.5]])
def test_an_item_without_the_id_is_invalid(value):
    with pytest.raises(ValueError, match="sids"):
        references.parse_sids("sids", value)


@pytest.mark.parametrize(
    ("value", "hashes"),
    [
        ({"sid": "s", "sha256": SHA256}, [SHA256]),
        ({"hits": [{"sha256": SHA256, "type": "text/plain"}], "key": "k"}, [SHA256]),
        ({"hashes": [{"hash": MD5, "sha256": None}, {"hash": MD5, "sha256": SHA256}]}, [MD5, SHA256]),
    ],
)
def test_hashes_may_be_those_of_results(value, hashes):
    assert references.parse_hashes("hashes", value) == hashes


def test_one_hash_may_be_that_of_a_result():
    assert references.parse_sha256({"sha256": SHA256.upper()}) == SHA256


@pytest.mark.parametrize("value", ["/a/b", {"output_uri": "/a/b"}, {"path": "/a/b", "sha256": SHA256}])
def test_a_file_may_be_that_of_a_result(value):
    assert references.parse_file("file", value) == "/a/b"
