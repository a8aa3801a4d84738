"""Workflows."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline.api import recovery, workflows
from self_hosted.core.http.errors import NotFoundError, OutcomeUnknownError
from tests.assemblyline.flows import items, reply, result_of

DEFINITION = {"name": "big ones", "query": "al.score:>=1000", "labels": ["BIG"]}
BODY = {**DEFINITION, "priority": None, "status": None}
CREATED = reply({"success": True, "workflow_id": "w"})


def stored(id_: str, **changes):
    return {"workflow_id": id_, "enabled": True, **BODY, **changes}


def test_required_keys_are_sent_even_if_empty():
    result, steps = result_of(workflows.create(DEFINITION), items(), CREATED)
    assert result == "w"
    assert steps[-1].json == BODY
    assert not steps[-1].is_idempotent


def test_each_call_creates_a_workflow():
    assert result_of(workflows.create(DEFINITION), items(stored("old")), CREATED)[0] == "w"


def test_after_a_lost_response_the_new_workflow_is_found():
    found = items(stored("old"), stored("other", query="*"), stored("new"))
    assert (
        result_of(workflows.create(DEFINITION), items(stored("old")), OutcomeUnknownError("lost"), items(), found)[0]
        == "new"
    )


def test_a_lost_response_without_an_effect_leaves_the_outcome_unknown():
    looks = [items() for _ in range(1 + len(recovery.RECHECK_DELAYS_SECONDS))]
    with pytest.raises(OutcomeUnknownError):
        result_of(workflows.create(DEFINITION), items(), OutcomeUnknownError("lost"), *looks)


def test_an_update_is_sent_with_name_and_query_because_the_server_requires_them():
    _, steps = result_of(workflows.update("w", {"priority": "LOW"}), reply(stored("w")), reply({"success": True}))
    assert steps[-1].json == {"name": "big ones", "query": "al.score:>=1000", "priority": "LOW"}


def test_a_delete_whose_response_was_lost_is_read_back():
    result_of(workflows.delete("w"), OutcomeUnknownError("lost"), NotFoundError("gone"))
    with pytest.raises(OutcomeUnknownError):
        result_of(workflows.delete("w"), OutcomeUnknownError("lost"), *[reply(stored("w")) for _ in range(5)])


def test_a_run_is_not_idempotent():
    _, [request] = result_of(workflows.run("w"), reply({"success": True}))
    assert (request.method, request.path) == ("GET", "/api/v4/workflow/w/run/")
    assert not request.is_idempotent


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "workflow: name must be a text, not ''"),
        ({"query": None}, "workflow: query must be a text, not None"),
        ({"label": ["a"]}, "workflow: unknown label; valid are classification, labels, name"),
        ({"priority": "URGENT"}, "priority must be one of LOW, MEDIUM, HIGH, CRITICAL, not 'URGENT'"),
        ({"status": "bad"}, "status must be one of MALICIOUS"),
        ({"labels": "a"}, "workflow: labels must be a list of texts"),
        ({"labels": [""]}, "workflow: labels must be a list of texts"),
    ],
)
def test_values_that_the_server_would_ignore_or_fail_on_are_rejected(changes, message):
    with pytest.raises(ValueError, match=message):
        result_of(workflows.create({**DEFINITION, **changes}))
    with pytest.raises(ValueError, match=message):
        result_of(workflows.update("w", changes))


def test_a_workflow_without_a_query_is_rejected():
    with pytest.raises(ValueError, match="workflow: query must be a text, not None"):
        result_of(workflows.create({"name": "a"}))
