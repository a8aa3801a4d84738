"""How many rows and records of a comparison have which verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass
class DiffCounts:
    """The numbers of a comparison of all rows with the target.

    :param total: rows of the source
    :param records: records of the target that were read, deleted ones left out; in the scope, if all were listed
    :param create: new records
    :param update: records with differing values
    :param restore: deleted or deactivated records that become active again
    :param deactivate: missing records that are deactivated
    :param delete: missing records that are deleted
    :param unchanged: rows that are equal to their record
    :param missing: records without a row, if all records were listed
    :param ambiguous: rows and records whose key does not identify one record
    :param forbidden: rows that would change a field that may not be written
    :param failed: rows that cannot be used
    :param pending: rows whose record waits for an approval in the product
    :param skipped: rows and records that the options leave out
    :param related: records of other entities that are created because rows refer to them
    :param emptied: values that become empty
    """

    total: int = 0
    records: int = 0
    create: int = 0
    update: int = 0
    restore: int = 0
    deactivate: int = 0
    delete: int = 0
    unchanged: int = 0
    missing: int = 0
    ambiguous: int = 0
    forbidden: int = 0
    failed: int = 0
    pending: int = 0
    skipped: int = 0
    related: int = 0
    emptied: int = 0

    @property
    def changed(self) -> int:
        """Number of existing records that change, removals left out."""
        return self.update + self.restore

    @property
    def removed(self) -> int:
        """Number of records that are deactivated or deleted."""
        return self.deactivate + self.delete

    def to_json(self) -> dict[str, int]:
        """Return the numbers by name."""
        return asdict(self)
