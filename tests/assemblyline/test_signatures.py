"""Signatures and their sources."""

from __future__ import annotations

import zipfile

import pytest

from self_hosted.assemblyline.api import signatures
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import NotFoundError, PermissionDeniedError
from self_hosted.core.tasks.storage import atomic_writer
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
    """A hook with an extended API key, on a server with a signature and a source."""
    served.seed({"signatures": {"signatures": [{**RULE, "status": "NOISY"}], "sources": {"YARA": [dict(SOURCE)]}}})
    return AssemblylineHook(connect("full", served.connection(extra={"api_key": "full:full-secret"})))


def test_a_signature_is_found_by_id_and_by_search(full):
    assert full.get_signature(ID)["data"] == "rule evil {}"
    assert [found["id"] for found in full.search_signatures("type:yara AND status:NOISY")] == [ID]
    assert full.search_signatures("status:DEPLOYED") == []
    assert [stats["id"] for stats in full.get_signature_stats()] == [ID]


def test_a_status_is_changed_once(full):
    assert full.set_signature_status(ID, "DEPLOYED") == {"id": ID, "status": "DEPLOYED", "before": "NOISY"}
    assert full.get_signature(ID)["status"] == "DEPLOYED"
    _, requests = result_of(signatures.set_status(ID, "DEPLOYED"), reply({"status": "DEPLOYED"}))
    assert [request.path for request in requests] == [f"/api/v4/signature/{ID}/"]


def test_a_deployed_signature_disables_others_with_the_same_name(served, full):
    served.seed({"signatures": {"signatures": [{**RULE, "source": "own", "status": "DEPLOYED"}]}})
    full.set_signature_status(ID, "DEPLOYED")
    assert full.get_signature("yara_own_evil")["status"] == "DISABLED"


@pytest.mark.parametrize(
    ("before", "status", "message"),
    [
        ("NOISY", "deployed", "status must be one of DEPLOYED, NOISY"),
        ("NOISY", "STAGING", "is NOISY and can only become DEPLOYED or NOISY or DISABLED, not STAGING"),
        ("INVALID", "DEPLOYED", "is INVALID and can only become STAGING or TESTING"),
    ],
)
def test_a_status_that_the_server_fails_on_is_rejected(served, full, before, status, message):
    served.seed({"signatures": {"signatures": [{**RULE, "status": before}]}})
    with pytest.raises(ValueError, match=message):
        full.set_signature_status(ID, status)


def test_an_unknown_signature_is_not_found(full):
    with pytest.raises(NotFoundError, match=r"Signature not found. \(nosuch\)"):
        full.set_signature_status("nosuch", "NOISY")


def test_a_status_requires_the_role_signature_manage(full, hook):
    with pytest.raises(PermissionDeniedError, match="signature_manage"):
        hook.set_signature_status(ID, "DEPLOYED")


def test_sources_are_listed_without_secrets(full):
    sources = full.list_signature_sources()
    assert sources == {"YARA": [{"name": "community", "uri": "https://example.com/rules.git", "enabled": True}]}
    assert "secret" not in str(sources)


def test_a_source_is_disabled_once(full):
    changed = {"service": "YARA", "name": "community", "enabled": False, "changed": True}
    assert full.set_signature_source_enabled("YARA", "community", enabled=False) == changed
    assert full.set_signature_source_enabled("YARA", "community", enabled=False) == {**changed, "changed": False}


def test_all_or_some_sources_are_updated(full):
    assert full.update_signature_sources("YARA") == ["community"]
    assert full.update_signature_sources("YARA", ["community"]) == ["community"]
    assert full.list_signature_sources()["YARA"][0]["status"]["state"] == "UPDATING"


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        (lambda: signatures.update_sources("YARA", ["community", "nosuch"]), "source nosuch; it has community"),
        (lambda: signatures.update_sources("NoService"), "source at all; it has none"),
        (lambda: signatures.set_source_enabled("YARA", "nosuch"), "source nosuch; it has community"),
    ],
)
def test_an_unknown_source_is_not_found(full, flow, message):
    with pytest.raises(NotFoundError, match=f"has no signature {message}"):
        full.run(flow())


def test_rules_are_downloaded_as_an_archive(full, tmp_path):
    path = tmp_path / "rules.zip"
    full.download_signatures(lambda: atomic_writer(str(path)), query="type:yara")
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["yara/community"]
        assert archive.read("yara/community") == b"rule evil {}"
