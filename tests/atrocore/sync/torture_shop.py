"""A server with some products of the torture catalogue, for a user who may not write all fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from self_hosted.atrocore.api.records import delete_many, list_all
from self_hosted.atrocore.hook import AtrocoreHook
from tests.atrocore.sync.conftest import CORES
from tests.atrocore.sync.torture import CATEGORIES, CUSTOM_FIELDS, FIELDS, KEY, POISON, ROWS, Row, declare, list_others
from tests.conftest import Served

ROLE = {
    "id": "editor",
    "name": "Editor",
    "data": {"Product": {"delete": "no"}},
    "fieldData": {"Product": {"mpn": {"read": "yes", "edit": "no"}}},
}
BEN = {"id": "ben", "userName": "ben", "password": "secret", "rolesIds": ["editor"]}
OLD_NAMES = {"number": "sku", "status": "productStatus"}


class Shop:
    """A server.

    :param version: a key of `CORES`
    :param served: the server
    :param connect: defines a connection
    """

    def __init__(self, version: str, served: Served, connect: Callable[..., str]) -> None:
        self.served, self.names = served, {} if version == "2.3" else OLD_NAMES
        served.seed({"core": CORES[version], "languages": ["de_DE"], "fields": {"Product": CUSTOM_FIELDS}})
        connect("atrocore_default", served.connection(login="ben", password="secret"))
        self.admin = AtrocoreHook(connect("atrocore_admin", served.connection()))
        self._fill()

    def _fill(self) -> None:
        categories = [{"id": each, "code": code, "name": code} for code, each in CATEGORIES.items()]
        others = [{"id": each, "number": key, "name": key} for each, key in list_others()]
        stored = [{"id": row.ref, "number": row.key, **row.stored} for row in ROWS if row.stored is not None]
        deleted = [{"id": row.ref, "number": row.key, "name": "gelöscht"} for row in ROWS if row.is_deleted]
        products = [self._to_record(each) for each in [*others, *stored, *deleted]]
        self.served.seed({"records": {"Role": [ROLE], "User": [BEN], "Category": categories, "Product": products}})
        self.served.seed({"poison": [POISON]})
        self.admin.run(delete_many("Product", [each["id"] for each in deleted]))

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of the operators, besides the source."""
        return {
            "fields": declare(self.names.get("status", "status")),
            "key_field": {KEY: self.names.get("number", "number")},
            "date_format": "%d.%m.%Y",
            "on_duplicate_key": "skip",
        }

    def rename(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """Return a line of a plan with the names of fields that this version has."""
        renamed = dict(line)
        if "fields" in line:
            renamed["fields"] = {self.names.get(name, name): pair for name, pair in line["fields"].items()}
        if "message" in line:
            name, colon, rest = line["message"].partition(":")
            renamed["message"] = self.names.get(name, name) + colon + rest
        return renamed

    def find_differences(self, rows: Iterable[Row]) -> list[str]:
        """Return in which products the server differs from what it holds after a sync of the rows."""
        expected = {row.ref: self._to_record({"number": row.key, **row.final}) for row in rows if row.final}
        expected |= {each: self._to_record({"number": key, "name": key}) for each, key in list_others()}
        stored = {each["id"]: each for each in self._list_products("number", *FIELDS.values())}
        differing = [
            f"{expected[ref]}: {name} is {stored[ref].get(name)!r}"
            for ref in expected.keys() & stored.keys()
            for name, value in expected[ref].items()
            if stored[ref].get(name) != value
        ]
        return [*differing, *(f"only one has {ref}" for ref in expected.keys() ^ stored.keys())]

    def list_written(self) -> set[str]:
        """Return the ids of the products that the user of the sync has written."""
        return {each["id"] for each in self._list_products("modifiedById") if each["modifiedById"] == BEN["id"]}

    def _list_products(self, *names: str) -> list[dict[str, Any]]:
        return self.admin.run(list_all("Product", (), [self.names.get(name, name) for name in names]))

    def _to_record(self, values: Mapping[str, Any]) -> dict[str, Any]:
        moment = values.get("releasedAt")
        changes = {"releasedAt": moment.replace("T", " ").removesuffix("Z")} if moment else {}
        return {self.names.get(name, name): value for name, value in {**values, **changes}.items()}
