"""Synchronize the records of any entity with a source of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from self_hosted.atrocore.operators.sync_base import RecordsOperator
from self_hosted.core.sync.operators import ApplyOperator, PlanOperator, SyncOperator


class AtrocoreSyncRecordsOperator(RecordsOperator, SyncOperator):
    """Makes the records of an entity equal to a source of rows: compares, and sends only what differs.

    Records are created and updated in batches (``POST /api/upsert``), or one by one if the server is too old for it.
    New records get an id that is derived from their key, so that a repeated create has one effect.

    :param entity: the entity, such as "Category"
    :param key_field: the field by which rows and records are matched, such as "code"; "id" is possible
    :param scope: conditions that the records meet, see `filters.build_query`, such as
        ``[{"type": "equals", "attribute": "supplier", "value": "ACME"}]``
    :param atrocore_conn_id: the Airflow connection. Its content language has no effect: fields of other languages are
        declared, such as ``Text("name", locale="de_DE")``
    :return: `results.SyncResult` and the entity; of a dry run, `results.DryRunResult` and the entity
    """

    template_fields: Sequence[str] = (*RecordsOperator.template_fields, *SyncOperator.template_fields)

    def __init__(self, *, entity: str, key_field: str, **kwargs: Any) -> None:
        super().__init__(entity=entity, key_field=key_field, **kwargs)


class AtrocoreSyncRecordsPlanOperator(RecordsOperator, PlanOperator):
    """Compares the records of an entity with a source of rows, and writes the plan of the changes.

    :param entity: the entity, such as "Category"
    :param key_field: see `AtrocoreSyncRecordsOperator`
    :param scope: see `AtrocoreSyncRecordsOperator`
    :param atrocore_conn_id: see `AtrocoreSyncRecordsOperator`
    :return: `results.PlanResult` and the entity
    """

    template_fields: Sequence[str] = (*RecordsOperator.template_fields, *PlanOperator.template_fields)

    def __init__(self, *, entity: str, key_field: str, **kwargs: Any) -> None:
        super().__init__(entity=entity, key_field=key_field, **kwargs)


class AtrocoreSyncRecordsApplyOperator(RecordsOperator, ApplyOperator):
    """Applies a plan for the records of an entity.

    :param entity: the entity; a plan for another one is rejected
    :param atrocore_conn_id: the Airflow connection; a plan for another server is rejected
    :return: `results.ApplyResult` and the entity
    """

    template_fields: Sequence[str] = (*RecordsOperator.template_fields, *ApplyOperator.template_fields)

    def __init__(self, *, entity: str, **kwargs: Any) -> None:
        super().__init__(entity=entity, **kwargs)
