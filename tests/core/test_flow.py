"""Flows by hand, requests and replies as data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from self_hosted.core.errors import Broken, Busy, Invalid, LoginRefused, NotFound, ProductError, Uncertain
from self_hosted.core.flow import (
    Flow,
    Pause,
    Reply,
    Request,
    Secret,
    Step,
    arun,
    handled,
    run,
    seconds_to_wait,
    url_path,
)
from tests.core.toy import bricks

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
ROLL_CALL = Request("GET", "/whoami")


def reply(body: bytes = b"{}", status: int = 200, request: Request = ROLL_CALL, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, request)


def found(path: str) -> Flow[str]:
    """What is at the path, or "nothing"."""
    try:
        answer = yield Request("GET", path)
    except NotFound:
        return "nothing"
    return answer.text


def walked(log: list[str]) -> Flow[str]:
    """One of each step, and a note when it is closed."""
    try:
        yield Secret("hush-hush")
        yield Pause(0.5)
        return (yield ROLL_CALL).text
    finally:
        log.append("closed")


class Performer:
    """Notes the steps, and answers each request with the text of its path; "/404" is not found."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def __call__(self, step: Step) -> Reply:
        self.steps.append(step)
        if isinstance(step, Request) and step.path == "/404":
            raise NotFound("gone")
        return reply(step.path.encode() if isinstance(step, Request) else b"")

    async def later(self, step: Step) -> Reply:
        return self(step)


def in_worker(flow: Flow[Any], performer: Performer) -> Any:
    return run(flow, performer)


def in_trigger(flow: Flow[Any], performer: Performer) -> Any:
    return asyncio.run(arun(flow, performer.later))


@pytest.fixture(params=[in_worker, in_trigger])
def runner(request: pytest.FixtureRequest) -> Callable[[Flow[Any], Performer], Any]:
    return request.param  # type: ignore[no-any-return]


def test_a_flow_is_stepped_by_hand():
    flow = bricks("bo", limit=5)
    request = next(flow)
    assert isinstance(request, Request)
    assert (request.method, request.target) == ("GET", "/whoami?user=bo&limit=5")
    with pytest.raises(StopIteration) as end:
        flow.send(reply(b'{"brick": {"red": 1}}'))
    assert end.value.value == {"red": 1}


def test_an_error_thrown_into_a_flow_can_be_its_answer():
    flow = found("/404")
    next(flow)
    with pytest.raises(StopIteration) as end:
        flow.throw(NotFound("gone"))
    assert end.value.value == "nothing"


def test_both_runners_return_the_result_and_perform_every_step_in_order(runner):
    performer = Performer()
    assert runner(walked([]), performer) == "/whoami"
    assert performer.steps == [Secret("hush-hush"), Pause(0.5), ROLL_CALL]


def test_both_runners_throw_errors_into_the_flow(runner):
    assert runner(found("/404"), Performer()) == "nothing"


def test_an_error_that_the_flow_does_not_catch_reaches_the_caller_and_closes_the_flow(runner):
    class Refusing(Performer):
        def __call__(self, step: Step) -> Reply:
            raise Busy("not now")

    log: list[str] = []
    with pytest.raises(Busy):
        runner(walked(log), Refusing())
    assert log == ["closed"]


def test_what_is_no_product_error_is_not_thrown_in_but_closes_the_flow(runner):
    class Failing(Performer):
        def __call__(self, step: Step) -> Reply:
            raise EOFError("the file became shorter")

    log: list[str] = []
    with pytest.raises(EOFError):
        runner(walked(log), Failing())
    assert log == ["closed"]


def test_a_flow_that_ends_at_once_needs_no_step(runner):
    def nothing() -> Flow[int]:
        return 7
        yield

    assert runner(nothing(), Performer()) == 7


def test_handled_replaces_requests_and_lets_other_steps_pass(runner):
    def shouted(request: Request) -> Flow[Reply]:
        return (yield request.with_headers({"x-loud": "yes"}))

    performer = Performer()
    assert runner(handled(walked([]), shouted), performer) == "/whoami"
    assert performer.steps == [Secret("hush-hush"), Pause(0.5), Request("GET", "/whoami", headers={"x-loud": "yes"})]


def test_handled_throws_errors_of_the_handler_into_the_flow(runner):
    def refused(request: Request) -> Flow[Reply]:
        raise NotFound("gone")
        yield

    assert runner(handled(found("/anything"), refused), Performer()) == "nothing"


def test_a_handler_may_send_several_requests_for_one(runner):
    def twice(request: Request) -> Flow[Reply]:
        yield Request("GET", "/before")
        return (yield request)

    performer = Performer()
    assert runner(handled(found("/it"), twice), performer) == "/it"
    assert [step.path for step in performer.steps if isinstance(step, Request)] == ["/before", "/it"]


def test_closing_a_handled_flow_closes_the_flow_inside():
    log: list[str] = []

    def sent(request: Request) -> Flow[Reply]:
        return (yield request)

    flow = handled(walked(log), sent)
    next(flow)
    flow.close()
    assert log == ["closed"]


def test_path_segments_are_quoted_so_that_an_id_stays_one_segment():
    assert url_path("rules", "a b/c?d#é", 7) == "/rules/a%20b%2Fc%3Fd%23%C3%A9/7"


@pytest.mark.parametrize("dots", [".", ".."])
def test_an_id_of_dots_is_refused_because_it_would_lead_to_another_address(dots):
    with pytest.raises(ValueError, match=r"'\.\.?' cannot be part of an address"):
        url_path("rules", dots)


def test_the_query_leaves_none_out_spells_booleans_and_repeats_names():
    request = Request("GET", "/x", query={"a": None, "b": True, "c": False, "d": ["x y", True], "e": 1, "f": (2, 3)})
    assert request.target == "/x?b=true&c=false&d=x+y&d=true&e=1&f=2&f=3"


def test_without_a_query_the_target_is_the_path():
    assert Request("GET", "/x", query={"a": None}).target == "/x"


@pytest.mark.parametrize(
    ("method", "repeatable", "expected"),
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
def test_only_reading_is_repeatable_unless_the_flow_says_otherwise(method, repeatable, expected):
    assert Request(method, "/x", repeatable=repeatable).may_be_repeated is expected


def test_headers_are_added_to_a_copy():
    request = Request("GET", "/x", headers={"a": "1"})
    assert request.with_headers({"b": "2"}).headers == {"a": "1", "b": "2"}
    assert request.headers == {"a": "1"}


def test_a_reply_that_is_a_page_instead_of_json_is_broken_and_says_where():
    with pytest.raises(Broken, match=r"GET /whoami: the answer is no JSON; it begins '<html>hello' \(HTTP 200\)"):
        reply(b"<html>hello").json()


def test_a_reply_knows_whether_it_claims_to_be_json():
    assert reply(content_type="application/problem+json; charset=utf-8").is_json
    assert not reply(content_type="text/html").is_json
    assert not reply().is_json


def test_a_reply_with_bytes_that_are_no_text_can_still_be_shown():
    assert reply(b"a\xff").text == "a�"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Thu, 01 Jan 2026 12:00:09 GMT", 9.0),
        ("Thu, 01 Jan 2026 12:00:09 -0000", 9.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Thu, 99 Jan 2026 12:00:09 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date_and_garbage_is_no_wish(header, seconds):
    assert seconds_to_wait(header, NOON) == seconds


def test_retry_after_as_a_date_counts_from_now():
    assert seconds_to_wait("Wed, 01 Jan 2020 00:00:00 GMT") == 0
    assert (seconds_to_wait("Wed, 01 Jan 2200 00:00:00 GMT") or 0) > 1_000_000


@pytest.mark.parametrize("status", [200, 204, 304])
def test_success_is_no_error(status):
    assert reply(status=status).plain_error() is None


def test_a_redirect_says_what_to_correct():
    error = reply(status=301, location="https://there.example.com/").plain_error("never mind")
    assert isinstance(error, Invalid)
    assert error.words == "redirected to https://there.example.com/: correct the base URL"


def test_an_error_holds_what_was_asked_what_came_back_and_how_long_to_wait():
    error = reply(status=429, retry_after="3").plain_error("slow down")
    assert isinstance(error, Busy)
    assert (error.method, error.path, error.status, error.retry_after) == ("GET", "/whoami", 429, 3.0)
    assert str(error) == "GET /whoami: slow down (HTTP 429)"


def test_a_refusal_without_words_says_so():
    assert str(reply(status=400).plain_error()) == "GET /whoami: refused without a reason (HTTP 400)"


@pytest.mark.parametrize("kind", [LoginRefused, Uncertain, ProductError])
def test_a_product_may_say_what_kind_an_error_is(kind):
    assert type(reply(status=200).error(kind, "as the body says")) is kind
