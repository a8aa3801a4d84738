"""The pretended analysis: what is written in a file decides what is found in it.

RIG-SCORE:<n>   a score of n; the EICAR test file has 1000
RIG-SLEEP:<s>   takes s seconds longer
RIG-FAIL        the service fails on this file
RIG-CHILD:<x>   a file with the content x is extracted, and analysed as well

Zip archives are opened. Only the first MiB of a file is read for words; all of it is hashed.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import IO

PIECE = 64 * 1024
READ_FOR_WORDS = 1024 * 1024
KEPT = 16 * 1024 * 1024  # larger files are known, but their content is not
HUNTED = 16 * 1024  # of each file is kept for retrohunts
MAX_DEPTH = 6
EICAR = b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE"  # in two halves, lest a virus scanner takes this for it

SCORE = re.compile(rb"RIG-SCORE:(-?\d+)")
SLEEP = re.compile(rb"RIG-SLEEP:([\d.]+)")
CHILD = re.compile(rb"RIG-CHILD:(.+)")


@dataclass
class Scanned:
    """One file: the submitted one, or one that was in it."""

    sha256: str
    sha1: str
    md5: str
    size: int
    content: bytes | None  # None when it is too large to be kept
    words: bytes
    score: int | None = None  # None when nothing is found
    error: str = ""
    children: list[tuple[str, str]] = field(default_factory=list)  # name and SHA-256 of what is in it


@dataclass
class Findings:
    """What the analysis of a file and all that is in it came to."""

    sha256: str = ""
    md5: str = ""
    sha1: str = ""
    size: int = 0
    scores: dict[str, int] = field(default_factory=dict)  # by SHA-256, so that equal files count once
    files: dict[str, Scanned] = field(default_factory=dict)
    errors: int = 0
    seconds: float = 0
    words: bytes = b""  # of the file itself, for retrohunts

    @property
    def max_score(self) -> int:
        """The highest score of any of the files."""
        return max(self.scores.values())


def scan(file: IO[bytes]) -> Findings:
    """Analyse a file, piece by piece.

    :param file: open for reading, and able to seek
    """
    findings = Findings()
    found = _scan(file, findings, depth=0)
    findings.sha256, findings.sha1, findings.md5, findings.size = found.sha256, found.sha1, found.md5, found.size
    findings.words = found.words[:HUNTED]
    return findings


def _scan(file: IO[bytes], findings: Findings, depth: int) -> Scanned:
    found = _read(file)
    findings.files[found.sha256], findings.scores[found.sha256] = found, 0
    findings.seconds += sum(float(seconds) for seconds in SLEEP.findall(found.words))
    if b"RIG-FAIL" in found.words:
        found.error = "RIG-FAIL asked for an error"
        findings.errors += 1
        return found
    found.score = _score(found.words)
    findings.scores[found.sha256] = found.score or 0
    if depth < MAX_DEPTH:
        for child in CHILD.findall(found.words):
            _scan_child("child.txt", child, found, findings, depth)
        if found.words.startswith(b"PK\x03\x04"):
            _scan_members(file, found, findings, depth)
    return found


def _scan_child(name: str, content: bytes, parent: Scanned, findings: Findings, depth: int) -> None:
    parent.children.append((name, _scan(io.BytesIO(content), findings, depth + 1).sha256))


def _scan_members(file: IO[bytes], parent: Scanned, findings: Findings, depth: int) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if not member.is_dir():
                    _scan_child(member.filename, archive.read(member), parent, findings, depth)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError):  # damaged, encrypted, odd
        parent.error = "The archive cannot be read"
        findings.errors += 1


def _read(file: IO[bytes]) -> Scanned:
    """Hashes, size and beginning, and all of it if that is not too much."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    digests = [hashlib.new(name, usedforsecurity=False) for name in ("sha256", "sha1", "md5")]
    kept, limit = bytearray(), KEPT if size <= KEPT else READ_FOR_WORDS
    while piece := file.read(PIECE):
        for digest in digests:
            digest.update(piece)
        kept += piece[: max(0, limit - len(kept))]
    content = bytes(kept)
    sha256, sha1, md5 = (digest.hexdigest() for digest in digests)
    return Scanned(sha256, sha1, md5, size, content if size <= KEPT else None, content[:READ_FOR_WORDS])


def _score(words: bytes) -> int | None:
    found = SCORE.search(words)
    return int(found[1]) if found else 1000 if EICAR in words else None
