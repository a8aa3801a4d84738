"""Settings and quotas of the user."""

from __future__ import annotations

import pytest

from tests.sandbox.assemblyline.api import FULL_KEY


@pytest.fixture
def change_settings(call):
    return lambda **settings: call("POST", "user/settings/admin/", FULL_KEY, json=settings)


@pytest.fixture
def get_settings(call):
    return lambda: call("GET", "user/settings/admin/").response


@pytest.mark.parametrize("quotas", [{}, {"daily_api_calls": 1}])
def test_a_quota_of_0_means_unlimited_or_exhausted(served, call, quotas):
    served.seed({"quotas": quotas})
    call("GET", "user/whoami/")
    assert call("GET", "user/quotas/admin/").response == {"daily_api": 0, "daily_submission": 0}


@pytest.mark.parametrize("user", ["__CURRENT__", "user"])
def test_the_path_must_contain_the_name_of_the_user(call, user):
    for path in ("settings", "quotas"):
        status, message = call("GET", f"user/{path}/{user}/").error
        assert status == 403
        assert "You are not allowed to view settings for another user then yourself." in message


def test_missing_settings_are_kept_and_missing_profiles_are_reset(change_settings, get_settings):
    profiles = {"static": {"ttl": 5}}
    reply = change_settings(default_zip_password="a", expand_min_score=7, submission_profiles=profiles)
    assert reply.response == {"success": True}
    assert get_settings()["submission_profiles"]["static"]["ttl"] == 5
    change_settings(default_zip_password="a")
    assert (get_settings()["expand_min_score"], get_settings()["submission_profiles"]["static"]["ttl"]) == (7, 30)


def test_a_password_is_required(change_settings):
    assert change_settings().error == (403, "Encryption password can't be empty.")


def test_unknown_settings_and_profiles_are_ignored(change_settings, get_settings):
    assert change_settings(default_zip_password="a", preferred_submission_profile="nosuch", nosuch=1).status == 200
    assert get_settings()["preferred_submission_profile"] == "default"


def test_an_unknown_encoding_is_rejected(change_settings):
    reply = change_settings(default_zip_password="a", download_encoding="tar")
    assert reply.status == 400
    assert reply.message.startswith("[download_encoding] tar not in the possible values: {")
