"""Event triggers where Airflow keeps no cursor, and what they say of their arguments and of trouble."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging

import pytest
from airflow.sdk import DAG, Asset, AssetWatcher
from airflow.serialization import serialized_objects

from self_hosted.core import follower
from self_hosted.core.question import imported
from tests.core.events import Eventful, ThingTrigger, ids, told_by
from tests.core.toy import API_KEY, PASSWORD

SINCE_EVER = "2000-01-01"


@pytest.fixture(scope="module")
def _served(serve):
    return serve(Eventful())


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    """Without a scheduler nobody needs the time that it takes to make a run."""
    monkeypatch.setattr(follower, "SPACING", 0.0)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(follower, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(follower, "SLOW_PAUSE", 0.02)


@pytest.fixture
def logged(capsys, caplog):
    """Lines of the log that say something of the watch, whichever way this Airflow logs."""
    caplog.set_level(logging.INFO)
    seen: list[str] = []

    def lines(words="the watch for each thing"):
        seen.append(capsys.readouterr().out)
        return [line.lower() for line in ("".join(seen) + caplog.text).splitlines() if words in line]

    return lines


@contextlib.asynccontextmanager
async def running(trigger):
    """The ids of what a trigger tells, while it runs."""
    told: list[str] = []

    async def run():
        async for event in trigger.run():
            told.extend(ids(event.payload["news"]))

    task = asyncio.ensure_future(run())
    try:
        yield told
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(what):
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.01)


async def test_each_thing_that_happens_is_told_once(toy, hook):
    toy.happen("before")
    async with running(ThingTrigger()) as told:
        await until(lambda: toy.times("GET", "/events") > 2)
        toy.happen("a", "b")
        await until(lambda: len(told) == 2)
        toy.happen("c", at=-30)
        await until(lambda: len(told) == 3)
        before = toy.times("GET", "/events")
        await until(lambda: toy.times("GET", "/events") > before + 2)
    assert told == ["a", "b", "c"]
    assert toy.times("POST", "/login") == 1


async def test_what_happened_since_a_moment_is_told_with_the_arguments_and_once(toy, hook):
    toy.happen("a", at=-1)
    toy.happen("b", "c", at=1)
    told = await told_by(ThingTrigger(since="2026-11-24T12:00:00Z", wanted="x"), 2)
    assert told == [
        {"id": "b", "wanted": "x", "link": "toy", "again": False},
        {"id": "c", "wanted": "x", "link": "toy", "again": False},
    ]


async def test_more_than_a_page_is_told_without_a_gap(toy, hook):
    names = [f"{number:04}" for number in range(450)]
    for number, name in enumerate(names):
        toy.happen(name, at=number)
    assert ids(await told_by(ThingTrigger(since=SINCE_EVER), 450)) == names


async def test_what_is_nobodys_business_is_not_told(toy, hook):
    toy.happen("ghost", kind="ghost")
    toy.happen("a")
    assert ids(await told_by(ThingTrigger(since=SINCE_EVER), 1)) == ["a"]


@pytest.mark.parametrize("status", [503, 500, 504])
@pytest.mark.usefixtures("impatient")
async def test_an_outage_is_told_once_and_ends_nothing(toy, served, keyed, logged, status):
    keyed(retry_budget=0)
    served.fail("status", status=status, path="/events", times=4)
    toy.happen("a")
    assert ids(await told_by(ThingTrigger(since=SINCE_EVER), 1)) == ["a"]
    interrupted, goes_on = logged()
    assert f"is interrupted: get /events: refused without a reason (http {status})" in interrupted
    assert "warning" in interrupted
    assert "info" in goes_on


@pytest.mark.usefixtures("impatient")
async def test_a_server_that_is_not_there_ends_nothing(toy, served, connect, logged):
    connect("toy_default", served.connection(host="http://127.0.0.1:9", extra={"api_key": API_KEY, "retry_budget": 0}))
    async with running(ThingTrigger(since=SINCE_EVER)) as told:
        await until(lambda: logged("cannot reach the server"))
        toy.happen("a")
        connect("toy_default", served.connection())
        await until(lambda: told == ["a"])


@pytest.mark.usefixtures("impatient")
async def test_a_credential_that_is_no_longer_accepted_is_an_error_until_a_person_renews_it(
    toy, served, connect, logged
):
    connect("toy_default", served.connection(extra={"api_key": "revoked-key"}))
    async with running(ThingTrigger(since=SINCE_EVER)) as told:
        await until(lambda: len(logged("somebody must mend that")) > 1)
        toy.happen("a")
        connect("toy_default", served.connection(extra={"api_key": API_KEY}))
        await until(lambda: told == ["a"])
    assert logged("revoked-key") == []
    assert all("error" in line for line in logged("interrupted"))


async def test_what_no_retry_mends_is_tried_at_a_slow_pace(toy, served, connect, logged):
    connect("toy_default", served.connection(extra={"api_key": "revoked-key"}))
    async with running(ThingTrigger()):
        await until(lambda: logged("somebody must mend that"))
        before = toy.times("GET", "/events")
        await asyncio.sleep(0.3)
        assert toy.times("GET", "/events") == before


@pytest.mark.usefixtures("impatient")
async def test_a_connection_that_is_missing_is_looked_up_again(toy, served, connect, monkeypatch, logged):
    monkeypatch.delenv("AIRFLOW_CONN_TOY_DEFAULT", raising=False)
    toy.happen("a")
    async with running(ThingTrigger(since=SINCE_EVER)) as told:
        await until(lambda: logged("toy_default"))
        connect("toy_default", served.connection())
        await until(lambda: told == ["a"])


def test_a_product_that_says_when_to_come_back_is_obeyed(hook):
    from self_hosted.core.errors import Busy

    pause = follower.Follower(ThingTrigger())._pause_after(Busy("not now", retry_after=500), 0)
    assert pause == 500


def test_pauses_grow_up_to_a_minute(hook):
    from self_hosted.core.errors import Broken

    pauses = [follower.Follower(ThingTrigger())._pause_after(Broken("x"), failures) for failures in (0, 3, 50)]
    assert 0.5 <= pauses[0] <= 1
    assert 4 <= pauses[1] <= 8
    assert 30 <= pauses[2] <= 60


def test_it_is_the_same_after_it_was_stored_and_holds_no_secret(served, connect):
    connect("toy_default", served.connection(extra={"api_key": API_KEY}))
    path, arguments = json.loads(json.dumps(ThingTrigger(wanted="x").serialize()))
    assert arguments == {"wanted": "x", "poll_interval": 0.05, "since": None, "toy_conn_id": "toy_default"}
    assert imported(path)(**arguments).serialize() == (path, arguments)
    assert not any(secret in json.dumps(arguments) for secret in (API_KEY, PASSWORD))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"poll_interval": 0}, "poll_interval must be a number of seconds, such as 60, not 0"),
        ({"poll_interval": "60"}, "poll_interval must be a number of seconds, such as 60, not '60'"),
        ({"poll_interval": True}, "poll_interval must be a number of seconds, such as 60, not True"),
        ({"since": "yesterday"}, "since must be a moment in ISO 8601, such as '2026-11-24T18:00:00Z', or None, not 'y"),
        ({"since": 5}, "since must be a moment in ISO 8601"),
    ],
)
def test_wrong_arguments_are_an_error_of_the_dag_that_has_them(arguments, words):
    asset = Asset("things", watchers=[AssetWatcher(name="watch", trigger=ThingTrigger(**arguments))])
    with DAG("watching", schedule=[asset]) as dag:
        pass
    names = vars(serialized_objects)
    serializer = names.get("DagSerialization") or names["SerializedDAG"]  # Airflow 3.1
    with pytest.raises(Exception, match=r"Failed to serialize D(ag|AG)") as error:
        serializer.to_dict(dag)
    assert words in str(error.value)


def test_other_arguments_make_another_watch_and_another_pace_does_not():
    key = ThingTrigger().state_key
    assert key.startswith("ThingTrigger-")
    assert ThingTrigger(poll_interval=9).state_key == key
    assert len({key, ThingTrigger(wanted="x").state_key, ThingTrigger(toy_conn_id="other").state_key}) == 3


def test_where_airflow_keeps_no_cursor_nothing_is_streamed():
    assert ThingTrigger().stores == []
    assert ThingTrigger().shared_stream_key() is None
