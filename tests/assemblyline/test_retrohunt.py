"""Retrohunts: the flows by hand, the operator against the stand-in, in a worker and deferred."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline import api
from self_hosted.assemblyline.operators import AssemblylineRetrohuntOperator
from self_hosted.assemblyline.triggers import look_at_retrohunts
from self_hosted.core.errors import Broken, Forbidden, Invalid, NotFound, Overdue, Uncertain
from self_hosted.core.operator import LINK_KEY, round_key
from self_hosted.core.question import GONE, Seen
from tests.assemblyline.flows import items, reply, result_of
from tests.context import context, executed

RULE = 'rule test { strings: $a = "evil words" condition: $a }'
TOLD = {"description": "evil words"}
BOTH = {"classification": "TLP:C", "search_classification": "TLP:A"}


# Flows


def test_what_the_server_insists_on_is_asked_for_and_sent():
    definition, user = reply({"UNRESTRICTED": "TLP:C"}), reply({"classification": "TLP:A"})
    result, steps = result_of(api.start_retrohunt(RULE, TOLD), definition, user, reply({"key": "k"}))
    assert result == {"key": "k"}
    assert steps[-1].json == {
        "yara_signature": RULE,
        "description": "evil words",
        "indices": "hot_and_archive",
        "ttl": 0,
        **BOTH,
    }
    assert not steps[-1].may_be_repeated


def test_what_is_given_goes_before_what_is_usual():
    options = {**TOLD, **BOTH, "indices": "hot", "ttl": 3}
    _, [request] = result_of(api.start_retrohunt(RULE, options), reply({"key": "k"}))
    assert request.json == {"yara_signature": RULE, **options}


@pytest.mark.parametrize(
    ("rule", "options", "words"),
    [
        ("", TOLD, "yara_signature must be the text of a YARA rule"),
        ("rule test { strings: }", TOLD, "yara_signature must be the text of a YARA rule"),
        (None, TOLD, "yara_signature must be the text of a YARA rule"),
        (RULE, {}, "description is missing"),
        (RULE, {**TOLD, "indices": "cold"}, "indices must be one of hot, archive, hot_and_archive, not 'cold'"),
        (RULE, {**TOLD, "ttl": -1}, "ttl must be a number of days, not -1"),
        (RULE, {**TOLD, "dtl": 1}, "a retrohunt takes no dtl"),
    ],
)
def test_what_the_server_would_fail_on_is_refused(rule, options, words):
    with pytest.raises(ValueError, match=words):
        result_of(api.start_retrohunt(rule, options))


def test_a_retrohunt_is_known_by_the_tag_at_the_end_of_its_description():
    other, own = {"key": "a", "description": "[t1] too"}, {"key": "b", "description": "x [t1]"}
    found, [request] = result_of(api.start_retrohunt_once(RULE, TOLD, "t1"), items(other, own))
    assert found["key"] == "b"
    assert request.json["query"] == 'description:"t1"'
    found, steps = result_of(api.start_retrohunt_once(RULE, {**TOLD, **BOTH}, "t1"), items(), reply({"key": "k"}))
    assert found == {"key": "k"}
    assert steps[-1].json["description"] == "evil words [t1]"


def test_of_several_the_oldest_is_taken():
    newest_first = [{"key": key, "description": "[t1]"} for key in "ba"]
    assert result_of(api.tagged_retrohunt("t1"), items(*newest_first))[0]["key"] == "a"


def test_a_lost_answer_is_read_back_until_the_index_has_caught_up():
    flow = api.start_retrohunt_once(RULE, {**TOLD, **BOTH}, "t1")
    found = items({"key": "k", "description": "x [t1]"})
    result, steps = result_of(flow, items(), Uncertain("lost"), items(), found)
    assert result["key"] == "k"
    assert sum(getattr(step, "method", "") == "PUT" for step in steps) == 1


def test_a_start_that_may_be_under_way_is_looked_for_longer():
    flow = api.start_retrohunt_once(RULE, {**TOLD, **BOTH}, "t1", interrupted=True)
    found = items({"key": "k", "description": "x [t1]"})
    assert result_of(flow, items(), items(), found)[0]["key"] == "k"


@pytest.mark.parametrize(
    "refusal",
    [
        NotFound("Api does not exist (/api/v4/retrohunt/k/)"),
        Broken("retrohunt not configured for this system", status=501),
    ],
)
def test_a_server_without_retrohunt_is_told_apart_from_one_without_this_retrohunt(refusal):
    with pytest.raises(Invalid, match="retrohunt is not enabled on this server"):
        result_of(api.retrohunt("k"), refusal)
    with pytest.raises(NotFound, match="does not exist"):
        result_of(api.retrohunt("k"), NotFound("This retrohunt job does not exist..."))
    with pytest.raises(Forbidden):
        result_of(api.retrohunt("k"), Forbidden("Access denied."))


def test_many_are_looked_at_by_one_search_and_those_it_lacks_one_by_one():
    found = items(
        {"key": "a", "finished": True, "total_hits": 3, "truncated": False},
        {"key": "b", "finished": False, "total_hits": 0},
    )
    seen, steps = result_of(look_at_retrohunts(["a", "b", "c", "d"]), found, reply({"key": "c"}), NotFound("gone"))
    assert seen == {
        "a": Seen("finished", done=True, facts={"total_hits": 3, "truncated": False}),
        "b": Seen("running", done=False, facts={"total_hits": 0, "truncated": False}),
        "c": Seen("started", done=False),
        "d": GONE,
    }
    assert steps[0].json["query"] == 'key:("a" OR "b" OR "c" OR "d")'


# The operator


@pytest.fixture(autouse=True)
def _on(served, conn_id):
    served.seed({"delay": 0, "retrohunt": {"enabled": True, "seconds": 0.05}})


def operator(**arguments):
    usual = {"description": "evil words", "deferrable": False, "poll_interval": 0.02, "wait_timeout": 20}
    return AssemblylineRetrohuntOperator(task_id="hunt", **{**usual, "yara_signature": RULE, **arguments})


def run(told=None, **of_operator):
    """Run the operator in a worker, or deferred."""
    return executed(lambda: operator(**of_operator), told)


@pytest.mark.parametrize("deferrable", [False, True])
def test_files_with_these_words_are_found(served, submitted, tmp_path, deferrable):
    for words in ("some evil words", "evil words again", "nice words"):
        submitted(words)
    path = tmp_path / "hits.jsonl"
    told = context(operator())
    result = run(told, output_file=str(path), sample="1", deferrable=deferrable)
    key = result["key"]
    url = f"{served.base_url}/retrohunt/{key}"
    [hit] = result.pop("hits")
    assert result == {
        "key": key,
        "finished": True,
        "total_hits": 2,
        "total_errors": 0,
        "truncated": False,
        "output_file": str(path),
        "url": url,
    }
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert hit["sha256"] == rows[0]["sha256"]
    assert len({row["sha256"] for row in rows}) == 2
    assert told["ti"].xcoms[LINK_KEY] == url


def test_nothing_is_found_where_nothing_is(served, submitted):
    submitted("nice words")
    served.seed({"retrohunt": {"errors": ["a file could not be read"]}})
    result = run()
    assert (result["total_hits"], result["hits"], result["total_errors"]) == (0, [], 1)
    assert result["output_file"] is None


def test_a_rule_is_read_from_a_file(served, submitted, tmp_path):
    submitted("evil words")
    path = tmp_path / "rule.yar"
    path.write_text(RULE)
    assert run(yara_signature=None, file=str(path))["total_hits"] == 1
    assert run(yara_signature=None, file=f"file://{path}")["total_hits"] == 1


def test_a_task_that_is_tried_again_starts_no_second_one(served):
    first, second = run(), run()
    assert first["key"] == second["key"]
    [row] = served.tables()["retrohunt"]
    assert row["description"] == f"evil words [{round_key(context(operator()))}]"


def test_a_start_whose_answer_is_lost_is_found(served):
    served.fail("drop", method="PUT", path="/api/v4/retrohunt/")
    assert run()["finished"] is True
    assert len(served.tables()["retrohunt"]) == 1


def test_a_retrohunt_that_takes_too_long_goes_on_when_the_wait_is_over(served):
    served.seed({"retrohunt": {"seconds": 60}})
    with pytest.raises(Overdue, match="its last seen state is 'running'"):
        run(wait_timeout=0.2)
    assert len(served.tables()["retrohunt"]) == 1


def test_a_server_without_retrohunt_fails_the_task_at_once(served):
    served.seed({"retrohunt": {"enabled": False}})
    with pytest.raises(AirflowFailException, match="retrohunt is not enabled on this server"):
        run()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"yara_signature": None}, "give either yara_signature or file"),
        ({"file": "/nosuch"}, "give either yara_signature or file"),
        ({"yara_signature": None, "file": "/nosuch"}, "there is no file '/nosuch'"),
        ({"yara_signature": "evil words"}, "yara_signature must be the text of a YARA rule"),
        ({"description": ""}, "description is missing"),
        ({"indices": "cold"}, "indices must be one of"),
        ({"ttl": "soon"}, "ttl must be a whole number, 0 or more, not 'soon'"),
        ({"sample": 1001}, "sample must be 1000 or less"),
        ({"output_file": "hits/"}, "output_file must be the path or URI of a file, not 'hits/'"),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_started(served, arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        run(**arguments)
    assert served.tables()["retrohunt"] == []


def test_a_file_that_is_no_text_is_named(served, tmp_path):
    (tmp_path / "a.yar").write_bytes(b"rule a { condition: true } // \xff")
    with pytest.raises(AirflowFailException, match=r"file: '.*a.yar' is no text in UTF-8"):
        run(yara_signature=None, file=str(tmp_path / "a.yar"))


# What else can be asked


@pytest.fixture
def key(served, hook, submitted) -> str:
    served.seed({"retrohunt": {"seconds": 0, "errors": ["a", "b"]}})
    for number in range(3):
        submitted(f"evil words {number}")
    return str(hook.start_retrohunt(RULE, TOLD)["key"])


def test_hits_types_and_errors_are_told_page_by_page(hook, key):
    pages = [hook.retrohunt_hits(key, rows=2, offset=offset) for offset in (0, 2)]
    assert [page["total"] for page in pages] == [3, 3]
    assert len({one["sha256"] for page in pages for one in page["items"]}) == 3
    assert sum(hook.retrohunt_types(key).values()) == 3
    errors = hook.retrohunt_errors(key, rows=1, offset=1)
    assert (errors["total"], errors["items"]) == (2, [{"type": "error", "message": "b"}])


def test_a_retrohunt_is_done_once_more_under_its_key(served, hook, key):
    served.seed({"retrohunt": {"seconds": 60}})
    assert hook.retrohunt(key)["finished"] is True
    again = hook.repeat_retrohunt(key, "TLP:A")
    assert (again["key"], again["finished"], again["search_classification"]) == (key, False, "TLP:A")
    assert hook.retrohunts([key])[key]["finished"] is False
    with pytest.raises(NotFound, match="does not exist"):
        hook.repeat_retrohunt("nosuch", "TLP:A")


def test_more_hits_than_a_page_are_all_written(hook, tmp_path, key, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.operators.retrohunt.PAGE", 2)
    path = Path(run(output_file=str(tmp_path / "hits"), sample=0)["output_file"])
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3
