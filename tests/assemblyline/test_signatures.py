"""Signatures: find them, set their status, delete and download them."""

from __future__ import annotations

import zipfile

import pytest

from self_hosted.assemblyline.api.signatures import signatures, statuses
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import NotFoundError, PermissionDeniedError, ServerError
from self_hosted.core.tasks.storage import atomic_writer
from tests.assemblyline.flows import reply, result_of
from tests.assemblyline.signature_sets import ID, RULE


@pytest.fixture
def full(served, connect):
    """A hook with an extended API key, on a server with a signature."""
    served.seed({"signatures": {"signatures": [{**RULE, "status": "NOISY"}]}})
    return AssemblylineHook(connect("full", served.connection(extra={"api_key": "full:full-secret"})))


def test_a_signature_is_found_by_id_and_by_search(full):
    assert full.get_signature(ID)["data"] == "rule evil {}"
    assert [found["id"] for found in full.search_signatures("type:yara AND status:NOISY")] == [ID]
    assert full.search_signatures("status:DEPLOYED") == []
    assert [stats["id"] for stats in full.get_signature_stats()] == [ID]


def test_a_status_is_changed_once(full):
    assert full.set_signature_status(ID, "DEPLOYED") == {"id": ID, "status": "DEPLOYED", "before": "NOISY"}
    assert full.get_signature(ID)["status"] == "DEPLOYED"
    _, requests = result_of(statuses.set_status(ID, "DEPLOYED"), reply({"status": "DEPLOYED"}))
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


def test_rules_are_downloaded_as_an_archive(full, tmp_path):
    path = tmp_path / "rules.zip"
    full.download_signatures(lambda: atomic_writer(str(path)), query="type:yara")
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["yara/community"]
        assert archive.read("yara/community") == b"rule evil {}"


def test_many_statuses_are_set_once(served, full):
    served.seed({"signatures": {"signatures": [{**RULE, "signature_id": "b", "name": "b", "status": "DEPLOYED"}]}})
    ids = [ID, "yara_community_b", ID]
    assert full.set_signature_statuses(ids, "DEPLOYED") == {"changed": [ID], "unchanged": ["yara_community_b"]}
    assert full.set_signature_statuses(ids, "DEPLOYED")["changed"] == []


def test_all_signatures_are_checked_before_one_changes(served, full):
    served.seed({"signatures": {"signatures": [{**RULE, "signature_id": "b", "name": "b", "status": "INVALID"}]}})
    with pytest.raises(ValueError, match="yara_community_b is INVALID and can only become STAGING"):
        full.set_signature_statuses([ID, "yara_community_b"], "DEPLOYED")
    with pytest.raises(NotFoundError, match="nosuch"):
        full.set_signature_statuses([ID, "nosuch"], "DEPLOYED")
    assert full.get_signature(ID)["status"] == "NOISY"


def test_two_signatures_with_the_same_id_cannot_both_be_deployed(served, full):
    served.seed({"signatures": {"signatures": [{**RULE, "source": "own", "status": "NOISY"}]}})
    ids = [ID, "yara_own_evil"]
    with pytest.raises(ValueError, match=f"{ID} and yara_own_evil have the same id; only one can be DEPLOYED"):
        full.set_signature_statuses(ids, "DEPLOYED")
    assert full.set_signature_statuses(ids, "DISABLED")["changed"] == ids


def test_a_change_that_is_not_stored_is_an_error():
    with pytest.raises(ServerError, match="did not store the change"):
        result_of(statuses.set_status(ID, "NOISY"), reply({"status": "DEPLOYED"}), reply({"success": False}))


def test_the_ids_of_all_matching_signatures_are_listed(served, full):
    served.seed({"signatures": {"signatures": [{**RULE, "source": "own", "status": "NOISY"}]}})
    assert full.list_signature_ids("status:NOISY", 2) == [ID, "yara_own_evil"]
    with pytest.raises(ValueError, match=r"matches 2 signatures, more than max_items \(1\)"):
        full.list_signature_ids("status:NOISY", 1)


def test_a_signature_is_deleted_once(full):
    assert full.delete_signature(ID) == "deleted"
    assert full.delete_signature(ID) == "absent"


def test_a_deletion_whose_response_was_lost_is_no_error():
    missing = NotFoundError("Signature not found")
    assert result_of(signatures.delete(ID), reply({"status": "NOISY"}), missing)[0] == "deleted"
