"""Parsed requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from self_hosted.sandbox.atrocore.errors import ApiError


@dataclass(frozen=True)
class Call:
    """A parsed request.

    :param route: last segment of the path
    :param entity: entity in the path; empty if there is none
    :param id: record id in the path; empty if there is none
    :param query: query parameters, in their order
    :param body: JSON body; None if the request has none
    """

    method: str
    route: str
    entity: str
    id: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: Any

    @classmethod
    async def parse(cls, request: Request) -> Call:
        """Return the parsed request.

        :raises ApiError: if the body is malformed JSON
        """
        content = await request.body()
        try:
            data = json.loads(content) if content else None
        except ValueError as error:
            raise ApiError(400, f"JSON parsing failed: {error}") from None
        path, query = request.path_params, request.query_params.multi_items()
        route = request.scope["path"].rpartition("/")[2]
        return cls(request.method, route, path.get("entity", ""), path.get("id", ""), query, request.headers, data)

    def parameter(self, name: str, default: str = "") -> str:
        """Return a query parameter."""
        return next((value for key, value in self.query if key == name), default)
