"""The contents of files: decoding of uploads, assembly of chunks, and the fields that follow from a content."""

from __future__ import annotations

import binascii
import hashlib
import mimetypes
from base64 import b64decode
from typing import Any

from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.state import State
from self_hosted.sandbox.atrocore.versions import V2_3, Version

TEXT_TYPE, UNKNOWN_TYPE = "text/plain", "application/octet-stream"
FILE_TYPES = {"csv": "a_spreadsheet", "xls": "a_spreadsheet", "xlsx": "a_spreadsheet"}
IMAGE_TYPE, DOCUMENT_TYPE = "a_image", "a_document"


def decode_upload(state: State, text: Any) -> bytes:
    """Return the content of a data URI.

    :param text: the value in the request
    :raises ApiError: if it is no data URI in base64
    """
    head, separator, encoded = str(text or "").partition(";base64,")
    try:
        if not separator or not head.startswith("data:"):
            raise ValueError(f"no data URI: {head[:20]}")
        return b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raise ApiError(400, "fileCreateFailed" if state.core >= V2_3 else "File creating failed.") from None


def describe_content(core: Version, name: str, content: bytes) -> dict[str, Any]:
    """Return the fields of a file that follow from its name and content."""
    mime_type = guess_mime_type(core, name)
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    described: dict[str, Any] = {
        "mimeType": mime_type,
        "fileSize": len(content),
        "hash": hashlib.md5(content, usedforsecurity=False).hexdigest(),
    }
    if core < V2_3:
        default = IMAGE_TYPE if mime_type.startswith("image/") else DOCUMENT_TYPE
        described["typeId"] = FILE_TYPES.get(extension, default)
    return described


def guess_mime_type(core: Version, name: str) -> str:
    """Return the media type of a name. Before 2.3, all text is plain text."""
    guessed = mimetypes.guess_type(name)[0] or UNKNOWN_TYPE
    return TEXT_TYPE if core < V2_3 and guessed.startswith("text/") else guessed


def add_chunk(state: State, body: dict[str, Any]) -> tuple[list[str], bytes | None]:
    """Store a chunk of an upload.

    :param body: ``fileUniqueHash`` or ``id``, ``start``, ``piece``, ``piecesCount``
    :return: the starts of all chunks, and the content if the upload is complete
    :raises ApiError: if the chunk is no data URI
    """
    key = str(body.get("fileUniqueHash") or body["id"])
    chunks = state.file_chunks.setdefault(key, {})
    chunks[str(body.get("start", 0))] = decode_upload(state, body.get("piece"))
    starts = sorted(chunks, key=int)
    if len(chunks) < int(body["piecesCount"]):
        return starts, None
    del state.file_chunks[key]
    return starts, b"".join(chunks[start] for start in starts)
