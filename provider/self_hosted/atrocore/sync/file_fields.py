"""Fields that hold files: their values are labels, see `file_labels`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from self_hosted.atrocore.api.pages import Record
from self_hosted.atrocore.sync.bindings import Binding, Guard
from self_hosted.atrocore.sync.file_labels import get_file_id, get_hash, make_label
from self_hosted.atrocore.sync.lookups import is_in, look_up
from self_hosted.atrocore.sync.schema import Entity
from self_hosted.atrocore.sync.supplements import Supplement
from self_hosted.core.http.flow import Flow
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.target import JSON

FILE = "File"


@dataclass(frozen=True)
class FileBinding(Binding):
    """A field that holds one or more files."""

    @property
    def guard(self) -> Guard:
        """What keeps an update from overwriting another value than the old one."""
        return "engine"

    def write(self, value: JSON) -> Any:
        """Return the ids of files, which are uploaded before.

        :param value: labels
        """
        if isinstance(value, list):
            return [get_file_id(label) for label in value]
        return super().write(value) if value is None else get_file_id(value)

    def is_same(self, wanted: JSON, stored: JSON) -> bool | None:
        """Return whether the files have the same contents.

        :param wanted: labels
        :param stored: labels
        """
        hashes, others = ({get_hash(label) for label in list_labels(value)} for value in (wanted, stored))
        return hashes <= others if self.adds else hashes == others


def list_labels(value: JSON) -> list[str]:
    """Return the labels of a field's value.

    :param value: a label, several, or None
    """
    return value if isinstance(value, list) else [] if value is None else [value]


def bind_file(entity: Entity, spec: FieldSpec) -> FileBinding:
    """Return the binding of a field that holds files.

    :param entity: the entity
    :param spec: the declaration
    :raises ValueError: if the field holds no files
    """
    if not entity.metadata.fields_of(FILE):
        raise ValueError(f"fields: {spec.field}: this server has no entity {FILE}; upload files in another way")
    binding = entity.bind(spec)
    if binding.field.collection != FILE:
        raise ValueError(f"fields: {spec.field} holds no files; declare it without File")
    return FileBinding(replace(binding.field, is_self_reference=False), binding.attribute, binding.is_stored)


class FileSupplement(Supplement):
    """Replaces the ids of files by their labels.

    :param bindings: fields that hold files
    """

    def __init__(self, bindings: Sequence[FileBinding]) -> None:
        self.bindings = bindings

    def load(self, records: Sequence[Record]) -> Flow[None]:
        """Replace the ids of files.

        :param records: of a response; they are changed
        """
        ids = sorted({file_id for record in records for one in self.bindings for file_id in _list_ids(record, one)})
        files = yield from look_up(FILE, ids, lambda part: is_in("id", part), ["name", "hash"])
        labels = {file["id"]: make_label(str(file.get("name")), str(file.get("hash"))) for file in files}
        for record in records:
            for binding in self.bindings:
                record[binding.attribute] = _replace(record.get(binding.attribute), labels)


def _list_ids(record: Record, binding: Binding) -> Iterator[str]:
    value = record.get(binding.attribute)
    yield from (str(each) for each in (value if isinstance(value, list) else [value]) if each)


def _replace(value: Any, labels: Mapping[str, str]) -> Any:
    """Return labels for ids. A file that no longer exists has no hash, so that it differs from any other."""
    if isinstance(value, list):
        return [labels.get(str(each), make_label(str(each), "")) for each in value]
    return labels.get(str(value), make_label(str(value), "")) if value else value
