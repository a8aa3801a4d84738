"""The flows of workflows, by hand."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline import api
from self_hosted.core.errors import NotFound, Uncertain
from tests.assemblyline.flows import items, reply, result_of

GIVEN = {"name": "big ones", "query": "al.score:>=1000", "labels": ["BIG"]}
SENT = {**GIVEN, "priority": None, "status": None}
ADDED = reply({"success": True, "workflow_id": "w"})


def stored(id_: str, **changes):
    return {"workflow_id": id_, "enabled": True, **SENT, **changes}


def test_what_the_server_insists_on_is_sent_though_it_is_nothing():
    result, steps = result_of(api.add_workflow(GIVEN), items(), ADDED)
    assert result == "w"
    assert steps[-1].json == SENT
    assert not steps[-1].may_be_repeated


def test_each_call_makes_a_new_one():
    assert result_of(api.add_workflow(GIVEN), items(stored("old")), ADDED)[0] == "w"


def test_of_a_lost_answer_the_one_tells_that_was_not_there_before():
    found = items(stored("old"), stored("other", query="*"), stored("new"))
    assert result_of(api.add_workflow(GIVEN), items(stored("old")), Uncertain("lost"), items(), found)[0] == "new"


def test_one_that_left_no_trace_stays_uncertain():
    looks = [items() for _ in range(1 + len(api.LOOKS))]
    with pytest.raises(Uncertain):
        result_of(api.add_workflow(GIVEN), items(), Uncertain("lost"), *looks)


def test_a_change_is_sent_with_name_and_query_which_the_server_wants_each_time():
    _, steps = result_of(api.edit_workflow("w", {"priority": "LOW"}), reply(stored("w")), reply({"success": True}))
    assert steps[-1].json == {"name": "big ones", "query": "al.score:>=1000", "priority": "LOW"}


def test_a_deletion_whose_answer_was_lost_is_looked_for():
    result_of(api.delete_workflow("w"), Uncertain("lost"), NotFound("gone"))
    with pytest.raises(Uncertain):
        result_of(api.delete_workflow("w"), Uncertain("lost"), *[reply(stored("w")) for _ in range(5)])


def test_a_run_is_never_repeated():
    _, [request] = result_of(api.run_workflow("w"), reply({"success": True}))
    assert (request.method, request.path) == ("GET", "/api/v4/workflow/w/run/")
    assert not request.may_be_repeated


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "name of a workflow must be text, and not empty"),
        ({"query": None}, "query of a workflow must be text"),
        ({"label": ["a"]}, "a workflow has no label; it has classification, labels, name"),
        ({"priority": "URGENT"}, "priority of a workflow must be one of LOW, MEDIUM, HIGH, CRITICAL, not 'URGENT'"),
        ({"status": "bad"}, "status of a workflow must be one of MALICIOUS"),
        ({"labels": "a"}, "labels of a workflow must be a list of texts"),
        ({"labels": [""]}, "labels of a workflow must be a list of texts"),
    ],
)
def test_what_the_server_would_fail_on_or_ignore_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        result_of(api.add_workflow({**GIVEN, **changes}))
    with pytest.raises(ValueError, match=words):
        result_of(api.edit_workflow("w", changes))


def test_a_workflow_without_name_or_query_is_refused():
    with pytest.raises(ValueError, match="query of a workflow must be text"):
        result_of(api.add_workflow({"name": "a"}))
