"""Changing alerts: one, or all that a query finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.operators.link import AssemblylineLink
from self_hosted.core.arguments import check_id, checked_flag, checked_number, checked_texts
from self_hosted.core.lazy import when_used
from self_hosted.core.operator import ProductOperator, publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import api
    from self_hosted.assemblyline.api import AlertChanges, AlertQuery
else:
    api = when_used("self_hosted.assemblyline.api")

CHANGES = ("add_labels", "remove_labels", "priority", "status", "verdict", "take_ownership")


class ChangesAlerts(ProductOperator):
    """What the operators that change alerts have in common: the changes, of which at least one is to be given.

    :param add_labels: a label or a list of labels, which Assemblyline keeps in upper case
    :param remove_labels: a label or a list of labels
    :param priority: LOW, MEDIUM, HIGH or CRITICAL
    :param status: MALICIOUS, NON-MALICIOUS, ASSESS or TRIAGE
    :param verdict: malicious or non_malicious: what the connection's user says of the submission and all of its alerts
    :param take_ownership: make the connection's user the owner
    """

    hook_class: ClassVar[str] = "self_hosted.assemblyline.hook.AssemblylineHook"
    operator_extra_links = (AssemblylineLink(),)

    def __init__(
        self,
        *,
        add_labels: str | Sequence[str] = (),
        remove_labels: str | Sequence[str] = (),
        priority: str | None = None,
        status: str | None = None,
        verdict: str | None = None,
        take_ownership: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.add_labels, self.remove_labels = add_labels, remove_labels
        self.priority, self.status, self.verdict = priority, status, verdict
        self.take_ownership = take_ownership

    def changes(self) -> AlertChanges:
        """What is to be changed, checked."""
        return api.AlertChanges(
            checked_texts("add_labels", self.add_labels),
            checked_texts("remove_labels", self.remove_labels),
            self.priority,
            self.status,
            self.verdict,
            checked_flag("take_ownership", self.take_ownership),
        ).checked()


class AssemblylineUpdateAlertOperator(ChangesAlerts):
    """Changes an alert's labels, priority, status, verdict and owner; ``POST /api/v4/alert/label/<id>/`` and others.

    Only what differs is sent, so that a task that is tried again, or run again, changes nothing more.

    Besides those below it takes ``add_labels`` and ``remove_labels`` (a label or a list), ``priority`` (LOW, MEDIUM,
    HIGH, CRITICAL), ``status`` (MALICIOUS, NON-MALICIOUS, ASSESS, TRIAGE), ``verdict`` (malicious, non_malicious: what
    the user says of the submission and all of its alerts) and ``take_ownership``; at least one of them. An alert that
    somebody else owns cannot be taken: then nothing of it is changed.

    :param alert_id: the alert's id: that of the ingest it was raised for, or of the submission
    :param assemblyline_conn_id: the connection

    The result is ``{alert_id, sid, changed, labels, priority, status, owner, url}``; ``changed`` is a list of the
    arguments that made a difference, and empty if none did.

    :raises AirflowFailException: for wrong arguments, an alert that does not exist, and one to take that is taken
    """

    template_fields: Sequence[str] = ("alert_id", *CHANGES, "assemblyline_conn_id")

    def __init__(self, *, alert_id: str, assemblyline_conn_id: str = "assemblyline_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alert_id, self.assemblyline_conn_id = alert_id, assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        check_id("alert_id", self.alert_id, "an alert")
        self.changes()

    def start(self, context: Context) -> dict[str, Any]:
        """Change what differs."""
        url = api.alert_url(self.hook.settings.address.base_url, self.alert_id)
        publish_link(context, url)
        result = self.hook.run(api.update_alert(self.alert_id, self.changes()))
        self.log.info("Changed of alert %s: %s", self.alert_id, ", ".join(result["changed"]) or "nothing")
        return {**result, "url": url}


class AssemblylineUpdateAlertsOperator(ChangesAlerts):
    """Changes all alerts that a query finds; ``POST /api/v4/alert/all/batch/``.

    The alerts are counted first, however young they are: when there are more than ``at_most``, none is changed. Then
    those that lack something are changed by their ids, if the query still finds them: what comes in meanwhile is left
    alone, and what others change so that it does not fit any more. A task that is tried again, or run again, changes
    nothing more.

    Besides those below it takes ``add_labels``, ``remove_labels``, ``priority``, ``status``, ``verdict`` and
    ``take_ownership`` as `AssemblylineUpdateAlertOperator` does. Alerts that others own are not taken, and changed
    otherwise. A verdict costs a request for each alert.

    :param query: a Lucene query, such as ``file.sha256:"..." AND status:TRIAGE``
    :param filters: a query or a list of queries, all of which must fit as well
    :param tc: only alerts of the last such span, counted back from ``tc_start``, or else from now: "4d", "12h", "30m"
    :param tc_start: only alerts until this moment, such as ``{{ data_interval_end }}``
    :param at_most: how many alerts the query may find, up to 10,000
    :param everything: the word that is needed for a query such as "*" that keeps no alert out
    :param dry_run: only count
    :param assemblyline_conn_id: the connection

    The result is ``{found, to_change, changed, url}``: how many alerts the query finds, how many of them lack
    something, how many were changed, and the page that lists them.

    :raises AirflowFailException: for wrong arguments, a query that the server cannot read, and more alerts than at_most
    """

    template_fields: Sequence[str] = (
        "query",
        "filters",
        "tc",
        "tc_start",
        *CHANGES,
        "at_most",
        "everything",
        "only_count",
        "assemblyline_conn_id",
    )

    def __init__(
        self,
        *,
        query: str,
        filters: str | Sequence[str] = (),
        tc: str | None = None,
        tc_start: str | None = None,
        at_most: int | str = 100,
        everything: bool | str = False,
        dry_run: bool | str = False,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.query, self.filters, self.tc, self.tc_start = query, filters, tc, tc_start
        self.at_most, self.everything = at_most, everything
        self.only_count = dry_run  # Airflow's operators have a method of the argument's name
        self.assemblyline_conn_id = assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        self.changes()
        checked_flag("dry_run", self.only_count)
        at_most, everything = checked_number("at_most", self.at_most), checked_flag("everything", self.everything)
        api.check_reach(self._which(), at_most, everything=everything)

    def start(self, context: Context) -> dict[str, Any]:
        """Change those that lack something."""
        which = self._which()
        url = api.alerts_url(self.hook.settings.address.base_url, which)
        publish_link(context, url)
        result = self.hook.run(
            api.update_alerts(
                which,
                self.changes(),
                checked_number("at_most", self.at_most),
                everything=checked_flag("everything", self.everything),
                dry_run=checked_flag("dry_run", self.only_count),
            )
        )
        self.log.info(
            "The query finds %(found)s alerts; %(to_change)s lack something; %(changed)s were changed", result
        )
        return {**result, "url": url}

    def _which(self) -> AlertQuery:
        if not isinstance(self.query, str):
            raise ValueError(f"query must be a Lucene query, not {self.query!r}")
        return api.AlertQuery(self.query, checked_texts("filters", self.filters), self.tc, self.tc_start)
