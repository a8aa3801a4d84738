"""Search of any index: one window of results, or all results page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict
from urllib.parse import urlencode

from self_hosted.assemblyline.api.search.checks import LIST_ARGUMENTS, parse_arguments
from self_hosted.assemblyline.errors import API_PATH, call
from self_hosted.core.arguments import parse_int
from self_hosted.core.http.errors import InvalidRequestError, ServerError
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.pagination import Paginator

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
    :param arguments: all optional: query (Lucene; quote external values with `lucene.quote`), filters (further queries,
        all of which must match), fl (comma-separated fields; default: the stored ones), sort ("field asc, other desc"),
        offset (0), rows (25; with offset at most 10,000), use_archive, archive_only, track_total_hits, timeout
        (milliseconds, after which the server returns a part of the results without saying so)
    :raises ValueError: for arguments that the server would ignore or misread
    """
    return (yield from find_with_total(index, arguments))["items"]


def find_with_total(index: str, arguments: Mapping[str, Any]) -> Flow[SearchResult]:
    """Return the documents that a search finds, and how many there are.

    ``POST /api/v4/search/<index>/``

    :param index: see `find`
    :param arguments: see `find`
    :return: `SearchResult`
    :raises ValueError: see `find`
    """
    return call(_build_request(index, parse_arguments(index, arguments, LIST_ARGUMENTS | {"track_total_hits"})))


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
    page = {**_parse_page_arguments(index, arguments), "deep_paging_id": paging_id}
    try:
        response = yield from call(_build_request(index, page))
    except InvalidRequestError as error:
        if "No search context found" not in error.message:
            raise
        raise ServerError(EXPIRED_MESSAGE, method=error.method, path=error.path, status=error.status) from None
    return response["items"], response.get("next_deep_paging_id")


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


def _build_request(index: str, arguments: Mapping[str, Any]) -> Request:
    return Request("POST", f"{API_PATH}{url_path('search', index)}/", json=arguments, idempotent=True)
