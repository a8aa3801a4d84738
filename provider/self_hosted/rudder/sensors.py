"""The sensors of Rudder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypedDict

from self_hosted.core.arguments import parse_choice, parse_float, parse_id, parse_int, parse_optional, require_one_of
from self_hosted.core.http.errors import ConflictError
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.sensor import SelfHostedSensor
from self_hosted.core.timestamps import parse_timestamp
from self_hosted.core.wait.key import WaitKey
from self_hosted.rudder.api.ids import check_change_request_id, check_object_id
from self_hosted.rudder.operators.base import RudderLink

if TYPE_CHECKING:
    from self_hosted.core.wait.observation import Observation
    from self_hosted.rudder.api import change_requests, compliance, nodes, rules
else:
    change_requests = lazy_import("self_hosted.rudder.api.change_requests")
    compliance = lazy_import("self_hosted.rudder.api.compliance")
    nodes = lazy_import("self_hosted.rudder.api.nodes")
    rules = lazy_import("self_hosted.rudder.api.rules")


MAX_GENERATION_SECONDS = 86400


class RuleStatus(TypedDict):
    """The result of `RudderRuleStatusSensor`.

    :param rule_id: id of the rule
    :param status: its status
    :param details: Rudder's explanation of the status, "" if there is none
    :param url: page of the rule
    """

    rule_id: str
    status: str
    details: str
    url: str


class Compliance(TypedDict):
    """The common part of `RuleCompliance` and `NodeCompliance`.

    :param compliance: percent
    :param details: percent by kind of report
    :param url: page of the rule or node
    """

    compliance: float
    details: dict[str, float]
    url: str


class RuleCompliance(Compliance):
    """The result of `RudderComplianceSensor` for a rule.

    :param rule_id: id of the rule
    """

    rule_id: str


class NodeCompliance(Compliance):
    """The result of `RudderComplianceSensor` for a node.

    :param node_id: id of the node
    """

    node_id: str


class NodeRun(TypedDict):
    """The result of `RudderNodeRunSensor`.

    :param node_id: id of the node
    :param last_run: start of the last run, in ISO 8601
    :param url: page of the node
    """

    node_id: str
    last_run: str
    url: str


class RudderSensor(SelfHostedSensor):
    """Waits for one thing in Rudder.

    :param rudder_conn_id: the Airflow connection
    """

    operator_extra_links = (RudderLink(),)
    template_fields: Sequence[str] = (*SelfHostedSensor.template_fields, "rudder_conn_id")

    def __init__(self, *, rudder_conn_id: str = "rudder_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rudder_conn_id = rudder_conn_id

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        self.external_id()


class RudderChangeRequestSensor(RudderSensor):
    """Waits until a change request is deployed; fails if it is declined.

    Endpoint: ``GET /changeRequests/{id}`` of the plugin change-validation.

    :param change_request_id: its number, such as the ``change_request_id`` in the result of `RudderUpdateRuleOperator`
    :param rudder_conn_id: the Airflow connection
    :return: its status, "Deployed"
    :raises AirflowFailException: for invalid arguments, a missing change request, and a declined one
    """

    wait_spec = "self_hosted.rudder.waits.CHANGE_REQUEST"
    template_fields: Sequence[str] = (*RudderSensor.template_fields, "change_request_id")

    def __init__(self, *, change_request_id: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.change_request_id = change_request_id

    def external_id(self) -> str:
        """Return the number of the change request."""
        return check_change_request_id("change_request_id", str(parse_int("change_request_id", self.change_request_id)))

    def external_url(self, base_url: str) -> str:
        """Return the page of the change request.

        :param base_url: Rudder's address
        """
        return change_requests.page_url(base_url, self.external_id())

    def external_asset(self) -> Sequence[str]:
        """Return type and id of the change request."""
        return "changeRequest", self.external_id()

    def build_result(self, observation: Observation, base_url: str) -> str:
        """Return the status.

        :param observation: the last observation
        :param base_url: Rudder's address
        :raises ConflictError: if the change request was declined
        """
        if observation.state != change_requests.DEPLOYED:
            url = change_requests.page_url(base_url, self.external_id())
            raise ConflictError(
                f"change request {self.external_id()} was not deployed, its state is {observation.state!r}: {url}"
            )
        return observation.state


class RudderRuleStatusSensor(RudderSensor):
    """Waits until a rule has a status, which follows from the configuration, not from the reports of nodes.

    Fails if the rule is disabled, unless that is the desired status. Endpoints: ``GET /rules/{id}``, and ``GET /rules``
    for many tasks in a triggerer.

    :param rule_id: its id
    :param status: "In application", "Partially applied", "Not applied" or "Disabled"
    :param rudder_conn_id: the Airflow connection
    :return: `RuleStatus`
    :raises AirflowFailException: for invalid arguments, a missing rule, and a disabled one
    """

    wait_spec = "self_hosted.rudder.waits.RULE_STATUS"
    template_fields: Sequence[str] = (*RudderSensor.template_fields, "rule_id", "status")

    def __init__(self, *, rule_id: str, status: str = "In application", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rule_id, self.status = rule_id, status

    def external_id(self) -> str:
        """Return the key: the rule and the desired status."""
        status = parse_choice("status", self.status, rules.STATUSES)
        return WaitKey(_parse_rule_id(self.rule_id), (status,)).to_text()

    def external_url(self, base_url: str) -> str:
        """Return the page of the rule.

        :param base_url: Rudder's address
        """
        return rules.page_url(base_url, _parse_rule_id(self.rule_id))

    def external_asset(self) -> Sequence[str]:
        """Return type and id of the rule."""
        return "rule", _parse_rule_id(self.rule_id)

    def build_result(self, observation: Observation, base_url: str) -> RuleStatus:
        """Return the status.

        :param observation: the last observation
        :param base_url: Rudder's address
        :raises ConflictError: if the rule is disabled
        """
        rule_id = _parse_rule_id(self.rule_id)
        url = rules.page_url(base_url, rule_id)
        if observation.state != self.status:
            raise ConflictError(f"rule {rule_id} is disabled, so it will not be {self.status!r}: {url}")
        details = observation.details["details"]
        return {"rule_id": rule_id, "status": observation.state, "details": details, "url": url}


class RudderComplianceSensor(RudderSensor):
    """Waits until the compliance of a rule or node reaches a threshold, whatever the pending reports will contain.

    After a change, Rudder shows the compliance of the old policies until it has generated the new ones: to wait for a
    change, give ``after``. Low compliance does not fail the task, because nodes may still apply their policies;
    ``timeout`` does. A disabled rule fails it. Endpoints: ``GET /compliance/rules/{id}``, ``GET /rules/{id}`` and
    ``GET /compliance/nodes/{id}``, and their lists for many tasks in a triggerer; ``GET /nodes`` with ``after``.

    :param rule_id: id of the rule; give either this or ``node``
    :param node: id of the node, not its host name; ``node_id`` is an attribute of Airflow's operators
    :param threshold: percent, above 0 and at most 100
    :param after: time of a change, with its time zone: a datetime, or text in ISO 8601, such as the ``applied_at`` in
        the result of `RudderUpdateRuleOperator`. The compliance then counts only when all nodes that report have begun
        a run more than ``generation_seconds`` later, by their own clocks. None = the compliance counts at once
    :param generation_seconds: the longest time in seconds that Rudder takes to generate policies after a change
    :param rudder_conn_id: the Airflow connection
    :return: `RuleCompliance` or `NodeCompliance`
    :raises AirflowFailException: for invalid arguments, a missing rule or node, a disabled rule, and a server without
        compliance
    """

    wait_spec = "self_hosted.rudder.waits.COMPLIANCE"
    template_fields: Sequence[str] = (
        *RudderSensor.template_fields,
        "rule_id",
        "node",
        "threshold",
        "after",
        "generation_seconds",
    )

    def __init__(
        self,
        *,
        rule_id: str | None = None,
        node: str | None = None,
        threshold: float | str = 100,
        after: str | datetime | None = None,
        generation_seconds: float | str = 300,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rule_id, self.node, self.threshold = rule_id, node, threshold
        self.after, self.generation_seconds = after, generation_seconds

    def external_id(self) -> str:
        """Return the key: the rule or node, its kind, the threshold, and the time after which all nodes must run."""
        kind, target_id = self._target()
        threshold = parse_float("threshold", self.threshold, maximum=100)
        return WaitKey(target_id, (kind, str(threshold), *self._earliest_run())).to_text()

    def external_url(self, base_url: str) -> str:
        """Return the page of the rule or node.

        :param base_url: Rudder's address
        """
        kind, target_id = self._target()
        return rules.page_url(base_url, target_id) if kind == "rule" else nodes.page_url(base_url, target_id)

    def external_asset(self) -> Sequence[str]:
        """Return type and id of the rule or node."""
        return self._target()

    def build_result(self, observation: Observation, base_url: str) -> RuleCompliance | NodeCompliance:
        """Return the compliance.

        :param observation: the last observation
        :param base_url: Rudder's address
        :raises ConflictError: if Rudder computes no compliance
        """
        kind, target_id = self._target()
        if observation.state == compliance.REPORTS_DISABLED:
            raise ConflictError(
                f"no compliance of {kind} {target_id}: Rudder computes none in its mode {observation.state!r}"
            )
        if observation.state == rules.DISABLED:
            url = rules.page_url(base_url, target_id)
            raise ConflictError(f"rule {target_id} is disabled, so its nodes do not report about it: {url}")
        percent, details = observation.details["compliance"], observation.details["details"]
        common: Compliance = {"compliance": percent, "details": details, "url": ""}
        if kind == "rule":
            return {**common, "rule_id": target_id, "url": rules.page_url(base_url, target_id)}
        return {**common, "node_id": target_id, "url": nodes.page_url(base_url, target_id)}

    def _earliest_run(self) -> tuple[str, ...]:
        margin = parse_float("generation_seconds", self.generation_seconds, maximum=MAX_GENERATION_SECONDS)
        after = parse_optional("after", self.after, _parse_time)
        if after is None:
            return ()
        try:
            return ((after + timedelta(seconds=margin)).isoformat(),)
        except OverflowError:
            raise ValueError(f"after is too late: {self.after!r}") from None

    def _target(self) -> tuple[compliance.Kind, str]:
        if require_one_of({"rule_id": self.rule_id, "node": self.node}) == "rule_id":
            return "rule", _parse_rule_id(self.rule_id)
        return "node", _parse_node_id(self.node)


class RudderNodeRunSensor(RudderSensor):
    """Waits until the agent of a node has run, in a run that began after a time, such as the time of a change.

    Endpoints: ``GET /nodes/{id}``, and ``GET /nodes`` for many tasks in a triggerer.

    :param node: id of the node, not its host name; ``node_id`` is an attribute of Airflow's operators
    :param after: the time, with its time zone: a datetime, or text in ISO 8601, such as ``{{ dag_run.run_after }}``.
        It is compared with the start of the run by the node's own clock
    :param rudder_conn_id: the Airflow connection
    :return: `NodeRun`
    :raises AirflowFailException: for invalid arguments and a missing node
    """

    wait_spec = "self_hosted.rudder.waits.NODE_RUN"
    template_fields: Sequence[str] = (*RudderSensor.template_fields, "node", "after")

    def __init__(self, *, node: str, after: str | datetime, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.node, self.after = node, after

    def external_id(self) -> str:
        """Return the key: the node and the time."""
        after = _parse_time("after", self.after)
        return WaitKey(_parse_node_id(self.node), (after.isoformat(),)).to_text()

    def external_url(self, base_url: str) -> str:
        """Return the page of the node.

        :param base_url: Rudder's address
        """
        return nodes.page_url(base_url, _parse_node_id(self.node))

    def external_asset(self) -> Sequence[str]:
        """Return type and id of the node."""
        return "node", _parse_node_id(self.node)

    def build_result(self, observation: Observation, base_url: str) -> NodeRun:
        """Return the start of the last run.

        :param observation: the last observation
        :param base_url: Rudder's address
        """
        node_id = _parse_node_id(self.node)
        return {
            "node_id": node_id,
            "last_run": observation.details["last_run"],
            "url": nodes.page_url(base_url, node_id),
        }


def _parse_time(argument: str, value: Any) -> datetime:
    return parse_timestamp(argument, value, needs_timezone=True).astimezone(UTC)


def _parse_rule_id(value: Any) -> str:
    return check_object_id("rule_id", parse_id("rule_id", value, "a rule"))


def _parse_node_id(value: Any) -> str:
    return check_object_id("node", parse_id("node", value, "a node"), "node")
