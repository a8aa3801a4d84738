"""Rotated credentials: the connection is read again after a rejection, and running work continues."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from self_hosted.core.connection.renewal import RenewableAuth
from self_hosted.core.connection.settings import Settings
from self_hosted.core.http.address import Address
from self_hosted.core.http.auth import HeaderAuth
from self_hosted.core.http.errors import AuthenticationError
from self_hosted.core.http.flow import Pause, ReadConnection, Reply, Request, Secret
from tests.conftest import Served
from tests.core import toy as toy_module
from tests.core.toy import JobSensor, Toy, ToyHook, fetch_json, submit_job
from tests.core.wait.poller_tasks import seed_jobs, start_wait

WHOAMI = Request("GET", "/whoami")
Rotate = Callable[[], None]

# stepped by hand

OLD = Settings("toy", Address("https://toy.example.com"), "bo", "old", {}, secrets=("key",))
NEW = replace(OLD, password="new")
PROXY = "http://user:pw@proxy.example.com"
OTHER_PROXY = replace(OLD, address=replace(OLD.address, proxy=PROXY), secrets=("key", PROXY))


def build_auth(settings: Settings) -> HeaderAuth:
    if not settings.password:
        raise ValueError("the password is missing")
    return HeaderAuth({"X-Password": settings.password})


def signed(password: str) -> Request:
    return WHOAMI.with_headers({"X-Password": password})


def reply() -> Reply:
    return Reply(200, {}, b"", WHOAMI)


def send_replies(flow: Any) -> Any:
    """Reply to all secrets; return the step after them."""
    step = flow.send(reply())
    while isinstance(step, Secret):
        step = flow.send(reply())
    return step


def reject(flow: Any) -> Any:
    """Send a request and reject it; return the next step."""
    assert next(flow) == signed("old")
    return flow.throw(AuthenticationError("wrong password"))


def test_a_rejected_request_is_sent_again_with_the_new_credential():
    auth = RenewableAuth(OLD, build_auth)
    flow = auth.send(WHOAMI)
    step = reject(flow)
    assert isinstance(step, ReadConnection)
    step.receive(NEW)
    secrets = [flow.send(reply()), flow.send(reply()), flow.send(reply())]
    assert secrets == [Secret("new"), Secret("Ym86bmV3"), Secret("key")]
    assert flow.send(reply()) == signed("new")
    with pytest.raises(StopIteration):
        flow.send(reply())
    assert next(auth.send(WHOAMI)) == signed("new")


@pytest.mark.parametrize(
    "found",
    [None, OLD, replace(OLD, extra={"max_concurrent_requests": 3}), OTHER_PROXY, replace(OLD, password="")],
    ids=["missing", "unchanged", "other-field", "other-proxy", "incomplete"],
)
def test_without_another_credential_nothing_is_sent_again(found: Settings | None):
    flow = RenewableAuth(OLD, build_auth).send(WHOAMI)
    step = reject(flow)
    if found:
        step.receive(found)
    with pytest.raises(AuthenticationError, match=r"^wrong password$"):
        send_replies(flow)


def test_a_new_credential_is_not_sent_to_the_former_server():
    flow = RenewableAuth(OLD, build_auth).send(WHOAMI)
    reject(flow).receive(replace(NEW, address=Address("https://other.example.com")))
    with pytest.raises(AuthenticationError, match="wrong password; the connection has another base URL meanwhile"):
        flow.send(reply())


def test_a_rejected_new_credential_is_not_renewed_again():
    flow = RenewableAuth(OLD, build_auth).send(WHOAMI)
    reject(flow).receive(NEW)
    assert send_replies(flow) == signed("new")
    with pytest.raises(AuthenticationError, match="still wrong"):
        flow.throw(AuthenticationError("still wrong"))


def test_a_flow_pauses_while_another_reads_the_connection_and_uses_its_credential():
    auth = RenewableAuth(OLD, build_auth)
    first, second = auth.send(WHOAMI), auth.send(WHOAMI)
    assert next(second) == signed("old")
    reject(first).receive(NEW)
    assert isinstance(second.throw(AuthenticationError("wrong password")), Pause)
    assert send_replies(first) == signed("new")
    assert second.send(reply()) == signed("new")


# against the server


@pytest.fixture(params=["login", "api_key"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def start(kind: str, served: Served, connect: Any) -> ToyHook:
    """A hook with the credential before the rotation."""
    extra = {"api_key": toy_module.API_KEY} if kind == "api_key" else {}
    return ToyHook(connect("toy_default", served.connection(extra=extra)))


@pytest.fixture
def rotate_in_product(served: Served, monkeypatch: pytest.MonkeyPatch) -> Rotate:
    def change() -> None:
        monkeypatch.setattr(toy_module, "PASSWORD", "rotated-password")
        monkeypatch.setattr(toy_module, "API_KEY", "rotated-key")
        served.end_sessions()

    return change


@pytest.fixture
def rotate(rotate_in_product: Rotate, kind: str, served: Served, connect: Any) -> Rotate:
    """Change the credential in the product and in the connection."""

    def change() -> None:
        rotate_in_product()
        extra = {"api_key": toy_module.API_KEY} if kind == "api_key" else {}
        connect("toy_default", served.connection(extra=extra))

    return change


def count_logins(toy: Toy) -> int:
    return toy.count_requests("POST", "/login")


def test_a_worker_continues_with_the_new_credential(start: ToyHook, toy: Toy, kind: str, rotate: Rotate):
    assert start.run(fetch_json(WHOAMI))["user"] == "bo"
    rotate()
    assert start.run(submit_job("house", 0, "done")) == "job-1"
    assert len(toy.jobs) == 1
    assert count_logins(toy) == (3 if kind == "login" else 0)  # the second one is rejected


async def test_a_trigger_continues_with_the_new_credential(start: ToyHook, toy: Toy, kind: str, rotate: Rotate):
    async with start.async_client() as client:
        assert (await client(fetch_json(WHOAMI)))["user"] == "bo"
        rotate()
        assert await client(submit_job("house", 0, "done")) == "job-1"
    assert len(toy.jobs) == 1
    assert count_logins(toy) == (3 if kind == "login" else 0)


def test_threads_that_share_a_hook_share_the_renewal(start: ToyHook, toy: Toy, kind: str, rotate: Rotate):
    start.run(fetch_json(WHOAMI))
    rotate()
    with ThreadPoolExecutor(8) as pool:
        users = list(pool.map(lambda _: start.run(fetch_json(WHOAMI))["user"], range(16)))
    assert users == ["bo"] * 16
    assert count_logins(toy) == (3 if kind == "login" else 0)


def test_without_a_new_credential_a_rejected_login_is_not_repeated(start: ToyHook, toy: Toy, kind, rotate_in_product):
    start.run(fetch_json(WHOAMI))
    rotate_in_product()
    for _ in range(3):
        with pytest.raises(AuthenticationError):
            start.run(fetch_json(WHOAMI))
    assert count_logins(toy) == (2 if kind == "login" else 0)


@pytest.mark.parametrize("stored", [None, "{", '{"conn_type": "toy"}'], ids=["missing", "no-json", "incomplete"])
def test_a_connection_that_cannot_be_read_leaves_the_rejection(
    start: ToyHook, rotate_in_product: Rotate, monkeypatch, stored
):
    start.run(fetch_json(WHOAMI))
    rotate_in_product()
    monkeypatch.delenv("AIRFLOW_CONN_TOY_DEFAULT")
    if stored:
        monkeypatch.setenv("AIRFLOW_CONN_TOY_DEFAULT", stored)
    with pytest.raises(AuthenticationError, match="HTTP 401"):
        start.run(fetch_json(WHOAMI))


async def test_in_a_trigger_a_missing_connection_leaves_the_rejection(
    start: ToyHook, rotate_in_product: Rotate, monkeypatch
):
    async with start.async_client() as client:
        await client(fetch_json(WHOAMI))
        rotate_in_product()
        monkeypatch.delenv("AIRFLOW_CONN_TOY_DEFAULT")
        with pytest.raises(AuthenticationError, match="HTTP 401"):
            await client(fetch_json(WHOAMI))


def test_the_new_credential_is_masked(start: ToyHook, rotate: Rotate, kind: str):
    masked: list[str] = []
    start.run(fetch_json(WHOAMI))
    transport, _ = start._transport_and_auth
    transport.mask = masked.append
    rotate()
    start.run(fetch_json(WHOAMI))
    secret = "rotated-key" if kind == "api_key" else "rotated-password"
    assert secret in masked
    assert transport.secrets.redact(f"a {secret}") == "a ***"


async def test_all_waits_of_a_poller_continue(start: ToyHook, toy: Toy, rotate: Rotate):
    seed_jobs(toy, a=8, b=8)
    waits = [start_wait("a"), start_wait("b")]
    async with asyncio.timeout(60):
        while not toy.count_requests("GET", "/jobs"):
            await asyncio.sleep(0.01)
        rotate()
        assert all(observation.done for observation in await asyncio.gather(*waits))


class RotatingSensor(JobSensor):
    """A sensor that rotates the credential after its first poke."""

    rotate: Any = None

    def poke(self, context: Any) -> Any:
        result = super().poke(context)
        if self.rotate:
            self.rotate()
            self.rotate = None
        return result


def test_a_sensor_in_a_worker_slot_continues(start: ToyHook, toy: Toy, rotate: Rotate, make_context):
    seed_jobs(toy, a=3)
    sensor = RotatingSensor(task_id="wait", job_id="a", poke_interval=0.05, deferrable=False)
    sensor.rotate = rotate
    assert sensor.execute(make_context(sensor))["state"] == "done"
