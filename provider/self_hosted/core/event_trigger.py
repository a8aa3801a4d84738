"""The triggers that a DAG is scheduled on: what happens in a product becomes events of an asset.

Their arguments are plain JSON and hold no credential.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from self_hosted.core.feed import Feed, Item, moment
from self_hosted.core.follower import Follower
from self_hosted.core.question import imported

if TYPE_CHECKING:
    from collections.abc import Hashable

    from airflow.sdk.execution_time.context import AssetStateStoreAccessor

# Airflow makes a stream by a method of the class, to which it hands the arguments only. It does so in a task that it
# begins in the context of the trigger's own, so that each finds the right one here.
_streaming: ContextVar[FeedTrigger] = ContextVar("_streaming")


class FeedTrigger(BaseEventTrigger):
    """Tells of each thing that happens, for an `AssetWatcher`: what one look finds becomes one event.

    A product derives one for each feed. Its ``__init__`` has all arguments by name and stores them under these names,
    among them ``poll_interval``, ``since`` and the connection.
    """

    feed: ClassVar[Feed]
    poll_interval: float
    since: str | None

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def conn_id(self) -> str:
        """The connection, from the argument that the product names after itself: ``rudder_conn_id`` and so on."""
        return str(getattr(self, imported(self.feed.hook).conn_name_attr))

    @property
    def state_key(self) -> str:
        """What the cursor is stored under: other arguments make another watch."""
        path, arguments = self.serialize()
        del arguments["poll_interval"]
        digest = hashlib.sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()
        return f"{path.rpartition('.')[2]}-{digest[:16]}"

    @property
    def stores(self) -> list[AssetStateStoreAccessor]:
        """Where Airflow keeps cursors, one for each asset that is watched; none before Airflow 3.3."""
        accessors = getattr(self, "asset_state_store", None)
        # Airflow opens them to who knows the assets' names, and tells triggers none
        return [*accessors._by_name.values()] if accessors else []

    def check(self) -> None:
        """Validate the arguments, without asking anybody; `ValueError` names the argument."""
        if not _is_number(self.poll_interval) or self.poll_interval <= 0:
            raise ValueError(f"poll_interval must be a number of seconds, such as 60, not {self.poll_interval!r}")
        try:
            if self.since is not None:
                moment(self.since)
        except (TypeError, ValueError):
            example = "such as '2026-11-24T18:00:00Z', or None"
            raise ValueError(f"since must be a moment in ISO 8601, {example}, not {self.since!r}") from None

    def arguments(self) -> dict[str, Any]:
        """What the feed's flows are asked with, by name."""
        raise NotImplementedError

    def event(self, item: Item, base_url: str) -> dict[str, Any]:
        """What is told of one thing; ``again`` is added to it: whether it may have been told before.

        :param item: what happened; with a payload
        :param base_url: the product's address, for links
        """
        return dict(item.payload or {})

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Path and arguments, for the metadata database; wrong ones fail here, so that the DAG's author sees it."""
        self.check()
        kind = type(self)
        names = [name for name in inspect.signature(kind.__init__).parameters if name != "self"]
        return f"{kind.__module__}.{kind.__qualname__}", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Tell what happens, where Airflow keeps no cursor: before 3.3."""
        follower = Follower(self)
        try:
            async for payload, items in follower.open_stream():
                yield TriggerEvent(payload)
                follower.confirm(items)
        finally:
            await follower.aclose()

    def shared_stream_key(self) -> Hashable | None:
        """What makes Airflow 3.3 confirm the events: a stream, though it is shared with nobody."""
        if not self.stores:
            return None
        _streaming.set(self)
        return type(self).__name__, self.trigger_id

    @classmethod
    def create_shared_stream_producer(cls, kwargs: dict[str, Any]) -> Any:
        """The stream of the trigger that Airflow starts."""
        return Follower(_streaming.get())

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Any]) -> AsyncIterator[TriggerEvent]:
        """An event for each of what the stream brings."""
        async for payload in shared_stream:
            yield TriggerEvent(payload)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
