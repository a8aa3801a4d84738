"""The typed results that operators and sensors return; this module imports no flows, so that they may import it."""

from __future__ import annotations

from typing import TypedDict


class FinishedRetrohunt(TypedDict):
    """The result of a retrohunt; `AssemblylineHook.list_retrohunt_hits` returns the files.

    :param key: its key
    :param finished: whether it searched all files
    :param total_hits: how many files the rule matches
    :param truncated: whether the server stopped counting
    :param url: page of the retrohunt
    """

    key: str
    finished: bool
    total_hits: int
    truncated: bool
    url: str
