"""The operator that updates a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.core.http.errors import NotReadyError
from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.back_link import BackLinkingOperator
from self_hosted.core.tasks.operator import idempotency_key, publish_link
from self_hosted.core.tasks.waiting_operator import WaitingOperator
from self_hosted.rudder.api.types import RuleUpdate
from self_hosted.rudder.operators.base import RudderOperator
from self_hosted.rudder.operators.rule_arguments import FIELDS, RuleArguments

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.core.wait.observation import Observation
    from self_hosted.core.wait.pending import Outcome
    from self_hosted.rudder.api import change_requests, rule_changes, rules
else:
    change_requests = lazy_import("self_hosted.rudder.api.change_requests")
    rule_changes = lazy_import("self_hosted.rudder.api.rule_changes")
    rules = lazy_import("self_hosted.rudder.api.rules")


log = get_logger(__name__)


class UpdateRuleResult(RuleUpdate):
    """The result of `RudderUpdateRuleOperator`: a `RuleUpdate`, and these keys.

    :param url: page of the rule, or of the pending change request
    :param applied_at: when it was known that the rule has the desired values, by the worker's clock, in ISO 8601; None
        if the change is pending. It is a valid ``after`` of `RudderComplianceSensor` and `RudderNodeRunSensor`
    """

    url: str
    applied_at: str | None


class RudderUpdateRuleOperator(BackLinkingOperator, RudderOperator, WaitingOperator):
    """Sets values of a rule. Fields without an argument keep their values; if no value differs, nothing is sent.

    Where Rudder validates changes, the update becomes a change request, which people accept or decline. Endpoint:
    ``POST /rules/{id}``, https://docs.rudder.io/api. Reason and description of the change request name the task
    (``back_link``).

    :param rule_id: id of the rule
    :param display_name: its name
    :param category_id: id of its category
    :param short_description: one line about it
    :param long_description: more about it
    :param directives: ids of all its directives
    :param targets: all its targets: a list of ``"group:<id>"``, ``"special:all"``, ..., or of one object
        ``{"include": {"or": [...]}, "exclude": {"or": [...]}}``; "and" is invalid, because Rudder stores it as "or"
    :param enabled: whether it is applied
    :param tags: all its tags, each an object ``{name: value}``
    :param reason: the reason, for Rudder's event log; at least five characters, unless the connection sets another
        minimum
    :param change_request_name: name of the change request, if there is one
    :param change_request_description: its description
    :param wait_for_completion: whether to wait until the change request is deployed; the task fails if it is declined.
        ``cancel_on_kill`` has no effect: the decision about the request is left to people
    :param rudder_conn_id: the Airflow connection
    :return: `UpdateRuleResult`
    :raises AirflowFailException: for invalid arguments, a missing rule or permission, and a declined change request
    :raises ServerError: if Rudder reports success but returns other values
    :raises WaitTimeoutError: if the change request is not deployed in time
    """

    wait_spec = "self_hosted.rudder.waits.CHANGE_REQUEST"
    template_fields: Sequence[str] = (
        *RudderOperator.template_fields,
        *WaitingOperator.template_fields,
        *BackLinkingOperator.template_fields,
        "rule_id",
        *FIELDS,
        "reason",
        "change_request_name",
        "change_request_description",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {
        "directives": "json",
        "targets": "json",
        "tags": "json",
        "long_description": "md",
    }

    def __init__(
        self,
        *,
        rule_id: str,
        display_name: str | None = None,
        category_id: str | None = None,
        short_description: str | None = None,
        long_description: str | None = None,
        directives: Sequence[str] | str | None = None,
        targets: Sequence[str | Mapping[str, Any]] | str | None = None,
        enabled: bool | str | None = None,
        tags: Sequence[Mapping[str, str]] | str | None = None,
        reason: str | None = None,
        change_request_name: str | None = None,
        change_request_description: str | None = None,
        wait_for_completion: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(wait_for_completion=wait_for_completion, **kwargs)
        self.rule_id = rule_id
        self.display_name = display_name
        self.category_id = category_id
        self.short_description = short_description
        self.long_description = long_description
        self.directives = directives
        self.targets = targets
        self.enabled = enabled
        self.tags = tags
        self.reason = reason
        self.change_request_name = change_request_name
        self.change_request_description = change_request_description

    @cached_property
    def arguments(self) -> RuleArguments:
        """The arguments, after templating.

        :raises ValueError: naming the argument
        """
        return RuleArguments.parse(self)

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        extra, reason = self.hook.settings.extra, self.arguments.reason
        if extra["require_reason"] and len(reason or "") < extra["min_reason_length"]:
            raise ValueError(
                f"reason must have at least {extra['min_reason_length']} characters, for Rudder's event log, "
                f"not {self.reason!r}"
            )

    def submit(self, context: Context) -> UpdateRuleResult:
        """Update the rule, or find the effect of an earlier try.

        :param context: the context of the task
        """
        publish_link(context, rules.page_url(self.hook.settings.address.base_url, self.arguments.rule_id))
        update = rules.update(
            self.arguments.rule_id,
            self.arguments.values,
            reason=self._signed(self.arguments.reason),
            change_request_name=self.arguments.change_request_name,
            change_request_description=self._signed(self.arguments.change_request_description),
            idempotency_key=idempotency_key(context),
            previous_attempt_unknown=self.previous_attempt_unknown,
        )
        result = self._describe_result(self.hook.run(update))
        self._warn_about_duplicates(result)
        return result

    def external_id(self, submitted: UpdateRuleResult) -> str | None:
        """Return the number of the change request, if there is one.

        :param submitted: the result of `submit`
        """
        return str(submitted["change_request_id"]) if submitted["outcome"] == "pending" else None

    def external_url(self, submitted: UpdateRuleResult) -> str:
        """Return the page of the rule, or of the pending change request.

        :param submitted: the result of `submit`
        """
        return submitted["url"]

    def external_asset(self, submitted: UpdateRuleResult) -> Sequence[str]:
        """Return type and id of the change request, or of the rule if it was changed at once.

        :param submitted: the result of `submit`
        """
        number = submitted["change_request_id"]
        return ("rule", submitted["rule_id"]) if number is None else ("changeRequest", str(number))

    def build_submitted_result(self, context: Context, submitted: UpdateRuleResult) -> UpdateRuleResult:
        """Return the result without a wait, and emit the change request as an asset.

        :param context: the context of the task
        :param submitted: the result of `submit`
        """
        emit_asset(context, self.hook, asset_uri(self.hook, *self.external_asset(submitted)), submitted)
        return submitted

    def build_combined_result(
        self, context: Context, submitted: UpdateRuleResult, outcomes: Mapping[str, Outcome]
    ) -> UpdateRuleResult:
        """Return the result of a change that was applied, and emit the rule as an asset.

        :param context: the context of the task
        :param submitted: the result of `submit`
        :param outcomes: of the change request, if there is one
        """
        result: UpdateRuleResult = super().build_combined_result(context, submitted, outcomes)
        emit_asset(context, self.hook, asset_uri(self.hook, "rule", result["rule_id"]), result)
        return result

    def build_result(self, context: Context, submitted: UpdateRuleResult, observation: Observation) -> UpdateRuleResult:
        """Return the task's result after the decision about the change request.

        :param context: the context of the task
        :param submitted: the result of `submit`
        :param observation: the last observation of the change request
        :raises AirflowFailException: if it was declined
        """
        if observation.state != change_requests.DEPLOYED:
            raise AirflowFailException(
                f"change request {submitted['change_request_id']} for rule {submitted['rule_id']} was not deployed, "
                f"its state is {observation.state!r}: {submitted['url']}"
            )
        self._require_values(context, submitted)
        result = self._describe_result({**submitted, "outcome": "applied"})
        if "duplicates" in result:  # the server may have opened another one only after this wait began
            decline = rule_changes.decline_duplicates(
                result["rule_id"], self.arguments.values, idempotency_key(context), result["change_request_id"]
            )
            result["duplicates"] = self.hook.run(decline)
            self._warn_about_duplicates(result)
        return result

    def _require_values(self, context: Context, submitted: UpdateRuleResult) -> None:
        """Check that the deployed change request left the rule with the values of this try."""
        differing = self.hook.run(rules.find_differences(submitted["rule_id"], self.arguments.values))
        if differing:
            self._clear_job_state(context)
            raise NotReadyError(
                f"change request {submitted['change_request_id']} is deployed, but rule {submitted['rule_id']} has "
                f"other values of {', '.join(differing)}: a retry sends them again"
            )

    def _warn_about_duplicates(self, result: UpdateRuleResult) -> None:
        for number in result.get("duplicates", ()):
            log.warning(
                "Change request %s is a duplicate of %s, and this account may not decline it: decline it in Rudder",
                number,
                result["change_request_id"] or "a change that was applied at once",
            )

    def _signed(self, text: str | None) -> str | None:
        return self.origin.append_to(text) if self.origin else text

    def _describe_result(self, result: RuleUpdate | UpdateRuleResult) -> UpdateRuleResult:
        base_url = self.hook.settings.address.base_url
        if result["outcome"] == "pending" and result["change_request_id"] is not None:
            url = change_requests.page_url(base_url, result["change_request_id"])
            return {**result, "url": url, "applied_at": None}
        url, applied_at = rules.page_url(base_url, result["rule_id"]), datetime.now(UTC).isoformat()
        return {**result, "url": url, "applied_at": applied_at}
