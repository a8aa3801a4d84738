"""A toy with events, its feed and trigger, and the parts of Airflow that an event trigger needs."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from self_hosted.core.events.feed import Feed, Item
from self_hosted.core.events.trigger import FeedTrigger
from self_hosted.core.http.flow import Flow, Request
from self_hosted.core.timestamps import read_timestamp
from tests.core.toy import Toy

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class EventfulToy(Toy):
    """A toy server with a list of events."""

    def reset(self) -> None:
        super().reset()
        self.stored_events: list[dict[str, Any]] = []

    def add_events(self, *ids: str, at: float = 0, kind: str = "relevant") -> None:
        """Add events.

        :param ids: their ids
        :param at: their time, in seconds after noon
        :param kind: "relevant" or "irrelevant"
        """
        time = (NOON + timedelta(seconds=at)).isoformat()
        self.stored_events += [{"id": event_id, "time": time, "kind": kind} for event_id in ids]

    def routes(self) -> Sequence[BaseRoute]:
        return [*super().routes(), Route("/events", self.list_events)]

    async def list_events(self, request: HttpRequest) -> Response:
        if not self.has_valid_credential(request):
            return JSONResponse({"error": "not signed in"}, 401)
        since, offset, rows = (request.query_params[name] for name in ("since", "offset", "rows"))
        matches = [event for event in self.stored_events if event["time"] >= since]
        matches.sort(key=lambda event: event["time"])
        return JSONResponse({"events": matches[int(offset) :][: int(rows)]})


def read_events(start: datetime, offset: int, rows: int, topic: str) -> Flow[list[Item]]:
    """Return a page of the feed; irrelevant events have no payload."""
    query = {"since": start.isoformat(), "offset": offset, "rows": rows}
    events = (yield Request("GET", "/events", query=query)).json()["events"]
    return [
        Item(
            event["id"],
            read_timestamp(event["time"]),
            {"id": event["id"], "topic": topic} if event["kind"] == "relevant" else None,
        )
        for event in events
    ]


def read_newest_time(topic: str) -> Flow[datetime | None]:
    """Return the time of the newest event."""
    items = yield from read_events(datetime(1970, 1, 1, tzinfo=UTC), 0, 10_000, topic)
    return items[-1].time if items else None


class ToyEventTrigger(FeedTrigger):
    """Delivers the events of the toy."""

    feed = Feed("tests.core.toy.ToyHook", "toy event", read_events, read_newest_time, overlap=60)

    def __init__(
        self,
        *,
        topic: str = "all",
        poll_interval: float = 0.05,
        since: str | None = None,
        toy_conn_id: str = "toy_default",
    ) -> None:
        super().__init__()
        self.topic, self.poll_interval, self.since, self.toy_conn_id = topic, poll_interval, since, toy_conn_id

    def arguments(self) -> dict[str, Any]:
        return {"topic": self.topic}

    def build_payload(self, item: Item, base_url: str) -> dict[str, Any]:
        return {**super().build_payload(item, base_url), "link": base_url.rpartition("/")[2]}


class AssetStore:
    """The state store of one asset; it accepts JSON only. The next `failures` calls raise an error."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.failures = 0
        self.saved = asyncio.Event()

    async def aget(self, key: str) -> Any:
        self._fail()
        return json.loads(self.values[key]) if key in self.values else None

    async def aset(self, key: str, value: Any) -> None:
        self._fail()
        self.values[key] = json.dumps(value)
        self.saved.set()

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the database is locked")

    async def wait_until_confirmed(self, key: str, ids: set[str]) -> None:
        """Wait until the saved cursor has none of the ids in flight."""
        while ids & set(json.loads(self.values[key])["in_flight"]):
            self.saved.clear()
            await self.saved.wait()

    def cursor(self) -> Any:
        [cursor] = self.values.values()
        return json.loads(cursor)


class Triggerer:
    """A triggerer of Airflow 3.3 with one trigger; the test decides which events it confirms.

    :param trigger: not started
    :param assets: the stores of the watched assets; they outlive the triggerer
    """

    def __init__(self, trigger: FeedTrigger, *assets: AssetStore) -> None:
        from airflow.triggers.shared_stream import SharedStreamManager

        self.trigger, self.assets = trigger, assets
        # a killed process saves nothing more: its writes go to copies
        self.alive = {f"asset{number}": asset for number, asset in enumerate(assets)}
        self.manager = SharedStreamManager()
        self.events_fired: list[tuple[dict[str, Any], int | None]] = []
        self.has_fired = asyncio.Event()

    async def __aenter__(self) -> Triggerer:
        self.trigger.trigger_id = 7
        self.trigger.asset_state_store = SimpleNamespace(_by_name=self.alive)  # type: ignore[assignment]
        self.task = asyncio.ensure_future(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """End like a killed process."""
        for name in self.alive:
            self.alive[name] = AssetStore()
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task
        await self.manager.stop_all()

    async def _run(self) -> None:
        key = self.trigger.shared_stream_key()
        stream = self.manager.subscribe(trigger_id=7, trigger=self.trigger, key=key)
        async for event in self.trigger.filter_shared_stream(stream):
            self.events_fired.append((event.payload, self.manager.bind_pending_event(trigger_id=7, key=key)))
            self.has_fired.set()

    async def next_items(self, count: int) -> list[dict[str, Any]]:
        """Return the items of the next events, at least this many, without confirming the events."""
        async with asyncio.timeout(60):
            while len(self._items()) < count:
                self.has_fired.clear()
                await self.has_fired.wait()
        return self._items()

    async def confirm(self, count: int = 1) -> list[dict[str, Any]]:
        """Confirm these events as stored, wait until the producer has saved its cursor, and return the items."""
        items = await self.next_items(count)
        self.manager.confirm_persisted([seq for _, seq in self.events_fired if seq is not None])
        self.events_fired.clear()
        async with asyncio.timeout(60):
            for store in self.assets:
                await store.wait_until_confirmed(self.trigger.state_key, set(item_ids(items)))
        return items

    def _items(self) -> list[dict[str, Any]]:
        return [item for payload, _ in self.events_fired for item in payload["items"]]


async def collect_items(trigger: FeedTrigger, count: int) -> list[dict[str, Any]]:
    """Return the first items of a trigger, at least this many, where Airflow confirms nothing."""
    items: list[dict[str, Any]] = []
    events: AsyncIterator[Any] = trigger.run()
    async with asyncio.timeout(60), contextlib.aclosing(events):  # type: ignore[type-var]
        while len(items) < count:
            items += (await anext(events)).payload["items"]
    return items


def item_ids(items: Sequence[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]
