"""Authentication: one login for all requests, never repeated after a rejection."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from self_hosted.core.http.auth import HeaderAuth, LoginAuth
from self_hosted.core.http.errors import AuthenticationError
from self_hosted.core.http.flow import Pause, Reply, Request, Secret
from tests.core.toy import ToyLogin

WHOAMI = Request("GET", "/whoami")


def reply(body: bytes = b"{}") -> Reply:
    return Reply(200, {}, body, WHOAMI)


def login_reply(session: str) -> Reply:
    return reply(f'{{"session": "{session}", "stamp": "stamp"}}'.encode())


def test_an_api_key_is_added_to_a_request():
    step = next(HeaderAuth({"X-Key": "k"}).send(WHOAMI))
    assert step == Request("GET", "/whoami", headers={"X-Key": "k"})


def test_the_first_request_signs_in_and_masks_the_session_headers():
    flow = ToyLogin("bo", "pw").send(WHOAMI)
    login = next(flow)
    assert isinstance(login, Request)
    assert login.path == "/login"
    secrets = [flow.send(login_reply("s1")), flow.send(reply())]
    assert secrets == [Secret("s1"), Secret("stamp")]
    assert flow.send(reply()) == WHOAMI.with_headers({"X-Session": "s1", "X-Stamp": "stamp"})


def test_ten_threads_share_one_login(hook, toy):
    with ThreadPoolExecutor(10) as threads:
        counts = list(threads.map(lambda _: hook.count_bricks("bo"), range(10)))
    assert counts == [{"red": 2, "blue": 3}] * 10
    assert toy.count_requests("POST", "/login") == 1


async def test_fifty_coroutines_share_one_login(hook, toy):
    async with hook.async_client() as client:
        users = await asyncio.gather(*(client(hook.verify_credentials()) for _ in range(50)))
    assert users == ["Signed in as bo."] * 50
    assert toy.count_requests("POST", "/login") == 1


def test_an_expired_session_is_renewed_once_for_all_threads(hook, toy, served):
    hook.count_bricks("bo")
    served.end_sessions()
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda _: hook.count_bricks("bo"), range(10)))
    assert toy.count_requests("POST", "/login") == 2


def test_a_rejected_new_session_is_not_renewed_again(hook, toy, served):
    hook.run(hook.verify_credentials())
    served.fail("status", status=401, times=2, path="/whoami")
    with pytest.raises(AuthenticationError):
        hook.run(hook.verify_credentials())
    assert toy.count_requests("POST", "/login") == 2


def test_a_rejected_login_is_an_error_and_is_not_repeated(served, toy, connect, run_flow, hook):
    connect("toy_default", served.connection(password="wr0ng"))
    with pytest.raises(AuthenticationError, match=r"POST /login: wrong user or password \(HTTP 401\)"):
        run_flow(hook, hook.verify_credentials())
    assert toy.count_requests("POST", "/login") == 1


def test_a_rejected_login_is_not_repeated_by_other_threads(served, toy, connect, hook):
    connect("toy_default", served.connection(password="wr0ng"))
    with ThreadPoolExecutor(10) as threads:
        results = [threads.submit(hook.count_bricks, "bo") for _ in range(10)]
    assert all(isinstance(result.exception(), AuthenticationError) for result in results)
    assert toy.count_requests("POST", "/login") == 1


def test_a_forbidden_request_does_not_end_the_session(hook, toy, served):
    served.fail("status", status=403, path="/whoami")
    with pytest.raises(Exception, match="rejected without a reason"):
        hook.count_bricks("bo")
    assert hook.count_bricks("bo") == {"red": 2, "blue": 3}
    assert toy.count_requests("POST", "/login") == 1


def test_a_login_that_failed_otherwise_is_repeated_by_the_next_request(hook, toy, served):
    served.fail("status", status=500, path="/login")
    with pytest.raises(Exception, match="HTTP 500"):
        hook.count_bricks("bo")
    assert hook.count_bricks("bo") == {"red": 2, "blue": 3}
    assert toy.count_requests("POST", "/login") == 1


def test_a_flow_pauses_while_another_signs_in():
    auth = ToyLogin("bo", "pw")
    first, second = auth.send(WHOAMI), auth.send(WHOAMI)
    assert isinstance(next(first), Request)
    assert isinstance(next(second), Pause)
    first.send(login_reply("s1"))
    first.send(reply())  # the second secret
    first.send(reply())  # the login is complete
    assert second.send(reply()) == WHOAMI.with_headers({"X-Session": "s1", "X-Stamp": "stamp"})


def test_a_flow_closed_during_its_login_lets_the_next_sign_in():
    auth = ToyLogin("bo", "pw")
    abandoned, next_one = auth.send(WHOAMI), auth.send(WHOAMI)
    next(abandoned)
    abandoned.close()
    login = next(next_one)
    assert isinstance(login, Request)
    assert login.path == "/login"


def test_a_session_that_was_not_masked_is_not_used():
    auth = ToyLogin("bo", "pw")
    abandoned, next_one = auth.send(WHOAMI), auth.send(WHOAMI)
    next(abandoned)
    assert abandoned.send(login_reply("s1")) == Secret("s1")
    abandoned.close()
    login = next(next_one)
    assert isinstance(login, Request)
    assert login.path == "/login"


def test_session_headers_are_masked(hook, served):
    masked: list[str] = []
    hook.run(hook.verify_credentials())
    transport, auth = hook._transport_and_auth
    transport.mask = masked.append
    served.end_sessions()
    hook.run(hook.verify_credentials())
    assert masked == list(auth._auth._session.values())
    assert len(masked) == 2


def test_login_is_abstract():
    class Incomplete(LoginAuth):
        """A subclass without `login`."""

    with pytest.raises(NotImplementedError):
        Incomplete().login()
