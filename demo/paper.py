"""The documents of a delivery: texts, a PDF, a licence sheet, and on demand a file that every virus scanner knows."""

from __future__ import annotations

import csv
import io
import json

LICENCE = [
    {"asset": "characters", "territory": "DE, AT, CH", "until": "2031-12-31", "media": "print, online"},
    {"asset": "props", "territory": "worldwide", "until": "2031-12-31", "media": "print, online, merchandise"},
    {"asset": "backgrounds", "territory": "worldwide", "until": "2029-06-30", "media": "online"},
]
LIESMICH = """Lieferung „Mäuseburg“, Staffel 2
Alle Bilder sind für die lizenzierten Medien freigegeben (siehe licence.csv).
Rückfragen bitte an lizenzen@example.com. Schöne Grüße!
"""
README = """Delivery "Mäuseburg", season 2
pictures.zip holds the artwork, catalogue.csv the products, this archive the papers.
"""
LETTER = ["Delivery note", "Maeuseburg, season 2: pictures, papers and catalogue.", "Usage as in licence.csv."]


def documents(flagged: bool) -> dict[str, bytes]:
    """The documents: name to content.

    :param flagged: with the harmless test file that every virus scanner reports
    """
    papers = {
        "README.txt": README.encode(),
        "LIESMICH.txt": LIESMICH.encode(),
        "delivery-note.pdf": pdf(LETTER),
        "licence/licence.csv": _sheet().encode(),
        "licence/licence.json": json.dumps(LICENCE, indent=2).encode(),
    }
    return {**papers, "extras/screensaver.com": scanner_test_file()} if flagged else papers


def scanner_test_file() -> bytes:
    """The EICAR test file: harmless text that scanners report by agreement, https://www.eicar.org.

    Put together here, so that no scanner reports this source file.
    """
    head, tail = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$", "$H+H*"
    return "".join([head, "EICAR", "-STANDARD-", "ANTIVIRUS", "-TEST-FILE!", tail]).encode()


def pdf(lines: list[str]) -> bytes:
    """A PDF of one page, in ASCII."""
    shown = "".join(f"({line}) Tj 0 -18 Td " for line in lines)
    content = f"BT /F1 12 Tf 72 760 Td {shown}ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    return _pdf_file(objects).encode("ascii")


def _pdf_file(objects: list[str]) -> str:
    """Objects with the table of where each begins."""
    text, places = "%PDF-1.4\n", ["0000000000 65535 f \n"]
    for number, body in enumerate(objects, 1):
        places.append(f"{len(text):010} 00000 n \n")
        text += f"{number} 0 obj\n{body}\nendobj\n"
    trailer = f"trailer\n<< /Size {len(places)} /Root 1 0 R >>\nstartxref\n{len(text)}\n%%EOF\n"
    return f"{text}xref\n0 {len(places)}\n{''.join(places)}{trailer}"


def _sheet() -> str:
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, LICENCE[0])
    writer.writeheader()
    writer.writerows(LICENCE)
    return sheet.getvalue()
