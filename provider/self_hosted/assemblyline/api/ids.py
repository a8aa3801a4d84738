"""Ids of objects, checked before anything is sent. Most of them become a segment of a path."""

from __future__ import annotations

from collections.abc import Set
from urllib.parse import quote

from self_hosted.core.arguments import check_id
from self_hosted.core.http.flow import url_path


def check_segment(argument: str, value: str, endpoints: Set[str] = frozenset()) -> str:
    """Return an id that becomes a segment of a path.

    :param argument: name of the argument
    :param value: the id
    :param endpoints: the words in this place of the path that are other endpoints, some of which change all objects
    :raises ValueError: if it would reach another endpoint
    """
    text = check_id(argument, value)
    url_path(text)
    if text in endpoints:
        raise ValueError(f"{argument} must be an id, not {text!r}, which is another endpoint of the server")
    return text


def build_page_path(*segments: str) -> str:
    """Return the path of a page in the UI, for a link. It accepts any id, because a server may have sent it.

    :param segments: fixed words and ids
    """
    return "/" + "/".join(quote(segment, safe="") for segment in segments)
