"""What a DAG waits for in Rudder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from self_hosted.core.errors import Conflict
from self_hosted.core.lazy import when_used
from self_hosted.core.sensor import ProductSensor

if TYPE_CHECKING:
    from self_hosted.core.question import Seen
    from self_hosted.rudder import api
else:
    api = when_used("self_hosted.rudder.api")


class RudderChangeRequestSensor(ProductSensor):
    """Waits until people deployed a change request; fails when they declined it.

    :param change_request_id: its number, such as the ``change_request_id`` in the result of `RudderUpdateRuleOperator`
    :param rudder_conn_id: the Airflow connection
    :return: its status, "Deployed"

    Rests on ``GET /changeRequests/{id}`` of the plugin change-validation.
    """

    question = "self_hosted.rudder.triggers.CHANGE_REQUEST"
    template_fields: Sequence[str] = ("change_request_id", "rudder_conn_id")

    def __init__(self, *, change_request_id: int | str, rudder_conn_id: str = "rudder_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.change_request_id = change_request_id
        self.rudder_conn_id = rudder_conn_id

    def check(self) -> None:
        """See `ProductSensor.check`."""
        if not self.key().isdecimal():
            raise ValueError(f"change_request_id must be a number, not {self.change_request_id!r}")

    def key(self) -> str:
        """The change request."""
        return str(self.change_request_id).strip()

    def finish(self, seen: Seen, base_url: str) -> str:
        """Deployed, or else an error."""
        if seen.state != api.DEPLOYED:
            page = api.change_request_page(base_url, self.key())
            raise Conflict(f"change request {self.key()} was not deployed, its state is {seen.state!r}: {page}")
        return seen.state


class RudderRuleStatusSensor(ProductSensor):
    """Waits until a rule has a status, which Rudder works out from what is configured, not from what nodes report.

    Fails when the rule is disabled, unless that is what is waited for.

    :param rule_id: its id
    :param status: "In application", "Partially applied", "Not applied" or "Disabled"
    :param rudder_conn_id: the Airflow connection
    :return: ``{"rule_id": ..., "status": ..., "details": Rudder's words about it, "url": page of the rule}``

    Rests on ``GET /rules/{id}``, and for many tasks in a triggerer on ``GET /rules``.
    """

    question = "self_hosted.rudder.triggers.RULE_STATUS"
    template_fields: Sequence[str] = ("rule_id", "status", "rudder_conn_id")

    def __init__(
        self, *, rule_id: str, status: str = "In application", rudder_conn_id: str = "rudder_default", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rule_id = rule_id
        self.status = status
        self.rudder_conn_id = rudder_conn_id

    def check(self) -> None:
        """See `ProductSensor.check`."""
        _check_id("rule_id", self.rule_id)
        if self.status not in api.STATUSES:
            raise ValueError(f"status must be one of {', '.join(api.STATUSES)}, not {self.status!r}")

    def key(self) -> str:
        """Rule and status."""
        return api.status_key(self.rule_id, self.status)

    def finish(self, seen: Seen, base_url: str) -> dict[str, Any]:
        """The rule has the status, or never will."""
        page = api.rule_page(base_url, self.rule_id)
        if seen.state != self.status:
            raise Conflict(f"rule {self.rule_id} is disabled, so it will not be {self.status!r}: {page}")
        return {"rule_id": self.rule_id, "status": seen.state, **seen.facts, "url": page}


class RudderComplianceSensor(ProductSensor):
    """Waits until the compliance of a rule, or of a node, is high enough, whatever is still to be reported.

    Low compliance is no failure: nodes may yet apply what they have to. Time runs out instead; see ``timeout``.

    :param rule_id: id of the rule; or else
    :param node: id of the node, not its host name; ``node_id`` is something of Airflow's own
    :param threshold: percent, above 0 and up to 100
    :param rudder_conn_id: the Airflow connection
    :return: ``{"rule_id" or "node_id": ..., "compliance": percent, "details": {kind of report: percent, ...},
        "url": page of the rule or node}``

    Rests on ``GET /compliance/rules/{id}`` and ``GET /compliance/nodes/{id}``, and for many tasks in a triggerer on
    the lists of the same.
    """

    question = "self_hosted.rudder.triggers.COMPLIANCE"
    template_fields: Sequence[str] = ("rule_id", "node", "threshold", "rudder_conn_id")

    def __init__(
        self,
        *,
        rule_id: str | None = None,
        node: str | None = None,
        threshold: float | str = 100,
        rudder_conn_id: str = "rudder_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rule_id = rule_id
        self.node = node
        self.threshold = threshold
        self.rudder_conn_id = rudder_conn_id

    def check(self) -> None:
        """See `ProductSensor.check`."""
        if (self.rule_id is None) == (self.node is None):
            raise ValueError("give one of rule_id and node: compliance is that of a rule or of a node")
        _check_id("node" if self.rule_id is None else "rule_id", self._thing[1])
        try:
            right = 0 < float(self.threshold) <= 100
        except (TypeError, ValueError):
            right = False
        if not right:
            raise ValueError(f"threshold must be a percentage above 0 and up to 100, not {self.threshold!r}")

    def key(self) -> str:
        """Rule or node, and threshold."""
        return api.compliance_key(*self._thing, float(self.threshold))

    def finish(self, seen: Seen, base_url: str) -> dict[str, Any]:
        """The compliance; an error where Rudder does not tell any."""
        kind, thing_id = self._thing
        page = api.rule_page(base_url, thing_id) if kind == "rule" else api.node_page(base_url, thing_id)
        if seen.state == api.REPORTS_DISABLED:
            raise Conflict(f"Rudder tells no compliance, for {kind} {thing_id} as for all: its mode is {seen.state!r}")
        return {f"{kind}_id": thing_id, **seen.facts, "url": page}

    @property
    def _thing(self) -> tuple[api.Kind, str]:
        return ("node", self.node or "") if self.rule_id is None else ("rule", self.rule_id)


class RudderNodeRunSensor(ProductSensor):
    """Waits until the agent of a node has run, by a run that began after a moment: after a change, say.

    :param node: id of the node, not its host name; ``node_id`` is something of Airflow's own
    :param after: the moment, with its time zone: ISO 8601, or a datetime; such as ``{{ dag_run.run_after }}`` or
        what an earlier task returned. The run's beginning is told by the node's own clock
    :param rudder_conn_id: the Airflow connection
    :return: ``{"node_id": ..., "last_run": when its last run began, in ISO 8601, "url": page of the node}``

    Rests on ``GET /nodes/{id}``, and for many tasks in a triggerer on ``GET /nodes``.
    """

    question = "self_hosted.rudder.triggers.NODE_RUN"
    template_fields: Sequence[str] = ("node", "after", "rudder_conn_id")

    def __init__(
        self, *, node: str, after: str | datetime, rudder_conn_id: str = "rudder_default", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.node = node
        self.after = after
        self.rudder_conn_id = rudder_conn_id

    def check(self) -> None:
        """See `ProductSensor.check`."""
        _check_id("node", self.node)
        try:
            api.moment_of(self.after)
        except ValueError:
            raise ValueError(
                f"after must be a moment with its time zone, such as 2026-03-01T08:00:00Z, not {self.after!r}"
            ) from None

    def key(self) -> str:
        """Node and moment."""
        return api.run_key(self.node, api.moment_of(self.after))

    def finish(self, seen: Seen, base_url: str) -> dict[str, Any]:
        """When its last run began."""
        return {"node_id": self.node, **seen.facts, "url": api.node_page(base_url, self.node)}


def _check_id(name: str, given: Any) -> None:
    if not isinstance(given, str) or not given.strip():
        raise ValueError(f"{name} must be an id, not {given!r}")
