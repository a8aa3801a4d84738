"""Signatures and their sources."""

from __future__ import annotations

import zipfile

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.errors import Forbidden, NotFound
from self_hosted.core.storage import written
from tests.assemblyline.flows import reply, result_of

RULE = {"type": "yara", "source": "community", "signature_id": "evil", "name": "evil", "data": "rule evil {}"}
ID = "yara_community_evil"
SOURCE = {
    "name": "community",
    "uri": "https://eva:token@example.com/rules.git",
    "password": "secret",
    "private_key": "secret",
    "headers": [{"name": "X-Token", "value": "secret"}],
    "enabled": True,
}


@pytest.fixture
def full(served, connect):
    """A hook whose API key has all rights, on a server with a signature and a source."""
    served.seed({"signatures": {"signatures": [{**RULE, "status": "NOISY"}], "sources": {"YARA": [dict(SOURCE)]}}})
    return AssemblylineHook(connect("full", served.connection(extra={"api_key": "full:full-secret"})))


def test_a_signature_is_found_by_its_id_and_by_a_search(full):
    assert full.signature(ID)["data"] == "rule evil {}"
    assert [found["id"] for found in full.search_signatures("type:yara AND status:NOISY")] == [ID]
    assert full.search_signatures("status:DEPLOYED") == []
    assert [one["id"] for one in full.signature_stats()] == [ID]


def test_a_status_is_changed_once(full):
    assert full.change_signature_status(ID, "DEPLOYED") == {"id": ID, "status": "DEPLOYED", "before": "NOISY"}
    assert full.signature(ID)["status"] == "DEPLOYED"
    _, requests = result_of(api.change_signature_status(ID, "DEPLOYED"), reply({"status": "DEPLOYED"}))
    assert [request.path for request in requests] == [f"/api/v4/signature/{ID}/"]


def test_deploying_one_disables_others_of_the_same_name(served, full):
    served.seed({"signatures": {"signatures": [{**RULE, "source": "own", "status": "DEPLOYED"}]}})
    full.change_signature_status(ID, "DEPLOYED")
    assert full.signature("yara_own_evil")["status"] == "DISABLED"


@pytest.mark.parametrize(
    ("before", "status", "words"),
    [
        ("NOISY", "deployed", "status must be one of DEPLOYED, NOISY"),
        ("NOISY", "STAGING", "is NOISY and can become DEPLOYED or NOISY or DISABLED only, not STAGING"),
        ("INVALID", "DEPLOYED", "is INVALID, and can become STAGING or TESTING only"),
    ],
)
def test_what_the_server_fails_on_is_refused_in_words(served, full, before, status, words):
    served.seed({"signatures": {"signatures": [{**RULE, "status": before}]}})
    with pytest.raises(ValueError, match=words):
        full.change_signature_status(ID, status)


def test_an_unknown_signature_is_not_found(full):
    with pytest.raises(NotFound, match=r"Signature not found. \(nosuch\)"):
        full.change_signature_status("nosuch", "NOISY")


def test_changing_is_for_who_manages_signatures(full, hook):
    with pytest.raises(Forbidden, match="signature_manage"):
        hook.change_signature_status(ID, "DEPLOYED")


def test_sources_are_told_without_their_secrets(full):
    sources = full.signature_sources()
    assert sources == {"YARA": [{"name": "community", "uri": "https://example.com/rules.git", "enabled": True}]}
    assert "secret" not in str(sources)


def test_a_source_is_disabled_once(full):
    changed = {"service": "YARA", "name": "community", "enabled": False, "changed": True}
    assert full.enable_signature_source("YARA", "community", enabled=False) == changed
    assert full.enable_signature_source("YARA", "community", enabled=False) == {**changed, "changed": False}


def test_sources_are_updated_all_or_some(full):
    assert full.update_signature_sources("YARA") == ["community"]
    assert full.update_signature_sources("YARA", ["community"]) == ["community"]
    assert full.signature_sources()["YARA"][0]["status"]["state"] == "UPDATING"


@pytest.mark.parametrize(
    "flow",
    [
        lambda: api.update_signature_sources("YARA", ["community", "nosuch"]),
        lambda: api.update_signature_sources("NoService"),
        lambda: api.enable_signature_source("YARA", "nosuch"),
    ],
)
def test_an_unknown_source_is_not_found(full, flow):
    with pytest.raises(NotFound, match="has no signature source"):
        full.run(flow())


def test_rules_are_downloaded_as_an_archive(full, tmp_path):
    path = tmp_path / "rules.zip"
    full.download_signatures(lambda: written(str(path)), query="type:yara")
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["yara/community"]
        assert archive.read("yara/community") == b"rule evil {}"
