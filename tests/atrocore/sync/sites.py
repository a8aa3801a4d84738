"""A fake or real server on which whole syncs run; everything is named by a random text, and deleted afterwards."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from self_hosted.atrocore.api import metadata
from self_hosted.atrocore.api.record_ids import deterministic_id
from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.operators.sync_records import AtrocoreSyncRecordsOperator
from self_hosted.core.http.errors import SelfHostedError
from tests.context import context

COUNTS = ("created", "updated", "unchanged", "restored", "skipped", "conflict", "altered", "pending", "failed")
FURTHER = ("ambiguous", "forbidden", "deleted", "deactivated")


@dataclass
class Site:
    """A server.

    :param name: its version, or "live"
    :param hook: a connection to it
    :param conn_id: the id of the connection
    :param key: the field that identifies products
    :param prefix: with which all keys of a test begin
    """

    name: str
    hook: AtrocoreHook
    conn_id: str
    key: str
    prefix: str = field(default_factory=lambda: f"a2{uuid.uuid4().hex[:8]}")
    created: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.read_metadata()

    def read_metadata(self) -> None:
        """Read what the server says about its entities."""
        self.metadata = self.hook.run(metadata.get("Product"))
        self.is_multilingual = "nameDeDe" in self.metadata.fields
        self.has_rows = bool(self.metadata.fields_of("ProductAttributeValue"))

    def add(self, entity: str, name: str, /, **values: Any) -> str:
        """Create a record whose id and code begin with the prefix, and return its id."""
        record_id = self.id(name)
        known = self.metadata.fields_of(entity)
        given = {"name": f"{self.prefix} {name}", "code": self.code(name), **values}
        if "nameDeDe" in known:
            given.setdefault("nameDeDe", given["name"])
        self.hook.create_record(
            entity, {"id": record_id, **{key: one for key, one in given.items() if one is not None}}
        )
        self.created.append((entity, record_id))
        return record_id

    def add_attribute(self, name: str, kind: str, /, **values: Any) -> str:
        """Create an attribute of products, and return its code."""
        code = self.code(name)
        newest = self.name == "2.3"
        named = {"systemName": code, "entityId": "Product", "attributePanelId": "attributeValues"} if newest else {}
        self.add("Attribute", name, type=kind, **named, **values)
        return code

    def add_options(self, name: str, **options: str) -> dict[str, Any]:
        """Create a list of options, and return the parameters of an attribute that has them.

        :param options: labels by name; the code of an option is `code` of its name
        """
        if self.name == "2.3":
            return {"options": [self.code(one) for one in options]}
        list_id = self.add("ExtensibleEnum", name)
        for one, label in options.items():
            values = {"name": label, "code": self.code(one), "extensibleEnumsIds": [list_id]}
            self.add("ExtensibleEnumOption", f"{name}{one}", **values)
        return {"extensibleEnumId": list_id}

    def id(self, name: str) -> str:
        return f"{self.prefix}{name}"[:24]

    def code(self, name: str) -> str:
        return f"{self.prefix}_{name}"

    def row(self, key: str, **values: Any) -> dict[str, Any]:
        """Return a row with all that products need."""
        names = {"nameDeDe": f"Ding {key}"} if self.is_multilingual else {}
        return {self.key: f"{self.prefix}-{key}", "name": f"Thing {key}", **names, **values}

    def ref(self, key: str, entity: str = "Product") -> str:
        """Return the id of a record that a sync has created."""
        return deterministic_id(entity, f"{self.prefix}-{key}" if entity == "Product" else key)

    def record(self, key: str) -> dict[str, Any]:
        """Return a product that a sync has created."""
        return self.hook.get_record("Product", self.ref(key))

    def fields(self, *declared: Any) -> list[Any]:
        """Return declarations: key, names, and others."""
        return [self.key, "name", *(["nameDeDe"] if self.is_multilingual else []), *declared]

    def sync(self, rows: list[dict[str, Any]], *declared: Any, entity: str = "Product", **arguments: Any) -> Any:
        """Synchronize, and return what became of the rows, without zeros."""
        fields = self.fields(*declared) if entity == "Product" else list(declared)
        key = arguments.pop("key_field", self.key)
        operator = AtrocoreSyncRecordsOperator(
            task_id="sync",
            source=rows,
            fields=fields,
            entity=entity,
            key_field=key,
            atrocore_conn_id=self.conn_id,
            **{"fail_on": "never", **arguments},
        )
        result = operator.execute(context(operator))
        if not arguments.get("dry_run"):
            self.created += [(entity, deterministic_id(entity, str(row[key]))) for row in rows]
        self.result = result
        return {name: result[name] for name in (*COUNTS, *FURTHER) if result.get(name)}

    def problems(self) -> str:
        """Return the samples of problems of the last sync as text."""
        return str(self.result)

    def clean(self) -> None:
        """Delete what was created, the newest first."""
        for entity, record_id in reversed(dict.fromkeys(self.created)):
            try:
                self.hook.delete_record(entity, record_id)
            except SelfHostedError:
                continue

    def related(self, key: str, attribute: str = "categoriesIds") -> list[str]:
        """Return the ids of the records that a product is related to."""
        where = [{"type": "equals", "attribute": "id", "value": self.ref(key)}]
        [found] = self.hook.list_records("Product", where, [attribute])
        return sorted(found[attribute])

    def parent(self, entity: str, record_id: str) -> str | None:
        """Return the id of a record's parent."""
        found = self.hook.list_records(
            entity, [{"type": "equals", "attribute": "id", "value": record_id}], ["parentId"]
        )
        parent: str | None = found[0]["parentId"]
        return parent
