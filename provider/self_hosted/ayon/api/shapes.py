"""Shapes of AYON's responses: the fields that flows and waits use."""

from __future__ import annotations

from typing import Any, Generic, NotRequired, TypeVar

from typing_extensions import TypedDict

from self_hosted.core.http.flow import Reply
from self_hosted.core.http.shape import check_shape

T = TypeVar("T")


def read_object(reply: Reply, shape: type[Any]) -> dict[str, Any]:
    """Return the object that is the body of a reply.

    :param reply: any
    :param shape: the fields that it has at least
    :raises ServerError: if the body has another shape
    """
    body: dict[str, Any] = check_shape(reply, reply.json(), shape)
    return body


class Named(TypedDict):
    """An object of which only the name is used."""

    name: str


class User(TypedDict):
    """A user; the data of others is empty unless the user is a manager."""

    name: str
    data: dict[str, Any]


class ServerInfo(TypedDict):
    """Information about the server; attributes are included with a valid credential."""

    version: str
    attributes: NotRequired[list[Named] | None]


class Attribute(TypedDict):
    """An attribute of entities."""

    name: str
    scope: list[str]


class AttributeList(TypedDict):
    """The attributes of entities."""

    attributes: list[Attribute]


class PresetList(TypedDict):
    """The anatomy presets."""

    presets: list[Named]


class Anatomy(TypedDict):
    """An anatomy: the parts whose fields may be given one by one."""

    attributes: NotRequired[dict[str, Any]]
    entity_naming: NotRequired[dict[str, Any]]
    templates: NotRequired[dict[str, Any]]
    product_base_types: NotRequired[dict[str, Any]]


class Project(TypedDict):
    """A project; the label is left out if there is none."""

    name: str
    code: str
    library: bool
    label: NotRequired[str | None]
    attrib: dict[str, Any]
    data: dict[str, Any]
    statuses: list[Named]


class ProjectRow(TypedDict):
    """A project in the list of projects."""

    name: str
    code: str
    library: bool
    label: NotRequired[str | None]
    color: NotRequired[str | None]
    skeleton: NotRequired[bool | None]


class ProjectPage(TypedDict):
    """A page of the list of projects."""

    count: int
    projects: list[ProjectRow]


class ListedEvent(TypedDict):
    """An event in GraphQL: the summary is JSON as text."""

    id: str
    topic: str
    project: str | None
    status: str
    description: str
    summary: str


class Event(TypedDict):
    """An event in REST."""

    id: str
    topic: str
    project: NotRequired[str | None]
    status: str
    description: str
    summary: dict[str, Any]


class StatusOfEntity(TypedDict):
    """An entity of which only the status is used."""

    id: str
    status: str


class Edge(TypedDict, Generic[T]):
    """An edge of a GraphQL connection."""

    node: T


class Connection(TypedDict, Generic[T]):
    """A list in GraphQL."""

    edges: list[Edge[T]]


class EventList(TypedDict):
    """Events in GraphQL."""

    events: Connection[ListedEvent]


class Operation(TypedDict):
    """One operation of a batch."""

    id: str
    type: str
    entityType: str
    success: bool
    status: int
    detail: str | None


class OperationResult(TypedDict):
    """The result of a batch."""

    success: bool
    operations: list[Operation]


class BackgroundOperation(TypedDict):
    """A batch that is carried out in the background."""

    status: str
    progress: NotRequired[float | None]
    result: NotRequired[OperationResult | None]


class CompletedOperation(TypedDict):
    """A completed batch."""

    result: OperationResult


class Conversion(TypedDict):
    """The conversion of a reviewable."""

    status: NotRequired[str | None]
    description: NotRequired[str | None]


class Reviewable(TypedDict):
    """A reviewable of a version."""

    activityId: str
    fileId: str
    filename: str
    label: str | None
    availability: str
    processing: Conversion | None


class ReviewableList(TypedDict):
    """A version with its reviewables."""

    reviewables: list[Reviewable]
