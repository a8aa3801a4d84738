"""The sensors of AYON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypedDict

from self_hosted.ayon.operators.base import AyonLink
from self_hosted.core.arguments import is_set, parse_choice, parse_str_list
from self_hosted.core.http.errors import PermanentError, ServerError
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.sensor import SelfHostedSensor
from self_hosted.core.wait.key import WaitKey

if TYPE_CHECKING:
    from self_hosted.ayon.api import entities, identifiers, reviewables
    from self_hosted.ayon.api.projects import records
    from self_hosted.core.wait.observation import Observation
else:
    entities = lazy_import("self_hosted.ayon.api.entities")
    identifiers = lazy_import("self_hosted.ayon.api.identifiers")
    records = lazy_import("self_hosted.ayon.api.projects.records")
    reviewables = lazy_import("self_hosted.ayon.api.reviewables")


class FinishedEvent(TypedDict):
    """The result of `AyonEventSensor`.

    :param event_id: id of the event
    :param topic: its topic
    :param project: name of its project, if it has one
    :param status: "finished"
    :param description: its description
    :param summary: its summary
    :param url: page of events
    """

    event_id: str
    topic: str
    project: str | None
    status: Literal["finished"]
    description: str
    summary: dict[str, Any]
    url: str


class EntityStatus(TypedDict):
    """The result of `AyonEntityStatusSensor`.

    :param project: name of the project
    :param entity_type: "folder", "task", ...
    :param entity_id: id of the entity
    :param status: its status
    :param url: page of the project
    """

    project: str
    entity_type: str
    entity_id: str
    status: str
    url: str


class CompletedOperation(TypedDict):
    """The result of `AyonBackgroundOperationSensor`.

    :param project: name of the project
    :param operation_id: id of the background operation
    :param operations: the number of operations in it
    :param url: page of the project
    """

    project: str
    operation_id: str
    operations: int
    url: str


class ViewableReviewables(TypedDict):
    """The result of `AyonReviewableSensor`.

    :param project: name of the project
    :param version_id: id of the version
    :param reviewables: the reviewables, each a `Reviewable`
    :param url: page of the project
    """

    project: str
    version_id: str
    reviewables: list[reviewables.Reviewable]
    url: str


class AyonSensor(SelfHostedSensor):
    """Waits for one thing in AYON.

    :param ayon_conn_id: the Airflow connection
    """

    operator_extra_links = (AyonLink(),)
    template_fields: Sequence[str] = (*SelfHostedSensor.template_fields, "ayon_conn_id")

    def __init__(self, *, ayon_conn_id: str = "ayon_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ayon_conn_id = ayon_conn_id

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        self.external_id()


class AyonEventSensor(AyonSensor):
    """Waits until an event is finished, such as a job that a service of the studio processes.

    Endpoint: ``POST /graphql``.

    :param event_id: its id
    :param ayon_conn_id: the Airflow connection
    :return: `FinishedEvent`
    :raises AirflowFailException: for invalid arguments, a missing event, and an aborted one
    :raises ServerError: if the event failed; a retry may succeed, because its service may process it again
    """

    wait_spec = "self_hosted.ayon.waits.EVENT"
    template_fields: Sequence[str] = (*AyonSensor.template_fields, "event_id")

    def __init__(self, *, event_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.event_id = event_id

    def external_id(self) -> str:
        """Return the id of the event."""
        return identifiers.parse_entity_id("event_id", self.event_id, "an event")

    def external_url(self, base_url: str) -> str:
        """Return the page of events: AYON has none of a single event.

        :param base_url: AYON's address
        """
        return f"{base_url}/events"

    def external_asset(self) -> Sequence[str]:
        """Return type and id of the event."""
        return "event", self.external_id()

    def build_result(self, observation: Observation, base_url: str) -> FinishedEvent:
        """Return the finished event.

        :param observation: the last observation
        :param base_url: AYON's address
        :raises ServerError: if the event failed
        :raises PermanentError: if it was aborted
        """
        details, url = observation.details, f"{base_url}/events"
        if observation.state != "finished":
            error_class = ServerError if observation.state == "failed" else PermanentError
            subject = f"event {self.external_id()} ({details['topic']}) is {observation.state}"
            raise error_class(f"{subject}: {details['description'] or 'it has no description'}; see {url}")
        return {
            "event_id": self.external_id(),
            "topic": details["topic"],
            "project": details["project"],
            "status": "finished",
            "description": details["description"],
            "summary": details["summary"],
            "url": url,
        }


class _ProjectSensor(AyonSensor):
    """Waits for one thing in a project."""

    template_fields: Sequence[str] = (*AyonSensor.template_fields, "project")

    def __init__(self, *, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    def external_url(self, base_url: str) -> str:
        """Return the page of the project: AYON shows things in it by their paths, not by their ids.

        :param base_url: AYON's address
        """
        return records.page_url(base_url, self._parsed_project())

    def external_asset(self) -> Sequence[str]:
        """Return type and id of the project: AYON shows things in it by their paths, not by their ids."""
        return "project", self._parsed_project()

    def _parsed_project(self) -> str:
        return identifiers.parse_project_name("project", self.project)


class AyonEntityStatusSensor(_ProjectSensor):
    """Waits until a folder, task, product, version, representation or workfile has one of several statuses.

    An entity that does not exist yet is waited for, too. Endpoint: ``POST /graphql``.

    :param project: name of the project
    :param entity_type: folder, task, product, version, representation or workfile
    :param entity_id: its id
    :param statuses: names of statuses, each of which ends the wait, such as ``["Approved", "On hold"]``; a text is one
    :param ayon_conn_id: the Airflow connection
    :return: `EntityStatus`
    :raises AirflowFailException: for invalid arguments, and if the entity is deleted meanwhile
    """

    wait_spec = "self_hosted.ayon.waits.ENTITY_STATUS"
    template_fields: Sequence[str] = (
        *_ProjectSensor.template_fields,
        "entity_type",
        "entity_id",
        "statuses",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"statuses": "json"}

    def __init__(self, *, entity_type: str, entity_id: str, statuses: Sequence[str] | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entity_type, self.entity_id, self.statuses = entity_type, entity_id, statuses

    def external_id(self) -> str:
        """Return the key: the entity, its project and type, and the desired statuses."""
        condition = (self._parsed_project(), self._parsed_type(), *self._parsed_statuses())
        return WaitKey(self._parsed_id(), condition).to_text()

    def external_asset(self) -> Sequence[str]:
        """Return type and id of the entity, and its project."""
        return "project", self._parsed_project(), self._parsed_type(), self._parsed_id()

    def build_result(self, observation: Observation, base_url: str) -> EntityStatus:
        """Return the status.

        :param observation: the last observation
        :param base_url: AYON's address
        """
        return {
            "project": self._parsed_project(),
            "entity_type": self.entity_type,
            "entity_id": self._parsed_id(),
            "status": observation.state,
            "url": records.page_url(base_url, self._parsed_project()),
        }

    def _parsed_id(self) -> str:
        return identifiers.parse_entity_id("entity_id", self.entity_id, "an entity")

    def _parsed_type(self) -> str:
        return parse_choice("entity_type", self.entity_type, entities.ENTITY_TYPES)

    def _parsed_statuses(self) -> list[str]:
        statuses = parse_str_list("statuses", self.statuses)
        if not statuses:
            raise ValueError("statuses must name at least one status, such as Approved")
        for status in statuses:
            identifiers.require_match("statuses", status, identifiers.STATUS, identifiers.STATUS_RULE)
        return statuses


class AyonBackgroundOperationSensor(_ProjectSensor):
    """Waits until AYON has carried out a batch of operations in the background.

    AYON deletes its state 30 minutes after the last update, so start the wait right after the submission. Endpoint:
    ``GET /api/projects/{project}/operations/background/{id}``.

    :param project: name of the project
    :param operation_id: the id in AYON's response to ``POST /api/projects/{project}/operations/background``
    :param ayon_conn_id: the Airflow connection
    :return: `CompletedOperation`
    :raises AirflowFailException: for invalid arguments, an unknown or expired id, and failed operations; the error
        names the first ones
    """

    wait_spec = "self_hosted.ayon.waits.BACKGROUND_OPERATION"
    template_fields: Sequence[str] = (*_ProjectSensor.template_fields, "operation_id")

    def __init__(self, *, operation_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.operation_id = operation_id

    def external_id(self) -> str:
        """Return the key: the operation and its project."""
        return WaitKey(self._parsed_id(), (self._parsed_project(),)).to_text()

    def build_result(self, observation: Observation, base_url: str) -> CompletedOperation:
        """Return the number of operations.

        :param observation: the last observation
        :param base_url: AYON's address
        :raises PermanentError: if operations failed
        """
        url = records.page_url(base_url, self._parsed_project())
        if not observation.details["success"]:
            failed = observation.details["failed"]
            reasons = "; ".join(f"{part['type']} {part['entity_type']}: {part['detail']}" for part in failed)
            raise PermanentError(
                f"background operation {self._parsed_id()} of {self._parsed_project()} failed: {reasons}; see {url}"
            )
        return {
            "project": self._parsed_project(),
            "operation_id": self._parsed_id(),
            "operations": observation.details["operations"],
            "url": url,
        }

    def _parsed_id(self) -> str:
        return identifiers.parse_entity_id("operation_id", self.operation_id, "a background operation")


class AyonReviewableSensor(_ProjectSensor):
    """Waits until the reviewables of a version can be viewed: all of them, or one.

    A version that has none yet is waited for, too. Endpoint:
    ``GET /api/projects/{project}/versions/{id}/reviewables``.

    :param project: name of the project
    :param version_id: id of the version
    :param activity_id: id of the activity that uploaded one reviewable; default: all reviewables of the version
    :param ayon_conn_id: the Airflow connection
    :return: `ViewableReviewables`
    :raises AirflowFailException: for invalid arguments, a missing version, and a failed conversion
    """

    wait_spec = "self_hosted.ayon.waits.REVIEWABLE"
    template_fields: Sequence[str] = (*_ProjectSensor.template_fields, "version_id", "activity_id")

    def __init__(self, *, version_id: str, activity_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.version_id, self.activity_id = version_id, activity_id

    def external_id(self) -> str:
        """Return the key: the version, its project and, for one reviewable, its activity."""
        activity = self._parse_activity_id() if is_set(self.activity_id) else None
        return WaitKey(self._parsed_id(), (self._parsed_project(), *([activity] if activity else []))).to_text()

    def external_asset(self) -> Sequence[str]:
        """Return type and id of the version, and its project."""
        return "project", self._parsed_project(), "version", self._parsed_id()

    def build_result(self, observation: Observation, base_url: str) -> ViewableReviewables:
        """Return the reviewables.

        :param observation: the last observation
        :param base_url: AYON's address
        :raises PermanentError: if a conversion failed
        """
        url, found = records.page_url(base_url, self._parsed_project()), observation.details["reviewables"]
        if observation.state != "ready":
            failed = [item for item in found if item["state"] == observation.state]
            reasons = "; ".join(f"{item['filename']}: {item['description']}" for item in failed)
            subject = f"a reviewable of version {self._parsed_id()} of {self._parsed_project()} is {observation.state}"
            raise PermanentError(f"{subject}: {reasons}; see {url}")
        return {
            "project": self._parsed_project(),
            "version_id": self._parsed_id(),
            "reviewables": found,
            "url": url,
        }

    def _parsed_id(self) -> str:
        return identifiers.parse_entity_id("version_id", self.version_id, "a version")

    def _parse_activity_id(self) -> str:
        return identifiers.parse_entity_id("activity_id", self.activity_id, "an activity")
