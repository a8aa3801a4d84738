"""Rules for the flows of all resources."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline.api import server
from self_hosted.assemblyline.api.account import account
from self_hosted.assemblyline.api.retrohunts import retrohunts
from self_hosted.assemblyline.api.submissions import activity, ingests, intake, submissions
from tests.assemblyline.flows import UPLOAD


@pytest.mark.parametrize(
    "flow",
    [
        account.get(),
        server.get_configuration(),
        account.get_submission_profile("a b"),
        submissions.get("a b"),
        submissions.is_completed("a"),
        submissions.delete("a"),
        submissions.search("*"),
        intake.submit(UPLOAD, {}),
        ingests.create(UPLOAD, {}),
        server.list_paused_components(),
        activity.is_dispatched("a b"),
    ],
)
def test_every_path_ends_with_a_slash_and_is_quoted(flow):
    request = next(flow)
    assert request.path.endswith("/")
    assert "a b" not in request.path


@pytest.mark.parametrize(
    "flow",
    [
        submissions.get_many([]),
        ingests.get_submissions([]),
        ingests.get_reused_submissions([]),
        retrohunts.get_many([]),
    ],
)
def test_no_ids_cost_no_request(flow):
    with pytest.raises(StopIteration) as end:
        next(flow)
    assert not end.value.value
