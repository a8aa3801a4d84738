"""The base of sync operators: which records, in which connection. Each product adds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from self_hosted.core.tasks.operator import SelfHostedOperator, publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.core.sync.target import Target


class TargetOperator(SelfHostedOperator):
    """Works with the records of a target; each product's base says which."""

    def target_arguments(self) -> dict[str, Any]:
        """Return the arguments that identify the target, checked, as plain JSON; a plan keeps them.

        :raises ValueError: naming the argument
        """
        raise NotImplementedError

    def build_target(self, given: Mapping[str, Any]) -> Target:
        """Return the target.

        :param given: what `PlanningOperator.planned_target` returned
        :raises ValueError: naming the argument
        """
        raise NotImplementedError

    def target_url(self, given: Mapping[str, Any]) -> str:
        """Return the page with the target's records.

        :param given: what `target_arguments` returned
        """
        raise NotImplementedError

    def asset_path(self, given: Mapping[str, Any]) -> Sequence[str]:
        """Return the path of the target as an asset, see `assets.asset_uri`.

        :param given: what `target_arguments` returned
        """
        raise NotImplementedError

    def result_details(self) -> dict[str, Any]:
        """Return what the product adds to each result."""
        return {}

    def validate(self) -> None:
        """Check the arguments that identify the target.

        :raises ValueError: naming the argument
        """
        self.target_arguments()
        super().validate()

    def publish_target(self, context: Context) -> None:
        """Let the task's link open the page of the target.

        :param context: the context of the task
        """
        publish_link(context, self.target_url(self.target_arguments()))
