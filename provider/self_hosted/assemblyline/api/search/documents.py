"""The documents that searches find: their shape, and the timestamps in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NotRequired, TypeVar

from typing_extensions import TypedDict

from self_hosted.assemblyline.errors import API_PATH, read_result
from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.shape import JsonObject, check_shape
from self_hosted.core.timestamps import read_timestamp

T = TypeVar("T")


class _Page(TypedDict):
    items: list[JsonObject]
    next_deep_paging_id: NotRequired[str | None]


def build_request(index: str, arguments: Mapping[str, Any]) -> Request:
    """Return the request of a search.

    :param index: see `search.find`
    :param arguments: checked, see `checks.parse_arguments`
    """
    return Request("POST", f"{API_PATH}{url_path('search', index)}/", json=arguments, idempotent=True)


def read_page(index: str, arguments: Mapping[str, Any], shape: type[T]) -> Flow[tuple[list[T], str | None]]:
    """Return documents of an index, and the id of the next page or None.

    ``POST /api/v4/search/<index>/``

    :param index: see `search.find`
    :param arguments: checked, see `checks.parse_arguments`
    :param shape: the shape of each document: the fields that the caller uses
    :raises ServerError: if a document has another shape
    """
    reply = yield build_request(index, arguments)
    page = read_result(reply, _Page)
    items = check_shape(reply, page["items"], list[shape], "api_response.items")  # type: ignore[valid-type]
    # the server ends a paginated search with a page that is not full
    return items, page.get("next_deep_paging_id") if items else None


def read_time(field: str, text: str) -> datetime:
    """Return a timestamp of a document.

    :param field: its name
    :param text: ISO 8601, in UTC
    :raises ServerError: if it is malformed
    """
    try:
        return read_timestamp(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ServerError(f"unexpected response: {field} should be a timestamp, not {text[:80]!r}") from None
