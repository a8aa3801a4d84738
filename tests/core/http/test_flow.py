"""Flows stepped by hand; requests and replies as data; the pipeline."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from self_hosted.core.http.errors import (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    SelfHostedError,
    ServerError,
    UnavailableError,
)
from self_hosted.core.http.flow import (
    HEADERS_HINT,
    Flow,
    FlowStep,
    Pause,
    Reply,
    Request,
    Secret,
    arun,
    pipeline,
    run,
    url_path,
)
from tests.core.toy import count_bricks

WHOAMI = Request("GET", "/whoami")


def reply(body: bytes = b"{}", status: int = 200, request: Request = WHOAMI, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, request)


def read(path: str) -> Flow[str]:
    """Return the text at a path, or "missing"."""
    try:
        response = yield Request("GET", path)
    except NotFoundError:
        return "missing"
    return response.text


def take_all_steps(log: list[str]) -> Flow[str]:
    """Yield one step of each type, and log when the flow is closed."""
    try:
        yield Secret("secret-value")
        yield Pause(0.5)
        return (yield WHOAMI).text
    finally:
        log.append("closed")


class Performer:
    """Records the steps, and replies to each request with the text of its path; "/404" is not found."""

    def __init__(self) -> None:
        self.steps: list[FlowStep] = []

    def __call__(self, step: FlowStep) -> Reply:
        self.steps.append(step)
        if isinstance(step, Request) and step.path == "/404":
            raise NotFoundError("gone")
        return reply(step.path.encode() if isinstance(step, Request) else b"")

    async def perform_async(self, step: FlowStep) -> Reply:
        return self(step)


def in_worker(flow: Flow[Any], performer: Performer) -> Any:
    return run(flow, performer)


def in_trigger(flow: Flow[Any], performer: Performer) -> Any:
    return asyncio.run(arun(flow, performer.perform_async))


@pytest.fixture(params=[in_worker, in_trigger])
def runner(request: pytest.FixtureRequest) -> Callable[[Flow[Any], Performer], Any]:
    return request.param  # type: ignore[no-any-return]


def test_a_flow_can_be_stepped_by_hand():
    flow = count_bricks("bo", limit=5)
    request = next(flow)
    assert isinstance(request, Request)
    assert (request.method, request.target) == ("GET", "/whoami?user=bo&limit=5")
    with pytest.raises(StopIteration) as end:
        flow.send(reply(b'{"brick": {"red": 1}}'))
    assert end.value.value == {"red": 1}


def test_a_flow_can_catch_an_error():
    flow = read("/404")
    next(flow)
    with pytest.raises(StopIteration) as end:
        flow.throw(NotFoundError("gone"))
    assert end.value.value == "missing"


def test_both_runners_return_the_result_and_perform_every_step_in_order(runner):
    performer = Performer()
    assert runner(take_all_steps([]), performer) == "/whoami"
    assert performer.steps == [Secret("secret-value"), Pause(0.5), WHOAMI]


def test_both_runners_throw_errors_into_the_flow(runner):
    assert runner(read("/404"), Performer()) == "missing"


def test_an_uncaught_error_reaches_the_caller_and_closes_the_flow(runner):
    class Unavailable(Performer):
        def __call__(self, step: FlowStep) -> Reply:
            raise UnavailableError("not now")

    log: list[str] = []
    with pytest.raises(UnavailableError):
        runner(take_all_steps(log), Unavailable())
    assert log == ["closed"]


def test_other_exceptions_are_not_thrown_into_the_flow_but_close_it(runner):
    class Failing(Performer):
        def __call__(self, step: FlowStep) -> Reply:
            raise EOFError("truncated")

    log: list[str] = []
    with pytest.raises(EOFError):
        runner(take_all_steps(log), Failing())
    assert log == ["closed"]


def test_a_flow_without_steps_returns_its_result(runner):
    def return_at_once() -> Flow[int]:
        return 7
        yield

    assert runner(return_at_once(), Performer()) == 7


class Sender(NamedTuple):
    """Middleware made of one function."""

    send: Callable[[Request], Flow[Reply]]


def test_middleware_is_listed_outermost_first():
    order: list[str] = []

    def recording(name: str) -> Sender:
        def send(request: Request) -> Flow[Reply]:
            order.append(name)
            return (yield request)

        return Sender(send)

    next(pipeline(read("/it"), [recording("auth"), recording("retries"), recording("limiter")]))
    assert order == ["auth", "retries", "limiter"]


def test_each_attempt_of_an_outer_middleware_passes_the_inner_ones(runner):
    attempts: list[str] = []

    def send_twice(request: Request) -> Flow[Reply]:
        yield request
        return (yield request)

    def count(request: Request) -> Flow[Reply]:
        attempts.append(request.path)
        return (yield request)

    assert runner(pipeline(read("/it"), [Sender(send_twice), Sender(count)]), Performer()) == "/it"
    assert attempts == ["/it", "/it"]


def test_a_pipeline_without_middleware_is_the_flow_itself():
    flow = read("/it")
    assert pipeline(flow, []) is flow


def test_middleware_changes_requests_and_passes_other_steps_on(runner):
    def add_header(request: Request) -> Flow[Reply]:
        return (yield request.with_headers({"x-added": "yes"}))

    performer = Performer()
    assert runner(pipeline(take_all_steps([]), [Sender(add_header)]), performer) == "/whoami"
    assert performer.steps == [
        Secret("secret-value"),
        Pause(0.5),
        Request("GET", "/whoami", headers={"x-added": "yes"}),
    ]


def test_errors_of_middleware_are_thrown_into_the_flow(runner):
    def reject(request: Request) -> Flow[Reply]:
        raise NotFoundError("gone")
        yield

    assert runner(pipeline(read("/anything"), [Sender(reject)]), Performer()) == "missing"


def test_middleware_may_send_several_requests(runner):
    def send_two(request: Request) -> Flow[Reply]:
        yield Request("GET", "/before")
        return (yield request)

    performer = Performer()
    assert runner(pipeline(read("/it"), [Sender(send_two)]), performer) == "/it"
    assert [step.path for step in performer.steps if isinstance(step, Request)] == ["/before", "/it"]


def test_closing_a_pipeline_closes_its_flow():
    log: list[str] = []

    def forward(request: Request) -> Flow[Reply]:
        return (yield request)

    flow = pipeline(take_all_steps(log), [Sender(forward)])
    next(flow)
    flow.close()
    assert log == ["closed"]


def test_path_segments_are_quoted():
    assert url_path("rules", "a b&c%d+é", 7) == "/rules/a%20b%26c%25d%2B%C3%A9/7"


@pytest.mark.parametrize("segment", [".", "..", "a/b", "a\\b", "a?b", "a#b"])
def test_segments_that_lead_to_another_endpoint_are_rejected(segment):
    with pytest.raises(ValueError, match="is no valid id: it must not contain"):
        url_path("rules", segment)


@pytest.mark.parametrize("segment", ["", " ", " a", "a ", "None", "a\0", "a\nb", "a\x7f", "a" * 5000, None, True, 1.5])
def test_segments_that_are_no_ids_are_rejected(segment):
    with pytest.raises(ValueError, match=r"(?s)an id in the path /rules/.* must be an id"):
        url_path("rules", segment)


def test_a_query_omits_none_writes_booleans_as_text_and_repeats_names():
    request = Request("GET", "/x", query={"a": None, "b": True, "c": False, "d": ["x y", True], "e": 1, "f": (2, 3)})
    assert request.target == "/x?b=true&c=false&d=x+y&d=true&e=1&f=2&f=3"


def test_without_a_query_the_target_is_the_path():
    assert Request("GET", "/x", query={"a": None}).target == "/x"


@pytest.mark.parametrize(
    ("method", "idempotent", "expected"),
    [
        ("GET", None, True),
        ("HEAD", None, True),
        ("POST", None, False),
        ("PUT", None, False),
        ("DELETE", None, False),
        ("GET", False, False),
        ("POST", True, True),
    ],
)
def test_only_get_and_head_are_idempotent_by_default(method, idempotent, expected):
    assert Request(method, "/x", idempotent=idempotent).is_idempotent is expected


def test_headers_are_added_to_a_copy():
    request = Request("GET", "/x", headers={"a": "1"})
    assert request.with_headers({"b": "2"}).headers == {"a": "1", "b": "2"}
    assert request.headers == {"a": "1"}


def test_a_reply_that_is_not_json_is_an_error_that_shows_its_start():
    with pytest.raises(ServerError, match=r"GET /whoami: the response is not JSON; it starts with 'hello' \(HTTP"):
        reply(b"hello").json()


def test_the_error_of_a_page_names_the_base_url_and_access_proxies():
    with pytest.raises(ServerError, match=r"it starts with '<html>hello': check the base URL, or if an access proxy"):
        reply(b"<html>hello").json()


@pytest.mark.parametrize(("body", "is_page"), [(b"\r\n<!DOCTYPE html>", True), (b"", False), (b"1 < 2", False)])
def test_a_page_begins_with_a_tag(body, is_page):
    assert reply(body).is_page is is_page


def test_the_body_is_parsed_once():
    one = reply(b'{"brick": 1}')
    assert one.json() is one.json()


def test_is_json_follows_the_content_type():
    assert reply(content_type="application/problem+json; charset=utf-8").is_json
    assert not reply(content_type="text/html").is_json
    assert not reply().is_json


def test_invalid_bytes_are_replaced_in_the_text():
    assert reply(b"a\xff").text == "a�"


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize("levels", [101, 900, 100_000])
def test_json_that_is_nested_too_deeply_is_a_server_error(levels):
    with pytest.raises(ServerError, match="the response is nested more than 100 levels deep"):
        reply(body=nested(levels)).json()


def test_json_of_a_hundred_levels_and_many_flat_lists_is_read():
    assert reply(body=nested(100)).json() == json.loads(nested(100))
    flat: Any = {"a": [[], {}] * 200}
    assert reply(body=json.dumps(flat).encode()).json() == flat


@pytest.mark.parametrize("status", [200, 204, 304])
def test_a_success_has_no_default_error(status):
    assert reply(status=status).default_error() is None


def test_a_redirect_is_an_error_about_the_base_url():
    error = reply(status=301, location="https://there.example.com/").default_error("moved")
    assert isinstance(error, InvalidRequestError)
    assert error.message == f"redirected to https://there.example.com/: correct the base URL, or {HEADERS_HINT}"


def test_an_error_holds_method_path_status_and_retry_after():
    error = reply(status=429, retry_after="3").default_error("slow down")
    assert isinstance(error, UnavailableError)
    assert (error.method, error.path, error.status, error.retry_after) == ("GET", "/whoami", 429, 3.0)
    assert str(error) == "GET /whoami: slow down (HTTP 429)"


def test_a_rejection_without_a_message_has_a_default_message():
    assert str(reply(status=400).default_error()) == "GET /whoami: rejected without a reason (HTTP 400)"


@pytest.mark.parametrize("error_class", [AuthenticationError, OutcomeUnknownError, SelfHostedError])
def test_a_product_may_choose_the_error_class(error_class):
    assert type(reply(status=200).error(error_class, "the text of the body")) is error_class


def test_the_representation_of_a_secret_does_not_show_it():
    assert "abcdefgh" not in repr(Secret("abcdefgh"))


def test_a_success_with_another_status_than_that_of_its_endpoint_is_malformed():
    write = Request("POST", "/projects")
    Reply(201, {}, b"null", write).require_status(201)
    with pytest.raises(OutcomeUnknownError, match="unexpected status, 201 would be the one of a success"):
        Reply(200, {}, b"<html>", write).require_status(201)
