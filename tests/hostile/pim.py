"""An AtroCore server that answers a sync as a test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.atrocore.sync.samples import ADMIN, metadata
from tests.hostile.server import Exchange, as_json, canned

Records = list[Any]


class Pim:
    """A behaviour of `HostileServer`.

    :param records: of the first page of each list
    """

    def __init__(self, records: Records | None = None) -> None:
        self.bodies: dict[str, Any] = {"metadata": metadata(), "userSession": ADMIN}
        """What the routes return, by the last part of their path; a function is called with the exchange."""
        self.list_page: Callable[[Mapping[str, str]], Any] = lambda query: {"list": records or [], "total": 1}
        """Returns the body of a list of products."""
        self.upsert: Callable[[list[Any]], Any] = lambda items: [
            {"status": "Created", "stored": True, "id": item["payload"]["id"]} for item in items
        ]
        """Returns the body of the response to an upsert."""
        self.writes = 0

    def __call__(self, exchange: Exchange) -> None:
        """Respond to a request."""
        url = urlsplit(exchange.target)
        route = url.path.rpartition("/")[2]
        if exchange.method == "POST":
            self.writes += 1
            items = json.loads(exchange.body)
            as_json(self.upsert(items) if isinstance(items, list) else {"deleted": 1, "errors": []})(exchange)
        elif route == "Brand":
            as_json({"list": [{"id": "b"}]})(exchange)
        elif route == "Product":
            as_json(self.list_page({name: values[0] for name, values in parse_qs(url.query).items()}))(exchange)
        elif route in self.bodies:
            body = self.bodies[route]
            as_json(body(exchange) if callable(body) else body)(exchange)
        else:
            canned(404)(exchange)
