"""Bringing AtroCore's records in line with a source."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from self_hosted.atrocore.operators.link import AtrocoreLink
from self_hosted.atrocore.operators.report import Report
from self_hosted.atrocore.operators.rows import FieldMapping, Source
from self_hosted.core.errors import Broken, Invalid
from self_hosted.core.form import FALSE, TRUE
from self_hosted.core.lazy import when_used
from self_hosted.core.operator import ProductOperator, publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.atrocore import api
else:
    api = when_used("self_hosted.atrocore.api")

ROWS_AT_ONCE = 1000  # looked up and compared together, so that batches get full also when little has changed
LARGEST_BATCH = 1000


class AtrocoreSyncProductsOperator(ProductOperator):
    """Creates what is missing and updates what differs, and nothing else; deletes nothing.

    Products are matched by a key field. What is stored is read first, and only differences are sent, in batches
    (``POST /api/upsert``; one by one where the server is too old for that). A task that was killed goes on where it
    stopped when it is tried again, since what is done already no longer differs.

    A field that a row does not have is left alone. None (null in .jsonl) empties it; an empty cell of a .csv file is
    no value. A key that several rows or several records have is ambiguous: it is reported and nothing is sent for it.

    :param rows: the products: dicts of AtroCore field to value, as a list, a generator or the result of an upstream
        task; or the path or object storage URI of a .jsonl or .csv file in UTF-8, which is streamed
    :param key_field: what products are matched by; before core 2.0.28 that is usually "sku"
    :param entity: any other entity with such a field works as well
    :param field_mapping: column to AtroCore field, {"Artikelnummer": "number", "internal": None}; None leaves the
        column out, and a column it does not name is taken for a field
    :param dry_run: only report what would be done
    :param batch_size: how many records go into one request
    :param fail_on: whether rows that failed fail the task, after all others are done: "any", "never", or the share of
        rows from 0 to 1 above which it fails. Ambiguous rows are counted apart and never fail it
    :param report_uri: path or object storage URI to write the full report to, as JSON
    :param atrocore_conn_id: the connection
    :return: ``{"entity", "created", "updated", "unchanged", "ambiguous", "failed", "total", "dry_run", "failures":
        [{"key", "message"}, ...], "ambiguous_keys": [...], "url"}``, each list with the first 20; a dry run adds
        ``"plan": [{"key", "result", "values"}, ...]``
    """

    template_fields = (
        "rows",
        "key_field",
        "entity",
        "field_mapping",
        "only_plan",
        "batch_size",
        "fail_on",
        "report_uri",
        "atrocore_conn_id",
    )
    operator_extra_links = (AtrocoreLink(),)
    hook_class = "self_hosted.atrocore.hook.AtrocoreHook"

    def __init__(
        self,
        *,
        rows: str | Iterable[Mapping[str, Any]],
        key_field: str = "number",
        entity: str = "Product",
        field_mapping: FieldMapping | None = None,
        dry_run: bool | str = False,
        batch_size: int | str = 100,
        fail_on: float | str = "any",
        report_uri: str | None = None,
        atrocore_conn_id: str = "atrocore_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rows, self.key_field, self.entity, self.field_mapping = rows, key_field, entity, field_mapping
        self.only_plan = dry_run  # Airflow's operators have a method of the argument's name
        self.batch_size, self.fail_on = batch_size, fail_on
        self.report_uri, self.atrocore_conn_id = report_uri, atrocore_conn_id

    def check(self) -> None:
        """Validate the arguments; the rows themselves are checked when they are read."""
        if isinstance(self.rows, str) and not self.rows.lower().endswith((".csv", ".jsonl")):
            raise ValueError(f"rows: the path or URI {self.rows!r} must end in .csv or .jsonl")
        if isinstance(self.rows, Mapping) or not isinstance(self.rows, Iterable):
            raise ValueError(f"rows: must be dicts, or a path or URI, not one {type(self.rows).__name__}")
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", self.entity):
            raise ValueError(f"entity: {self.entity!r} is no name of an entity, such as Product")
        if not self.key_field:
            raise ValueError("key_field: must name the field products are matched by, such as number")
        self._check_mapping()
        _ = self._plans, self._batch, api.tolerated(self.fail_on)

    def start(self, context: Context) -> dict[str, Any]:
        """Plan and apply, some rows at a time; then report, and fail if that was asked for."""
        url = f"{self.hook.settings.address.base_url}/#{self.entity}"
        publish_link(context, url)
        with (
            Source(self.rows, self.key_field, self.field_mapping or {}) as source,
            Report(keep_all=bool(self.report_uri)) as report,
        ):
            self.log.info("%s rows with %s keys", source.total, len(source.times))
            try:
                self._sync(source, report)
            finally:
                self.log.info("Report: %s", json.dumps(report.summary()))
            result = {"entity": self.entity, **report.summary(), "dry_run": self._plans, "url": url}
            if self.report_uri:
                report.write(self.report_uri, result)
            self._judge(report)
            return {**result, "plan": report.plan()} if self._plans else result

    def _sync(self, source: Source, report: Report) -> None:
        schema = self.hook.run(api.schema(self.entity))
        if schema is None:
            self.log.info("The server does not describe its fields: it drops those it does not know without a word")
        for key, times in source.repeated().items():
            report.add([api.Outcome(key, "ambiguous", f"{times} rows have this key")], rows_each=times)
        for rows in source.portions(ROWS_AT_ONCE):
            plan = self.hook.run(api.planned(self.entity, self.key_field, rows, schema))
            if plan.lacking:
                words = "New records lack %s, which %s requires: they fail unless it has defaults"
                self.log.warning(words, ", ".join(sorted(plan.lacking)), self.entity)
            if self._plans:
                report.add(plan.foreseen())
                continue
            report.add(plan.settled)
            for batch in _batches(plan.changes, self._batch):
                report.add(self.hook.run(api.applied(self.entity, batch)))
            self.log.info("%s of %s rows are done", report.total, source.total)

    def _judge(self, report: Report) -> None:
        failed = report.counts["failed"]
        if self._plans or failed <= api.tolerated(self.fail_on) * report.total:
            return
        first = report.failures[0]
        words = f"{failed} of {report.total} rows failed, the first with the key {first.key}: {first.message}"
        # what another try may mend is left to the task's retries
        raise (Invalid if report.all_final else Broken)(words)

    def _check_mapping(self) -> None:
        fields = [field for field in (self.field_mapping or {}).values() if field is not None]
        twice = sorted({field for field in fields if fields.count(field) > 1})
        if twice:
            raise ValueError(f"field_mapping: more than one column is mapped to {', '.join(twice)}")

    @property
    def _plans(self) -> bool:
        word = str(self.only_plan).lower()
        if word not in TRUE | FALSE:
            raise ValueError(f"dry_run: must be true or false, not {self.only_plan!r}")
        return word in TRUE

    @property
    def _batch(self) -> int:
        size = str(self.batch_size)
        if not size.isdecimal() or not 1 <= int(size) <= LARGEST_BATCH:
            raise ValueError(f"batch_size: must be a whole number from 1 to {LARGEST_BATCH}, not {self.batch_size!r}")
        return int(size)


def _batches(changes: Sequence[api.Change], size: int) -> Iterator[Sequence[api.Change]]:
    return (changes[start : start + size] for start in range(0, len(changes), size))
