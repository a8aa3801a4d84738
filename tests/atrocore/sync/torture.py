"""A catalogue of 2,000 rows with everything that goes wrong in real ones, and what a sync of it must do.

The expectations are computed here from Python values, not by the code under test.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from self_hosted.atrocore.api.record_ids import deterministic_id
from self_hosted.core.sync.fields import Boolean, Date, Moment, Number, Relation, Text

TOTAL = 2000
KEY = "Artikelnummer"
FIELDS: Mapping[str, str] = {
    "Bezeichnung": "name",
    "Bezeichnung DE": "nameDeDe",
    "Beschreibung": "longDescription",
    "Preis": "price",
    "Währung": "priceUnitId",
    "Bestand": "quantity",
    "UVP": "rrp",
    "Sortierung": "sortOrder",
    "Aktiv": "isActive",
    "Status": "status",
    "EAN": "ean",
    "Herstellernummer": "mpn",
    "Kategorien": "categoriesIds",
    "Hergestellt": "madeOn",
    "Freigabe": "releasedAt",
    "Auslauf": "endOn",
}
"""The field of each column; "status" has another name on old servers."""
COLUMNS = (KEY, *FIELDS, "Intern")
BERLIN = ZoneInfo("Europe/Berlin")
CATEGORIES = {"räder": "c1", "möbel & mehr": "c2", "50%": "c3"}
CUSTOM_FIELDS = {"madeOn": {"type": "date"}, "endOn": {"type": "date"}, "releasedAt": {"type": "datetime"}}
OPTIONS = "'draft', 'prepared', 'reviewed', 'notReady', 'ready'"
POISON = "poison-1"
"""The key of a row on which the server breaks."""


def declare(status: str) -> dict[str, Any]:
    """Return the declarations of all columns but the last.

    :param status: the name of the field "status"
    """
    return {
        "Bezeichnung": "name",
        "Bezeichnung DE": Text("name", locale="de_DE"),
        "Beschreibung": "longDescription",
        "Preis": Number("price", unit_column="Währung"),
        "Bestand": "quantity",
        "UVP": Number("rrp", decimal=",", empty="clear"),
        "Sortierung": "sortOrder",
        "Aktiv": Boolean("isActive"),
        "Status": status,
        "EAN": "ean",
        "Herstellernummer": "mpn",
        "Kategorien": Relation("categories"),
        "Hergestellt": Date("madeOn"),
        "Freigabe": Moment("releasedAt", time_zone="Europe/Berlin", format="%d.%m.%Y %H:%M"),
        "Auslauf": "endOn",
    }


@dataclass(frozen=True)
class Row:
    """A row, and what becomes of it.

    :param cells: by column, as Python values: what the row means, however a format writes it
    :param result: "create", "update", "unchanged", or a verdict
    :param stored: the record before the sync, if there is one
    :param changes: the fields that differ from it
    :param message: why the row is not sent, without its place in the file; ``{}`` stands for the value
    :param problem: the field with the problem, if the plan names it
    :param is_deleted: whether its record was deleted before
    :param correction: the cells that make the row right
    """

    cells: Mapping[str, Any]
    result: str
    stored: Mapping[str, Any] | None = None
    changes: tuple[str, ...] = ()
    message: str = ""
    problem: str = ""
    is_deleted: bool = False
    correction: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_written(self) -> bool:
        """Whether the record is written."""
        return self.result in {"create", "update"} and self.key != POISON

    @property
    def is_rejected(self) -> bool:
        """Whether the row is not stored, because of itself or the server."""
        return self.result in {"failed", "forbidden", "ambiguous"} or self.key == POISON

    @property
    def corrected(self) -> Row:
        """The row with its correction."""
        cells = {**self.cells, **self.correction}
        return Row(cells, "create" if self.stored is None else "update", stored=self.stored)

    @property
    def ref(self) -> str:
        """The id of its record: another one than the sync would give, if it exists before."""
        return deterministic_id("Product", self.key if self.stored is None else f"stored {self.key}")

    @property
    def key(self) -> str:
        """The key as text; "" if it cannot be used."""
        key = self.cells[KEY]
        return str(int(key)) if isinstance(key, float) else str(key or "")

    @property
    def values(self) -> dict[str, Any]:
        """The values of the fields that the row sets."""
        named = {FIELDS[column]: to_value(column, cell) for column, cell in self.cells.items() if column in FIELDS}
        if named["price"] is None:
            named["priceUnitId"] = None  # without an amount
        emptied = {"rrp": None} if not self.cells["UVP"] else {}
        return {name: value for name, value in named.items() if value is not None} | emptied

    @property
    def final(self) -> dict[str, Any] | None:
        """The values of the record after the sync; None if it has none."""
        written = self.values if self.is_written else {}
        if self.stored is None and not written:
            return None
        return {**(self.stored or {}), **written}


def to_value(column: str, cell: Any) -> Any:
    """Return what a server holds for a cell."""
    if isinstance(cell, bool) or not cell:
        return 0 if isinstance(cell, Decimal) else cell
    if column == "Kategorien":
        return sorted(CATEGORIES[name] for name in cell)
    if isinstance(cell, Decimal | float):
        return int(cell) if cell == int(cell) else float(cell)
    if isinstance(cell, datetime):
        return f"{cell.replace(tzinfo=BERLIN).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(cell, date):
        return cell.isoformat()
    return cell.lower() if column == "Währung" else cell


NAMES = (
    "Bürostuhl „Größe“ weiß",
    "Straße ß ẞ",
    "Crème brûlée à l'été",
    "<b>Fett</b> & <script>alert(1)</script>",
    "[Link](http://example.com) **Mark** `down` | a | b |",
    "{{ 7 * 7 }} {% raw %}",
    'Rohr 6" à 2,5 m; "gequotet"',
    "a;b,c\td|e",
    "zwei\nZeilen",
    "Ende mit Umbruch\n",
    "  Leerzeichen außen  ",
    "\u00a0geschützt\u00a0",
    "weich\u00adgetrennt",
    "=SUMME(A1:A9)",
    "+49 30 1234",
    "-17",
    "@heimat",
    "'0815",
    "NULL",
    "None",
    "nan",
    "true",
    "1E5",
    "00123",
    "12.50",
    "1,5",
    "01.03.2026",
    "\\N",
    "#N/A.",
    "\u65e5\u672c\u8a9e \u0440\u0443\u0441\u0441\u043a\u0438\u0439 \u03b5\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac",
    "e\u0301 zerlegt",
    "\U0001f6b2 Rad",
    "x" * 255,
)
DESCRIPTIONS = (
    "<p>Ein <em>Absatz</em></p>\n<ul><li>Öl &amp; Essig</li></ul>",
    "<img src=x onerror=alert(1)>",
    "<p>" + "Lang und länger. " * 1800 + "</p>",
)


def make(kind: str, n: int, **cells: Any) -> dict[str, Any]:
    """Return the cells of a usual row; ``cells`` replace some of them."""
    usual = {
        KEY: f"{kind}-{n}",
        "Bezeichnung": NAMES[n % len(NAMES)],
        "Bezeichnung DE": f"Stück {n} äöü",
        "Beschreibung": DESCRIPTIONS[n % 2] if n % 97 else DESCRIPTIONS[2],
        "Preis": Decimal(n * 1237 + 50) / 100,
        "Währung": ("EUR", "USD")[n % 2],
        "Bestand": Decimal(n % 7) + Decimal("0.5"),
        "UVP": Decimal(n % 50) + Decimal("0.99"),
        "Sortierung": n,
        "Aktiv": n % 2 == 0,
        "Status": ("draft", "prepared", "ready")[n % 3],
        "EAN": f"{4006381000000 + n}",
        "Herstellernummer": None,
        "Kategorien": [list(CATEGORIES)[n % 3], "räder"] if n % 3 else ["räder"],
        "Hergestellt": date(2026, 1 + n % 12, 1 + n % 28),
        "Freigabe": datetime(2026, 1 + n % 12, 1 + n % 28, n % 24, n % 60) if n % 24 != 2 else datetime(2026, 5, 1),
        "Auslauf": date(2030, 12, 31),
        "Intern": f"geheim {n}",
    }
    return {**usual, **cells}


def list_rows() -> list[Row]:
    """Return the catalogue."""
    rows = [*_list_special(), *_list_failing(), *_list_ambiguous()]
    rows += [_make_unchanged(n) for n in range(500)]
    rows += [_make_changed(n) for n in range(400)]
    rows += [Row(make("new", n), "create") for n in range(TOTAL - len(rows))]
    return [rows[n * 1201 % TOTAL] for n in range(TOTAL)]  # mixed; 1201 and 2000 have no common divisor


def _list_special() -> Iterator[Row]:
    for n, name in enumerate(NAMES):
        yield Row(make("name", n, Bezeichnung=name), "create")
    for n in range(20):
        yield Row(make("number", n, **{KEY: 70_000.0 + n}), "create")  # a spreadsheet's key
    for n, key in enumerate(("00815", "1E5", "1.10", "1.1", "TRUE", "ß-1", "Ärger & Co", "a/b", 'a"b', "x" * 255)):
        yield Row(make("key", n, **{KEY: key}), "create")
    yield Row(make("empty", 1, **{column: None for column in ("Preis", "UVP", "Beschreibung", "EAN")}), "create")
    yield Row(make("large", 1, Preis=Decimal("123456789.25"), Sortierung=2_147_483_647), "create")
    yield Row(make("poison", 1), "create", correction={KEY: "cured-1"})
    for n in range(20):
        yield Row(make("deleted", n), "create", is_deleted=True)
    yield Row(
        make("mpn", 0, Herstellernummer="M-0"), "unchanged", stored={**Row(make("mpn", 0), "").values, "mpn": "M-0"}
    )
    forbidden = "mpn may not be written: the user's roles do not permit to edit it"
    stored = {**Row(make("mpn", 1), "").values, "mpn": "M-1"}
    for n, before in ((1, stored), (2, None)):
        cells, correction = make("mpn", n, Herstellernummer="X"), {"Herstellernummer": None}
        yield Row(cells, "forbidden", before, message=forbidden, problem="mpn", correction=correction)


def _make_unchanged(n: int) -> Row:
    row = Row(make("same", n), "unchanged")
    return Row(row.cells, "unchanged", stored=row.values)


CHANGED: tuple[tuple[str, Any, Any], ...] = (
    ("name", "alt", ...),
    ("nameDeDe", "alt", ...),
    ("longDescription", None, ...),
    ("price", 0.1, ...),
    ("priceUnitId", "chf", ...),
    ("quantity", 77, ...),
    ("rrp", 12.5, None),
    ("sortOrder", -1, ...),
    ("isActive", "not", ...),
    ("status", "reviewed", ...),
    ("ean", "40063813", ...),
    ("categoriesIds", ["c3"], ...),
    ("madeOn", "2020-02-29", ...),
    ("releasedAt", "2020-02-29T00:00:00Z", ...),
    ("endOn", None, ...),
)
"""Field, its value before the sync, and after it; ... is the usual value."""


def _make_changed(n: int) -> Row:
    name, old, new = CHANGED[n % len(CHANGED)]
    cells = make("changed", n)
    if new is None:
        cells["UVP"] = None
    row = Row(cells, "update")
    before = not row.values[name] if old == "not" else old
    return Row(cells, "update", stored={**row.values, name: before}, changes=(name,))


def _list_failing() -> Iterator[Row]:
    nan, inf = math.nan, math.inf
    not_a_number = "is not a number; write it like 1234,5"
    cases: tuple[tuple[str, Any, str], ...] = (
        ("Status", "redy", "is not an option; similar: 'ready'"),
        ("Status", "xyz", f"is not an option; valid: {OPTIONS}"),
        ("Kategorien", ["unbekannt"], "names no record; give the code of one, or set missing='create'"),
        ("Währung", "XAU", "is not an option; valid: 'CHF', 'EUR', 'GBP', 'USD'"),
        ("EAN", "123", "does not match the pattern [\\s\\S]*?(?:^(\\d{8}|\\d{12,14})$)[\\s\\S]*"),
        ("Bezeichnung", "x" * 256, "has more than 255 characters; it has 256"),
        ("Bezeichnung", "Glocke\x07", "has a control character; remove U+0007 at position 7"),
        ("Bestand", Decimal("-1.5"), "is less than 0, the minimum"),
        ("Sortierung", Decimal("7.5"), "is not a whole number; the field has no decimals"),
        ("Sortierung", 3_000_000_000, "is more than 2147483647, the maximum"),
        ("Aktiv", "vielleicht", "is not a boolean; valid: true, 1, yes, on, ja, wahr, false, 0, no, off, nein, falsch"),
        ("Preis", nan, not_a_number),
        ("Preis", inf, not_a_number),
        ("UVP", "auf Anfrage", not_a_number),
        ("UVP", "1.2.3", not_a_number),
        ("Auslauf", "31.02.2026", "does not match the date_format %d.%m.%Y"),
        ("Auslauf", "bald", "does not match the date_format %d.%m.%Y"),
        (
            "Freigabe",
            datetime(2026, 3, 29, 2, 30),
            "does not exist in Europe/Berlin, where clocks are put forward; correct it, or give an offset",
        ),
        (
            "Freigabe",
            datetime(2026, 10, 25, 2, 30),
            "exists twice in Europe/Berlin; give an offset: it is 2026-10-25T00:30:00Z or 2026-10-25T01:30:00Z",
        ),
    )
    for n, (column, value, message) in enumerate(cases):
        name = {"Währung": "priceUnitId"}.get(column, FIELDS[column])
        key, reason, correction = 79_000.0 + n, f"{name}: {{}} {message}", {column: make("", n)[column]}
        yield Row(make("", n, **{KEY: key, column: value}), "failed", message=reason, correction=correction)
        stored = Row(make("bad", n), "").values
        yield Row(make("bad", n, **{column: value}), "failed", stored, message=reason, correction=correction)
    reason = "a new record needs name"
    cells = make("nameless", 1, Bezeichnung=None)
    yield Row(cells, "failed", message=reason, problem="name", correction={"Bezeichnung": "Name"})
    keys = (
        (None, "is not a key; give every row a text or a whole number"),
        (" ", "is not a key; give every row a text or a whole number"),
        ("A\tB", "has a control character; remove U+0009 at position 2"),
        ("k" * 513, "has more than 512 characters; it has 513"),
    )
    for n, (unusable, reason) in enumerate(keys):
        cells = make("", n, **{KEY: unusable})
        yield Row(cells, "failed", message=f"number: {{}} {reason}", correction={KEY: f"keyless-{n}"})


NEAR = (
    ("near-1", "NEAR-1"),
    ("near-2", "near-2 "),
    ("near-3", "near\u00a0-3"),
    ("n\u00e4her-4", "na\u0308her-4"),
    ("na\u00dfe-5", "NASSE-5"),
    ("near-6", "\uff4e\uff45\uff41\uff52-\uff16"),
    ("near-7", "near\u20137"),
    ("80001", "80001.0"),
    ("80002", "0080002"),
    ("near\u00ad-8", "near-8"),
)
"""Keys that people take for the same, and servers do not."""


def _list_ambiguous() -> Iterator[Row]:
    for n in range(10):
        for price in (1, 2):
            cells, correction = make("twice", n, Preis=Decimal(price)), {KEY: f"twice-{n}.{price}"}
            yield Row(cells, "ambiguous", message="2 rows have this key, the first in #", correction=correction)
    for n, (one, other) in enumerate(NEAR):
        for key, near in ((one, other), (other, one)):
            message = f"the key {key!r} is near {near!r} (#); correct one of them"
            correction = {KEY: f"far-{n}-{key == one}"}
            yield Row(make("", n, **{KEY: key}), "ambiguous", message=message, correction=correction)
    for n in range(5):
        message = f"the key 'target-{n}' looks like 'TARGET-{n}\\xa0' of the record t{n}: use one spelling"
        yield Row(make("target", n), "ambiguous", message=message, correction={KEY: f"goal-{n}"})
        message = f"2 records have this key (twin{n}a, twin{n}b): keep one"
        yield Row(make("twin", n), "ambiguous", message=message, correction={KEY: f"single-{n}"})
        ref = deterministic_id("Product", f"renamed-{n}")
        message = f"the id {ref} of its new record belongs to the record 'other-{n}': correct the key of one of them"
        yield Row(make("renamed", n), "ambiguous", message=message, correction={KEY: f"fresh-{n}"})


def list_others() -> Iterator[tuple[str, str]]:
    """Yield ids and keys of records that are not those of one row, but similar."""
    for n in range(5):
        yield f"t{n}", f"TARGET-{n}\u00a0"
        yield f"twin{n}a", f"twin-{n}"
        yield f"twin{n}b", f"twin-{n}"
        yield deterministic_id("Product", f"renamed-{n}"), f"other-{n}"
    for n in range(30):
        yield f"alone{n}", f"alone-{n}"


ROWS = list_rows()
