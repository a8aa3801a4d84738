"""References: the texts by which rows name other records become the ids of these, each distinct text once.

The table ``refs`` holds the texts: ``ref`` is the id, ``is_new`` says that the record is to be created, and ``is_used``
that a row needs it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from self_hosted.core.http.logs import SECONDS_BETWEEN_LINES, Throttle, get_logger
from self_hosted.core.sync.batches import Run
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.preflight import Finding, Findings
from self_hosted.core.sync.reference_names import encode_row, reference_fields
from self_hosted.core.sync.target import Change, Field, Schema, Target
from self_hosted.core.sync.values import InvalidCellError
from self_hosted.core.sync.workspace import Workspace

log = get_logger(__name__)

ROWS_PER_UPDATE = 1000
MAX_REMEMBERED = 10_000

_UNRESOLVED = "SELECT value FROM refs WHERE field = ? AND ref IS NULL AND value > ? ORDER BY value LIMIT ?"
_SET_REF = "UPDATE refs SET ref = ? WHERE value = ? AND field = ?"
_SET_NEW = "UPDATE refs SET ref = ?, is_new = 1, collection = ?, by_field = ? WHERE value = ? AND field = ?"
_SET_OWN_ROW = """
UPDATE refs SET ref = (SELECT ref FROM rows WHERE key = refs.value AND verdict IS NULL) WHERE field = ? AND ref IS NULL
"""
_ROWS = "SELECT n, key, row, parent FROM rows WHERE verdict IS NULL AND n > ? ORDER BY n LIMIT ?"
_CREATED = """
SELECT DISTINCT collection, by_field, value, ref FROM refs WHERE is_new AND is_used ORDER BY collection, by_field, value
"""


def resolve_references(
    run: Run,
    target: Target,
    schema: Schema,
    key: FieldSpec,
    workspace: Workspace,
    findings: Findings,
) -> None:
    """Replace the texts of references by ids, in the table ``rows``; a row that names an unknown record fails.

    A reference to the target itself may name a record that another row creates, if it is ``by`` the key field.

    :param run: runs a flow
    :param target: resolves texts
    :param schema: the fields
    :param key: the declaration of the key field
    :param workspace: its tables ``rows`` and ``refs`` are complete, and keys are checked
    :param findings: receives unknown records
    """
    fields = reference_fields(schema)
    resolver = _Resolver(run, target, key, workspace)
    for field in fields:
        resolver.resolve(field)
    if fields:
        _Rewriter(target, fields, key, workspace, findings).rewrite()


def list_created(workspace: Workspace) -> Iterator[Change]:
    """Yield the creation of each record that rows name, that does not exist, and that is created if it is missing.

    :param workspace: its references are resolved
    """
    for collection, by, value, ref in workspace.connection.execute(_CREATED):
        yield Change("create", value, ref, {by: value}, collection=collection)


def _names_rows(field: Field, key: FieldSpec) -> bool:
    return field.is_self_reference and field.spec.by == key.field


class _Resolver:
    """Finds the ids of all texts of a field."""

    def __init__(
        self,
        run: Run,
        target: Target,
        key: FieldSpec,
        workspace: Workspace,
    ) -> None:
        self.run, self.target, self.key, self.connection = run, target, key, workspace.connection
        self.progress = Throttle(SECONDS_BETWEEN_LINES)

    def resolve(self, field: Field) -> None:
        count = 0
        for texts in self._unresolved(field):
            found = self.run(self.target.resolve(field, texts))
            self.connection.executemany(_SET_REF, [(found.get(text), text, field.name) for text in texts])
            count += len(texts)
            if self.progress.is_due():
                log.info("%d names of %s are looked up", count, field.name)
        if _names_rows(field, self.key):
            self.connection.execute(_SET_OWN_ROW, (field.name,))
        if field.spec.missing == "create":
            self._create_missing(field)

    def _create_missing(self, field: Field) -> None:
        for texts in self._unresolved(field):
            created = [(self.target.new_ref(text, field.collection), text) for text in texts]
            origin = field.collection, field.spec.by
            self.connection.executemany(_SET_NEW, [(ref, *origin, text, field.name) for ref, text in created if ref])

    def _unresolved(self, field: Field) -> Iterator[list[str]]:
        last, size = "", self.target.capacity.keys_per_lookup
        while texts := [row[0] for row in self.connection.execute(_UNRESOLVED, (field.name, last, size))]:
            yield texts
            last = texts[-1]


class _Rewriter:
    """Writes ids into rows."""

    def __init__(
        self, target: Target, fields: list[Field], key: FieldSpec, workspace: Workspace, findings: Findings
    ) -> None:
        self.target, self.fields, self.key, self.findings = target, fields, key, findings
        self.connection = workspace.connection
        self.look_up = lru_cache(MAX_REMEMBERED)(self._look_up)
        self.used = set[tuple[str, str]]()

    def rewrite(self) -> None:
        last = 0
        while rows := self.connection.execute(_ROWS, (last, ROWS_PER_UPDATE)).fetchall():
            self.connection.executemany(
                "UPDATE rows SET row = ?, parent = ?, verdict = ?, problem = ? WHERE n = ?",
                [self._rewrite_row(*row) for row in rows],
            )
            self.connection.executemany("UPDATE refs SET is_used = 1 WHERE field = ? AND value = ?", self.used)
            self.used.clear()
            last = rows[-1][0]

    def _rewrite_row(self, number: int, key: str, row: str, parent: str | None) -> tuple[Any, ...]:
        named = json.loads(row)
        values, errors, used = dict(named), list[InvalidCellError](), set[tuple[str, str]]()
        for field in self.fields:
            if named.get(field.name) is not None:
                values[field.name] = self._replace(field, named[field.name], errors, used)
                parent = named[field.name] if field.is_parent and _names_rows(field, self.key) else parent
        for error in errors:
            self.findings.add(Finding(number, key, error.field, error.value, error.message))
        if errors:
            return row, parent, "failed", "; ".join(map(str, errors)), number
        self.used |= used
        return encode_row(values), parent, None, None, number

    def _replace(self, field: Field, named: Any, errors: list[InvalidCellError], used: set[tuple[str, str]]) -> Any:
        refs = set[str]()
        for text in named if isinstance(named, list) else [named]:
            ref, is_new = self.look_up(field.name, text)
            if ref is None:
                errors.append(InvalidCellError(field.name, text, self._explain(field, text)))
                continue
            refs.add(ref)
            if is_new:
                used.add((field.name, text))
        return sorted(refs) if isinstance(named, list) else next(iter(refs), None)

    def _look_up(self, field: str, text: str) -> tuple[str | None, int]:
        query = "SELECT ref, is_new FROM refs WHERE field = ? AND value = ?"
        found: tuple[str | None, int] = self.connection.execute(query, (field, text)).fetchone()
        return found

    def _explain(self, field: Field, text: str) -> str:
        if reason := self.target.explain_unresolved(field, text):
            return reason
        is_row = "SELECT 1 FROM rows WHERE key = ?"
        if _names_rows(field, self.key) and self.connection.execute(is_row, (text,)).fetchone():
            return "names a row that is not sent, or whose id the server chooses; create its record first"
        if field.spec.missing == "create":
            return "names no record, and the server chooses the id of a new one; create it first"
        return f"names no record; give the {field.spec.by} of one, or set missing='create'"
