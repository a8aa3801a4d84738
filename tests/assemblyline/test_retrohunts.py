"""Retrohunts: starts, reads and the wait for them."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.assemblyline import waits
from self_hosted.assemblyline.api.retrohunts import retrohunts, starts
from self_hosted.core.http.errors import (
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    ServerError,
)
from self_hosted.core.wait.observation import MISSING, Observation
from tests.assemblyline.flows import items, reply, result_of

RULE = 'rule test { strings: $a = "evil text" condition: $a }'
OPTIONS = {"description": "evil text"}
DEFINITION = {"UNRESTRICTED": "TLP:C", "enforce": True, "levels_aliases": {}, "levels_map_stl": {}}
CLASSIFICATIONS = {"classification": "TLP:C", "search_classification": "TLP:A"}


def hunt(key: str = "k", **changes: Any) -> dict[str, Any]:
    """Return the document of a retrohunt with the tag t1."""
    details = {"yara_signature": RULE, "indices": "hot_and_archive", "finished": False, "total_errors": 0}
    return {"key": key, "description": "x [t1]", **details, **changes}


# Flows


def test_required_classifications_are_read_and_sent():
    definition, user = reply(DEFINITION), reply({"classification": "TLP:A"})
    result, steps = result_of(starts.start(RULE, OPTIONS), definition, user, reply({"key": "k"}))
    assert result == {"key": "k"}
    assert steps[-1].json == {
        "yara_signature": RULE,
        "description": "evil text",
        "indices": "hot_and_archive",
        "ttl": 0,
        **CLASSIFICATIONS,
    }
    assert not steps[-1].is_idempotent


def test_options_replace_the_defaults():
    options = {**OPTIONS, **CLASSIFICATIONS, "indices": "hot", "ttl": 3}
    _, [request] = result_of(starts.start(RULE, options), reply({"key": "k"}))
    assert request.json == {"yara_signature": RULE, **options}


@pytest.mark.parametrize(
    ("rule", "options", "message"),
    [
        ("", OPTIONS, "yara_signature must be the text of a YARA rule"),
        ("rule test { strings: }", OPTIONS, "yara_signature must be the text of a YARA rule"),
        (None, OPTIONS, "yara_signature must be the text of a YARA rule"),
        (RULE, {}, "description is missing"),
        (RULE, {**OPTIONS, "indices": "cold"}, "indices must be one of hot, archive, hot_and_archive, not 'cold'"),
        (RULE, {**OPTIONS, "ttl": -1}, "ttl must be a whole number, 0 or more, not -1"),
        (RULE, {**OPTIONS, "dtl": 1}, "options: unknown dtl"),
    ],
)
def test_arguments_that_the_server_would_fail_on_are_rejected(rule, options, message):
    with pytest.raises(ValueError, match=message):
        result_of(starts.start(rule, options))


def test_a_retrohunt_is_found_by_the_tag_at_the_end_of_its_description():
    other, own = hunt("a", description="[t1] too"), hunt("b")
    found, [request, _] = result_of(starts.start_once(RULE, OPTIONS, "t1"), items(other, own), reply(own))
    assert found["key"] == "b"
    assert request.json["query"] == 'description:"t1"'
    found, steps = result_of(
        starts.start_once(RULE, {**OPTIONS, **CLASSIFICATIONS}, "t1"), items(), reply({"key": "k"})
    )
    assert found == {"key": "k"}
    assert steps[-1].json["description"] == "evil text [t1]"


def test_the_oldest_of_several_retrohunts_counts():
    newest_first = [hunt("b"), hunt("a")]
    documents = map(reply, reversed(newest_first))
    assert result_of(starts.get_by_tag("t1"), items(*newest_first), *documents)[0]["key"] == "a"


def test_a_lost_response_is_read_back_until_the_index_shows_the_retrohunt():
    flow = starts.start_once(RULE, {**OPTIONS, **CLASSIFICATIONS}, "t1")
    replies = items(), OutcomeUnknownError("lost"), items(), items(hunt()), reply(hunt())
    result, steps = result_of(flow, *replies)
    assert result["key"] == "k"
    assert count_starts(steps) == 1


def test_an_interrupted_start_is_searched_longer():
    flow = starts.start_once(RULE, {**OPTIONS, **CLASSIFICATIONS}, "t1", previous_attempt_unknown=True)
    assert result_of(flow, items(), items(), items(hunt()), reply(hunt()))[0]["key"] == "k"


def count_starts(steps: list[Any]) -> int:
    return sum(getattr(step, "method", "") == "PUT" for step in steps)


OTHER_RULE = RULE.replace("evil", "good")


@pytest.mark.parametrize("other", [{"yara_signature": OTHER_RULE}, {"indices": "archive"}], ids=["rule", "indices"])
def test_a_retrohunt_of_another_rule_or_other_indices_is_left_alone(other):
    own = starts.OwnRetrohunt("t1", RULE, None)
    flow = starts.start_unless_found(own, {**OPTIONS, **CLASSIFICATIONS})
    result, steps = result_of(flow, items(hunt("other")), reply(hunt("other", **other)), reply({"key": "new"}))
    assert result == {"key": "new"}
    assert count_starts(steps) == 1
    reason = "retrohunt other has the tag of this one, but another rule or indices; it is left alone"
    assert own.left_alone == {"other": reason}


def test_of_two_retrohunts_the_one_of_the_same_rule_counts():
    flow = starts.start_once(RULE, {**OPTIONS, "indices": "hot"}, "t1")
    older, younger = hunt("older", yara_signature=OTHER_RULE), hunt("younger", indices="hot")
    result, _ = result_of(flow, items(younger, older), reply(older), reply(younger))
    assert result["key"] == "younger"


def test_other_line_ends_are_the_same_rule():
    same = hunt(yara_signature=f"{RULE.replace(' condition', chr(13) + chr(10) + 'condition')}\n")
    flow = starts.start_once(RULE.replace(" condition", " \ncondition"), OPTIONS, "t1")
    assert result_of(flow, items(same), reply(same))[0]["key"] == "k"


def test_a_retrohunt_that_is_gone_meanwhile_does_not_count():
    flow = starts.start_once(RULE, {**OPTIONS, **CLASSIFICATIONS}, "t1")
    result, _ = result_of(flow, items(hunt("gone")), NotFoundError("does not exist"), reply({"key": "new"}))
    assert result == {"key": "new"}


@pytest.mark.parametrize(
    "error",
    [
        NotFoundError("Api does not exist (/api/v4/retrohunt/k/)"),
        ServerError("retrohunt not configured for this system", status=501),
    ],
)
def test_a_server_without_retrohunt_differs_from_a_missing_retrohunt(error):
    with pytest.raises(InvalidRequestError, match="retrohunt is not enabled on this server"):
        result_of(retrohunts.get("k"), error)
    with pytest.raises(NotFoundError, match="does not exist"):
        result_of(retrohunts.get("k"), NotFoundError("This retrohunt job does not exist..."))
    with pytest.raises(PermissionDeniedError):
        result_of(retrohunts.get("k"), PermissionDeniedError("Access denied."))


def test_many_retrohunts_cost_one_search_and_one_request_per_missing_one():
    found = items(
        {"key": "a", "finished": True, "total_hits": 3, "truncated": False},
        {"key": "b", "finished": False, "total_hits": 0},
    )
    observations, steps = result_of(
        waits.refresh_retrohunts(["a", "b", "c", "d"]), found, reply(hunt("c")), NotFoundError("gone")
    )
    assert observations == {
        "a": Observation("finished", done=True, details={"total_hits": 3, "truncated": False}),
        "b": Observation("running", done=False, details={"total_hits": 0, "truncated": False}),
        "c": Observation("started", done=False),
        "d": MISSING,
    }
    assert steps[0].json["query"] == 'key:("a" OR "b" OR "c" OR "d")'


# On the fake server


@pytest.fixture(autouse=True)
def _with_retrohunt(served, conn_id):
    served.seed({"delay": 0, "retrohunt": {"enabled": True, "seconds": 0.05}})


@pytest.fixture
def key(served, hook, submitted) -> str:
    served.seed({"retrohunt": {"seconds": 0, "errors": ["a", "b"]}})
    for number in range(3):
        submitted(f"evil text {number}")
    return str(hook.start_retrohunt(RULE, OPTIONS)["key"])


def test_hits_types_and_errors_are_listed(hook, key):
    pages = [hook.list_retrohunt_hits(key, rows=2, offset=offset) for offset in (0, 2)]
    assert [page["total"] for page in pages] == [3, 3]
    assert len({file["sha256"] for page in pages for file in page["items"]}) == 3
    assert sum(hook.count_retrohunt_types(key).values()) == 3
    errors = hook.list_retrohunt_errors(key, rows=1, offset=1)
    assert (errors["total"], errors["items"]) == (2, [{"type": "error", "message": "b"}])


def test_a_retrohunt_is_repeated_with_its_key(served, hook, key):
    served.seed({"retrohunt": {"seconds": 60}})
    assert hook.get_retrohunt(key)["finished"] is True
    again = hook.repeat_retrohunt(key, "TLP:A")
    assert (again["key"], again["finished"], again["search_classification"]) == (key, False, "TLP:A")
    assert hook.get_retrohunts([key])[key]["finished"] is False
    with pytest.raises(NotFoundError, match="does not exist"):
        hook.repeat_retrohunt("nosuch", "TLP:A")
