"""Reads the records that rows are compared with: all of the target, or those with the keys of the rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.logs import SECONDS_BETWEEN_LINES, Throttle, get_logger
from self_hosted.core.sync.batches import Run
from self_hosted.core.sync.diff_tables import DiffTables, SourceRow
from self_hosted.core.sync.matching import Matching
from self_hosted.core.sync.record_diff import DiffOptions
from self_hosted.core.sync.target import Schema, Stored, Target

log = get_logger(__name__)

MAX_GROWTH, MANY_RECORDS = 2, 100_000
"""A list may have more records than were counted before, since records are added meanwhile, but not any number."""


class TargetReader:
    """Reads records, and has them matched.

    :param run: runs a flow, as hooks do
    :param target: the target
    :param schema: the fields to read
    :param tables: the rows
    :param matching: receives the records
    """

    def __init__(self, run: Run, target: Target, schema: Schema, tables: DiffTables, matching: Matching) -> None:
        self._run, self._target, self._schema = run, target, schema
        self._tables, self._matching = tables, matching
        self._progress = Throttle(SECONDS_BETWEEN_LINES)
        self._counted: int | None = None
        self.records = 0  # in the scope, if all were listed; else those that were found

    def read(self, options: DiffOptions) -> None:
        """Compare all rows with the records that exist.

        :param options: what the sync changes
        """
        if options.mode == "mirror" or self._is_small():
            self._list_all()
            listed = self.records
            if self._may_be_unlisted(options):
                self._look_up(self._matching.select_unmatched)
            self.records = listed
        else:
            self._look_up(lambda rows: rows)
        self._look_up_doubtful()

    def find_keys(self, keys: Sequence[str]) -> Iterator[str]:
        """Return those of some keys that records have.

        :param keys: the keys
        """
        for start in range(0, len(keys), self._size):
            part = keys[start : start + self._size]
            yield from (record.key for record in self._find(part) if not record.is_deleted)

    @property
    def _size(self) -> int:
        return self._target.capacity.keys_per_lookup

    def _is_small(self) -> bool:
        """Return whether listing all records costs less than looking the rows up."""
        count = self._counted = self._run(self._target.count())
        factor = self._target.capacity.listing_factor
        is_small = factor == float("inf") or (count is not None and count < factor * self._matching.total)
        how = "all of them are read" if is_small else "those with the keys of the rows are looked up"
        log.info("%s has %s records: %s", self._target.name, "unknown" if count is None else count, how)
        return is_small

    def _list_all(self) -> None:
        cursor, seen = None, set[str]()
        while True:
            page = self._run(self._target.page(self._schema, cursor))
            self._matching.add_page(page.records)
            self._count(page.records)
            cursor = page.cursor
            if cursor is None:
                return
            self._check_progress(json.dumps(cursor), seen)

    def _check_progress(self, cursor: str, seen: set[str]) -> None:
        """Check that a list comes to its end.

        :raises ServerError: if it begins again, or is much longer than the server has said
        """
        if cursor in seen:
            raise ServerError(
                f"the list of {self._target.name} has no end: it begins again after {self.records} records"
            )
        seen.add(cursor)
        if self._counted is not None and self.records > MAX_GROWTH * self._counted + MANY_RECORDS:
            raise ServerError(
                f"the list of {self._target.name} has no end: it has more records than {self._counted}, the number "
                "that the server has counted"
            )

    def _may_be_unlisted(self, options: DiffOptions) -> bool:
        """Return whether records may exist that a listing lacks: outside the scope, or deleted."""
        sees_deleted = self._target.capacity.lists_deleted and options.on_deleted != "restore"
        return self._target.scope is not None or sees_deleted

    def _look_up(self, select: Callable[[Sequence[SourceRow]], Sequence[SourceRow]]) -> None:
        waiting = list[SourceRow]()
        for rows in self._tables.all_rows():
            waiting += select(rows)
            while len(waiting) >= self._size:
                self._look_up_rows(waiting[: self._size])
                del waiting[: self._size]
        if waiting:
            self._look_up_rows(waiting)

    def _look_up_rows(self, rows: Sequence[SourceRow]) -> None:
        records = self._find([row.key for row in rows])
        self._matching.add_looked_up(rows, records)
        self._count(records)

    def _look_up_doubtful(self) -> None:
        """Compare rows once more that have several records, or one that was listed twice because it changed."""
        while rows := self._tables.pop_doubtful(self._size):
            self._matching.add_looked_up(rows, self._find([row.key for row in rows]))

    def _find(self, keys: Sequence[str]) -> Sequence[Stored]:
        return self._run(self._target.find(self._schema, keys))

    def _count(self, records: Sequence[Stored]) -> None:
        self.records += sum(not record.is_deleted for record in records)
        if self._progress.is_due():
            log.info("%d records of %s are compared", self.records, self._target.name)
