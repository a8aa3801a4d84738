"""The documents of a delivery: texts, a PDF, a licence table and, on demand, a file that virus scanners report."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

from fpdf import FPDF

LICENCES = [
    {"asset": "characters", "territory": "DE, AT, CH", "until": "2031-12-31", "media": "print, online"},
    {"asset": "props", "territory": "worldwide", "until": "2031-12-31", "media": "print, online, merchandise"},
    {"asset": "backgrounds", "territory": "worldwide", "until": "2029-06-30", "media": "online"},
]
LIESMICH = """Lieferung „Mäuseburg“, Staffel 2
Alle Bilder sind für die lizenzierten Medien freigegeben (siehe licence.csv).
Rückfragen bitte an lizenzen@example.com. Schöne Grüße!
"""
README = """Delivery "Mäuseburg", season 2
pictures.zip holds the artwork, catalogue.csv the products, this archive the documents.
"""
DELIVERY_NOTE = ["Delivery note", "Mäuseburg, season 2: pictures, documents and catalogue.", "Usage as in licence.csv."]
PDF_DATE = datetime(2026, 1, 1, tzinfo=UTC)  # fixed, so that the file is reproducible


def build_documents(flagged: bool) -> dict[str, bytes]:
    """Return the documents: file name -> content.

    :param flagged: whether to include the harmless test file that virus scanners report
    """
    documents = {
        "README.txt": README.encode(),
        "LIESMICH.txt": LIESMICH.encode(),
        "delivery-note.pdf": build_pdf(DELIVERY_NOTE),
        "licence/licence.csv": _build_licence_table().encode(),
        "licence/licence.json": json.dumps(LICENCES, indent=2).encode(),
    }
    return {**documents, "extras/screensaver.com": build_scanner_test_file()} if flagged else documents


def build_scanner_test_file() -> bytes:
    """Return the EICAR test file: harmless text that scanners report by agreement, https://www.eicar.org.

    It is assembled here, so that scanners do not report this source file.
    """
    head, tail = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$", "$H+H*"
    return "".join([head, "EICAR", "-STANDARD-", "ANTIVIRUS", "-TEST-FILE!", tail]).encode()


def build_pdf(lines: list[str]) -> bytes:
    """Return a PDF of one page with these lines."""
    pdf = FPDF()
    pdf.creation_date = PDF_DATE
    pdf.add_page()
    pdf.set_font("Helvetica", size=12)
    pdf.multi_cell(0, text="\n".join(lines))
    return bytes(pdf.output())


def _build_licence_table() -> str:
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, LICENCES[0])
    writer.writeheader()
    writer.writerows(LICENCES)
    return sheet.getvalue()
