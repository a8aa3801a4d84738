"""Responses of another shape than the endpoint promises: each is a `ServerError`, whatever part of it is malformed."""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from self_hosted.atrocore import waits
from self_hosted.atrocore.api import export_jobs, feed_jobs, import_jobs, jobs, metadata, permissions, records, session
from self_hosted.atrocore.api.dialects import DIALECTS
from self_hosted.atrocore.api.feed_jobs import FeedRun
from self_hosted.atrocore.api.session import Credential
from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.sync.target import AtrocoreTarget
from self_hosted.core.http.errors import NotFoundError, OutcomeUnknownError, SelfHostedError, ServerError
from self_hosted.core.http.flow import Reply, Request
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.target import Change, Schema
from self_hosted.core.wait.key import WaitKey
from tests.atrocore.conftest import reply, run_by_hand

TIME = "2026-06-01 12:30:00"
COUNTS = dict.fromkeys(import_jobs.COUNTER_FIELDS, 1)
IMPORT = {"id": "i", "state": "Success", "createdAt": TIME, "importFeedId": "f", "parentId": None, "message": "m"}
EXPORT = {"id": "e", "state": "Failed", "createdAt": TIME, "exportFeedId": "f", "stateMessage": "m", "fileId": "x"}
RUNNING = {**EXPORT, "state": "Running", "count": 3}
ITEMS = [{"status": "Created"}, {"status": "Failed", "message": "no name"}]
QUEUED = {"id": "j", "status": "Success", "type": "Upsert", "message": json.dumps(ITEMS)}
CREATOR = {"id": "c", "payload": {"feed": {"id": "f"}}}
OPENAPI = {
    "openapi": "3.0.0",
    "info": {"version": "2.3.16"},
    "servers": [{"url": "/api"}],
}
TOKENS = {"authorizationToken": "bWU6dG9rZW4=", "token": "token", "user": {"userName": "me"}}
PRODUCT = {"id": "1", "number": "A", "name": "a"}
CREDENTIAL = Credential("me", "a password")
METADATA = {
    "entityDefs": {
        "Product": {
            "fields": {
                "number": {"type": "varchar", "required": True},
                "name": {"type": "varchar", "maxLength": 255},
                "status": {"type": "enum", "options": ["a", "b"], "optionsIds": ["a", "b"]},
                "price": {"type": "float", "min": 0, "max": 100, "measureId": "m"},
                "brand": {"type": "link"},
            },
            "links": {"brand": {"type": "belongsTo", "entity": "Brand"}},
        },
        "Brand": {"fields": {"code": {"type": "varchar"}}, "links": []},
    }
}
RIGHTS = {"create": "yes", "read": "all", "edit": "all", "delete": "no"}
USER = {
    "user": {"userName": "me", "isAdmin": False},
    "acl": {"table": {"Product": RIGHTS}, "fieldTable": {"Product": {"price": {"read": "yes", "edit": "no"}}}},
}
SPECS = [FieldSpec(name) for name in ("number", "name", "status", "price", "brand")]
UPDATE = Change("update", "A", "1", {"name": "b"}, old={"name": "a"})
CREATE = Change("create", "A", "1", {"name": "b"})
DELETE = Change("delete", "A", "1", {})
RUN = WaitKey("f", ("2020-01-01 00:00:00",)).to_text()
NO_ROUTE = NotFoundError("")
LOST = OutcomeUnknownError("lost")


class Case(NamedTuple):
    """A flow, and what a server answers to it: JSON, or an error.

    :param flow: returns the flow
    :param answers: in the order of its requests
    """

    flow: Callable[[], Any]
    answers: list[Any]


def listed(*found: Any) -> dict[str, Any]:
    return {"list": list(found)}


def build_target() -> AtrocoreTarget:
    return AtrocoreTarget("Product", "number", "https://pim.example.com")


def described(use: Callable[[AtrocoreTarget, Schema], Any]) -> Any:
    """Return a flow of a target that was described."""
    target = build_target()
    _, schema = run_by_hand(target.describe(SPECS), reply(200, METADATA), reply(200, USER))
    return use(target, schema)


def write(change: Change) -> Any:
    return described(lambda target, schema: target.write(schema, [change]))


# by hook method, or another name
CASES = {
    "list_records": Case(lambda: records.list_all("Product"), [listed(PRODUCT)]),
    "find_records": Case(lambda: records.find("Product", "number", ["A"]), [listed(PRODUCT)]),
    "get_record": Case(lambda: records.get("Product", "1"), [PRODUCT]),
    "create_record": Case(lambda: records.create("Product", PRODUCT), [PRODUCT]),
    "create_record, lost": Case(lambda: records.create("Product", PRODUCT), [LOST, PRODUCT]),
    "update_record": Case(lambda: records.update("Product", "1", {"name": "b"}), [PRODUCT]),
    "update_record, lost": Case(lambda: records.update("Product", "1", {"name": "b"}), [LOST, PRODUCT, PRODUCT]),
    "delete_record": Case(lambda: records.delete("Product", "1"), [True]),
    "upsert_records": Case(
        lambda: records.upsert("Product", [PRODUCT]), [[{"status": "Created", "id": "1", "message": "m", "code": 1}]]
    ),
    "delete many": Case(lambda: records.delete_many("Product", ["1"]), [True]),
    "restore many": Case(lambda: records.restore_many("Product", ["1"]), [True]),
    "metadata": Case(lambda: metadata.get("Product"), [METADATA]),
    "permissions": Case(lambda: permissions.get("Product"), [USER]),
    "describe": Case(lambda: build_target().describe(SPECS), [METADATA, USER]),
    "count": Case(lambda: described(lambda target, schema: target.count()), [{"total": 3, "list": []}]),
    "page": Case(lambda: described(lambda target, schema: target.page(schema, None)), [listed(PRODUCT)]),
    "find": Case(lambda: described(lambda target, schema: target.find(schema, ["A"])), [listed(PRODUCT)]),
    "read": Case(lambda: described(lambda target, schema: target.read(schema, ["1"])), [listed(PRODUCT)]),
    "write": Case(lambda: write(UPDATE), [[{"status": "Updated", "entity": PRODUCT, "message": ""}]]),
    "write, failed": Case(lambda: write(UPDATE), [[{"status": "Failed", "code": "42S22", "message": "Code: 7."}]]),
    "write, created": Case(lambda: write(CREATE), [[{"status": "Created", "id": "1"}]]),
    "write, one by one": Case(lambda: write(UPDATE), [NO_ROUTE, PRODUCT]),
    "write, deleted": Case(lambda: write(DELETE), [True, listed(PRODUCT), True]),
    "find_jobs": Case(lambda: jobs.find(["j"]), [listed(QUEUED)]),
    "check_background_processing": Case(jobs.check_background_processing, [True]),
    "find_import_jobs": Case(lambda: import_jobs.find(["i", FeedRun("f", TIME)]), [listed({**IMPORT, **COUNTS})]),
    "get_import_baseline": Case(lambda: import_jobs.get_baseline("f"), [listed({"createdAt": TIME})]),
    "get_import_counters": Case(lambda: import_jobs.get_counters("i"), [IMPORT, COUNTS]),
    "find_export_jobs": Case(lambda: export_jobs.find(["e"]), [listed(EXPORT)]),
    "get_export_baseline": Case(lambda: export_jobs.get_baseline("f"), [listed({"createdAt": TIME})]),
    "cancel_export_job": Case(lambda: export_jobs.cancel("e"), [True]),
    "cancel_export_job, before 2.3": Case(lambda: export_jobs.cancel("e"), [NO_ROUTE, RUNNING, EXPORT]),
    "get_session": Case(session.get, [TOKENS]),
    "get_core_version": Case(session.get_core_version, [OPENAPI]),
    "user": Case(session.describe_user, [TOKENS]),
    "login": Case(lambda: session.login(DIALECTS["2.3"], CREDENTIAL), [TOKENS]),
    "login, old": Case(
        lambda: session.login(DIALECTS["espo"], CREDENTIAL), [{"token": "token", "user": {"userName": "me"}}]
    ),
    "detection": Case(lambda: session.detect_dialect(CREDENTIAL), [OPENAPI, TOKENS]),
    "detection by login": Case(
        lambda: session.detect_dialect(CREDENTIAL), [NO_ROUTE, NO_ROUTE, TOKENS, {"user": {"userName": "me"}}]
    ),
    "wait for jobs": Case(lambda: waits.refresh_jobs(["j"]), [listed(QUEUED)]),
    "wait for imports": Case(lambda: waits.refresh_imports(["i", RUN]), [listed(IMPORT), COUNTS]),
    "wait for exports": Case(lambda: waits.refresh_exports(["e", RUN]), [listed(CREATOR), NO_ROUTE, listed(EXPORT)]),
    "wait for exports, before 1.12": Case(
        lambda: waits.refresh_exports([RUN]),
        [listed(), listed({"id": "c", "data": CREATOR["payload"]}), listed(EXPORT)],
    ),
    "cancel": Case(lambda: waits.cancel_export("e"), [listed(RUNNING), True]),
    "stall": Case(lambda: waits.explain_stalled_jobs(["j"]), [listed({**QUEUED, "status": "Pending"}), False]),
}
BODIES = {
    "null": b"null",
    "list": b"[]",
    "text": b'"x"',
    "object": b"{}",
    "number": b"1",
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "truncated": b'{"list": [{"id": "1", "status"',
    "page": b"<!DOCTYPE html><html><head><title>Sign in</title></head></html>",
    "long number": b"9" * 5000,
    "bytes": b"\xff\xfe\x00",
    "empty": b"",
}
WRONG_VALUES: list[Any] = [None, [], "", "x", {}, 1, -1, 1e400, 10**400, True, [[]], [None], {"a": {}}, "\x00/../x"]
JSON_BODIES = {"null", "list", "text", "object", "number"}
# what these flows can do without: a description of the API, fields of an object, or any word (they look at the records)
ACCEPTED = {
    "delete many": JSON_BODIES,
    "restore many": JSON_BODIES,
    "write, deleted": JSON_BODIES,
    "permissions": {"object"},
    "get_core_version": {*BODIES},
    "get_session": {"object"},
    "user": {"object"},
    "update_record": {"object"},
    "detection": {*BODIES},
}


def run(case: Case, position: int, body: bytes) -> Any:
    """Run the flow with one answer replaced; return its result, or its `SelfHostedError`."""
    flow = case.flow()
    answers = [answer if isinstance(answer, Exception) else json.dumps(answer).encode() for answer in case.answers]
    answers[position] = body
    try:
        step, sent = next(flow), 0
        for _ in range(50):
            if not isinstance(step, Request):
                step = flow.send(None)
                continue
            answer = answers[min(sent, len(answers) - 1)]
            sent += 1
            step = flow.throw(answer) if isinstance(answer, Exception) else flow.send(Reply(200, {}, answer, step))
    except StopIteration as end:
        return end.value
    except SelfHostedError as error:
        return error
    except ValueError as error:
        documented = "entity: the server has no 'Product'", "Product has no field", "fields: brand names"
        assert str(error).startswith(documented)  # noqa: PT017
        return error
    raise AssertionError("the flow does not end")


def mutate(value: Any) -> Iterator[Any]:
    """Yield copies of a JSON value in which one part, at any depth, is missing or of another kind."""
    yield from WRONG_VALUES
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        for part in mutate(value[key]):
            changed = copy.copy(value)
            changed[key] = part
            yield changed
        shorter = copy.copy(value)
        del shorter[key]
        yield shorter


@pytest.fixture(autouse=True)
def _without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_jobs, "TIMESTAMP_RESOLUTION_SECONDS", 0)


def test_every_flow_of_the_hook_has_a_case() -> None:
    methods = {
        name
        for name, member in vars(AtrocoreHook).items()
        if hasattr(member, "__wrapped__") and inspect.isgeneratorfunction(inspect.unwrap(member))
    }
    assert methods <= CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_the_answers_of_the_cases_are_well_formed(name: str) -> None:
    case = CASES[name]
    assert not isinstance(run(case, -1, json.dumps(case.answers[-1]).encode()), Exception)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", CASES)
def test_a_malformed_body_is_an_error_that_names_the_endpoint(name: str, body: str) -> None:
    case = CASES[name]
    is_answer = [not isinstance(answer, Exception) for answer in case.answers]
    outcome = run(case, is_answer.index(True), BODIES[body])
    if isinstance(outcome, SelfHostedError):
        is_write = outcome.method in {"POST", "PATCH", "DELETE"}
        assert is_write or outcome.method == "GET"
        assert isinstance(outcome, ServerError) or (is_write and isinstance(outcome, OutcomeUnknownError))
        assert outcome.path.startswith(("/api/", "/openapi.json"))
    elif name == "write, one by one":  # it is the failure of this record
        expected = ("updated", True) if body == "object" else ("failed", False)
        assert [(each.result, each.is_final) for each in outcome] == [expected]
    else:
        assert body in ACCEPTED.get(name, ()), outcome


@pytest.mark.parametrize("name", CASES)
def test_no_malformed_part_of_a_response_raises_another_error(name: str) -> None:
    case = CASES[name]
    for position, answer in enumerate(case.answers):
        if not isinstance(answer, Exception):
            for mutated in mutate(answer):
                run(case, position, json.dumps(mutated).encode())


@pytest.mark.parametrize(
    ("flow", "answer", "problem"),
    [
        (lambda: records.list_all("Product"), {"list": [PRODUCT, {"id": 7}]}, "GET /api/Product: .*list.1..id"),
        (lambda: records.list_all("Product"), {"total": 0}, "GET /api/Product: .*list: "),
        (lambda: import_jobs.get_counters("i"), {"id": "i", "state": None}, "GET /api/ImportJob/i: .*state"),
        (lambda: import_jobs.sum_counters([IMPORT]), {"total": 0, "list": []}, "/i/recordCounters: .*created"),
        (lambda: jobs.find(["j"]), listed({"id": "j"}), "GET /api/Job: .*status"),
        (lambda: import_jobs.find(["i"]), listed({**IMPORT, "createdAt": "yesterday"}), "createdAt: 'yesterday'"),
        (lambda: import_jobs.find(["i"]), listed({**IMPORT, "id": "../Job"}), r"id: '../Job' is no id"),
        (lambda: import_jobs.get_baseline("f"), listed({"createdAt": "1"}), "createdAt: '1' is no timestamp"),
        (session.get_core_version, {"openapi": "3", "info": {}}, "GET /openapi.json: .*info.version"),
        (lambda: metadata.get("Product"), {"entityDefs": []}, "GET /api/metadata: .*entityDefs"),
        (lambda: metadata.get("Product"), {"entityDefs": {"Product": 1}}, "GET /api/metadata: .*entityDefs.Product"),
        (lambda: session.login(DIALECTS["2.3"], CREDENTIAL), {"token": ""}, "GET /api/userSession: .*user"),
        (lambda: records.delete("Product", "1"), False, "DELETE /api/Product/1: the server did not delete"),
    ],
)
def test_the_error_names_endpoint_and_field(flow: Any, answer: Any, problem: str) -> None:
    with pytest.raises(ServerError, match=problem):
        raise run(Case(flow, [answer]), 0, json.dumps(answer).encode())


def test_a_server_that_returns_the_same_page_again_does_not_cause_an_endless_loop() -> None:
    page = listed(*({"id": f"{number:03}"} for number in range(200)))
    outcome = run(Case(lambda: records.list_all("Product"), [page]), 0, json.dumps(page).encode())
    assert isinstance(outcome, ServerError)
    assert "the page after id '199' contains this id" in str(outcome)
