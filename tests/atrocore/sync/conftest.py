"""Servers of all dialects, and targets that are run against them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.sync.target import AtrocoreTarget
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.target import Change, Outcome, Schema, Stored
from tests.atrocore.sync.samples import specs
from tests.atrocore.sync.sites import Site
from tests.conftest import Served

CORES = {"2.3": "2.3.16", "2.2": "2.2.31", "1.10": "1.10.30", "espo": "1.1.46"}


@dataclass
class Server:
    """A fake server of one version, and the sync's view of it.

    :param name: a key of `CORES`
    :param served: the server
    :param connect: returns a hook for a changed connection
    """

    name: str
    served: Served
    connect: Callable[..., AtrocoreHook]
    key: str = field(init=False)

    def __post_init__(self) -> None:
        self.key = "number" if self.name in {"2.3", "2.2"} else "sku"
        self.served.seed({"core": CORES[self.name]})

    def count_requests(self) -> int:
        """Return the number of requests so far."""
        counts = requests.get(f"{self.served.url}/_control/counts", timeout=60).json()
        return int(counts["requests"]["atrocore"])

    def seed(self, entity: str, *records: dict[str, Any]) -> None:
        """Add records; ``key`` stands for the key field of products."""
        rows = [{self.key if name == "key" else name: value for name, value in row.items()} for row in records]
        self.served.seed({"records": {entity: rows}})

    def record(self, record_id: str, entity: str = "Product") -> dict[str, Any]:
        """Return a record as the server returns it."""
        return self.connect().get_record(entity, record_id)

    def describe(self, *declared: str | FieldSpec, entity: str = "Product", **options: Any) -> Described:
        """Return a target and its schema."""
        connection = options.pop("connection", {})
        key = options.pop("key", self.key if entity == "Product" else "code")
        hook, target = self.connect(**connection), AtrocoreTarget(entity, key, **options)
        return Described(hook, target, hook.run(target.describe(specs(*declared, key=key))))


@dataclass
class Described:
    """A target that was described.

    :param prefix: with which all keys of a test begin
    """

    hook: AtrocoreHook
    target: AtrocoreTarget
    schema: Schema
    prefix: str = ""

    def write(self, *batch: Change) -> list[Outcome]:
        """Write a batch."""
        return list(self.hook.run(self.target.write(self.schema, batch)))

    def create(self, key: str, **new: Any) -> Outcome:
        """Create a record."""
        [outcome] = self.write(Change("create", key, self.target.new_ref(key), new))
        return outcome

    def change(self, stored: Stored, do: Any = "update", **new: Any) -> Outcome:
        """Change a record as it was read."""
        old = {name: stored.values[name] for name in new}
        [outcome] = self.write(Change(do, stored.key, stored.ref, new, old))
        return outcome

    def find(self, *keys: str) -> list[Stored]:
        """Look records up."""
        return list(self.hook.run(self.target.find(self.schema, keys)))

    def read(self, *refs: str) -> list[Stored]:
        """Read records."""
        return list(self.hook.run(self.target.read(self.schema, refs)))

    def list_all(self, cursor: Any = None) -> list[Stored]:
        """Read all pages, from the one that a cursor names."""
        found = list[Stored]()
        while True:
            page = self.hook.run(self.target.page(self.schema, cursor))
            found += page.records
            cursor = page.cursor
            if cursor is None:
                return found


@pytest.fixture(params=CORES)
def atrocore(request: pytest.FixtureRequest, served: Served, hook_as: Callable[..., AtrocoreHook]) -> Server:
    """A server of each dialect, and of one core with the faults of old upserts."""
    return Server(request.param, served, hook_as)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "site" in metafunc.fixturenames:
        live = ["live"] if metafunc.config.getoption("--live") else []
        names = getattr(metafunc.module, "SITES", tuple(CORES))
        metafunc.parametrize("site", [*names, *live], indirect=True)


@pytest.fixture
def site(request: pytest.FixtureRequest, connect: Callable[[str, dict[str, Any]], str]) -> Iterator[Site]:
    """A server of each dialect, and with --live the real one, on which whole syncs run."""
    if request.param == "live":
        live = os.environ.get("LIVE_CONN_ATROCORE")
        if not live:
            pytest.skip("no real server: LIVE_CONN_ATROCORE is not set")
        connection, key = json.loads(live), os.environ.get("LIVE_KEY", "number")
    else:
        served: Served = request.getfixturevalue("served")
        served.seed({"core": CORES[request.param]})
        connection, key = served.connection(), "number" if request.param in {"2.3", "2.2"} else "sku"
    conn_id = connect("atrocore_site", connection)
    found = Site(request.param, AtrocoreHook(conn_id), conn_id, key)
    yield found
    found.clean()
