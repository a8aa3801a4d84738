"""Signing in: once, for all, and never again with what was refused."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from self_hosted.core.auth import HeaderAuth, LoginAuth
from self_hosted.core.errors import LoginRefused
from self_hosted.core.flow import Flow, Pause, Reply, Request, Secret
from tests.core.toy import ToyLogin

WHOAMI = Request("GET", "/whoami")


def reply(body: bytes = b"{}") -> Reply:
    return Reply(200, {}, body, WHOAMI)


def login_reply(session: str) -> Reply:
    return reply(f'{{"session": "{session}", "stamp": "stamp"}}'.encode())


def test_keys_are_put_on_every_request():
    step = next(HeaderAuth({"X-Key": "k"}).send(WHOAMI))
    assert step == Request("GET", "/whoami", headers={"X-Key": "k"})


def test_the_first_request_signs_in_and_hides_every_header_of_the_session():
    flow = ToyLogin("bo", "pw").send(WHOAMI)
    login = next(flow)
    assert isinstance(login, Request)
    assert login.path == "/login"
    hidden = [flow.send(login_reply("s1")), flow.send(reply())]
    assert hidden == [Secret("s1"), Secret("stamp")]
    assert flow.send(reply()) == WHOAMI.with_headers({"X-Session": "s1", "X-Stamp": "stamp"})


def test_ten_threads_share_one_login(hook, toy):
    with ThreadPoolExecutor(10) as threads:
        found = list(threads.map(lambda _: hook.bricks("bo"), range(10)))
    assert found == [{"red": 2, "blue": 3}] * 10
    assert toy.times("POST", "/login") == 1


async def test_fifty_coroutines_share_one_login(hook, toy):
    async with hook.asking() as ask:
        found = await asyncio.gather(*(ask(hook.signed_in()) for _ in range(50)))
    assert found == ["Signed in as bo."] * 50
    assert toy.times("POST", "/login") == 1


def test_a_session_that_ended_is_renewed_once_for_all_threads(hook, toy, served):
    hook.bricks("bo")
    served.end_sessions()
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda _: hook.bricks("bo"), range(10)))
    assert toy.times("POST", "/login") == 2


def test_a_fresh_session_that_is_refused_too_is_the_end(hook, toy, served, ask):
    hook.run(hook.signed_in())
    served.fail("status", status=401, times=2, path="/whoami")
    with pytest.raises(LoginRefused):
        hook.run(hook.signed_in())
    assert toy.times("POST", "/login") == 2


def test_a_refused_login_says_so_and_is_not_repeated(served, toy, connect, ask, hook):
    connect("toy_default", served.connection(password="wrong"))
    with pytest.raises(LoginRefused, match=r"POST /login: wrong user or password \(HTTP 401\)"):
        ask(hook, hook.signed_in())
    assert toy.times("POST", "/login") == 1


def test_a_refused_login_is_not_repeated_by_other_threads_either(served, toy, connect, hook):
    connect("toy_default", served.connection(password="wrong"))
    with ThreadPoolExecutor(10) as threads:
        refusals = [threads.submit(hook.bricks, "bo") for _ in range(10)]
    assert all(isinstance(refusal.exception(), LoginRefused) for refusal in refusals)
    assert toy.times("POST", "/login") == 1


def test_a_refused_request_is_no_refused_login(hook, toy, served):
    served.fail("status", status=403, path="/whoami")
    with pytest.raises(Exception, match="refused"):
        hook.bricks("bo")
    assert hook.bricks("bo") == {"red": 2, "blue": 3}
    assert toy.times("POST", "/login") == 1


def test_a_login_that_failed_for_another_reason_may_be_tried_again(hook, toy, served):
    served.fail("status", status=500, path="/login")
    with pytest.raises(Exception, match="HTTP 500"):
        hook.bricks("bo")
    assert hook.bricks("bo") == {"red": 2, "blue": 3}
    assert toy.times("POST", "/login") == 1


def test_who_finds_another_signing_in_waits():
    auth = ToyLogin("bo", "pw")
    first, second = auth.send(WHOAMI), auth.send(WHOAMI)
    assert isinstance(next(first), Request)
    assert isinstance(next(second), Pause)
    first.send(login_reply("s1"))
    first.send(reply())  # the second secret
    first.send(reply())  # the session is there
    assert second.send(reply()) == WHOAMI.with_headers({"X-Session": "s1", "X-Stamp": "stamp"})


def test_a_flow_closed_in_the_middle_of_a_login_lets_the_next_one_sign_in():
    auth = ToyLogin("bo", "pw")
    abandoned, next_one = auth.send(WHOAMI), auth.send(WHOAMI)
    next(abandoned)
    abandoned.close()
    login = next(next_one)
    assert isinstance(login, Request)
    assert login.path == "/login"


def test_a_session_that_could_not_be_hidden_is_not_used():
    auth = ToyLogin("bo", "pw")
    abandoned, next_one = auth.send(WHOAMI), auth.send(WHOAMI)
    next(abandoned)
    assert abandoned.send(login_reply("s1")) == Secret("s1")
    abandoned.close()
    login = next(next_one)
    assert isinstance(login, Request)
    assert login.path == "/login"


def test_session_headers_are_masked(hook, served):
    hidden: list[str] = []
    hook.run(hook.signed_in())
    transport, auth = hook._opened
    transport.hide = hidden.append
    served.end_sessions()
    hook.run(hook.signed_in())
    assert hidden == list(auth._session.values())
    assert len(hidden) == 2


def test_a_product_must_say_how_to_sign_in():
    class Undecided(LoginAuth):
        def anything(self) -> Flow[Mapping[str, str]]:
            return self.login()

    with pytest.raises(NotImplementedError):
        Undecided().anything()
