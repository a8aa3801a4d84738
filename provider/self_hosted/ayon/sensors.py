"""What a DAG waits for in AYON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.core.errors import Broken, Final
from self_hosted.core.lazy import when_used
from self_hosted.core.sensor import ProductSensor

if TYPE_CHECKING:
    from self_hosted.ayon import api
    from self_hosted.core.question import Seen
else:
    api = when_used("self_hosted.ayon.api")


class AyonEventSensor(ProductSensor):
    """Waits until an event is finished, such as a job that a service of the studio enrolled for; ``POST /graphql``.

    :param event_id: its id
    :param ayon_conn_id: the Airflow connection
    :return: {event_id, topic, project, status: "finished", description, summary: {...}, url}
    :raises AirflowFailException: for wrong arguments, an event that is not there, and one that was aborted. One that
        failed is left to the task's retries: its service may take it up again
    """

    question: ClassVar[str] = "self_hosted.ayon.triggers.EVENT"
    template_fields: Sequence[str] = ("event_id", "ayon_conn_id")

    def __init__(self, *, event_id: str, ayon_conn_id: str = "ayon_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.event_id, self.ayon_conn_id = event_id, ayon_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        api.check_id("event_id", self.event_id)

    def key(self) -> str:
        """The event's id."""
        return self.event_id

    def finish(self, seen: Seen, base_url: str) -> dict[str, Any]:
        """The result, unless the event failed or was aborted."""
        url = f"{base_url}/events"
        if seen.state != "finished":
            topic, words = seen.facts["topic"], seen.facts["description"]
            kind = Broken if seen.state == "failed" else Final
            raise kind(f"event {self.event_id} ({topic}) is {seen.state}: {words or 'it does not say why'}; see {url}")
        return {"event_id": self.event_id, "status": seen.state, **seen.facts, "url": url}


class AyonEntityStatusSensor(ProductSensor):
    """Waits until a folder, task, product, version, representation or workfile has one of some statuses.

    One that is not there yet is waited for as well. Rests on ``POST /graphql``.

    :param project: the project's name
    :param entity_type: folder, task, product, version, representation or workfile
    :param entity_id: its id
    :param statuses: names of statuses, any of which ends the wait, such as ["Approved", "On hold"]; a text is one
    :param ayon_conn_id: the Airflow connection
    :return: {project, entity_type, entity_id, status, url}
    :raises AirflowFailException: for wrong arguments, and when the entity is deleted meanwhile
    """

    question: ClassVar[str] = "self_hosted.ayon.triggers.ENTITY_STATUS"
    template_fields: Sequence[str] = ("project", "entity_type", "entity_id", "statuses", "ayon_conn_id")

    def __init__(
        self,
        *,
        project: str,
        entity_type: str,
        entity_id: str,
        statuses: Sequence[str] | str,
        ayon_conn_id: str = "ayon_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project, self.entity_type, self.entity_id = project, entity_type, entity_id
        self.statuses, self.ayon_conn_id = statuses, ayon_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        api.check_project(self.project)
        if self.entity_type not in api.ENTITY_TYPES:
            raise ValueError(f"entity_type must be one of {', '.join(api.ENTITY_TYPES)}, not {self.entity_type!r}")
        api.check_id("entity_id", self.entity_id)
        if not self._wanted():
            raise ValueError("statuses must name at least one status, such as Approved")
        for status in self._wanted():
            api.check_form("statuses", status, api.STATUS, "names of letters, digits, spaces, _ and -")

    def key(self) -> str:
        """Project, type, id and statuses."""
        return api.key_of(self.project, self.entity_type, self.entity_id, "|".join(self._wanted()))

    def finish(self, seen: Seen, base_url: str) -> dict[str, Any]:
        """The result."""
        entity = {"project": self.project, "entity_type": self.entity_type, "entity_id": self.entity_id}
        return {**entity, "status": seen.state, "url": api.project_url(base_url, self.project)}

    def _wanted(self) -> list[str]:
        return [self.statuses] if isinstance(self.statuses, str) else list(self.statuses or ())


class AyonBackgroundOperationSensor(ProductSensor):
    """Waits until a batch of operations is carried out that somebody sent to AYON's background.

    AYON forgets it 30 minutes after its last news, so wait for it at once. Rests on
    ``GET /api/projects/{project}/operations/background/{id}``.

    :param project: the project's name
    :param operation_id: what AYON answered to ``POST /api/projects/{project}/operations/background``
    :param ayon_conn_id: the Airflow connection
    :return: {project, operation_id, operations: how many it was, url}
    :raises AirflowFailException: for wrong arguments, for one that AYON does not know (any more), and when any of its
        operations failed; the error names the first of those
    """

    question: ClassVar[str] = "self_hosted.ayon.triggers.BACKGROUND_OPERATION"
    template_fields: Sequence[str] = ("project", "operation_id", "ayon_conn_id")

    def __init__(self, *, project: str, operation_id: str, ayon_conn_id: str = "ayon_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project, self.operation_id, self.ayon_conn_id = project, operation_id, ayon_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        api.check_project(self.project)
        api.check_id("operation_id", self.operation_id)

    def key(self) -> str:
        """Project and id."""
        return api.key_of(self.project, self.operation_id)

    def finish(self, seen: Seen, base_url: str) -> dict[str, Any]:
        """The result, unless operations failed."""
        url = api.project_url(base_url, self.project)
        if not seen.facts["success"]:
            words = "; ".join(f"{one['type']} {one['entity_type']}: {one['detail']}" for one in seen.facts["failed"])
            raise Final(f"background operation {self.operation_id} of {self.project} failed: {words}; see {url}")
        done = {"project": self.project, "operation_id": self.operation_id}
        return {**done, "operations": seen.facts["operations"], "url": url}


class AyonReviewableSensor(ProductSensor):
    """Waits until the reviewables of a version can be viewed: all that it has, or one of them.

    A version that has none yet is waited for as well. Rests on
    ``GET /api/projects/{project}/versions/{id}/reviewables``.

    :param project: the project's name
    :param version_id: the version's
    :param activity_id: the activity by which one reviewable was uploaded; None: all of the version
    :param ayon_conn_id: the Airflow connection
    :return: {project, version_id, reviewables: [{activity_id, file_id, filename, label, state, description}, ...], url}
    :raises AirflowFailException: for wrong arguments, a version that is not there, and when a conversion failed
    """

    question: ClassVar[str] = "self_hosted.ayon.triggers.REVIEWABLE"
    template_fields: Sequence[str] = ("project", "version_id", "activity_id", "ayon_conn_id")

    def __init__(
        self,
        *,
        project: str,
        version_id: str,
        activity_id: str | None = None,
        ayon_conn_id: str = "ayon_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project, self.version_id, self.activity_id = project, version_id, activity_id
        self.ayon_conn_id = ayon_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        api.check_project(self.project)
        api.check_id("version_id", self.version_id)
        if self.activity_id:
            api.check_id("activity_id", self.activity_id)

    def key(self) -> str:
        """Project, version and, for one reviewable, its activity."""
        return api.key_of(self.project, self.version_id, *([self.activity_id] if self.activity_id else []))

    def finish(self, seen: Seen, base_url: str) -> dict[str, Any]:
        """The result, unless a conversion failed."""
        url = api.project_url(base_url, self.project)
        found = seen.facts["reviewables"]
        failed = [f"{one['filename']}: {one['description']}" for one in found if one["state"] == seen.state]
        if seen.state != "ready":
            words = "; ".join(failed)
            raise Final(
                f"a reviewable of version {self.version_id} of {self.project} is {seen.state}: {words}; see {url}"
            )
        return {"project": self.project, "version_id": self.version_id, "reviewables": found, "url": url}
