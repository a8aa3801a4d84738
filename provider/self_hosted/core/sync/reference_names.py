"""The distinct texts by which rows name other records, in the table ``refs`` of the workspace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from self_hosted.core.sync.target import Field, Schema
from self_hosted.core.sync.workspace import Workspace

CREATE = """
CREATE TABLE refs (
    field TEXT, value TEXT, ref TEXT, is_new INTEGER DEFAULT 0, is_used INTEGER DEFAULT 0, collection TEXT,
    by_field TEXT, PRIMARY KEY (field, value)
) WITHOUT ROWID
"""
REFERENCES = frozenset({"reference", "references"})
encode_row = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def reference_fields(schema: Schema) -> list[Field]:
    """Return the fields whose values are ids of other records.

    :param schema: the fields
    """
    return [field for field in schema.fields.values() if field.type in REFERENCES]


class ReferenceNames:
    """Collects texts.

    :param workspace: receives the table
    :param schema: the fields
    """

    def __init__(self, workspace: Workspace, schema: Schema) -> None:
        self.connection = workspace.connection
        self.fields = [field.name for field in reference_fields(schema)]
        self.connection.execute(CREATE)
        self._pending = set[tuple[str, str]]()

    def add(self, values: Mapping[str, Any]) -> None:
        """Add the texts of a row.

        :param values: of the row
        """
        for name in self.fields:
            named = values.get(name)
            texts = named if isinstance(named, list) else [] if named is None else [named]
            self._pending.update((name, text) for text in texts)

    def store(self) -> None:
        """Store the texts that were added since the last call."""
        self.connection.executemany("INSERT OR IGNORE INTO refs (field, value) VALUES (?, ?)", self._pending)
        self._pending.clear()
