"""The operators that change the badlist and the safelist, against the sandbox."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.api.lists import schema
from self_hosted.assemblyline.operators import (
    AssemblylineAddToListOperator,
    AssemblylineEnableListEntryOperator,
    AssemblylineRemoveFromListOperator,
)
from self_hosted.core.tasks.operator import LINK_KEY
from tests.context import context

SHA256, MD5, TLSH = "ab" * 32, "cd" * 16, f"T1{'AB' * 35}"
TAG = "network.static.domain"
TASK = "Airflow DAG dag, task task"


def run(operator, task_context=None, **arguments):
    task = operator(task_id="task", **{"list_name": "badlist", **arguments})
    return task.execute(task_context or context(task))


def add(**arguments):
    return run(AssemblylineAddToListOperator, **{"reason": "a test", **arguments})


@pytest.mark.parametrize("list_name", schema.LIST_NAMES)
def test_files_and_tags_are_added_once(served, hook, conn_id, list_name):
    arguments = {"hashes": [SHA256, MD5], "tags": {TAG: ["Evil.Example", "b.example"]}, "list_name": list_name}
    result = add(**arguments)
    expected = {"list_name": list_name, "disabled": [], "url": f"{served.base_url}/manage/{list_name}"}
    assert result == {**expected, "added": 4, "updated": 0, "unchanged": 0}
    assert add(**arguments) == {**expected, "added": 0, "updated": 0, "unchanged": 4}
    entry = hook.get_list_entry(list_name, MD5)
    assert entry["sources"] == [
        {"name": "admin", "type": "user", "reason": ["a test", TASK], "classification": "TLP:C"},
    ]


def test_an_external_source_is_added_under_its_own_name(hook, conn_id):
    attribution = {"family": "emotet"}
    add(hashes=SHA256, source="feed", classification="TLP:C", attribution=attribution, dtl="3", reason=["a", "b"])
    entry = hook.get_list_entry("badlist", SHA256)
    assert entry["sources"] == [
        {"name": "feed", "type": "external", "reason": ["a", "b", TASK], "classification": "TLP:C"},
    ]
    assert entry["attribution"]["family"] == ["EMOTET"]
    assert entry["expiry_ts"]
    assert add(hashes=SHA256, source="feed", classification="TLP:C", reason="a")["updated"] == 1


def test_mappings_may_be_rendered_by_a_template(hook, conn_id):
    assert add(tags=f"{{'{TAG}': ['evil.example']}}", attribution='{"family": "emotet"}')["added"] == 1
    [entry] = hook.search("badlist", {"query": "*", "fl": "*"})
    assert (entry["tag"]["value"], entry["attribution"]["family"]) == ("evil.example", ["EMOTET"])


def test_a_disabled_entry_stays_disabled_and_is_reported(hook, conn_id):
    add(hashes=SHA256)
    switch = {"hashes": SHA256, "enabled": "false"}
    result = run(AssemblylineEnableListEntryOperator, **switch)
    assert (result["changed"], result["unchanged"], result["enabled"]) == (1, 0, False)
    assert run(AssemblylineEnableListEntryOperator, **switch)["unchanged"] == 1
    assert add(hashes=SHA256, reason="again")["disabled"] == [SHA256]
    assert hook.get_list_entry("badlist", SHA256)["enabled"] is False
    assert run(AssemblylineEnableListEntryOperator, hashes=SHA256)["changed"] == 1


def test_a_missing_entry_cannot_be_enabled(conn_id):
    with pytest.raises(AirflowFailException, match="The hash was not found in the badlist"):
        run(AssemblylineEnableListEntryOperator, hashes=SHA256)


def test_entries_are_removed_and_those_of_other_sources_are_reported(hook, conn_id):
    add(hashes=[SHA256, MD5])
    add(hashes=MD5, source="feed")
    result = run(AssemblylineRemoveFromListOperator, hashes=[SHA256, MD5, "ef" * 20], confirm=True)
    assert (result["removed"], result["absent"], result["kept"]) == (1, 1, [MD5])
    assert [one["name"] for one in hook.get_list_entry("badlist", MD5)["sources"]] == ["feed"]


def test_a_hash_that_is_given_twice_is_one_entry(served, conn_id):
    twice = {"hashes": [SHA256, SHA256.upper()]}
    assert add(**twice)["url"] == f"{served.base_url}/manage/badlist/{SHA256}"
    switched = run(AssemblylineEnableListEntryOperator, **twice, enabled=False)
    assert (switched["changed"], switched["unchanged"]) == (1, 0)
    removed = run(AssemblylineRemoveFromListOperator, **twice, confirm=True)
    assert (removed["removed"], removed["absent"]) == (1, 0)


def test_the_link_opens_the_only_entry_or_the_list(served, conn_id):
    for hashes, page in ((SHA256, f"badlist/{SHA256}"), ([SHA256, MD5], "badlist")):
        task = AssemblylineAddToListOperator(task_id="task", list_name="badlist", reason="a", hashes=hashes)
        task_context = context(task)
        task.execute(task_context)
        assert task_context["ti"].xcoms[LINK_KEY] == f"{served.base_url}/manage/{page}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give hashes or tags or entries; none is set. An empty list is valid"),
        ({"hashes": ""}, "give hashes or tags or entries; none is set. An empty list is valid"),
        ({"hashes": [], "tags": {}, "fail_on_empty": "true"}, "hashes, tags: nothing is selected, and fail_on_empty"),
        ({"hashes": {"sid": "s"}}, "hashes: the result of the other task has no sha256 and no hash"),
        ({"entries": "evil.example"}, "entries must be a report or a list of IOCs, each with type and value"),
        ({"entries": [{"type": TAG}]}, "entries must be a report or a list of IOCs, each with type and value"),
        ({"hashes": "abc"}, "hashes: 'abc' is no sha256"),
        ({"hashes": 5}, "hashes: '5' is no sha256"),
        ({"tags": ["a"]}, "tags must be a dictionary, not list"),
        ({"hashes": SHA256, "attribution": "EMOTET"}, "attribution must be a dictionary, not str"),
        ({"tags": {TAG: [5.5]}}, "tags network.static.domain must be a text or a list of texts"),
        ({"hashes": SHA256, "list_name": "greylist"}, "list_name must be one of badlist, safelist, not 'greylist'"),
        ({"hashes": SHA256, "reason": ""}, "reason is missing"),
        ({"hashes": SHA256, "dtl": "soon"}, "dtl must be a whole number, 1 or more, not 'soon'"),
        ({"hashes": SHA256, "attribution": {"gang": "x"}}, "attribution: unknown gang"),
        (
            {"hashes": SHA256, "list_name": "safelist", "attribution": {"family": "x"}},
            "unknown attribution; the safelist accepts",
        ),
        ({"hashes": TLSH, "list_name": "safelist"}, "a file on the safelist needs one of sha256, sha1, md5"),
    ],
)
def test_an_invalid_argument_is_named_and_nothing_is_sent(served, conn_id, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        add(**arguments)
    assert served.tables()["badlist"] == served.tables()["safelist"] == []


@pytest.mark.parametrize(
    "nothing", [{"hashes": []}, {"tags": {}}, {"entries": []}, {"entries": "[]"}, {"hashes": "[]"}]
)
def test_nothing_is_an_empty_result_of_the_same_shape(served, conn_id, nothing):
    url = f"{served.base_url}/manage/badlist"
    common = {"list_name": "badlist", "url": url}
    assert add(**nothing) == {**common, "added": 0, "updated": 0, "unchanged": 0, "disabled": []}
    removed = run(AssemblylineRemoveFromListOperator, **nothing, confirm=True)
    assert removed == {**common, "removed": 0, "absent": 0, "kept": []}
    enabled = run(AssemblylineEnableListEntryOperator, **nothing)
    assert enabled == {**common, "enabled": True, "changed": 0, "unchanged": 0}
    assert served.product.quotas.api_calls == 0


def test_an_entry_has_the_classification_of_its_ioc_unless_the_task_has_one(hook, conn_id):
    ioc = {"type": TAG, "value": "a.example", "classification": "TLP:A"}
    with pytest.raises(AirflowFailException, match="would store TLP:C, not 'TLP:A'"):  # the sandbox has no other one
        add(entries=[ioc])
    assert add(entries=[ioc], classification="TLP:C")["added"] == 1
    assert add(entries=[{**ioc, "value": "b.example", "classification": None}])["added"] == 1


def test_entries_that_the_report_does_not_list_are_logged(conn_id, caplog, capsys):
    add(entries={"iocs": [{"type": TAG, "value": "a.example", "classification": None}], "ioc_counts": {TAG: 3}})
    captured = capsys.readouterr()  # versions of Airflow log to different places
    assert "The report lists 1 of 3 IOCs: raise its max_values" in caplog.text + captured.out + captured.err


@pytest.mark.parametrize("confirm", [False, "False"])
def test_a_removal_must_be_confirmed(conn_id, confirm):
    with pytest.raises(AirflowFailException, match="confirm must be true"):
        run(AssemblylineRemoveFromListOperator, hashes=SHA256, confirm=confirm)


def test_an_invalid_enabled_is_named(conn_id):
    with pytest.raises(AirflowFailException, match="enabled must be true or false, not 'perhaps'"):
        run(AssemblylineEnableListEntryOperator, hashes=SHA256, enabled="perhaps")
