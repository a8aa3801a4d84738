"""Responses that do not have the shape that their endpoint promises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from self_hosted.assemblyline import waits
from self_hosted.assemblyline.api import heuristics, server, services, workflows
from self_hosted.assemblyline.api.account import account, settings
from self_hosted.assemblyline.api.alerts import alerts, feed as alert_feed, queries
from self_hosted.assemblyline.api.files import files
from self_hosted.assemblyline.api.lists import lists
from self_hosted.assemblyline.api.retrohunts import retrohunts
from self_hosted.assemblyline.api.search import aggregations, search
from self_hosted.assemblyline.api.signatures import signatures
from self_hosted.assemblyline.api.submissions import (
    activity,
    ingests,
    intake,
    notifications,
    owners,
    reports,
    resubmissions,
    results,
    submissions,
    validation,
)
from self_hosted.assemblyline.errors import parse_error
from self_hosted.core.http.errors import OutcomeUnknownError, SelfHostedError, ServerError
from self_hosted.core.http.flow import Flow, Reply, Request
from tests.assemblyline.conftest import upload
from tests.assemblyline.flows import reply, result_of

SHA256 = "a" * 64
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
MakeFlow = Callable[[], Flow[Any]]


@pytest.mark.parametrize("response", [None, [], "x", {}, 1])
@pytest.mark.parametrize(
    "make",
    [
        account.get,
        account.get_username,
        settings.get,
        server.get_configuration,
        server.get_classification_definition,
        server.get_constants,
        lambda: submissions.get("s"),
        lambda: submissions.get_completed("s"),
        lambda: submissions.get_many(["s"]),
        lambda: submissions.is_completed("s"),
        lambda: owners.list_by_user("eva"),
        activity.count_active,
        lambda: activity.is_dispatched("s"),
        lambda: reports.get("s"),
        lambda: reports.get_full("s"),
        lambda: reports.get_summary("s"),
        lambda: reports.get_tree("s"),
        lambda: reports.get_file("s", SHA256),
        lambda: results.get(f"{SHA256}.Extract.v1.c0"),
        lambda: results.get_many([f"{SHA256}.Extract.v1.c0"]),
        lambda: files.get(SHA256),
        lambda: files.get_results(SHA256),
        lambda: files.get_score(SHA256),
        lambda: files.get_hex(SHA256),
        lambda: alerts.get("a"),
        lambda: alerts.set_status("a", "TRIAGE"),
        queries.search,
        queries.count,
        lambda: search.find("file", {"query": "*"}),
        lambda: search.find_with_total("file", {"query": "*"}),
        lambda: search.read_page("file", {"query": "*"}),
        lambda: aggregations.get_stats("file", "size", {}),
        lambda: aggregations.get_groups("file", "type", {}),
        lambda: lists.get("badlist", SHA256),
        lambda: lists.get_many("badlist", [SHA256]),
        lambda: retrohunts.get("k"),
        lambda: retrohunts.search("*"),
        lambda: services.get("Extract"),
        lambda: heuristics.get("A.1"),
        lambda: signatures.get("yara_own_a"),
        lambda: workflows.get("w"),
        lambda: waits.refresh_submissions(["s"]),
        lambda: waits.refresh_ingests(["i"]),
        lambda: waits.refresh_retrohunts(["k"]),
    ],
)
def test_an_endpoint_that_promises_more_has_a_malformed_response(make: MakeFlow, response: Any):
    with pytest.raises(ServerError, match="unexpected response: api_response"):
        result_of(make(), reply(response))


@pytest.mark.parametrize("response", [None, [], "x", {}, 1])
@pytest.mark.parametrize(
    ("make", "following"),
    [
        (lambda: submissions.delete("s"), "/api/v4/submission/s/"),
        (lambda: intake.submit(upload("x"), {}), "/api/v4/search/submission/"),
        (lambda: ingests.create(upload("x"), {}), "/api/v4/search/submission/"),
    ],
)
def test_the_effect_of_a_write_with_a_malformed_response_is_looked_for(make: MakeFlow, following: str, response: Any):
    flow = make()
    write = next(flow)
    assert isinstance(write, Request)
    step = flow.send(reply(response, request=write))
    assert isinstance(step, Request)
    assert step.path == following


@pytest.mark.parametrize(
    "make", [lambda: resubmissions.create("s"), lambda: workflows.run("w"), lambda: notifications.take("q")]
)
def test_a_write_without_a_trace_has_an_unknown_outcome(make: MakeFlow):
    with pytest.raises(OutcomeUnknownError, match="unexpected response: api_response"):
        result_of(make(), reply("x"))


def test_an_error_names_endpoint_and_field():
    flow = submissions.get_many(["s"])
    request = next(flow)
    document = {"sid": "s", "state": "completed", "max_score": "high", "file_count": 1, "error_count": 0}
    page = {"items": [document], "total": 1, "offset": 0, "rows": 1}
    with pytest.raises(ServerError) as raised:
        flow.send(reply(page, request=request))  # type: ignore[arg-type]
    expected = "POST /api/v4/search/submission/: unexpected response: api_response.items[0].max_score: "
    assert str(raised.value) == f"{expected}Input should be a valid integer (HTTP 200)"


def test_a_component_that_the_response_lacks_is_an_error():
    with pytest.raises(ServerError, match="it lacks ingester"):
        result_of(server.is_component_enabled("ingester"), reply({"dispatcher": True}))


@pytest.mark.parametrize("time", ["", "soon", "0001-01-01T00:00:00+23:00"])
def test_a_malformed_time_is_an_error(time: str):
    found = {"items": [{"alert_id": "a", "reporting_ts": time}], "total": 1, "offset": 0, "rows": 1}
    with pytest.raises(ServerError, match="unexpected response: reporting_ts should be a timestamp"):
        result_of(alert_feed.read_page(EPOCH, 0, 1, "*"), reply(found))


@pytest.mark.parametrize("pairs", [[["Static"]], [["Static", "Extract"]], [[1, []]], ["ab"], [["Static", [1]]]])
def test_malformed_categories_of_services_are_an_error(pairs: Any):
    params = {"services": {"selected": ["Extract"]}}
    with pytest.raises(ServerError, match=r"services\.categories should be pairs"):
        validation.check_services(params, {"services.categories": pairs})


def test_an_empty_page_ends_a_paginated_search():
    page: dict[str, Any] = {"items": [], "total": None, "offset": 0, "rows": 5, "next_deep_paging_id": "again"}
    assert result_of(search.read_page("file", {"query": "*"}), reply(page))[0] == ([], None)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b"1",
        b'{"api_error_message": [[]]}',
        b"<html>",
        b'{"a',
        b"\xff",
        b"",
    ],
)
@pytest.mark.parametrize("status", [200, 308, 400, 401, 403, 404, 409, 422, 500, 501, 502, 503, 504])
def test_the_error_function_raises_nothing(status: int, body: bytes):
    for path in ("/", "/api/v4/hash_search/x/"):
        for content_type in ("application/json", "text/html"):
            error = parse_error(Reply(status, {"content-type": content_type}, body, Request("GET", path)))
            assert isinstance(error, SelfHostedError) or (error is None and status == 200)
