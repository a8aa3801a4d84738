"""The simulated analysis. Markers in a file determine its results.

RIG-SCORE:<n>   a score of n; the EICAR test file has 1000
RIG-SLEEP:<s>   the analysis takes s seconds longer
RIG-FAIL        the service fails on this file
RIG-CHILD:<x>   a file with the content x is extracted and analyzed

Zip archives are extracted. Markers are recognized in the first MiB of a file; hashes cover the whole file.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import IO

from self_hosted.sandbox.assemblyline.analysis.files import AnalyzedFile, read_file
from self_hosted.sandbox.assemblyline.analysis.results import AnalysisResult

MAX_SEARCHED_BYTES = 16 * 1024  # of each file, by retrohunts
MAX_DEPTH = 6
EICAR = b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE"  # in two parts, so that virus scanners ignore this file

SCORE = re.compile(rb"RIG-SCORE:(-?\d+)")
SLEEP = re.compile(rb"RIG-SLEEP:([\d.]+)")
CHILD = re.compile(rb"RIG-CHILD:(.+)")


def analyze(file: IO[bytes]) -> AnalysisResult:
    """Analyze a file and the files in it.

    :param file: open and seekable file
    """
    result = AnalysisResult()
    top = _analyze_file(file, result, depth=0)
    result.sha256, result.sha1, result.md5, result.size = top.sha256, top.sha1, top.md5, top.size
    result.searched_content = top.head[:MAX_SEARCHED_BYTES]
    return result


def _analyze_file(file: IO[bytes], result: AnalysisResult, depth: int) -> AnalyzedFile:
    found = read_file(file)
    result.files[found.sha256], result.scores[found.sha256] = found, 0
    result.seconds += sum(float(seconds) for seconds in SLEEP.findall(found.head))
    if b"RIG-FAIL" in found.head:
        found.error = "RIG-FAIL asked for an error"
        result.error_count += 1
        return found
    found.score = _find_score(found.head)
    result.scores[found.sha256] = found.score or 0
    if depth < MAX_DEPTH:
        _analyze_children(file, found, result, depth)
    return found


def _analyze_children(file: IO[bytes], parent: AnalyzedFile, result: AnalysisResult, depth: int) -> None:
    for content in CHILD.findall(parent.head):
        _analyze_child("child.txt", content, parent, result, depth)
    if parent.is_zip:
        _analyze_members(file, parent, result, depth)


def _analyze_child(name: str, content: bytes, parent: AnalyzedFile, result: AnalysisResult, depth: int) -> None:
    parent.children.append((name, _analyze_file(io.BytesIO(content), result, depth + 1).sha256))


def _analyze_members(file: IO[bytes], parent: AnalyzedFile, result: AnalysisResult, depth: int) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if not member.is_dir():
                    _analyze_child(member.filename, archive.read(member), parent, result, depth)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError):  # damaged, encrypted, or an unknown compression
        parent.error = "The archive cannot be read"
        result.error_count += 1


def _find_score(head: bytes) -> int | None:
    found = SCORE.search(head)
    return int(found[1]) if found else 1000 if EICAR in head else None
