"""Update all alerts that match a query."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.api.alerts.types import BatchUpdate
from self_hosted.assemblyline.operators.alerts import AlertOperator
from self_hosted.core.arguments import parse_bool, parse_int, parse_optional_text, parse_str_list, parse_text, to_plain
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.operator import publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.alerts import batches, queries
    from self_hosted.assemblyline.api.alerts.queries import AlertQuery
else:
    batches = lazy_import("self_hosted.assemblyline.api.alerts.batches")
    queries = lazy_import("self_hosted.assemblyline.api.alerts.queries")


class AlertsResult(BatchUpdate):
    """The effect of an update by query: a `BatchUpdate`, and this key.

    :param url: page that lists the alerts
    """

    url: str


class AssemblylineUpdateAlertsOperator(AlertOperator):
    """Updates all alerts that match a query; ``POST /api/v4/alert/all/batch/``.

    The alerts are counted first, including the newest ones. If there are more than ``max_items``, none is changed. Then
    those that differ are changed by their ids, if they still match the query: alerts that are raised meanwhile, and
    alerts that another user has changed so that they do not match, do not change. A retry or another run changes
    nothing more.

    Alerts that other users own are not taken; their other fields change. A verdict costs one request per alert.

    :param query: a Lucene query, such as ``file.sha256:"..." AND status:TRIAGE``, or the path of a file with it that
        ends in ``.lucene``
    :param filters: a query, or a list of queries, all of which must match as well
    :param tc: only alerts of this time span before ``tc_start``, or before now: "4d", "12h", "30m"
    :param tc_start: only alerts until this time, such as ``{{ data_interval_end }}``
    :param add_labels: a label, or a list of labels; Assemblyline stores them in upper case
    :param remove_labels: a label, or a list of labels
    :param priority: LOW, MEDIUM, HIGH or CRITICAL
    :param status: MALICIOUS, NON-MALICIOUS, ASSESS or TRIAGE
    :param verdict: malicious or non_malicious: the user's verdict on the submissions and all of their alerts
    :param take_ownership: whether to make the user the owner; default: False
    :param max_items: how many alerts may match; default: 100, at most 10,000
    :param allow_match_all: must be true for a query that matches all alerts, such as "*"; default: False
    :param dry_run: whether to only count; default: False
    :param assemblyline_conn_id: the Airflow connection
    :return: `AlertsResult`
    :raises AirflowFailException: for invalid arguments, no change, a rejected query, and more alerts than ``max_items``
    """

    template_fields: Sequence[str] = (
        *AlertOperator.template_fields,
        "query",
        "filters",
        "tc",
        "tc_start",
        "max_items",
        "allow_match_all",
        "is_dry_run",
    )
    template_ext: Sequence[str] = (".lucene",)
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **AlertOperator.template_fields_renderers,
        "filters": "json",
    }

    def __init__(
        self,
        *,
        query: str,
        filters: str | Sequence[str] = (),
        tc: str | None = None,
        tc_start: str | datetime | None = None,
        max_items: int | str = 100,
        allow_match_all: bool | str = False,
        dry_run: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.query, self.filters, self.tc, self.tc_start = query, filters, tc, tc_start
        self.max_items, self.allow_match_all = max_items, allow_match_all
        self.is_dry_run = dry_run  # Airflow's operators have a method `dry_run`

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        self.build_changes()
        parse_bool("dry_run", self.is_dry_run)
        batches.check_limits(
            self._query(),
            parse_int("max_items", self.max_items),
            allow_match_all=parse_bool("allow_match_all", self.allow_match_all),
        )

    def submit(self, context: Context) -> AlertsResult:
        """Change the alerts that differ.

        :param context: the context of the task
        """
        query = self._query()
        url = queries.build_page_url(self.base_url, query)
        publish_link(context, url)
        result = self.hook.run(
            batches.update_matching(
                query,
                self.build_changes(),
                parse_int("max_items", self.max_items),
                allow_match_all=parse_bool("allow_match_all", self.allow_match_all),
                dry_run=parse_bool("dry_run", self.is_dry_run),
            )
        )
        updated = AlertsResult(**result, url=url)
        if not parse_bool("dry_run", self.is_dry_run):
            emit_asset(context, self.hook, asset_uri(self.hook, "alert"), updated, result["changed"])
        return updated

    def _query(self) -> AlertQuery:
        query, filters = parse_text("query", self.query), parse_str_list("filters", self.filters)
        tc_start = parse_optional_text("tc_start", to_plain(self.tc_start))
        return queries.AlertQuery(query, filters, self.text("tc"), tc_start)
