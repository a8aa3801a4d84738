"""A sync with an AtroCore server that lies: a clear error or a true result, within bounds, and safe outputs."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException

from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator, AtrocoreSyncProductsPlanOperator
from self_hosted.core.http.errors import SelfHostedError
from tests.context import context
from tests.hostile.conftest import SECRET
from tests.hostile.pim import Pim
from tests.hostile.server import HostileServer

ROW = {"sku": "A", "name": "a", "price": 1, "isActive": True, "productStatus": "draft", "tag": ["x"], "brandId": "b"}
RECORD = {"id": "r1", "sku": "A", "name": "old"}


@pytest.fixture
def pim(hostile: HostileServer, connect_product: Callable[..., Any]) -> Pim:
    """The server, whose behaviour the test changes."""
    connect_product("atrocore")
    hostile.respond = behaviour = Pim()
    return behaviour


def run(operator_class: Any, **arguments: Any) -> Any:
    """Return the result of a task, or its error."""
    arguments = {"source": [ROW], "key_field": "sku", "atrocore_conn_id": "atrocore_hostile", **arguments}
    operator = operator_class(task_id="task", **arguments)
    try:
        return operator.execute(context(operator))
    except (SelfHostedError, AirflowException, ValueError) as error:
        return error


# shapes

LISTS: list[Any] = [
    *(None, [], {}, "x", 1, {"list": None}, {"list": {}}, {"list": "x"}, {"list": [None]}, {"list": [1]}),
    *({"list": [[]]}, {"list": [{}]}, {"list": [{"sku": "A"}]}, {"list": [{"id": None, "sku": "A"}]}),
    *({"list": [{"id": 5, "sku": "A"}]}, {"list": [{"id": ["a"], "sku": "A"}]}),
    *({"list": [], "total": "x"}, {"list": [], "total": [1]}, {"list": [], "total": 1e400}),
]


@pytest.mark.parametrize("body", LISTS, ids=str)
def test_lists_of_another_shape_are_clear_errors_before_anything_is_written(pim, tmp_path, body):
    pim.list_page = lambda query: body
    found = run(AtrocoreSyncProductsOperator)
    assert isinstance(found, Exception)
    assert "unexpected response" in str(found), found
    assert pim.writes == 0


ODD: list[Any] = [
    None,
    "",
    0,
    -1,
    1e300,
    12345.0,
    True,
    [],
    ["a"],
    {},
    {"a": 1},
    "\ud800",
    "\0",
    "a/../b",
    "x" * 10_000,
]


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:20])
def test_odd_keys_and_values_of_records_do_not_stop_the_sync(pim, value):
    values = dict.fromkeys((*ROW, "releasedAt"), value)
    pim.list_page = lambda query: {"list": [{**values, "id": "r1"}, {**values, "id": "r2", "sku": "A"}], "total": 2}
    found = run(AtrocoreSyncProductsOperator, verify="doubtful", fail_on="never")
    assert not isinstance(found, Exception), found
    assert (found["total"], found["missing"] + found["ambiguous"]) == (1, 1)


@pytest.mark.parametrize("record_id", ["a/b", "..", "", "?", "\x1b[31m", "x" * 10_000, "\ud800"], ids=repr)
def test_odd_ids_of_records_do_not_stop_the_sync(pim, record_id):
    pim.list_page = lambda query: {"list": [{**RECORD, "id": record_id}], "total": 1}
    found = run(AtrocoreSyncProductsOperator, fail_on="never")
    assert not isinstance(found, Exception), found
    arguments = {"mode": "mirror", "on_missing": "delete", "scope": SCOPE, "confirm": True, "source": [{"sku": "B"}]}
    found = run(AtrocoreSyncProductsOperator, fail_on="never", **arguments)
    assert not isinstance(found, Exception), found


VALUES: list[Any] = [None, 1, "x", [], {}]
IDS: list[Any] = [None, 1, [], {}, "other", {"id": 1}, {"id": "other"}, "x" * 10_000]
CODES: list[Any] = [None, "x", 1e400, [], {}, 10**400, -1]
MESSAGES: list[Any] = [None, 1, [], {}, "Code: 999999999999. Message: x", "x" * 10_000]
SCOPE = [{"type": "isTrue", "attribute": "isActive"}]
METADATA: list[Any] = [
    *(None, [], {}, {"entityDefs": []}, {"entityDefs": {"Product": None}}, {"entityDefs": {"Product": {"fields": 1}}}),
    *({"entityDefs": {"Product": {"fields": {"sku": value, "name": value}}}} for value in VALUES),
    {"entityDefs": {"Product": {"fields": {"sku": {"type": ["x"]}, "name": {"type": {"a": 1}}}, "links": [1]}}},
    {"entityDefs": {"Product": {"fields": {"sku": {"type": "varchar"}, "name": {"type": "enum", "options": "x"}}}}},
    {"entityDefs": {"Product": {"fields": {"sku": {"type": "varchar"}, "name": {"pattern": "(", "maxLength": "x"}}}}},
    {"entityDefs": {"Product": {"fields": {"sku": {"type": "varchar"}, "name": {"pattern": "(a+)+$", "min": "x"}}}}},
    {"entityDefs": {"Product": {"fields": {"sku": {"type": "varchar"}, "name": {"multilangField": ["x"]}}}}},
]


@pytest.mark.parametrize("body", METADATA, ids=lambda body: repr(body)[:60])
def test_odd_metadata_are_clear_errors_or_without_effect(pim, body):
    pim.bodies["metadata"] = body
    found = run(AtrocoreSyncProductsOperator, source=[{"sku": "A", "name": "a" * 30 + "!"}], fail_on="never")
    assert isinstance(found, dict) or "unexpected response" in str(found) or "has no field" in str(found), found


SESSIONS: list[Any] = [
    *(None, [], 1, {"user": None}, {"user": []}, {"acl": None}, {"acl": {"table": {"Product": "x"}}}),
    *({"acl": {"fieldTable": {"Product": value}}} for value in ("x", [1], {"name": "no"}, {"name": {"edit": 1}})),
]


@pytest.mark.parametrize("body", SESSIONS, ids=str)
def test_odd_sessions_are_clear_errors(pim, body):
    pim.bodies["userSession"] = body
    found = run(AtrocoreSyncProductsOperator)
    assert isinstance(found, dict) or "unexpected response" in str(found), found


RESPONSES: list[Any] = [
    *(None, [], {}, "x", [None], [1], [[]], [{}], [{}, {}], {"a": {}}, [{"status": 1}], [{"status": "Odd"}]),
    *([{"status": "Created", "id": value}] for value in IDS if value),
    *([{"status": "Updated", "entity": value}] for value in IDS),
    *([{"status": "Failed", "code": value, "message": "no"}] for value in CODES),
    *([{"status": "Failed", "message": value}] for value in MESSAGES),
]


@pytest.mark.parametrize("body", RESPONSES, ids=lambda body: repr(body)[:60])
def test_odd_responses_to_writes_are_no_successes(pim, body):
    pim.list_page = lambda query: {"list": [], "total": 0}
    pim.upsert = lambda items: body
    found = run(AtrocoreSyncProductsOperator, fail_on="never")
    assert isinstance(found, SelfHostedError | AirflowException) or found["created"] == 0, found


# endless lists


def full_page(start: int, step: int = 1) -> dict[str, Any]:
    return {"list": [{"id": f"r{start + n * step:012}", "sku": f"S{start + n}"} for n in range(1000)], "total": 1}


def test_the_same_page_for_ever_is_an_error(pim):
    pim.list_page = lambda query: full_page(0)
    assert "contains this id" in str(run(AtrocoreSyncProductsOperator))


def test_pages_in_a_circle_are_an_error(pim):
    pages = 0

    def next_page(query: Any) -> Any:
        nonlocal pages
        pages += 1
        return full_page(pages % 3 * 1000)

    pim.list_page = next_page
    assert "begins again" in str(run(AtrocoreSyncProductsOperator))
    assert pages < 10


@pytest.mark.parametrize("total", [1, 10**15])
def test_pages_without_an_end_are_an_error(pim, total):
    pages = 0

    def next_page(query: Any) -> Any:
        nonlocal pages
        pages += 1
        return {**full_page(pages * 1000), "total": total}

    pim.list_page = next_page
    assert "more records than" in str(run(AtrocoreSyncProductsOperator))
    assert pages < 200


# outputs

MARKUP = "<img src=http://evil.example/x> [a](http://evil) `| {{ 7 * 7 }}"
EVIL = f"\x1b[31m\x07\x9b\u202e\r\nforged line {MARKUP} {SECRET}"
CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")
"""A code span of Markdown."""


def find_unsafe(texts: dict[str, str]) -> list[str]:
    """Return the outputs that show the secret or a control character."""
    secret = [f"{name} shows the secret" for name, text in texts.items() if SECRET in text]
    kinds = {name: {unicodedata.category(each) for each in text if each != "\n"} for name, text in texts.items()}
    return [*secret, *(f"{name} has {kind}" for name, found in kinds.items() for kind in found & {"Cc", "Cf", "Cs"})]


def list_texts(value: Any) -> list[str]:
    """Return all texts of a result."""
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in list_texts(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in list_texts(each)]
    return [value] if isinstance(value, str) else []


RECORDS = [
    {**RECORD, "name": EVIL, "longDescription": EVIL * 1000, "productStatus": EVIL},
    {"id": "r2", "sku": "B\u00ad" + "\u00a0" * 1000, "name": EVIL},
    {"id": f"{EVIL}3", "sku": "C", "name": EVIL},
    {"id": f"{EVIL}4", "sku": "C", "name": EVIL},
    {"id": "r5", "sku": EVIL, "name": EVIL},
]


@pytest.mark.parametrize(
    "result", [{"status": "Failed", "message": EVIL}, {"status": "Updated", "id": EVIL}, {"status": "Created"}]
)
def test_logs_results_summaries_and_reports_are_safe(pim, tmp_path, caplog, result):
    caplog.set_level("DEBUG", "self_hosted")
    pim.list_page = lambda query: {"list": RECORDS, "total": 5}
    pim.upsert = lambda items: [result] * len(items)
    rows = [{**ROW, "sku": sku, "longDescription": "new"} for sku in ("A", "B", "C", "D")]
    report, rejects = tmp_path / "report.jsonl", tmp_path / "rejects.csv"
    arguments = {"source": rows, "max_missing": None, "mode": "mirror", "on_missing": "deactivate"}
    planned = run(AtrocoreSyncProductsPlanOperator, plan_uri=tmp_path / "plan.jsonl", **arguments)
    dry = run(AtrocoreSyncProductsOperator, dry_run=True, **arguments)
    outputs = {"fail_on": "never", "report_uri": report, "rejects_uri": rejects}
    found = run(AtrocoreSyncProductsOperator, **arguments, **outputs)
    assert not isinstance(found, Exception), found
    error = run(AtrocoreSyncProductsOperator, **arguments)
    assert isinstance(error, Exception)
    texts = {
        "the log": "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("self_hosted")),
        "the error": str(error),
        "the rejects": rejects.read_text(encoding="utf-8"),
        "the report": report.read_text(encoding="utf-8"),
        **{
            name: "\n".join(list_texts(value))
            for name, value in {"plan": planned, "dry run": dry, "sync": found}.items()
        },
    }
    assert find_unsafe(texts) == []
    outside = CODE.sub("", planned["summary"])
    assert not any(mark in outside for mark in ("<", "](", "evil", "{{"))
    assert max(len(json.dumps(each)) for each in (planned, dry, found)) < 64_000
    assert max(len(line) for line in texts["the log"].splitlines()) < 5_000


def test_large_texts_do_not_make_large_results(pim, tmp_path):
    pim.list_page = lambda query: {
        "list": [{**RECORD, "name": "x" * 5_000_000, "longDescription": "y" * 5_000_000}],
        "total": 1,
    }
    rows = [{"sku": "A", "name": "a", "longDescription": "z" * 5_000_000}]
    pim.upsert = lambda items: [{"status": "Failed", "message": "m" * 5_000_000}]
    dry = run(AtrocoreSyncProductsOperator, source=rows, dry_run=True)
    found = run(AtrocoreSyncProductsOperator, source=rows, fail_on="never")
    assert len(json.dumps(dry)) + len(json.dumps(found)) < 10_000
