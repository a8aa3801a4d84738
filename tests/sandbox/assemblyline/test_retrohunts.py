"""Retrohunts and the archive."""

from __future__ import annotations

import pytest

HUNT = {
    "yara_signature": 'rule a { strings: $a = "evil \\"words\\"" condition: $a }',
    "description": "d",
    "indices": "hot",
    "classification": "TLP:C",
    "search_classification": "TLP:C",
    "ttl": 0,
}
UNKNOWN_INDEX = "Index parameter set to cold, expected one of ['hot', 'archive', 'hot_and_archive']"
INVALID_RULE = "400 Client Error: Bad Request for url: https://hauntedhouse:4443/search/"


@pytest.fixture(autouse=True)
def _enabled(served):
    served.seed({"delay": 0, "retrohunt": {"enabled": True, "seconds": 0}, "archive": {"enabled": True}})


@pytest.mark.parametrize(("method", "path"), [("PUT", "retrohunt/"), ("GET", "retrohunt/a/"), ("PUT", "archive/a/")])
def test_a_disabled_feature_is_an_unknown_path(served, call, method, path):
    served.seed({"retrohunt": {"enabled": False}, "archive": {"enabled": False}})
    assert call(method, path, json={}).error == (404, f"Api does not exist (/api/v4/{path})")


@pytest.mark.parametrize(
    ("changes", "message"), [({"indices": "cold"}, UNKNOWN_INDEX), ({"yara_signature": "no rule"}, INVALID_RULE)]
)
def test_an_invalid_retrohunt_is_rejected(call, changes, message):
    assert call("PUT", "retrohunt/", json={**HUNT, **changes}).error == (400, message)


def test_all_arguments_of_a_retrohunt_are_required(call):
    for name in HUNT:
        reply = call("PUT", "retrohunt/", json={key: value for key, value in HUNT.items() if key != name})
        missing = (400, f"Missing required argument: '{name}'")
        assert reply.error == (missing if name != "ttl" else (500, "Internal Server Error"))


def test_a_retrohunt_has_hits_after_it_is_finished(served, call, submit):
    submit('some evil "words"')
    served.seed({"retrohunt": {"seconds": 60}})
    key = call("PUT", "retrohunt/", json=HUNT).response["key"]
    assert call("GET", f"retrohunt/hits/{key}/").response["total"] == 0
    assert call("GET", f"retrohunt/{key}/").response["finished"] is False
    served.product.state["retrohunt"]["hunts"][key]["finished_at"] = 0
    assert call("GET", f"retrohunt/hits/{key}/?fl=sha256&rows=1").response["total"] == 1
    assert call("GET", "retrohunt/?query=*").response["items"] == [{"key": key, "total_hits": 1}]
    assert served.tables()["retrohunt"][0]["finished"] is True


def test_messages_for_unknown_retrohunts_differ(call):
    messages = {path: call("GET", f"retrohunt/{path}nosuch/").message for path in ("", "hits/", "errors/", "types/")}
    assert messages == {
        "": "This retrohunt job does not exist...",
        "hits/": "This retrohunt job does not exist...",
        "errors/": "Not Found.",
        "types/": "Not Found.",
    }


def test_an_archived_submission_is_marked_and_keeps_its_metadata(call, submit):
    sid = submit("a", metadata={"a": "own"})["sid"]
    reply = call("PUT", f"archive/{sid}/?delete_after", json={"a": "b", "c": "d"})
    assert reply.response == {"action": "archive", "success": True}
    document = call("GET", f"submission/{sid}/").response
    assert (document["archived"], document["from_archive"], document["metadata"]) == (
        True,
        True,
        {"a": "own", "c": "d"},
    )
    assert call("PUT", "archive/nosuch/").message == "The submission 'nosuch' was not found in the system"
