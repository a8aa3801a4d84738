"""Searching any index, and reading all that is found, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.assemblyline.api.search_checks import LISTED, check_search
from self_hosted.core.errors import Broken, Invalid
from self_hosted.core.flow import Flow, Request, url_path
from self_hosted.core.paging import Pages

BEGINNING = "*"
"""The id of the first page."""

PAGE = 500
"""How many rows a page has unless it is said."""

EXPIRED = (
    "the search by pages is over before its last page was read: the server keeps it for 5 minutes from page to page, "
    "and forgets it once its last page is sent. Read without long pauses, or begin anew"
)


def search(index: str, wanted: Mapping[str, Any]) -> Flow[list[dict[str, Any]]]:
    """What a search of any index finds, at most 10,000 deep. What is younger than a second may be missing.

    ``POST /api/v4/search/<index>/``

    :param index: alert, badlist, file, heuristic, result, retrohunt, safelist, signature, submission, workflow
    :param wanted: query (Lucene; put what comes from outside through `phrase`) and, each of which may be absent,
        filters (more queries, all of which must fit), fl (fields, with commas between them; without it only some come
        back), sort ("field asc, other desc"), offset, rows (25), use_archive, archive_only, track_total_hits, timeout
        (milliseconds, after which the server answers with what it has found until then, and does not say so)
    :raises ValueError: for what the server would ignore or misread
    """
    return (yield from search_result(index, wanted))["items"]  # type: ignore[no-any-return]


def search_result(index: str, wanted: Mapping[str, Any]) -> Flow[dict[str, Any]]:
    """As `search`, with how much there is: {items, total, offset, rows}.

    ``total`` is 10,000 for all that is more, unless ``track_total_hits`` is true.

    ``POST /api/v4/search/<index>/``

    :param index: as for `search`
    :param wanted: as for `search`
    :raises ValueError: as for `search`
    """
    check_search(index, wanted, LISTED | {"track_total_hits"})
    return asked(_search(index, wanted))


def search_page(
    index: str, wanted: Mapping[str, Any], paging_id: str = BEGINNING
) -> Flow[tuple[list[dict[str, Any]], str | None]]:
    """One page of all that a search finds, however much that is: its items, and the id of the next page or None.

    All pages show what there was when the first one was read. An id lives for 5 minutes.

    ``POST /api/v4/search/<index>/`` with ``deep_paging_id``

    :param index: as for `search`
    :param wanted: as for `search`, without offset, track_total_hits and timeout; rows are those of a page (500)
    :param paging_id: what the page before came with
    :raises ValueError: for what the server would ignore or misread
    :raises Broken: when the id is not, or no longer, known
    """
    _check_pages(index, wanted)
    page = {"rows": PAGE, **wanted, "deep_paging_id": paging_id}
    try:
        found = yield from asked(_search(index, page))
    except Invalid as error:
        if "No search context found" not in error.words:
            raise
        raise Broken(EXPIRED, method=error.method, path=error.path, status=error.status) from None
    return found["items"], found.get("next_deep_paging_id")


def search_all(index: str, wanted: Mapping[str, Any]) -> Pages[dict[str, Any]]:
    """All that a search finds, however much that is; a page at a time is held.

    All of it is as it was when the first page was read. Take the items without long pauses: the server forgets a search
    whose next page is not asked for within 5 minutes, which is an error (`Broken`).

    ``POST /api/v4/search/<index>/`` with ``deep_paging_id``

    :param index: as for `search`
    :param wanted: as for `search_page`
    :raises ValueError: for what the server would ignore or misread
    """
    _check_pages(index, wanted)
    return Pages(lambda paging_id: search_page(index, wanted, paging_id), BEGINNING)


def search_url(base_url: str, index: str, query: str) -> str:
    """The page of a search.

    :param base_url: the connection's base URL
    :param index: as for `search`
    :param query: in Lucene's language
    """
    return f"{base_url}{url_path('search', index)}?{urlencode({'query': query})}"


def _check_pages(index: str, wanted: Mapping[str, Any]) -> None:
    # a page that time ran out on would look like the last one
    check_search(index, wanted, (LISTED - {"offset", "timeout"}))
    if wanted.get("rows", PAGE) < 1:
        raise ValueError("rows must be 1 or more: a page without rows has no next one")


def _search(index: str, wanted: Mapping[str, Any]) -> Request:
    return Request("POST", f"{API}{url_path('search', index)}/", json=wanted, repeatable=True)


def any_of(values: Sequence[str]) -> str:
    """The part of a Lucene query that stands for one value or another.

    >>> print(any_of(["a", "b"]))
    ("a" OR "b")
    """
    return f"({' OR '.join(map(phrase, values))})"


def phrase(text: str) -> str:
    r"""A text as one phrase of a Lucene query, whatever is in it.

    >>> print(phrase('a "b"'))
    "a \"b\""
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
