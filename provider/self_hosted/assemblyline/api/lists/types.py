"""The shape of entries of badlist and safelist in responses."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict


class EntrySource(TypedDict):
    """A source of an entry: the fields that flows use."""

    name: str
    type: str
    reason: list[str]
    classification: NotRequired[str | None]


class ListEntry(TypedDict):
    """An entry: the fields that flows use."""

    type: str
    enabled: bool
    expiry_ts: NotRequired[str | None]
    hashes: NotRequired[dict[str, str | None] | None]
    sources: NotRequired[list[EntrySource] | None]
    attribution: NotRequired[dict[str, list[str] | None] | None]


class FoundEntry(ListEntry):
    """An entry in the result of a search, which also has the id."""

    id: str
