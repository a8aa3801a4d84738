"""Update an alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.api.alerts.types import UpdatedAlert
from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.assemblyline.operators.references import parse_alert_id
from self_hosted.core.arguments import parse_bool, parse_str_list
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.operator import publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.alerts import alerts, changes
    from self_hosted.assemblyline.api.alerts.changes import AlertChanges
else:
    alerts = lazy_import("self_hosted.assemblyline.api.alerts.alerts")
    changes = lazy_import("self_hosted.assemblyline.api.alerts.changes")


class AlertResult(UpdatedAlert):
    """An alert after its update: an `UpdatedAlert`, and this key.

    :param url: page of the alert
    """

    url: str


class AlertOperator(AssemblylineOperator):
    """Updates alerts. At least one change is required.

    :param add_labels: a label, or a list of labels; Assemblyline stores them in upper case
    :param remove_labels: a label, or a list of labels
    :param priority: LOW, MEDIUM, HIGH or CRITICAL
    :param status: MALICIOUS, NON-MALICIOUS, ASSESS or TRIAGE
    :param verdict: malicious or non_malicious: the user's verdict on the submission and all of its alerts
    :param take_ownership: whether to make the user the owner
    """

    template_fields: Sequence[str] = (
        *AssemblylineOperator.template_fields,
        "add_labels",
        "remove_labels",
        "priority",
        "status",
        "verdict",
        "take_ownership",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"add_labels": "json", "remove_labels": "json"}

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

    def build_changes(self) -> AlertChanges:
        """Return the changes.

        :raises ValueError: if one is invalid, or there is none
        """
        return changes.AlertChanges(
            parse_str_list("add_labels", self.add_labels),
            parse_str_list("remove_labels", self.remove_labels),
            self.text("priority"),
            self.text("status"),
            self.text("verdict"),
            parse_bool("take_ownership", self.take_ownership),
        ).parse()


class AssemblylineUpdateAlertOperator(AlertOperator):
    """Updates an alert's labels, priority, status, verdict and owner; ``POST /api/v4/alert/label/<id>/`` and others.

    Only differences are sent, so that a retry or another run changes nothing more. If another user owns an alert that
    the task is to take, nothing of it changes.

    :param alert_id: the alert's id: that of its ingest, or of its submission; or the result of the sensor
    :param add_labels: a label, or a list of labels; Assemblyline stores them in upper case
    :param remove_labels: a label, or a list of labels
    :param priority: LOW, MEDIUM, HIGH or CRITICAL
    :param status: MALICIOUS, NON-MALICIOUS, ASSESS or TRIAGE
    :param verdict: malicious or non_malicious: the user's verdict on the submission and all of its alerts
    :param take_ownership: whether to make the user the owner; default: False
    :param assemblyline_conn_id: the Airflow connection
    :return: `AlertResult`
    :raises AirflowFailException: for invalid arguments, no change, an unknown alert, and one that another user owns
    """

    template_fields: Sequence[str] = (*AlertOperator.template_fields, "alert_id")
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **AlertOperator.template_fields_renderers,
        "alert_id": "json",
    }

    def __init__(self, *, alert_id: str | Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alert_id = alert_id

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        parse_alert_id("alert_id", self.alert_id)
        self.build_changes()

    def submit(self, context: Context) -> AlertResult:
        """Change the fields that differ.

        :param context: the context of the task
        """
        alert_id = parse_alert_id("alert_id", self.alert_id)
        url = alerts.build_page_url(self.base_url, alert_id)
        publish_link(context, url)
        result = self.hook.run(alerts.update(alert_id, self.build_changes()))
        updated = AlertResult(**result, url=url)
        emit_asset(context, self.hook, asset_uri(self.hook, "alert", alert_id), updated)
        return updated
