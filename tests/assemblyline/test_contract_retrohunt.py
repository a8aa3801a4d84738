"""What must hold of retrohunts and the archive: on the stand-in, and on a real server that has them switched off."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.errors import Invalid, NotFound
from tests.assemblyline.conftest import upload

RULE = 'rule test { strings: $a = "nosuch" condition: $a }'
NO_SUCH = "0123456789abcdefABCDEF"


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


@pytest.fixture
def is_off(hook) -> None:
    """A real server may have them; this is about those that do not."""
    try:
        hook.search_retrohunts("*")
    except Invalid:
        return
    pytest.skip("this server has retrohunt")


@pytest.mark.usefixtures("is_off")
def test_a_server_without_retrohunt_is_told_by_one_sentence(hook, ask):
    for flow in (
        api.start_retrohunt(RULE, {"description": "a test"}),
        api.retrohunt("nosuch"),
        api.search_retrohunts("*"),
        api.retrohunt_hits("nosuch"),
        api.retrohunt_errors("nosuch"),
        api.retrohunt_types("nosuch"),
        api.repeat_retrohunt("nosuch", "TLP:C"),
    ):
        with pytest.raises(Invalid, match="retrohunt is not enabled on this server"):
            ask(hook, flow)


@pytest.mark.usefixtures("is_off")
def test_a_server_without_an_archive_is_told_by_one_sentence(hook, ask):
    sid = hook.submit(upload("nothing"), {})["sid"]
    with pytest.raises(Invalid, match="the archive is not enabled on this server"):
        ask(hook, api.archive_submission(sid))


def test_what_is_not_there_is_not_archived(hook, ask):
    with pytest.raises(NotFound, match=NO_SUCH):
        ask(hook, api.archive_submission(NO_SUCH))
