"""The operators that change signatures and their sources, against the sandbox."""

from __future__ import annotations

import os

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.operators import (
    AssemblylineDeleteSignaturesOperator,
    AssemblylineRemoveSignatureSourceOperator,
    AssemblylineSetSignatureSourceOperator,
    AssemblylineSetSignatureStatusOperator,
    AssemblylineUpdateSignaturesOperator,
    yara_files,
)
from self_hosted.core.http.errors import NotFoundError
from self_hosted.core.tasks.operator import LINK_KEY
from tests.assemblyline.signature_sets import ID, RULE, SOURCE, signature
from tests.context import context

TWO_RULES = 'rule a { condition: true }\nrule b { meta: sharing = "TLP:AMBER" condition: false }'


@pytest.fixture
def full(served, connect):
    """A hook with an extended API key, on a server with a signature and its source."""
    rules = {"signatures": [{**RULE, "status": "NOISY"}], "sources": {"YARA": [dict(SOURCE)]}}
    served.seed({"signatures": rules})
    return AssemblylineHook(connect("full", served.connection(extra={"api_key": "full:full-secret"})))


def run(operator, **arguments):
    task = operator(task_id="task", assemblyline_conn_id="full", **arguments)
    task_context = context(task)
    result = task.execute(task_context)
    assert task_context["ti"].xcoms[LINK_KEY] == result["url"]
    return result


def update(**arguments):
    return run(AssemblylineUpdateSignaturesOperator, **{"source": "own", **arguments})


# Update


def test_the_rules_of_a_checkout_are_added_once(served, full, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "two.yar").write_text(TWO_RULES)
    (tmp_path / "one.yar").write_text("\ufeffrule c { condition: true }")
    (tmp_path / "README.md").write_text("no rules")
    expected = {"source": "own", "updated": 0, "skipped": [], "invalid_files": []}
    url = f"{served.base_url}/manage/signatures?query=source%3A%22own%22"
    assert update(folder=str(tmp_path), status="STAGING") == {**expected, "added": 3, "unchanged": 0, "url": url}
    assert update(folder=f"file://{tmp_path}") == {**expected, "added": 0, "unchanged": 3, "url": url}
    assert full.get_signature("yara_own_b")["status"] == "STAGING"
    (tmp_path / "one.yar").write_text("rule c { condition: false }")
    assert update(files=[str(tmp_path / "one.yar")])["updated"] == 1
    assert update(folder=str(tmp_path), recursive="false")["unchanged"] == 1


def test_the_rules_may_come_from_another_task(full):
    rows = [signature("a", revision=2), {**signature("b"), "signature_id": "B-1"}]
    assert update(signatures=rows)["added"] == 2
    assert update(signatures=str(rows))["unchanged"] == 2
    assert update(signatures=rows, signature_type="sigma")["added"] == 2
    assert full.get_signature("sigma_own_B-1")["name"] == "b"


@pytest.mark.parametrize("arguments", [{"files": []}, {"signatures": []}, {"signatures": "[]"}])
def test_no_rules_are_an_empty_result_or_an_error(full, arguments):
    assert update(**arguments)["added"] == 0
    with pytest.raises(AirflowFailException, match="there are no signatures"):
        update(**arguments, fail_on_empty=True)


def test_a_rule_whose_name_belongs_to_another_id_is_reported(full):
    update(signatures=[signature("a")])
    assert update(signatures=[signature("a", signature_id="x"), signature("c")])["skipped"] == ["yara_own_x"]


def test_invalid_files_fail_the_task_or_are_reported(full, tmp_path, monkeypatch):
    monkeypatch.setattr(yara_files, "MAX_FILE_BYTES", 100)
    (tmp_path / "rules").mkdir()
    files = {"bad": b"rule x {", "binary": b"\xff\xfe", "large": b"/" * 101, "good": b"rule a { condition: true }"}
    for name, content in files.items():
        (tmp_path / "rules" / f"{name}.yar").write_bytes(content)
    (tmp_path / "secret.yar").write_text("rule secret { condition: true }")
    os.symlink(tmp_path / "secret.yar", tmp_path / "rules" / "link.yar")
    with pytest.raises(AirflowFailException, match=r"bad.yar: the rules cannot be read"):
        update(folder=str(tmp_path / "rules"))
    assert full.search_signatures('source:"own"') == []
    result = update(folder=str(tmp_path / "rules"), skip_invalid_files="true")
    assert result["added"] == 1
    assert [reason.split(": ")[:2] for reason in result["invalid_files"]] == [
        ["bad.yar", "the rules cannot be read"],
        ["binary.yar", "the file is not a text in UTF-8"],
        ["large.yar", "the file has more than 100 bytes"],
        ["link.yar", "the link points outside of the folder"],
    ]


def test_two_files_with_the_same_rule_are_an_error(full, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.yar").write_text("rule same { condition: true }")
    with pytest.raises(AirflowFailException, match=r"b.yar: the rule same is also in a.yar"):
        update(folder=str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give exactly one of files, folder, signatures"),
        ({"files": "a.yar", "folder": "rules"}, "give exactly one of files, folder, signatures, not files, folder"),
        ({"files": "/no/such.yar"}, "files: '/no/such.yar' does not exist"),
        ({"folder": "/no/such"}, "folder: '/no/such' does not exist"),
        ({"files": "a.yar", "signature_type": "sigma"}, "files: only YARA files can be read"),
        (
            {"signatures": [signature("a"), signature("b")], "max_items": 1},
            "there are 2 signatures, more than max_items",
        ),
        ({"signatures": [{"name": "a"}]}, "data of 'a' must be"),
        ({"signatures": [], "source": "a/b"}, "source must consist of letters"),
        ({"signatures": [], "status": "INVALID"}, "status must be one of"),
        ({"signatures": [], "recursive": "perhaps"}, "recursive"),
    ],
)
def test_invalid_arguments_of_an_update_are_errors(full, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        update(**arguments)


def test_too_many_files_are_an_error(full, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.yar").write_text("rule same { condition: true }")
    with pytest.raises(AirflowFailException, match="folder: there are more than 1 files"):
        update(folder=str(tmp_path), max_items=1)


def test_rules_that_are_too_large_in_all_are_an_error(full, tmp_path, monkeypatch):
    monkeypatch.setattr(yara_files, "MAX_TOTAL_BYTES", 100)
    for name in ("a", "b"):
        (tmp_path / f"{name}.yar").write_text(f"rule {name} {{ condition: true }} //{'x' * 40}")
    with pytest.raises(AirflowFailException, match=r"folder: the files have more than 100 bytes in all"):
        update(folder=str(tmp_path))
    assert full.search_signatures('source:"own"') == []


# Status and deletion


def set_status(**arguments):
    return run(AssemblylineSetSignatureStatusOperator, **{"status": "DEPLOYED", **arguments})


def delete(**arguments):
    return run(AssemblylineDeleteSignaturesOperator, **{"confirm": True, **arguments})


def test_a_status_is_set_once(served, full):
    url = f"{served.base_url}/manage/signature/{ID}"
    expected = {"status": "DEPLOYED", "url": url}
    assert set_status(signature_ids=ID) == {**expected, "changed": 1, "unchanged": 0, "ids": [ID]}
    assert set_status(signature_ids=[ID]) == {**expected, "changed": 0, "unchanged": 1, "ids": []}


def test_the_status_of_all_matching_signatures_is_set(served, full):
    update(signatures=[signature("a"), signature("b")], status="STAGING")
    result = set_status(query='source:"own" AND status:STAGING', max_items="2")
    assert (result["changed"], result["ids"]) == (2, ["yara_own_a", "yara_own_b"])
    assert result["url"].startswith(f"{served.base_url}/manage/signatures?query=source")
    with pytest.raises(AirflowFailException, match=r"matches 3 signatures, more than max_items \(2\)"):
        set_status(query="*", allow_match_all=True, max_items=2)
    assert set_status(query="*", allow_match_all="true")["changed"] == 1


def test_signatures_are_deleted_once(full):
    result = delete(signature_ids=[ID, "yara_own_gone"])
    assert (result["deleted"], result["absent"], result["ids"]) == (1, 1, [ID])
    assert delete(query='source:"community"')["deleted"] == 0


@pytest.mark.parametrize("operate", [set_status, delete])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give exactly one of signature_ids, query"),
        ({"signature_ids": ID, "query": "*"}, "give exactly one of signature_ids, query"),
        ({"signature_ids": " "}, "signature_ids must be an id or a list of ids, not ' '"),
        ({"signature_ids": ["None"]}, "signature_ids must be the id of a signature"),
        ({"signature_ids": "sources"}, "another endpoint"),
        ({"signature_ids": ["a", "b"], "max_items": 1}, r"there are more than max_items \(1\)"),
        ({"query": " "}, "query must be a Lucene query"),
        ({"query": "*"}, "matches all signatures; to allow this, set allow_match_all=True"),
        ({"query": "a", "max_items": 10_001}, "max_items"),
    ],
)
def test_invalid_selections_are_errors(full, operate, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        operate(**arguments)


def test_an_invalid_status_is_an_error(full):
    with pytest.raises(AirflowFailException, match="status must be one of DEPLOYED"):
        set_status(signature_ids=ID, status="INVALID")


@pytest.mark.parametrize(
    ("operator", "arguments"),
    [
        (AssemblylineDeleteSignaturesOperator, {"signature_ids": ID}),
        (AssemblylineRemoveSignatureSourceOperator, {"service": "YARA", "source": "community"}),
    ],
)
def test_a_deletion_must_be_confirmed(full, operator, arguments):
    with pytest.raises(AirflowFailException, match="confirm must be true"):
        run(operator, **arguments)
    assert full.get_signature(ID)


# Sources


def set_source(**arguments):
    return run(AssemblylineSetSignatureSourceOperator, **{"service": "YARA", "source": "own", **arguments})


def test_a_source_is_added_changed_and_removed_once(served, full):
    settings = {"uri": "https://example.com/a.git", "sync": "{{ true }}"}
    url = f"{served.base_url}/manage/sources"
    expected = {"service": "YARA", "name": "own", "url": url}
    settings["sync"] = "True"
    assert set_source(settings=settings) == {**expected, "op": "added", "changed": ["sync", "uri"]}
    assert set_source(settings=str(settings)) == {**expected, "op": "unchanged", "changed": []}
    assert set_source(settings={"sync": False}) == {**expected, "op": "updated", "changed": ["sync"]}
    removed = {"service": " YARA ", "source": "own", "confirm": "true"}
    assert run(AssemblylineRemoveSignatureSourceOperator, **removed) == {**expected, "removed": True}
    assert run(AssemblylineRemoveSignatureSourceOperator, **removed)["removed"] is False


def test_the_credential_of_a_source_is_that_of_a_connection(served, full, connect):
    credential = {"conn_type": "generic", "login": "eva", "password": "pass-word", "extra": {"private_key": "a key"}}
    connect("git", credential)
    uri = {"uri": "https://example.com/a.git"}
    changed = set_source(settings=uri, credentials_conn_id="git")["changed"]
    assert changed == ["password", "private_key", "uri", "username"]
    stored = served.product.state["signatures"]["sources"]["YARA"][1]
    assert (stored["username"], stored["password"], stored["private_key"]) == ("eva", "pass-word", "a key\n")
    assert set_source(settings=uri, credentials_conn_id="git")["op"] == "unchanged"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"settings": {"url": "x"}}, "settings: unknown url"),
        ({"settings": "x"}, "settings must be a dictionary"),
        ({"settings": {}, "service": ""}, "service must be the id of a service"),
    ],
)
def test_invalid_arguments_of_a_source_are_errors(full, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        set_source(**arguments)


def test_a_removed_source_takes_its_signatures_along(full):
    run(AssemblylineRemoveSignatureSourceOperator, service="YARA", source="community", confirm=True)
    with pytest.raises(NotFoundError):
        full.get_signature(ID)
