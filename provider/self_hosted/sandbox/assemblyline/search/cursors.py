"""Deep paging: searches that continue from page to page on the documents of the first page."""

from __future__ import annotations

import base64
import copy
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from self_hosted.sandbox.assemblyline.errors import ApiError, internal_error
from self_hosted.sandbox.assemblyline.search.engine import Documents, build_index, find_documents, project, read_window

KEEP_ALIVE_SECONDS = 300.0


def create_cursors() -> dict[str, Any]:
    """Return the data of no searches.

    ``keep_alive`` is the time in seconds between two pages after which a search expires, ``count`` the number of
    searches so far, and ``open`` has the documents and the expiry of each search by its id.
    """
    return {"keep_alive": KEEP_ALIVE_SECONDS, "count": 0, "open": {}}


def read_page(
    cursors: dict[str, Any], index_name: str, get_documents: Callable[[], Documents], params: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the next page of a search, or the first page of a new one.

    :param cursors: data of all searches
    :param index_name: name of the index
    :param get_documents: returns the documents of the index
    :param params: parameters of a search, and ``deep_paging_id``: "*" or the id from the previous page
    """
    offset, rows = read_window(params)
    cursor_id, _, encoded_position = str(params["deep_paging_id"]).partition(",")
    if encoded_position:
        position = _decode_position(encoded_position)
        _extend(cursors, cursor_id)
    else:
        position, cursor_id = 0, _open(cursors, get_documents())
    index = build_index(index_name, cursors["open"][cursor_id]["documents"])
    items = find_documents(index, params)[position : position + rows]
    page: dict[str, Any] = {
        "items": [project(index, item, params.get("fl")) for item in items],
        "offset": offset,
        "rows": rows,
        "total": None,
    }
    if len(items) < rows:
        del cursors["open"][cursor_id]
    elif items:
        page["next_deep_paging_id"] = f"{cursor_id},{_encode_position(position + rows)}"
    return page


def _open(cursors: dict[str, Any], documents: Documents) -> str:
    _remove_expired(cursors)
    cursors["count"] += 1
    cursor_id = base64.b64encode(f"pit{cursors['count']}".encode()).decode().rstrip("=")
    cursors["open"][cursor_id] = {"documents": copy.deepcopy(documents), "expires_at": _get_expiry(cursors)}
    return cursor_id


def _extend(cursors: dict[str, Any], cursor_id: str) -> None:
    _remove_expired(cursors)
    if cursor_id not in cursors["open"]:
        reason = f"No search context found for id [{cursor_id}]"
        error = f"NotFoundError(404, 'search_phase_execution_exception', '{reason}')"
        raise ApiError(400, f"SearchException: collection: submission, query: {{}}, error: {error}")
    cursors["open"][cursor_id]["expires_at"] = _get_expiry(cursors)


def _remove_expired(cursors: dict[str, Any]) -> None:
    now = time.time()
    cursors["open"] = {key: cursor for key, cursor in cursors["open"].items() if cursor["expires_at"] >= now}


def _get_expiry(cursors: Mapping[str, Any]) -> float:
    return time.time() + float(cursors["keep_alive"])


def _encode_position(position: int) -> str:
    return base64.b64encode(json.dumps([position]).encode()).decode()


def _decode_position(text: str) -> int:
    try:
        return int(json.loads(base64.b64decode(text))[0])
    except ValueError:
        raise internal_error() from None
