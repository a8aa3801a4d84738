"""Uploads the files that changes name, each once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from self_hosted.atrocore.api import files
from self_hosted.atrocore.api.pages import Record
from self_hosted.atrocore.sync.file_fields import FILE, FileBinding, list_labels
from self_hosted.atrocore.sync.file_labels import (
    PIECE_SIZE,
    get_file_id,
    get_hash,
    get_name,
    get_path,
    label_file,
    read_pieces,
)
from self_hosted.atrocore.sync.lookups import is_in, look_up
from self_hosted.atrocore.sync.outcomes import fail
from self_hosted.core.http.errors import (
    ConflictError,
    InvalidRequestError,
    OutcomeUnknownError,
    PermissionDeniedError,
    ServerError,
)
from self_hosted.core.http.flow import Flow
from self_hosted.core.http.logs import get_logger
from self_hosted.core.sync.target import Change, Outcome

log = get_logger(__name__)

UPLOAD_ERRORS = (
    ServerError,
    InvalidRequestError,
    OutcomeUnknownError,
    ConflictError,
    PermissionDeniedError,
    ValueError,
)
"""Errors that concern one file."""


def upload_named(bindings: Mapping[str, FileBinding], batch: Sequence[Change]) -> Flow[dict[int, Outcome]]:
    """Upload the files that changes name and that the server does not have yet.

    :param bindings: fields that hold files, by name
    :param batch: the changes
    :return: the outcomes of changes whose files could not be uploaded, by their place in the batch
    """
    named = [_list_named(bindings, change) for change in batch]
    labels = {get_file_id(label): label for of_change in named for label in of_change}
    errors = dict[str, Exception]()
    for file_id in (yield from _list_missing(labels)):
        try:
            yield from _upload(labels[file_id])
        except UPLOAD_ERRORS as error:
            errors[file_id] = error
    failed = dict[int, Outcome]()
    for place, of_change in enumerate(named):
        for label in of_change:
            if reason := errors.get(get_file_id(label)):
                failed[place] = _describe(batch[place], label, reason)
    return failed


def _list_named(bindings: Mapping[str, FileBinding], change: Change) -> list[str]:
    return [label for name, value in change.new.items() if name in bindings for label in list_labels(value)]


def _list_missing(labels: Mapping[str, str]) -> Flow[list[str]]:
    """Return the ids of the files that are not stored with the right content."""
    records = yield from look_up(FILE, list(labels), lambda part: is_in("id", part), ["name", "hash"])
    stored = {record["id"] for record in records}
    return [file_id for file_id in labels if file_id not in stored]


def _upload(label: str) -> Flow[None]:
    path, file_id = get_path(label), get_file_id(label)
    if label_file(path) != label:
        raise ValueError("was changed since it was compared")
    try:
        record = yield from _send(path, file_id, get_name(label))
    except OutcomeUnknownError:
        if (yield from _list_missing({file_id: label})):
            raise
        return
    stored = record.get("hash")
    if stored != get_hash(label):
        raise ValueError(f"was uploaded, but its content arrived with the hash {str(stored)[:80]}")
    log.info("Uploaded %s as the file %s", path, file_id)


def _send(path: str, file_id: str, name: str) -> Flow[Record]:
    size, pieces = sum(len(piece) for piece in read_pieces(path)), read_pieces(path)
    if size <= PIECE_SIZE:
        return (yield from files.upload(file_id, name, b"".join(pieces)))
    return (yield from files.upload_pieces(file_id, name, size, PIECE_SIZE, _regroup(pieces)))


def _regroup(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield pieces of the same size, but for the last one: object stores may return less than was asked for."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        while len(buffer) >= PIECE_SIZE:
            yield bytes(buffer[:PIECE_SIZE])
            del buffer[:PIECE_SIZE]
    if buffer:
        yield bytes(buffer)


def _describe(change: Change, label: str, error: Exception) -> Outcome:
    outcome = fail(change, error)
    return Outcome(
        change.key,
        "failed",
        f"{get_path(label)} {outcome.message}",
        row=change.row,
        ref=change.ref,
        is_final=outcome.is_final,
    )
