"""The triggers that a DAG is scheduled on: new items of a product become events of an asset.

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

from self_hosted.core.arguments import parse_float, to_plain
from self_hosted.core.events.feed import Feed, Item
from self_hosted.core.events.producer import FeedProducer
from self_hosted.core.imports import import_string
from self_hosted.core.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Hashable

    from airflow.sdk.execution_time.context import AssetStateStoreAccessor

# Airflow creates a stream by a class method that receives the arguments only. It calls it in a task that inherits the
# context of the trigger's own task, so that the method finds its trigger here.
_streaming: ContextVar[FeedTrigger] = ContextVar("_streaming")


class FeedTrigger(BaseEventTrigger):
    """Delivers new items to an `AssetWatcher`: the items of one poll become one event, or several.

    A product derives one class per feed. Its ``__init__`` takes all arguments by name and stores them under these
    names, among them ``poll_interval``, ``since`` and the connection.
    """

    feed: ClassVar[Feed]
    poll_interval: float
    since: str | None

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def conn_id(self) -> str:
        """The connection, from the argument that each product names after itself, such as ``rudder_conn_id``."""
        return str(getattr(self, import_string(self.feed.hook_class).conn_name_attr))

    @property
    def state_key(self) -> str:
        """The key of the cursor in the stores: other arguments use another cursor."""
        path, arguments = self.serialize()
        del arguments["poll_interval"]
        digest = hashlib.sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()
        return f"{path.rpartition('.')[2]}-{digest[:16]}"

    @property
    def stores(self) -> list[AssetStateStoreAccessor]:
        """Airflow's asset state stores, one per watched asset; empty before Airflow 3.3."""
        accessors = getattr(self, "asset_state_store", None)
        # Airflow offers access by the assets' names only, which triggers do not know
        return [*accessors._by_name.values()] if accessors else []

    def validate(self) -> None:
        """Check the arguments, without any request.

        :raises ValueError: naming the argument
        """
        parse_float("poll_interval", self.poll_interval)
        if self.since is not None:
            parse_timestamp("since", self.since)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the feed's flows, by name."""
        raise NotImplementedError

    def build_payload(self, item: Item, base_url: str) -> dict[str, Any]:
        """Return the content of the event for one item; `FeedProducer` adds ``id`` and ``redelivered``.

        :param item: an item with a payload
        :param base_url: the product's address, for links
        """
        return dict(item.payload or {})

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return path and arguments, for the metadata database.

        :raises ValueError: for invalid arguments: here the DAG's author sees it
        """
        self.validate()
        trigger_class = type(self)
        names = [name for name in inspect.signature(trigger_class.__init__).parameters if name != "self"]
        path = f"{trigger_class.__module__}.{trigger_class.__qualname__}"
        return path, {name: to_plain(getattr(self, name)) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield events where Airflow stores no cursor: before 3.3."""
        producer = FeedProducer(self)
        try:
            async for payload, items in producer.open_stream():
                yield TriggerEvent(payload)
                producer.confirm(items)
        finally:
            await producer.aclose()

    def shared_stream_key(self) -> Hashable | None:
        """Return a key of its own: Airflow 3.3 confirms the events of shared streams only, though nothing is shared."""
        if not self.stores:
            return None
        _streaming.set(self)
        return type(self).__name__, self.trigger_id

    @classmethod
    def create_shared_stream_producer(cls, kwargs: dict[str, Any]) -> Any:
        """Return the producer of the trigger that Airflow starts."""
        return FeedProducer(_streaming.get())

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Any]) -> AsyncIterator[TriggerEvent]:
        """Yield one event per payload of the stream."""
        async for payload in shared_stream:
            yield TriggerEvent(payload)
