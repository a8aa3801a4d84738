"""The part of a list that a request wants."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.errors import ApiError, DatabaseError
from self_hosted.sandbox.atrocore.state import Record, State

DEFAULT_PAGE_SIZE = 200
MAX_PAGE_SIZE_OF_ESPO = 200


@dataclass(frozen=True)
class Page:
    """The part of a list that a request wants.

    :param size: maximum number of records; None for all
    :param total_only: whether only the number of all records is wanted
    :param collection_only: whether the number of all records is not wanted
    """

    offset: int
    size: int | None
    total_only: bool
    collection_only: bool

    @classmethod
    def parse(cls, state: State, call: Call) -> Page:
        """Return the page.

        :raises ApiError: if a parameter is invalid
        """
        size, offset = _parse_number(state, call, "maxSize", DEFAULT_PAGE_SIZE), _parse_number(state, call, "offset", 0)
        if state.dialect == "espo" and size > MAX_PAGE_SIZE_OF_ESPO:
            raise ApiError(403, f"maxSize must not exceed {MAX_PAGE_SIZE_OF_ESPO}.")
        if size < 0:
            raise DatabaseError(
                "[2201W]: <<Unknown error>>: 7 ERROR:  LIMIT must not be negative", has_status=state.is_new
            )
        if offset < 0:
            message = f"Offset must be a positive integer or zero, {offset} given"
            raise ApiError(500, message) if state.is_new else DatabaseError(message, has_status=False)
        is_all = size == 0 and call.parameter("maxSize").lstrip("-").isdigit()
        flags = (state.is_new and call.parameter(name) == "true" for name in ("totalOnly", "collectionOnly"))
        return cls(offset, None if is_all else size, *flags)

    def slice(self, records: list[Record]) -> list[Record]:
        """Return the records of the page."""
        end = None if self.size is None else self.offset + self.size
        return list(islice(records, self.offset, end))


def _parse_number(state: State, call: Call, name: str, default: int) -> int:
    text = call.parameter(name, str(default))
    try:
        return int(text)
    except ValueError:
        if not state.is_new:  # PHP casts it
            return 0
        reason = f"Parameter '{name}' has invalid value '{text}'"
        message = f'Value "{text}" for argument "{name}" is invalid for Request [get /{{entityName}}], {reason}'
        raise ApiError(400, message) from None
