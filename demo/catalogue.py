"""The products of a delivery, as in a licensor's spreadsheet: with umlauts, gaps and one duplicate number."""

from __future__ import annotations

import csv
import io
from itertools import product
from random import Random

ITEMS = [
    "Plüschmaus",
    "Käsemesser",
    "Frühstücksbrett",
    "Crêpe-Pfanne",
    "Tasse „Señor Piñata“",
    "Spieluhr",
    "Rätselbuch",
]
SIZES = ["klein", "mittel", "groß", "Übergröße"]
COLOURS = ["rot", "grün", "blau", "weiß", "café au lait", "türkis", "schwarz", "gelb", "rosé"]
AUDIENCES = ["", " für Kinder"]
COLUMNS = ["number", "name", "description", "price", "rrp", "ean", "quantity", "note"]


def build_catalogue(random: Random) -> str:
    """Return the catalogue as CSV; the last row has the number of the first row and another name.

    :param random: the generator of prices, quantities and notes
    """
    variants = enumerate(product(ITEMS, SIZES, COLOURS, AUDIENCES))
    rows = [_build_row(index, *variant, random) for index, variant in variants]
    rows.append({**rows[0], "name": "Plüschmaus (Neuauflage)"})
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return sheet.getvalue()


def _build_row(index: int, item: str, size: str, colour: str, audience: str, random: Random) -> dict[str, str]:
    price = random.randrange(390, 8990, 10) / 100
    return {
        "number": f"MB-{index:04}",
        "name": f"{item}, {size}, {colour}{audience}",
        "description": f"{item}{audience} aus der Serie „Mäuseburg“ in {colour}, {size}.",
        "price": f"{price:.2f}",
        "rrp": f"{price * 1.19:.2f}",
        "ean": _build_ean(f"4006381{index:05}"),
        "quantity": str(random.randrange(500)) if random.random() < 0.9 else "",
        "note": random.choice(["", "", "Restposten", "nur im Bündel"]),
    }


def _build_ean(digits: str) -> str:
    """Return twelve digits with their check digit."""
    checksum = sum(int(digit) * (3 if position % 2 else 1) for position, digit in enumerate(digits))
    return f"{digits}{-checksum % 10}"
