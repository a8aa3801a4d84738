"""A licensor's delivery to try DAGs with: ``python -m demo.pack FOLDER [--flagged]``.

The same on every machine: pictures.zip (artwork), documents.zip (papers, a PDF, a licence sheet) and catalogue.csv
(some hundreds of products).
"""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Mapping
from pathlib import Path
from random import Random

from demo.catalogue import catalogue
from demo.paper import documents
from demo.picture import picture

PICTURES = {"characters": 6, "props": 4, "backgrounds/day": 3, "backgrounds/night": 2}


def deliver(folder: Path, *, flagged: bool = False) -> Path:
    """Write a delivery.

    :param folder: where to; made if need be
    :param flagged: whether one of the documents is the test file that virus scanners report
    :return: the folder
    """
    random = Random("Mäuseburg")
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{place}/{number:02}.png" for place, count in PICTURES.items() for number in range(1, count + 1)]
    _zip(folder / "pictures.zip", {name: picture(random) for name in names})
    _zip(folder / "documents.zip", documents(flagged))
    (folder / "catalogue.csv").write_bytes(catalogue(random).encode())
    return folder


def _zip(path: Path, files: Mapping[str, bytes]) -> None:
    # stored, for a scanner that does not unpack; of one date, so that the archive is the same every time
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)


def main() -> None:
    """Write a delivery as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m demo.pack", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--flagged", action="store_true", help="with the test file that virus scanners report")
    options = parser.parse_args()
    print(deliver(options.folder, flagged=options.flagged))


if __name__ == "__main__":
    main()
