"""A licensor's delivery to run DAGs on: ``python -m demo.delivery FOLDER [--flagged]``.

It is the same on each run: pictures.zip (artwork), documents.zip (texts, a PDF and a licence table) and catalogue.csv
(some hundred products).
"""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Mapping
from pathlib import Path
from random import Random

from demo.catalogue import build_catalogue
from demo.documents import build_documents
from demo.pictures import draw_picture

PICTURE_COUNTS = {"characters": 6, "props": 4, "backgrounds/day": 3, "backgrounds/night": 2}
ZIP_DATE = (2026, 1, 1, 0, 0, 0)  # the same for all files, so that the archive is reproducible


def write_delivery(folder: Path, *, flagged: bool = False) -> Path:
    """Write a delivery and return its folder.

    :param folder: the folder; created if necessary
    :param flagged: whether one of the documents is the test file that virus scanners report
    """
    random = Random("Mäuseburg")
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{place}/{number:02}.png" for place, count in PICTURE_COUNTS.items() for number in range(1, count + 1)]
    _write_zip(folder / "pictures.zip", {name: draw_picture(random) for name in names})
    _write_zip(folder / "documents.zip", build_documents(flagged))
    (folder / "catalogue.csv").write_bytes(build_catalogue(random).encode())
    return folder


def _write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    # without compression, so that a scanner that does not unpack archives finds the test file
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, ZIP_DATE), content)


def main() -> None:
    """Write a delivery according to the command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.delivery", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--flagged", action="store_true", help="include the test file that virus scanners report")
    options = parser.parse_args()
    print(write_delivery(options.folder, flagged=options.flagged))


if __name__ == "__main__":
    main()
