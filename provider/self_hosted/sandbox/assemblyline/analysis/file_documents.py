"""Records of files as documents."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.assemblyline.analysis.files import AnalyzedFile
from self_hosted.sandbox.assemblyline.analysis.result_documents import CLASSIFICATION
from self_hosted.sandbox.assemblyline.dates import evaluate_date, get_current_time

SHOWN_BYTES = 64


def build_file_record(file: AnalyzedFile) -> dict[str, Any]:
    """Return the record of a new file in the index of files."""
    start, now = file.head[:SHOWN_BYTES], get_current_time()
    return {
        "archive_ts": None,
        "ascii": "".join(chr(byte) if 32 <= byte < 127 else "." for byte in start),
        "classification": CLASSIFICATION,
        "comments": [],
        "entropy": 4.0,
        "expiry_ts": evaluate_date("now+30d"),
        "from_archive": False,
        "hex": start.hex(),
        "is_section_image": False,
        "is_supplementary": False,
        "label_categories": {"attribution": [], "info": [], "technique": []},
        "labels": [],
        "magic": "ASCII text",
        "md5": file.md5,
        "mime": "text/plain",
        "seen": {"count": 1, "first": now, "last": now},
        "sha1": file.sha1,
        "sha256": file.sha256,
        "size": file.size,
        "ssdeep": None,
        "tlsh": None,
        "type": file.type,
        "uri_info": None,
    }
