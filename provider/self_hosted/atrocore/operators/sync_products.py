"""Synchronize AtroCore's products with a source of rows."""

from __future__ import annotations

from typing import Any

from self_hosted.atrocore.operators.sync_records import (
    AtrocoreSyncRecordsApplyOperator,
    AtrocoreSyncRecordsOperator,
    AtrocoreSyncRecordsPlanOperator,
)


class AtrocoreSyncProductsOperator(AtrocoreSyncRecordsOperator):
    """Makes AtroCore's products equal to a source of rows: compares, and sends only what differs.

    :param key_field: the field by which rows and products are matched; default "number"; before core 2.0.28 "sku"
    :param entity: default "Product"
    :param atrocore_conn_id: see `AtrocoreSyncRecordsOperator`
    """

    def __init__(self, *, entity: str = "Product", key_field: str = "number", **kwargs: Any) -> None:
        super().__init__(entity=entity, key_field=key_field, **kwargs)


class AtrocoreSyncProductsPlanOperator(AtrocoreSyncRecordsPlanOperator):
    """Compares AtroCore's products with a source of rows, and writes the plan of the changes.

    :param key_field: see `AtrocoreSyncProductsOperator`
    :param entity: default "Product"
    :param atrocore_conn_id: see `AtrocoreSyncRecordsPlanOperator`
    """

    def __init__(self, *, entity: str = "Product", key_field: str = "number", **kwargs: Any) -> None:
        super().__init__(entity=entity, key_field=key_field, **kwargs)


class AtrocoreSyncProductsApplyOperator(AtrocoreSyncRecordsApplyOperator):
    """Applies a plan for AtroCore's products.

    :param entity: default "Product"
    :param atrocore_conn_id: see `AtrocoreSyncRecordsApplyOperator`
    """

    def __init__(self, *, entity: str = "Product", **kwargs: Any) -> None:
        super().__init__(entity=entity, **kwargs)
