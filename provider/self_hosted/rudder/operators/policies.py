"""The operator that updates policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.operator import publish_link
from self_hosted.rudder.operators.base import RudderOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.rudder.api import policies
else:
    policies = lazy_import("self_hosted.rudder.api.policies")


class RudderUpdatePoliciesOperator(RudderOperator):
    """Starts the generation of changed policies; ``POST /system/update/policies``.

    The server generates them asynchronously; wait for the agents with `RudderNodeRunSensor`.

    :param rudder_conn_id: the Airflow connection
    :return: `self_hosted.rudder.api.policies.PolicyUpdate`
    :raises AirflowFailException: if the account may not write techniques
    """

    def submit(self, context: Context) -> policies.PolicyUpdate:
        """Start the update.

        :param context: the context of the task
        """
        publish_link(context, self.hook.settings.address.base_url)
        update = self.hook.run(policies.start_update())
        emit_asset(context, self.hook, asset_uri(self.hook, "policies"), update)
        return update
