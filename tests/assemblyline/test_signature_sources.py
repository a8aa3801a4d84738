"""Sources of signatures: add, change, enable and remove them."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from self_hosted.assemblyline.api.signatures import fetches, source_changes, sources
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import ConflictError, NotFoundError, OutcomeUnknownError
from self_hosted.core.http.flow import Request, Secret
from tests.assemblyline.flows import reply, result_of
from tests.assemblyline.signature_sets import ID, RULE, SOURCE

DEFINITION = {"UNRESTRICTED": "TLP:C", "levels_aliases": {}, "levels_map_lts": {"TLP:CLEAR": "TLP:C"}}
LOST = OutcomeUnknownError("the response was lost")
NEW = {"uri": "https://example.com/a.git", "pattern": r".*\.yar", "update_interval": "60", "sync": "true"}


@pytest.fixture
def full(served, connect):
    """A hook with an extended API key, on a server with a source and its signature."""
    rules = {"signatures": [{**RULE, "status": "NOISY"}], "sources": {"YARA": [dict(SOURCE)]}}
    served.seed({"signatures": rules})
    return AssemblylineHook(connect("full", served.connection(extra={"api_key": "full:full-secret"})))


def stored(served, name="community"):
    """Return a source as the server stores it."""
    found = served.product.state["signatures"]["sources"]["YARA"]
    return next(source for source in found if source["name"] == name)


def listed(*found, **of_service):
    return reply({"YARA": {"sources": list(found), **of_service}})


def test_sources_are_listed_without_secrets(full):
    [source] = full.list_signature_sources()["YARA"]
    assert (source["uri"], source["status"]["state"]) == ("https://example.com/rules.git", "UNKNOWN")
    assert "secret" not in str(source)


def test_a_source_without_an_address_is_listed():
    assert result_of(sources.list_all(), listed({"name": "a"}))[0] == {"YARA": [{"name": "a", "uri": ""}]}


def test_a_source_is_disabled_once(full):
    changed = {"service": "YARA", "name": "community", "enabled": False, "changed": True}
    assert full.set_signature_source_enabled("YARA", "community", enabled=False) == changed
    assert full.set_signature_source_enabled("YARA", "community", enabled=False) == {**changed, "changed": False}


def test_a_source_is_added_once(served, full):
    added = full.set_signature_source("YARA", "own", NEW)
    assert added == {"service": "YARA", "name": "own", "op": "added", "changed": sorted(NEW)}
    source = stored(served, "own")
    assert (source["update_interval"], source["sync"], source["default_classification"]) == (60, True, "TLP:C")
    assert full.set_signature_source("YARA", "own", NEW)["op"] == "unchanged"


def test_the_settings_that_are_not_given_keep_their_values(served, full):
    settings = {"git_branch": "main", "enabled": True, "default_classification": "tlp:clear", "proxy": ""}
    changed = full.set_signature_source("YARA", "community", settings)
    assert (changed["op"], changed["changed"]) == ("updated", ["git_branch"])
    source = stored(served)
    assert (source["git_branch"], source["password"], source["uri"]) == ("main", SOURCE["password"], SOURCE["uri"])
    assert "update_interval" not in source  # it still follows the service


def test_secrets_of_sources_are_masked(full, caplog):
    caplog.set_level(logging.DEBUG)
    settings = {"password": "another-one", "private_key": "a key", "headers": '[{"name": "X", "value": "1"}]'}
    flow: Any = source_changes.set_source("YARA", "community", settings)
    steps = [next(flow)]
    for answer in (None, None, listed({**SOURCE, "headers": None}), reply(DEFINITION), None, None):
        steps.append(flow.send(answer))
    masked = [step.value for step in steps if isinstance(step, Secret)]
    assert masked == ["another-one", "a key", "top-secret", "top-secret"]
    full.set_signature_source("YARA", "community", settings)
    assert "another-one" not in caplog.text


def test_a_source_without_a_classification_cannot_be_changed(served, full):
    served.seed({"signatures": {"sources": {"YARA": [{"name": "old", "uri": "https://a"}]}}})
    with pytest.raises(ConflictError, match="old of YARA was added without a default_classification"):
        full.set_signature_source("YARA", "old", {"sync": True})


def test_the_interval_of_the_source_itself_is_kept():
    found = {**SOURCE, "update_interval": 300, "status": {"state": "DONE"}}
    flow: Any = source_changes.set_source("YARA", "community", {"sync": True})
    flow.send(None)
    flow.send(listed(found, update_interval_seconds=600))
    step = flow.send(reply(DEFINITION))
    while isinstance(step, Secret):
        step = flow.send(None)
    assert isinstance(step, Request)
    assert step.json["update_interval"] == 300
    assert step.json["sync"] is True
    assert "status" not in step.json


def test_an_added_source_is_found_if_the_response_was_lost():
    body = {"name": "own", "uri": "https://a", "override_classification": False, "default_classification": "TLP:C"}
    replies = (listed(), reply(DEFINITION), LOST)
    outcome, _ = result_of(source_changes.set_source("YARA", "own", {"uri": "https://a"}), *replies, listed(body))
    assert outcome["op"] == "added"
    other = {**body, "uri": "https://b"}
    with pytest.raises(ConflictError, match="YARA has another signature source own"):
        result_of(source_changes.set_source("YARA", "own", {"uri": "https://a"}), *replies, listed(other))


def test_a_source_is_added_again_if_there_is_no_effect():
    flow = source_changes.set_source("YARA", "own", {"uri": "https://a"})
    lost = (listed(), reply(DEFINITION), LOST, *[listed()] * 7)
    outcome, _ = result_of(flow, *lost, reply({"success": True}))
    assert outcome["op"] == "added"


def test_a_source_is_removed_with_its_signatures(full):
    assert full.remove_signature_source("YARA", "community") is True
    assert full.remove_signature_source("YARA", "community") is False
    with pytest.raises(NotFoundError):
        full.get_signature(ID)


def test_a_removal_whose_response_was_lost_is_recognized():
    replies = (listed(SOURCE), LOST)
    assert result_of(sources.remove_source("YARA", "community"), *replies, listed())[0] is True
    with pytest.raises(OutcomeUnknownError):
        result_of(sources.remove_source("YARA", "community"), *replies, *[listed(SOURCE)] * 5)


@pytest.mark.parametrize(
    "flow", [lambda: source_changes.set_source("Nope", "a", NEW), lambda: sources.remove_source("Nope", "a")]
)
def test_a_service_without_sources_is_not_found(full, flow):
    with pytest.raises(NotFoundError, match="'Nope' is no service with signature sources; there are YARA"):
        full.run(flow())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "https://a"}, "settings: unknown url; valid are ca_cert"),
        ({"uri": "example"}, "settings: uri must start like https://example.com or git@example.com:"),
        ({"uri": 5}, "settings: uri must be a text, not int"),
        ({"pattern": "("}, "settings: pattern must be a regular expression"),
        ({"enabled": "perhaps"}, "settings: enabled"),
        ({"update_interval": 0}, "settings: update_interval"),
        ({"fetch_method": "PUT"}, "settings: fetch_method must be one of GET, POST, GIT"),
        ({"headers": {"X": "y"}}, "settings: headers must be a list of"),
        ({"headers": [{"name": "X", "value": 1}]}, "settings: headers must be a list of"),
        ({"configuration": "x"}, "settings: configuration must be a dictionary"),
        ("uri", "settings must be a dictionary, not str"),
    ],
)
def test_settings_that_the_server_would_drop_or_convert_are_rejected(settings, message):
    with pytest.raises(ValueError, match=message):
        next(source_changes.set_source("YARA", "own", settings))


@pytest.mark.parametrize(("name", "settings"), [("my-rules", NEW), ("own", {"pattern": "x"})])
def test_an_incomplete_new_source_is_rejected(full, name, settings):
    with pytest.raises(ValueError, match=r"name must consist of letters|uri is missing; YARA has no source own yet"):
        full.set_signature_source("YARA", name, settings)


def test_a_key_of_git_is_accepted(served, full):
    full.set_signature_source("YARA", "own", {"uri": "git@example.com:a/b.git", "private_key": "key"})
    assert stored(served, "own")["private_key"] == "key\n"
    assert full.set_signature_source("YARA", "own", {"private_key": "key"})["op"] == "unchanged"


def test_all_or_some_sources_are_fetched(served, full):
    served.seed({"signatures": {"fetch_seconds": 3600}})
    assert full.fetch_signature_sources("YARA") == ["community"]
    assert full.fetch_signature_sources("YARA", ["community"]) == ["community"]
    assert full.get_signature_source_statuses()["YARA"]["community"]["state"] == "UPDATING"


def test_disabled_sources_are_not_fetched(full):
    full.set_signature_source("YARA", "own", {**NEW, "enabled": False})
    assert full.fetch_signature_sources("YARA") == ["community"]
    with pytest.raises(ValueError, match="disabled sources of YARA are not fetched: own"):
        full.fetch_signature_sources("YARA", ["own", "community"])
    full.set_signature_source_enabled("YARA", "community", enabled=False)
    with pytest.raises(ValueError, match="not fetched: community, own"):
        full.fetch_signature_sources("YARA")


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        (lambda: fetches.fetch("YARA", ["community", "nosuch"]), "source nosuch; it has community"),
        (lambda: fetches.fetch("NoService"), "source at all; it has none"),
        (lambda: sources.set_enabled("YARA", "nosuch"), "source nosuch; it has community"),
    ],
)
def test_an_unknown_source_is_not_found(full, flow, message):
    with pytest.raises(NotFoundError, match=f"has no signature {message}"):
        full.run(flow())


def test_a_message_of_the_updater_has_no_credential():
    status = {"state": "ERROR", "message": "fatal: https://eva:token@example.com/\x1b[0m not found", "ts": None}
    found, _ = result_of(fetches.get_statuses(), listed({"name": "a", "status": status}, {"name": "b"}))
    message = "fatal: https://example.com/[0m not found"
    assert found["YARA"] == {"a": {"state": "ERROR", "message": message, "ts": ""}}
