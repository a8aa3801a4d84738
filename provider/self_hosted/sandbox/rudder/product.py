"""The stand-in itself: its table of endpoints, and what tests and the sandbox's page want of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from self_hosted.sandbox.rudder import change_requests, compliance, nodes, rules
from self_hosted.sandbox.rudder.gate import Answer, Call, Endpoint, Gate, Refused
from self_hosted.sandbox.rudder.state import TOKENS, Account, ChangeRequest, Node, Reports, State, sample_state
from self_hosted.sandbox.stand_in import StandIn, Table

SWITCHES = ("plugin", "validation", "self_validation", "self_deployment", "compliance_mode", "apply_seconds")


def current_account(call: Call) -> Answer:
    """GET /apiaccounts/token, which before version 22 was the account of that name."""
    if call.version < 22:
        raise Refused("API account with ID 'token' was not found", "token")
    return Answer({"accounts": [_account(call.account)]})


def information(call: Call) -> Answer:
    """GET /info, without its list of endpoints."""
    versions = call.state.versions
    every = [{"version": version, "status": "maintained"} for version in versions]
    return Answer({"availableVersions": {"latest": max(versions), "all": every}, "endpoints": []})


def system_status(call: Call) -> Answer:
    """GET /system/status."""
    return Answer({"global": "OK"})


ENDPOINTS = (
    Endpoint("GET", "/apiaccounts/token", "getTokenAccount", current_account),
    Endpoint("GET", "/info", "apiGeneralInformations", information),
    Endpoint("GET", "/system/status", "getStatus", system_status),
    Endpoint("GET", "/rules", "listRules", rules.list_rules),
    Endpoint("PUT", "/rules", "createRule", rules.create_rule),
    Endpoint("GET", "/rules/{id}", "ruleDetails", rules.rule_details),
    Endpoint("POST", "/rules/{id}", "updateRule", rules.update_rule),
    Endpoint("DELETE", "/rules/{id}", "deleteRule", rules.delete_rule),
    Endpoint("GET", "/nodes", "listAcceptedNodes", nodes.list_nodes),
    Endpoint("GET", "/nodes/pending", "listPendingNodes", nodes.list_pending_nodes),
    Endpoint("GET", "/nodes/{id}", "nodeDetails", nodes.node_details),
    Endpoint("GET", "/compliance/rules", "getRulesCompliance", compliance.rules_compliance),
    Endpoint("GET", "/compliance/rules/{id}", "getRulesComplianceId", compliance.rule_compliance),
    Endpoint("GET", "/compliance/nodes", "getNodesCompliance", compliance.nodes_compliance),
    Endpoint("GET", "/compliance/nodes/{id}", "getNodeComplianceId", compliance.node_compliance),
    Endpoint("GET", "/changeRequests", "listChangeRequests", change_requests.list_change_requests),
    Endpoint("GET", "/changeRequests/{id}", "changeRequestDetails", change_requests.change_request_details),
    Endpoint("DELETE", "/changeRequests/{id}", "declineChangeRequest", change_requests.decline_change_request),
    Endpoint("POST", "/changeRequests/{id}/accept", "acceptChangeRequest", change_requests.accept_change_request),
)


class Rudder(StandIn):
    """A Rudder 9.1 server at ``/rudder``."""

    name = "rudder"

    def reset(self) -> None:
        """Start with the sample rules, without change validation."""
        self.state: State = sample_state()

    def seed(self, data: dict[str, Any]) -> None:
        """Add rules, turn switches, let people decide.

        :param data: any of ``rules`` [rule], ``plugin``, ``validation``, ``self_validation``, ``self_deployment``
            (booleans), ``versions`` [int], ``expires`` (the date when the automation token ends),
            ``decisions`` {change request id: status}, ``disabled_directives`` [id], ``gone`` [id of a rule or node],
            ``nodes`` [{``id``, ``hostname``, ``status``, ``state``, ``first_run`` (seconds from now on, or ago when
            negative), ``run_interval`` (seconds)}], ``reports`` {id of a rule or node: {``share`` (percent that is as
            wanted), ``takes`` (seconds until all is reported)}}, ``apply_seconds`` (for changes) and
            ``compliance_mode``
        """
        for rule in data.get("rules", ()):
            self.state.rules[rule["id"]] = rule
        self._seed_nodes(data)
        for switch in SWITCHES:
            setattr(self.state, switch, data.get(switch, getattr(self.state, switch)))
        self.state.versions = tuple(data.get("versions", self.state.versions))
        if "expires" in data:
            self.state.accounts[TOKENS["automation"]].expiration_date = data["expires"]
        for number, status in data.get("decisions", {}).items():
            change_requests.move(self.state, self.state.requests[int(number)], status)

    def _seed_nodes(self, data: dict[str, Any]) -> None:
        state, now = self.state, time.time()
        for given in data.get("nodes", ()):
            node = Node(**{"hostname": f"{given['id']}.example.com", **given})
            node.first_run = None if node.first_run is None else now + node.first_run
            state.nodes[node.id] = node
        state.reports.update({thing: Reports(since=now, **given) for thing, given in data.get("reports", {}).items()})
        state.disabled_directives = set(data.get("disabled_directives", state.disabled_directives))
        for thing in data.get("gone", ()):
            state.rules.pop(thing, None)
            state.nodes.pop(thing, None)

    def end_sessions(self) -> None:
        """Nothing ends: Rudder's tokens are no sessions."""

    def routes(self) -> Sequence[BaseRoute]:
        """The status for load balancers, which needs no token, and the API."""
        return [Route("/api/status", _status), *Gate(lambda: self.state).routes(ENDPOINTS)]

    def tables(self) -> dict[str, Table]:
        """Rules, nodes, change requests and event log."""
        return {
            "rules": [self._rule(rule) for rule in self.state.rules.values()],
            "nodes": [_node(node) for node in self.state.nodes.values()],
            "change requests": [_request(request) for request in reversed(self.state.requests.values())],
            "event log": self.state.events[::-1],
        }

    def connection(self, base_url: str) -> dict[str, Any]:
        """With the token of an account that may read and write, but has no role in the workflow."""
        return {"conn_type": "rudder", "host": f"{base_url}/rudder", "password": TOKENS["automation"]}

    def _rule(self, rule: dict[str, Any]) -> dict[str, Any]:
        reasons = [event["reason"] for event in self.state.events if event["rule"] == rule["id"]]
        last = reasons[-1] if reasons else None
        shown = ("id", "displayName", "enabled", "directives", "targets")
        return {**{name: rule[name] for name in shown}, "last reason": last}


async def _status(request: Request) -> Response:
    return PlainTextResponse("OK\n")


def _account(account: Account) -> dict[str, Any]:
    end = account.expiration_date
    expiry = {"expirationPolicy": "datetime", "expirationDate": end} if end else {"expirationPolicy": "never"}
    return {
        "id": account.id,
        "name": account.name,
        "status": "enabled",
        **expiry,
        "tenants": "*",
        "authorizationType": account.rights,
    }


def _node(node: Node) -> dict[str, Any]:
    shown = {"id": node.id, "hostname": node.hostname, "status": node.status, "state": node.state}
    return {**shown, "last run": nodes.last_run(node)}


def _request(request: ChangeRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "name": request.name,
        "status": request.status,
        "rule": request.before["id"],
        "author": request.author.id,
        "reason": request.reason,
        "description": request.description,
    }
