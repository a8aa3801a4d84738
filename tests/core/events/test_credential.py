"""An event trigger whose credential is rotated while it watches."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("airflow.triggers.shared_stream", reason="Airflow confirms events since 3.3")

from tests.core import toy as toy_module
from tests.core.events.toy_events import AssetStore, EventfulToy, ToyEventTrigger, Triggerer, item_ids

pytestmark = pytest.mark.usefixtures("hook")


@pytest.fixture(scope="module")
def _served(serve):
    return serve(EventfulToy())


async def test_a_watch_continues_with_the_new_credential(toy, served, connect, monkeypatch):
    toy.add_events("a")
    async with Triggerer(ToyEventTrigger(since="2000-01-01"), AssetStore()) as triggerer, asyncio.timeout(120):
        assert item_ids(await triggerer.confirm(1)) == ["a"]
        monkeypatch.setattr(toy_module, "PASSWORD", "rotated-password")
        served.end_sessions()
        connect("toy_default", served.connection())
        toy.add_events("b")
        assert item_ids(await triggerer.confirm(1)) == ["b"]  # an error would delay it for five minutes
