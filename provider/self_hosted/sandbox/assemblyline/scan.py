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
MAX_DEPTH = 6
EICAR = b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE"  # in two halves, lest a virus scanner takes this for it

SCORE = re.compile(rb"RIG-SCORE:(-?\d+)")
SLEEP = re.compile(rb"RIG-SLEEP:([\d.]+)")
CHILD = re.compile(rb"RIG-CHILD:(.+)")


@dataclass
class Findings:
    """What the analysis of a file and all that is in it came to."""

    sha256: str = ""
    md5: str = ""
    sha1: str = ""
    size: int = 0
    scores: dict[str, int] = field(default_factory=dict)  # by SHA-256, so that equal files count once
    errors: int = 0
    seconds: float = 0

    @property
    def max_score(self) -> int:
        """The highest score of any of the files."""
        return max(self.scores.values())


def scan(file: IO[bytes]) -> Findings:
    """Analyse a file, piece by piece.

    :param file: open for reading, and able to seek
    """
    findings = Findings()
    digests, findings.size = _scan(file, findings, depth=0)
    findings.sha256, findings.sha1, findings.md5 = digests
    return findings


def _scan(file: IO[bytes], findings: Findings, depth: int) -> tuple[list[str], int]:
    digests, size, words = _read(file)
    sha256 = digests[0]
    findings.scores[sha256] = 0
    findings.seconds += sum(float(found) for found in SLEEP.findall(words))
    if b"RIG-FAIL" in words:
        findings.errors += 1
        return digests, size
    findings.scores[sha256] = _score(words)
    if depth < MAX_DEPTH:
        for child in CHILD.findall(words):
            _scan(io.BytesIO(child), findings, depth + 1)
        if words.startswith(b"PK\x03\x04"):
            _scan_members(file, findings, depth + 1)
    return digests, size


def _scan_members(file: IO[bytes], findings: Findings, depth: int) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if not member.is_dir():
                    _scan(io.BytesIO(archive.read(member)), findings, depth)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError):  # damaged, encrypted, odd
        findings.errors += 1


def _read(file: IO[bytes]) -> tuple[list[str], int, bytes]:
    """SHA-256, SHA-1 and MD5, size and the beginning."""
    file.seek(0)
    digests = [hashlib.new(name, usedforsecurity=False) for name in ("sha256", "sha1", "md5")]
    size, words = 0, b""
    while piece := file.read(PIECE):
        for digest in digests:
            digest.update(piece)
        size += len(piece)
        words += piece[: max(0, READ_FOR_WORDS - len(words))]
    return [digest.hexdigest() for digest in digests], size, words


def _score(words: bytes) -> int:
    found = SCORE.search(words)
    return int(found[1]) if found else 1000 if EICAR in words else 0
