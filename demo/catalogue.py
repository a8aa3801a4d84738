"""The products of a delivery, as a licensor's spreadsheet has them: umlauts, gaps, and one number used twice."""

from __future__ import annotations

import csv
import io
from itertools import product
from random import Random

THINGS = [
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


def catalogue(random: Random) -> str:
    """The catalogue as CSV; the last row repeats the number of the first with another name."""
    kinds = enumerate(product(THINGS, SIZES, COLOURS, AUDIENCES))
    rows = [_row(index, *kind, random) for index, kind in kinds]
    rows.append({**rows[0], "name": "Plüschmaus (Neuauflage)"})
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return sheet.getvalue()


def _row(index: int, thing: str, size: str, colour: str, audience: str, random: Random) -> dict[str, str]:
    price = random.randrange(390, 8990, 10) / 100
    return {
        "number": f"MB-{index:04}",
        "name": f"{thing}, {size}, {colour}{audience}",
        "description": f"{thing}{audience} aus der Serie „Mäuseburg“ in {colour}, {size}.",
        "price": f"{price:.2f}",
        "rrp": f"{price * 1.19:.2f}",
        "ean": _ean(f"4006381{index:05}"),
        "quantity": str(random.randrange(500)) if random.random() < 0.9 else "",
        "note": random.choice(["", "", "Restposten", "nur im Bündel"]),
    }


def _ean(digits: str) -> str:
    """Twelve digits with their check digit."""
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-weighed % 10}"
