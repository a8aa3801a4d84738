"""Uploads of files."""

from __future__ import annotations

import mimetypes
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from self_hosted.atrocore.api.identifiers import check_record_id
from self_hosted.atrocore.api.pages import Record, StoredRecord
from self_hosted.core.http.flow import Flow, Reply, Request
from self_hosted.core.http.shape import JsonObject, check_shape

OTHER_TYPE = "application/octet-stream"


def upload(file_id: str, name: str, content: bytes) -> Flow[Record]:
    """Create a file from its content, and return its record (``POST /api/File``).

    :param file_id: the id that it gets
    :param name: its name
    :param content: at most about 2 MiB; see `upload_piece` for more
    """
    body = {"id": check_record_id("file_id", file_id), "name": name, "fileContents": _to_data_uri(name, content)}
    return _check_file((yield Request("POST", "/api/File", json=body)))


def upload_pieces(file_id: str, name: str, size: int, piece_size: int, pieces: Iterator[bytes]) -> Flow[Record]:
    """Create a file piece by piece, and return its record (``POST /api/File/createChunk``).

    :param file_id: the id that it gets
    :param name: its name
    :param size: of the content, in bytes
    :param piece_size: of each piece but the last one
    :param pieces: the content; read while it is sent
    """
    body = {
        "id": check_record_id("file_id", file_id),
        "name": name,
        "fileUniqueHash": file_id,
        "piecesCount": -(-size // piece_size),
        "fileSize": size,
    }
    reply = None
    for number, piece in enumerate(pieces):
        part: dict[str, Any] = {"start": number * piece_size, "piece": _to_data_uri(name, piece)}
        reply = yield Request("POST", "/api/File/createChunk", json={**body, **part})
        check_shape(reply, reply.json(), JsonObject)
    if reply is None:
        raise ValueError("a file without content cannot be uploaded")
    return _check_file(reply)


def _to_data_uri(name: str, content: bytes) -> str:
    return f"data:{mimetypes.guess_type(name)[0] or OTHER_TYPE};base64,{b64encode(content).decode()}"


def _check_file(reply: Reply) -> Record:
    record: Record = reply.json()
    check_shape(reply, record, StoredRecord)
    return record
