"""Who the credential belongs to, what is left of its quotas, and its user's settings."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.errors import Forbidden, Invalid
from self_hosted.core.flow import Secret
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
    """A hook whose API key has all rights."""
    return AssemblylineHook(connect("full", served.connection(extra={"api_key": "full:full-secret"})))


def test_who_am_i_names_user_rights_limits_and_profiles():
    result, _ = result_of(api.whoami(), reply(user()))
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
def test_no_limit_is_told_from_one_that_is_used_up(left, expected):
    result, (_, asked) = result_of(api.quotas(), reply(user()), reply({"daily_api": left, "daily_submission": 0}))
    assert result == {
        "daily_api": {"limit": 1000, "left": expected},
        "daily_submission": {"limit": None, "left": None},
    }
    assert asked.path == "/api/v4/user/quotas/eva/"


def test_where_quotas_are_not_enforced_there_is_no_limit():
    free = user(configuration={**user()["configuration"], "ui": {"enforce_quota": False}})
    result, _ = result_of(api.quotas(), reply(free), reply({"daily_api": 1000, "daily_submission": 0}))
    assert result["daily_api"] == {"limit": None, "left": None}


def test_calls_use_up_the_quota(served, hook):
    served.seed({"quotas": {"daily_api_calls": 10}})
    assert hook.quotas()["daily_api"] == {"limit": 10, "left": 9}
    hook.search_submissions("*")
    assert hook.quotas()["daily_api"] == {"limit": 10, "left": 7}


# Settings


def test_settings_are_shown_without_the_password(hook):
    settings = hook.user_settings()
    assert settings["expand_min_score"] == 500
    assert "default_zip_password" not in settings
    assert "services" not in settings


def test_a_change_sends_all_that_the_server_would_reset():
    changes = {"expand_min_score": 1, "submission_profiles": {"static": {"ttl": 5}}}
    result, (_, sent) = result_of(api.change_user_settings(changes), reply(user()), reply({"success": True}))
    assert (sent.method, sent.path, sent.may_be_repeated) == ("POST", "/api/v4/user/settings/eva/", True)
    assert sent.json == {
        "default_zip_password": "secret",
        "expand_min_score": 1,
        "preferred_submission_profile": "default",
        "submission_profiles": {"default": {"ttl": 30, "priority": 1000}, "static": {"ttl": 5}},
    }
    assert result == {name: value for name, value in sent.json.items() if name != "default_zip_password"}


def test_a_new_password_is_hidden_from_logs_before_it_is_sent():
    flow = api.change_user_settings({"default_zip_password": "open sesame"})
    assert next(flow) == Secret("open sesame")


def test_a_change_leaves_other_settings_and_profiles_as_they_are(full):
    full.change_user_settings({"submission_profiles": {"default": {"ttl": 7}}, "download_encoding": "zip"})
    full.change_user_settings({"expand_min_score": 300})
    settings = full.user_settings()
    assert (settings["expand_min_score"], settings["download_encoding"]) == (300, "zip")
    assert settings["submission_profiles"]["default"]["ttl"] == 7
    assert full.submission_profile("default")["ttl"] == 7


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"expand_score": 1}, "there is no setting expand_score; there are default_external"),
        ({"preferred_submission_profile": "nosuch"}, "the user has no profile nosuch; there are default, static"),
        ({"submission_profiles": {"nosuch": {}}}, "the user has no profile nosuch"),
    ],
)
def test_what_the_server_would_ignore_is_refused_before_anything_is_changed(changes, words):
    flow = api.change_user_settings(changes)
    next(flow)
    with pytest.raises(ValueError, match=words):
        flow.send(reply(user()))


def test_a_value_that_the_server_does_not_take_is_its_own_error(full):
    with pytest.raises(Invalid, match="tar not in the possible values"):
        full.change_user_settings({"download_encoding": "tar"})


def test_settings_are_changed_by_extended_keys_only(hook):
    with pytest.raises(Forbidden, match="self_manage"):
        hook.change_user_settings({"expand_min_score": 1})
