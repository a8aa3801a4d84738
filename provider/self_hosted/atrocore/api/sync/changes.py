"""The changes of a sync, and the outcome of each row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

from self_hosted.atrocore.api.pages import Record
from self_hosted.atrocore.api.records import MAX_ID_LENGTH
from self_hosted.core.http.errors import SelfHostedError

Result = Literal["created", "updated", "unchanged", "ambiguous", "failed"]

# Never change it: all ids would change, and the next sync would create each record again.
ID_NAMESPACE = uuid5(NAMESPACE_URL, "airflow-provider-self-hosted/atrocore")


def deterministic_id(entity: str, key: str) -> str:
    """Return the id of a new record, which is always the same for the same key.

    :param entity: such as "Product"
    :param key: the value of the record's key field

    >>> deterministic_id("Product", "W-1") == deterministic_id("Product", "W-1")
    True
    """
    return uuid5(ID_NAMESPACE, f"{entity}:{key}").hex[:MAX_ID_LENGTH]


@dataclass(frozen=True)
class Change:
    """One record to create or update.

    :param key: the value of its key field
    :param id: its id; that of a new record is derived from the key, so that a repeated create has one effect
    :param creates: whether it is new
    :param values: the fields that change; of a new record, all fields
    """

    key: str
    id: str
    creates: bool
    values: Mapping[str, Any]

    @property
    def payload(self) -> Record:
        """The record that is sent."""
        return {**self.values, "id": self.id}

    @property
    def expected_result(self) -> Result:
        """The result if the change succeeds."""
        return "created" if self.creates else "updated"


@dataclass(frozen=True)
class RowOutcome:
    """The outcome of one row.

    :param key: the row's key
    :param result: created, updated, unchanged, ambiguous or failed
    :param message: the reason, if it is ambiguous or failed
    :param values: the fields that a plan would set
    :param is_permanent: whether another attempt fails, too
    :param error: the error of a request that was sent for this row alone
    """

    key: str
    result: Result
    message: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    is_permanent: bool = True
    error: SelfHostedError | None = None
