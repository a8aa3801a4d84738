"""What a DAG waits for in Rudder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from self_hosted.core.errors import Conflict
from self_hosted.core.lazy import when_used
from self_hosted.core.sensor import ProductSensor

if TYPE_CHECKING:
    from self_hosted.core.wait import Seen
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

    def finish(self, seen: Seen) -> str:
        """Deployed, or else an error."""
        if seen.state != api.DEPLOYED:
            raise Conflict(f"change request {self.key()} was not deployed, its state is {seen.state!r}")
        return seen.state
