"""The base of every operator of Rudder: hook, connection argument and link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from self_hosted.core.tasks.operator import SelfHostedLink, SelfHostedOperator


class RudderLink(SelfHostedLink):
    """Opens the rule, or the change request that waits for approval, in Rudder."""

    name = "Open in Rudder"


class RudderOperator(SelfHostedOperator):
    """Does one thing in Rudder.

    :param rudder_conn_id: the Airflow connection
    """

    hook_class = "self_hosted.rudder.hook.RudderHook"
    operator_extra_links = (RudderLink(),)
    template_fields: Sequence[str] = ("rudder_conn_id",)

    def __init__(self, *, rudder_conn_id: str = "rudder_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rudder_conn_id = rudder_conn_id
