"""The user's account, quotas and settings."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline.api.account import account, settings
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import InvalidRequestError, PermissionDeniedError
from self_hosted.core.http.flow import Secret
from tests.assemblyline.flows import BANDS, reply, result_of

SETTINGS = {
    "default_zip_password": "secret",
    "expand_min_score": 500,
    "preferred_submission_profile": "default",
    "services": [{"name": "Static Analysis"}],
    "submission_profiles": {"default": {"ttl": 30, "priority": 1000}, "static": {"ttl": 30}},
}


def user(**more):
    submission = {"max_file_size": 100, "max_dtl": 0, "verdicts": BANDS}
    return {
        "username": "eva",
        "name": "Eva",
        "email": "eva@example.com",
        "type": ["user"],
        "roles": ["submission_view"],
        "groups": [],
        "classification": "TLP:C",
        "avatar": "...",
        "api_daily_quota": 1000,
        "submission_daily_quota": 0,
        "configuration": {"submission": submission, "ui": {"enforce_quota": True}},
        "settings": SETTINGS,
        **more,
    }


@pytest.fixture
def full(served, connect):
    """A hook with an extended API key."""
    return AssemblylineHook(connect("full", served.connection(extra={"api_key": "full:full-secret"})))


def test_the_account_contains_user_roles_limits_and_profiles():
    result, _ = result_of(account.get(), reply(user()))
    assert result == {
        "username": "eva",
        "name": "Eva",
        "email": "eva@example.com",
        "type": ["user"],
        "roles": ["submission_view"],
        "groups": [],
        "classification": "TLP:C",
        "version": "4.7.4.25",
        "verdicts": BANDS,
        "limits": {"max_file_size": 100, "max_dtl": None, "daily_api": 1000, "daily_submission": None},
        "profiles": ["default", "static"],
    }


@pytest.mark.parametrize(("left", "expected"), [(0, 0), (7, 7)])
def test_no_limit_differs_from_a_used_up_quota(left, expected):
    result, (_, request) = result_of(
        account.get_quotas(), reply(user()), reply({"daily_api": left, "daily_submission": 0})
    )
    assert result == {
        "daily_api": {"limit": 1000, "left": expected},
        "daily_submission": {"limit": None, "left": None},
    }
    assert request.path == "/api/v4/user/quotas/eva/"


def test_quotas_that_are_not_enforced_have_no_limit():
    free = user(configuration={**user()["configuration"], "ui": {"enforce_quota": False}})
    result, _ = result_of(account.get_quotas(), reply(free), reply({"daily_api": 1000, "daily_submission": 0}))
    assert result["daily_api"] == {"limit": None, "left": None}


def test_calls_reduce_the_quota(served, hook):
    served.seed({"quotas": {"daily_api_calls": 10}})
    assert hook.get_quotas()["daily_api"] == {"limit": 10, "left": 9}
    hook.search_submissions("*")
    assert hook.get_quotas()["daily_api"] == {"limit": 10, "left": 7}


# Settings


def test_the_settings_do_not_contain_the_password(hook):
    settings = hook.get_user_settings()
    assert settings["expand_min_score"] == 500
    assert "default_zip_password" not in settings
    assert "services" not in settings


def test_an_update_sends_everything_that_the_server_would_reset():
    changes = {"expand_min_score": 1, "submission_profiles": {"static": {"ttl": 5}}}
    result, (_, sent) = result_of(settings.update(changes), reply(user()), reply({"success": True}))
    assert (sent.method, sent.path, sent.is_idempotent) == ("POST", "/api/v4/user/settings/eva/", True)
    assert sent.json == {
        "default_zip_password": "secret",
        "expand_min_score": 1,
        "preferred_submission_profile": "default",
        "submission_profiles": {"default": {"ttl": 30, "priority": 1000}, "static": {"ttl": 5}},
    }
    assert result == {name: value for name, value in sent.json.items() if name != "default_zip_password"}


def test_a_new_password_is_masked_before_it_is_sent():
    flow = settings.update({"default_zip_password": "open sesame"})
    assert next(flow) == Secret("open sesame")


def test_an_update_keeps_other_settings_and_profiles(full):
    full.update_user_settings({"submission_profiles": {"default": {"ttl": 7}}, "download_encoding": "zip"})
    full.update_user_settings({"expand_min_score": 300})
    settings = full.get_user_settings()
    assert (settings["expand_min_score"], settings["download_encoding"]) == (300, "zip")
    assert settings["submission_profiles"]["default"]["ttl"] == 7
    assert full.get_submission_profile("default")["ttl"] == 7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expand_score": 1}, "unknown settings expand_score; valid are default_external"),
        ({"preferred_submission_profile": "nosuch"}, "the user has no profile nosuch; valid are default, static"),
        ({"submission_profiles": {"nosuch": {}}}, "the user has no profile nosuch"),
    ],
)
def test_changes_that_the_server_would_ignore_are_rejected_before_anything_is_sent(changes, message):
    flow = settings.update(changes)
    next(flow)
    with pytest.raises(ValueError, match=message):
        flow.send(reply(user()))


def test_the_servers_message_explains_a_rejected_value(full):
    with pytest.raises(InvalidRequestError, match="tar not in the possible values"):
        full.update_user_settings({"download_encoding": "tar"})


def test_settings_require_an_extended_api_key(hook):
    with pytest.raises(PermissionDeniedError, match="self_manage"):
        hook.update_user_settings({"expand_min_score": 1})
