"""Contract of retrohunts and the archive, on the fake server and on live ones without these features."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline.api import archive
from self_hosted.assemblyline.api.retrohunts import retrohunts, starts
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import InvalidRequestError, NotFoundError
from tests.assemblyline.conftest import upload

RULE = 'rule test { strings: $a = "nosuch" condition: $a }'
MISSING_SID = "0123456789abcdefABCDEF"


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


@pytest.fixture
def _without_retrohunt(hook) -> None:
    """Skip the test on a live server with retrohunt."""
    try:
        hook.search_retrohunts("*")
    except InvalidRequestError:
        return
    pytest.skip("this server has retrohunt")


@pytest.mark.usefixtures("_without_retrohunt")
def test_a_server_without_retrohunt_is_a_clear_error(hook, run_flow):
    for flow in (
        starts.start(RULE, {"description": "a test"}),
        retrohunts.get("nosuch"),
        retrohunts.search("*"),
        retrohunts.list_hits("nosuch"),
        retrohunts.list_errors("nosuch"),
        retrohunts.count_types("nosuch"),
        starts.repeat("nosuch", "TLP:C"),
    ):
        with pytest.raises(InvalidRequestError, match="retrohunt is not enabled on this server"):
            run_flow(hook, flow)


@pytest.mark.usefixtures("_without_retrohunt")
def test_a_server_without_an_archive_is_a_clear_error(hook, run_flow):
    sid = hook.submit(upload("nothing"), {})["sid"]
    with pytest.raises(InvalidRequestError, match="the archive is not enabled on this server"):
        run_flow(hook, archive.add_submission(sid))


def test_a_missing_submission_is_not_archived(hook, run_flow):
    with pytest.raises(NotFoundError, match=MISSING_SID):
        run_flow(hook, archive.add_submission(MISSING_SID))
