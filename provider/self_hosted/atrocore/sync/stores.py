"""Where the declared fields of a record are stored: in the record, in attribute values, and in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from self_hosted.atrocore.sync.attribute_bindings import AttributeBinding
from self_hosted.atrocore.sync.bindings import Binding
from self_hosted.atrocore.sync.file_fields import FileBinding, FileSupplement
from self_hosted.atrocore.sync.supplements import Supplement, Supplements
from self_hosted.atrocore.sync.uploads import upload_named
from self_hosted.atrocore.sync.value_routes import ValueRoutes
from self_hosted.atrocore.sync.value_rows import ValueRows
from self_hosted.atrocore.sync.value_writing import ValueWriter
from self_hosted.atrocore.sync.writing import Writer
from self_hosted.core.http.flow import Flow
from self_hosted.core.sync.target import Change, Outcome


class Stores:
    """The stores of an entity's declared fields.

    :param entity: such as "Product"
    :param bindings: the fields by name
    """

    def __init__(self, entity: str, bindings: Mapping[str, Binding]) -> None:
        self.bindings = bindings
        self._files = {name: one for name, one in bindings.items() if isinstance(one, FileBinding)}
        self._values = _find_store(entity, bindings)

    @property
    def supplement(self) -> Supplement:
        """Reads what lists of records do not contain."""
        files = [FileSupplement(list(self._files.values()))] if self._files else []
        return Supplements([*files, *([self._values] if self._values else [])])

    def write(self, writer: Writer, batch: Sequence[Change]) -> Flow[list[Outcome]]:
        """Carry out changes: upload files, write the records, and store their attribute values.

        :param writer: writes records
        :param batch: changes of one action
        """
        ended = (yield from upload_named(self._files, batch)) if self._files else {}
        places = [place for place in range(len(batch)) if place not in ended]
        values = ValueWriter(writer, self._values) if self._values else writer
        outcomes = (yield from values.write([batch[place] for place in places])) if places else []
        found = {**ended, **dict(zip(places, outcomes, strict=True))}
        return [found[place] for place in range(len(batch))]


def _find_store(entity: str, bindings: Mapping[str, Binding]) -> ValueRows | ValueRoutes | None:
    values = {name: one for name, one in bindings.items() if isinstance(one, AttributeBinding)}
    if not values:
        return None
    is_row = any(binding.is_row for binding in values.values())
    return ValueRows(values) if is_row else ValueRoutes(entity, values)
