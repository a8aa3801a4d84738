"""Event triggers where Airflow stores no cursor; their arguments, retries and log lines."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from types import SimpleNamespace
from typing import cast

import pytest
from airflow.sdk import DAG, Asset, AssetWatcher
from airflow.serialization import serialized_objects

from self_hosted.core.events import producer
from self_hosted.core.events.trigger import FeedTrigger
from self_hosted.core.imports import import_string
from tests.core.events.toy_events import NOON, EventfulToy, ToyEventTrigger, collect_items, item_ids
from tests.core.toy import API_KEY, PASSWORD

FROM_START = "2000-01-01"


@pytest.fixture(scope="module")
def _served(serve):
    return serve(EventfulToy())


@pytest.fixture(autouse=True)
def _no_event_spacing(monkeypatch):
    """Deliver events without the pause that only a scheduler needs."""
    monkeypatch.setattr(producer, "MIN_EVENT_SPACING_SECONDS", 0.0)


@pytest.fixture
def short_pauses(monkeypatch):
    monkeypatch.setattr(producer, "MIN_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(producer, "PERMANENT_ERROR_PAUSE_SECONDS", 0.02)


@pytest.fixture
def logged(capsys, caplog):
    """Return the log lines with a text; Airflow versions log to standard output or to `logging`."""
    caplog.set_level(logging.INFO)
    captured: list[str] = []

    def find_lines(text="the watch for each toy event"):
        captured.append(capsys.readouterr().out)
        return [line.lower() for line in ("".join(captured) + caplog.text).splitlines() if text in line]

    return find_lines


@contextlib.asynccontextmanager
async def running(trigger):
    """Run a trigger; yield the growing list of delivered ids."""
    delivered: list[str] = []

    async def run():
        async for event in trigger.run():
            delivered.extend(item_ids(event.payload["items"]))

    task = asyncio.ensure_future(run())
    try:
        yield delivered
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def wait_until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_each_new_item_is_delivered_once(toy, hook):
    toy.add_events("before")
    async with running(ToyEventTrigger()) as delivered:
        await wait_until(lambda: toy.count_requests("GET", "/events") > 2)
        toy.add_events("a", "b")
        await wait_until(lambda: len(delivered) == 2)
        toy.add_events("c", at=-30)
        await wait_until(lambda: len(delivered) == 3)
        before = toy.count_requests("GET", "/events")
        await wait_until(lambda: toy.count_requests("GET", "/events") > before + 2)
    assert delivered == ["a", "b", "c"]
    assert toy.count_requests("POST", "/login") == 1


async def test_since_delivers_the_items_from_that_time_on(toy, hook):
    toy.add_events("a", at=-1)
    toy.add_events("b", "c", at=1)
    items = await collect_items(ToyEventTrigger(since="2026-11-24T12:00:00Z", topic="x"), 2)
    assert items == [
        {"id": "b", "topic": "x", "link": "toy", "redelivered": False},
        {"id": "c", "topic": "x", "link": "toy", "redelivered": False},
    ]


async def test_several_pages_are_delivered_completely_and_in_order(toy, hook):
    names = [f"{number:04}" for number in range(450)]
    for number, name in enumerate(names):
        toy.add_events(name, at=number)
    assert item_ids(await collect_items(ToyEventTrigger(since=FROM_START), 450)) == names


async def test_items_without_payload_are_not_delivered(toy, hook):
    toy.add_events("irrelevant", kind="irrelevant")
    toy.add_events("a")
    assert item_ids(await collect_items(ToyEventTrigger(since=FROM_START), 1)) == ["a"]


async def test_since_may_be_a_datetime_and_is_stored_as_text(toy, hook):
    toy.add_events("a", at=-60)
    toy.add_events("b", at=60)
    trigger = ToyEventTrigger(since=cast("str", NOON))
    assert trigger.serialize()[1]["since"] == NOON.isoformat()
    assert trigger.state_key == ToyEventTrigger(since=NOON.isoformat()).state_key
    assert item_ids(await collect_items(trigger, 1)) == ["b"]


async def test_a_poll_interval_may_be_text(toy, hook):
    async with running(ToyEventTrigger(poll_interval=cast("float", "0.05"))) as delivered:
        await wait_until(lambda: toy.count_requests("GET", "/events") > 2)
        toy.add_events("a")
        await wait_until(lambda: delivered == ["a"])


@pytest.mark.parametrize("status", [503, 500, 504])
@pytest.mark.usefixtures("short_pauses")
async def test_an_outage_is_logged_once_and_the_trigger_continues(toy, served, make_hook, logged, status):
    make_hook(retry_timeout=0)
    served.fail("status", status=status, path="/events", times=4)
    toy.add_events("a")
    assert item_ids(await collect_items(ToyEventTrigger(since=FROM_START), 1)) == ["a"]
    interrupted, resumed = logged()
    assert f"is interrupted: get /events: rejected without a reason (http {status})" in interrupted
    assert "warning" in interrupted
    assert "info" in resumed


async def test_the_pauses_of_a_watch_are_logged_once_per_minute(toy, served, make_hook, logged, monkeypatch):
    monkeypatch.setattr("self_hosted.core.http.retries._backoff", lambda state: 0.01)
    make_hook()
    served.fail("status", status=503, path="/events", times=4)
    toy.add_events("a")
    assert item_ids(await collect_items(ToyEventTrigger(since=FROM_START), 1)) == ["a"]
    assert {"retry 1 in" in line for line in logged("in all")} == {True}
    assert not logged("retry 2 in")


@pytest.mark.usefixtures("short_pauses")
async def test_the_trigger_continues_when_an_unreachable_server_returns(toy, served, connect, logged):
    connect("toy_default", served.connection(host="http://127.0.0.1:9", extra={"api_key": API_KEY, "retry_timeout": 0}))
    async with running(ToyEventTrigger(since=FROM_START)) as delivered:
        await wait_until(lambda: logged("cannot reach the server"))
        toy.add_events("a")
        connect("toy_default", served.connection())
        await wait_until(lambda: delivered == ["a"])


@pytest.mark.usefixtures("short_pauses")
async def test_a_revoked_credential_is_logged_as_an_error_until_it_is_renewed(toy, served, connect, logged):
    connect("toy_default", served.connection(extra={"api_key": "revoked-key"}))
    async with running(ToyEventTrigger(since=FROM_START)) as delivered:
        await wait_until(lambda: len(logged("manual action required")) > 1)
        toy.add_events("a")
        connect("toy_default", served.connection(extra={"api_key": API_KEY}))
        await wait_until(lambda: delivered == ["a"])
    assert logged("revoked-key") == []
    assert all("error" in line for line in logged("interrupted"))


async def test_a_permanent_error_is_retried_after_a_long_pause(served, connect, logged, monkeypatch):
    pauses: list[float] = []
    has_paused = asyncio.Event()

    async def record_pause(seconds):
        pauses.append(seconds)
        has_paused.set()
        await asyncio.Event().wait()

    # only in this module: the server of the tests sleeps, too
    monkeypatch.setattr(producer, "asyncio", SimpleNamespace(sleep=record_pause, Event=asyncio.Event))
    connect("toy_default", served.connection(extra={"api_key": "revoked-key"}))
    async with running(ToyEventTrigger()), asyncio.timeout(60):
        await has_paused.wait()
    assert pauses == [producer.PERMANENT_ERROR_PAUSE_SECONDS]
    assert logged("manual action required")


@pytest.mark.usefixtures("short_pauses")
async def test_a_missing_connection_is_read_again_until_it_exists(toy, served, connect, monkeypatch, logged):
    monkeypatch.delenv("AIRFLOW_CONN_TOY_DEFAULT", raising=False)
    toy.add_events("a")
    async with running(ToyEventTrigger(since=FROM_START)) as delivered:
        await wait_until(lambda: logged("toy_default"))
        connect("toy_default", served.connection())
        await wait_until(lambda: delivered == ["a"])


def test_the_pause_is_at_least_retry_after(hook):
    from self_hosted.core.http.errors import UnavailableError

    pause = producer.FeedProducer(ToyEventTrigger())._pause_after(UnavailableError("not now", retry_after=500), 0)
    assert pause == 500


def test_pauses_between_retries_grow_up_to_a_minute(hook):
    from self_hosted.core.http.errors import ServerError

    pauses = [
        producer.FeedProducer(ToyEventTrigger())._pause_after(ServerError("x"), failures) for failures in (0, 3, 50)
    ]
    assert 0.5 <= pauses[0] <= 1
    assert 4 <= pauses[1] <= 8
    assert 30 <= pauses[2] <= 60


def test_a_stored_trigger_is_restored_and_holds_no_secret(served, connect):
    connect("toy_default", served.connection(extra={"api_key": API_KEY}))
    path, arguments = json.loads(json.dumps(ToyEventTrigger(topic="x").serialize()))
    assert arguments == {"topic": "x", "poll_interval": 0.05, "since": None, "toy_conn_id": "toy_default"}
    assert import_string(path)(**arguments).serialize() == (path, arguments)
    assert not any(secret in json.dumps(arguments) for secret in (API_KEY, PASSWORD))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"poll_interval": 0}, "poll_interval must be a number above 0, not 0"),
        ({"poll_interval": "often"}, "poll_interval must be a number above 0, not 'often'"),
        ({"poll_interval": True}, "poll_interval must be a number above 0, not True"),
        ({"since": "yesterday"}, "since must be a timestamp in ISO 8601, such as '2026-11-24T18:00:00Z', not 'y"),
        ({"since": 5}, "since must be a timestamp in ISO 8601"),
    ],
)
def test_invalid_arguments_fail_the_import_of_the_dag(arguments, message):
    asset = Asset("toy_events", watchers=[AssetWatcher(name="watch", trigger=ToyEventTrigger(**arguments))])
    with DAG("watching", schedule=[asset]) as dag:
        pass
    names = vars(serialized_objects)
    serializer = names.get("DagSerialization") or names["SerializedDAG"]  # Airflow 3.1
    with pytest.raises(Exception, match=r"Failed to serialize D(ag|AG)") as error:
        serializer.to_dict(dag)
    assert message in str(error.value)


def test_the_state_key_depends_on_all_arguments_but_the_poll_interval():
    key = ToyEventTrigger().state_key
    assert key.startswith("ToyEventTrigger-")
    assert ToyEventTrigger(poll_interval=9).state_key == key
    assert len({key, ToyEventTrigger(topic="x").state_key, ToyEventTrigger(toy_conn_id="other").state_key}) == 3


def test_without_a_state_store_no_stream_is_shared():
    assert ToyEventTrigger().stores == []
    assert ToyEventTrigger().shared_stream_key() is None


def test_arguments_are_abstract():
    with pytest.raises(NotImplementedError):
        FeedTrigger().arguments()
