"""Event loops of these tests end like that of a triggerer: after all connections are closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

GRACE_SECONDS = 60


@pytest.fixture
async def _finished_tasks() -> AsyncIterator[None]:
    """Let pollers close their connections: Python 3.14 warns about each one that is open when its loop ends."""
    yield
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=GRACE_SECONDS)
    await asyncio.sleep(0.01)  # a closed transport needs another round of the loop
