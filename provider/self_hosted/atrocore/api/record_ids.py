"""The ids of new records."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

MAX_ID_LENGTH = 24  # of the database columns of cores before 1.11

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
