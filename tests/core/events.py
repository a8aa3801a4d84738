"""What the tests of event triggers share: a toy in which things happen, its feed and trigger, and Airflow's part."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from self_hosted.core.event_trigger import FeedTrigger
from self_hosted.core.feed import Feed, Item, moment
from self_hosted.core.flow import Flow, Request
from tests.core.toy import Toy

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Eventful(Toy):
    """A toy in which things happen."""

    def reset(self) -> None:
        super().reset()
        self.happened: list[dict[str, Any]] = []

    def happen(self, *ids: str, at: float = 0, kind: str = "good") -> None:
        """Things that happen so many seconds after noon."""
        time = (NOON + timedelta(seconds=at)).isoformat()
        self.happened += [{"id": one, "time": time, "kind": kind} for one in ids]

    def routes(self) -> Sequence[BaseRoute]:
        return [*super().routes(), Route("/events", self.events)]

    async def events(self, asked: Asked) -> Response:
        if not self.signed_in(asked):
            return JSONResponse({"error": "who are you?"}, 401)
        since, offset, rows = asked.query_params["since"], *(int(asked.query_params[one]) for one in ("offset", "rows"))
        found = sorted((one for one in self.happened if one["time"] >= since), key=lambda one: one["time"])
        return JSONResponse({"events": found[offset : offset + rows]})


def happened(start: datetime, offset: int, rows: int, wanted: str) -> Flow[list[Item]]:
    """Things that happened; a ghost is none."""
    query = {"since": start.isoformat(), "offset": offset, "rows": rows}
    found = (yield Request("GET", "/events", query=query)).json()["events"]
    return [
        Item(one["id"], moment(one["time"]), None if one["kind"] == "ghost" else {"id": one["id"], "wanted": wanted})
        for one in found
    ]


def newest(wanted: str) -> Flow[datetime | None]:
    """When the newest thing happened."""
    found = yield from happened(datetime(1970, 1, 1, tzinfo=UTC), 0, 10_000, wanted)
    return found[-1].time if found else None


class ThingTrigger(FeedTrigger):
    """Tells of each thing that happens."""

    feed = Feed("tests.core.toy.ToyHook", "thing", happened, newest, overlap=60)

    def __init__(
        self,
        *,
        wanted: str = "all",
        poll_interval: float = 0.05,
        since: str | None = None,
        toy_conn_id: str = "toy_default",
    ) -> None:
        super().__init__()
        self.wanted, self.poll_interval, self.since, self.toy_conn_id = wanted, poll_interval, since, toy_conn_id

    def arguments(self) -> dict[str, Any]:
        return {"wanted": self.wanted}

    def event(self, item: Item, base_url: str) -> dict[str, Any]:
        return {**super().event(item, base_url), "link": base_url.rpartition("/")[2]}


class Stored:
    """What Airflow keeps for one asset; it takes JSON only. One that is dead takes nothing any more."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.failures = 0

    async def aget(self, key: str) -> Any:
        self._fail()
        return json.loads(self.kept[key]) if key in self.kept else None

    async def aset(self, key: str, value: Any) -> None:
        self._fail()
        self.kept[key] = json.dumps(value)

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the database is locked")

    def cursor(self) -> Any:
        [cursor] = self.kept.values()
        return json.loads(cursor)


class Triggerer:
    """A triggerer of Airflow 3.3 with one trigger: its own streams; what it stores and confirms says the test.

    :param trigger: not started
    :param assets: what is kept for each asset it is watched for; outlives the triggerer
    """

    def __init__(self, trigger: FeedTrigger, *assets: Stored) -> None:
        from airflow.triggers.shared_stream import SharedStreamManager

        self.trigger, self.assets = trigger, assets
        # a process that dies saves nothing any more: its writes go to copies
        self.alive = {f"asset{number}": asset for number, asset in enumerate(assets)}
        self.manager = SharedStreamManager()
        self.fired: list[tuple[dict[str, Any], int | None]] = []
        self.more = asyncio.Event()

    async def __aenter__(self) -> Triggerer:
        self.trigger.trigger_id = 7
        self.trigger.asset_state_store = SimpleNamespace(_by_name=self.alive)  # type: ignore[assignment]
        self.task = asyncio.ensure_future(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Die."""
        for name in self.alive:
            self.alive[name] = Stored()
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task
        await self.manager.stop_all()

    async def _run(self) -> None:
        key = self.trigger.shared_stream_key()
        stream = self.manager.subscribe(trigger_id=7, trigger=self.trigger, key=key)
        async for event in self.trigger.filter_shared_stream(stream):
            self.fired.append((event.payload, self.manager.bind_pending_event(trigger_id=7, key=key)))
            self.more.set()

    async def events(self, count: int) -> list[dict[str, Any]]:
        """What the next events tell, so many things at the least; none of them is confirmed yet."""
        async with asyncio.timeout(10):
            while len(self._news()) < count:
                self.more.clear()
                await self.more.wait()
        return self._news()

    async def confirm(self, count: int = 1) -> list[dict[str, Any]]:
        """Confirm those events as stored, give the trigger the time to take note, and return what they tell."""
        news = await self.events(count)
        self.manager.confirm_persisted([seq for _, seq in self.fired if seq is not None])
        self.fired.clear()
        await asyncio.sleep(0.05)
        return news

    def _news(self) -> list[dict[str, Any]]:
        return [one for payload, _ in self.fired for one in payload["news"]]


async def told_by(trigger: FeedTrigger, count: int) -> list[dict[str, Any]]:
    """So many things that a trigger tells, where Airflow confirms nothing."""
    told: list[dict[str, Any]] = []
    events: AsyncIterator[Any] = trigger.run()
    async with asyncio.timeout(10), contextlib.aclosing(events):  # type: ignore[type-var]
        while len(told) < count:
            told += (await anext(events)).payload["news"]
    return told


def ids(news: Sequence[dict[str, Any]]) -> list[str]:
    return [one["id"] for one in news]
