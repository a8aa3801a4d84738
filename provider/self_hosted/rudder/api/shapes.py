"""Shapes of Rudder's objects: the fields that flows and waits use, and names. Rudder omits fields, it sends no null."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict


class RuleStatus(TypedDict):
    """The status of a rule."""

    value: str
    details: NotRequired[str | None]


class Rule(TypedDict):
    """A rule; under validation, the response to a write has the number of the change request."""

    id: str
    displayName: NotRequired[str]
    categoryId: NotRequired[str]
    shortDescription: NotRequired[str]
    longDescription: NotRequired[str]
    directives: NotRequired[list[str]]
    targets: NotRequired[list[Any]]
    enabled: NotRequired[bool]
    system: NotRequired[bool]
    tags: NotRequired[list[dict[str, Any]]]
    status: NotRequired[RuleStatus]
    changeRequestId: NotRequired[str | int]


class ChangeRequest(TypedDict):
    """A change request."""

    id: int
    status: str
    displayName: NotRequired[str]
    description: NotRequired[str | None]


class Node(TypedDict):
    """A node; a node that never ran has no ``lastRunDate``."""

    id: str
    status: str
    hostname: NotRequired[str]
    state: NotRequired[str | None]
    lastRunDate: NotRequired[str | None]


class NodeReference(TypedDict):
    """A node in the compliance of a rule."""

    id: str
    complianceDetails: NotRequired[dict[str, float]]


class Compliance(TypedDict):
    """The compliance of a rule or node; the one of a rule has nodes from level 2 on."""

    id: str
    name: NotRequired[str]
    compliance: float
    complianceDetails: dict[str, float]
    mode: NotRequired[str]
    nodes: NotRequired[list[NodeReference]]


class Account(TypedDict):
    """An API account; the account of a user has no ``authorizationType``."""

    id: NotRequired[str]
    name: str
    authorizationType: NotRequired[str]
    expirationPolicy: NotRequired[str]
    expirationDate: NotRequired[str | None]
