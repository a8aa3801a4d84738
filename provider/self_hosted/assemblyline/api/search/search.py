"""Search of any index: one window of results, or all results page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from typing_extensions import TypedDict

from self_hosted.assemblyline.api.search import documents
from self_hosted.assemblyline.api.search.checks import LIST_ARGUMENTS, parse_arguments
from self_hosted.assemblyline.errors import SearchExpiredError, call
from self_hosted.core.arguments import parse_int
from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow, url_path
from self_hosted.core.http.pagination import Paginator
from self_hosted.core.http.shape import JsonObject

T = TypeVar("T")
FIRST_PAGE_ID = "*"
PAGE_SIZE = 500
"""Rows per page unless ``rows`` is given."""

EXPIRED_MESSAGE = (
    "the paginated search expired: the server keeps it for 5 minutes after each page. "
    "Search again and read the pages without long pauses"
)


class SearchResult(TypedDict):
    """A window of the results of a search.

    :param items: documents
    :param total: how many there are; 10,000 for more, unless ``track_total_hits`` is true
    :param offset: index of the first item
    :param rows: largest number of items in the window
    """

    items: list[dict[str, Any]]
    total: int
    offset: int
    rows: int


def find(index: str, arguments: Mapping[str, Any]) -> Flow[list[dict[str, Any]]]:
    """Return the documents that a search finds. Documents younger than a second may be missing.

    ``POST /api/v4/search/<index>/``

    :param index: alert, badlist, file, heuristic, result, retrohunt, safelist, signature, submission or workflow
    :param arguments: query (Lucene; quote external values with `lucene.quote`); all others are optional: filters
        (further queries, all of which must match), fl (comma-separated fields; default: the stored ones), sort ("field
        asc, other desc"), offset (0), rows (25; with offset at most 10,000), use_archive, archive_only,
        track_total_hits, timeout (milliseconds, after which the server returns a part of the results without saying so)
    :raises ValueError: for arguments that the server would ignore or misread
    """
    return (yield from find_shaped(index, arguments, JsonObject))


def find_shaped(index: str, arguments: Mapping[str, Any], shape: type[T]) -> Flow[list[T]]:
    """Return the documents that a search finds, for a flow that uses their fields.

    :param index: see `find`
    :param arguments: see `find`
    :param shape: the shape of each document: the fields that the flow uses
    :raises ValueError: see `find`
    :raises ServerError: if a document has another shape
    """
    parsed = parse_arguments(index, arguments, LIST_ARGUMENTS | {"track_total_hits"})
    found, _ = yield from documents.read_page(index, parsed, shape)
    return found


def find_with_total(index: str, arguments: Mapping[str, Any]) -> Flow[SearchResult]:
    """Return the documents that a search finds, and how many there are.

    ``POST /api/v4/search/<index>/``

    :param index: see `find`
    :param arguments: see `find`
    :return: `SearchResult`
    :raises ValueError: see `find`
    """
    parsed = parse_arguments(index, arguments, LIST_ARGUMENTS | {"track_total_hits"})
    return call(documents.build_request(index, parsed), SearchResult)


def read_page(
    index: str, arguments: Mapping[str, Any], paging_id: str = FIRST_PAGE_ID
) -> Flow[tuple[list[dict[str, Any]], str | None]]:
    """Return one page of all results: its items, and the id of the next page or None.

    All pages show the state at the time of the first one. An id is valid for 5 minutes.

    ``POST /api/v4/search/<index>/`` with ``deep_paging_id``

    :param index: see `find`
    :param arguments: see `find`, without offset, track_total_hits and timeout; rows are those of a page (500)
    :param paging_id: id from the page before
    :raises ValueError: for arguments that the server would ignore or misread
    :raises ServerError: if the id is unknown or has expired
    """
    return (yield from read_shaped_page(index, arguments, paging_id, JsonObject))


def read_shaped_page(
    index: str, arguments: Mapping[str, Any], paging_id: str, shape: type[T]
) -> Flow[tuple[list[T], str | None]]:
    """Return one page of all results, for a flow that uses the fields of the documents.

    :param index: see `find`
    :param arguments: see `read_page`
    :param paging_id: id from the page before
    :param shape: the shape of each document: the fields that the flow uses
    :raises ValueError: see `read_page`
    :raises ServerError: also if a document has another shape
    """
    page = {**_parse_page_arguments(index, arguments), "deep_paging_id": paging_id}
    try:
        return (yield from documents.read_page(index, page, shape))
    except SearchExpiredError as error:
        raise ServerError(EXPIRED_MESSAGE, method=error.method, path=error.path, status=error.status) from None


def find_all(index: str, arguments: Mapping[str, Any]) -> Paginator[dict[str, Any]]:
    """Return all documents that a search finds, with one page in memory at a time.

    They show the state at the time of the first page. A pause of more than 5 minutes between two pages is an error
    (`ServerError`).

    ``POST /api/v4/search/<index>/`` with ``deep_paging_id``

    :param index: see `find`
    :param arguments: see `read_page`
    :raises ValueError: for arguments that the server would ignore or misread
    """
    _parse_page_arguments(index, arguments)
    return Paginator(lambda paging_id: read_page(index, arguments, paging_id), FIRST_PAGE_ID)


def build_page_url(base_url: str, index: str, query: str) -> str:
    """Return the URL of a search's page in the UI.

    :param base_url: the connection's base URL
    :param index: see `find`
    :param query: a Lucene query
    """
    return f"{base_url}{url_path('search', index)}?{urlencode({'query': query})}"


def _parse_page_arguments(index: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    # with a timeout, a page that is cut short would look like the last one; a page without rows has no next one
    parsed = parse_arguments(index, arguments, LIST_ARGUMENTS - {"offset", "timeout"})
    return {**parsed, "rows": parse_int("rows", arguments.get("rows", PAGE_SIZE))}
