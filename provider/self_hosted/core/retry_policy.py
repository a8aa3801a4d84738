"""When Airflow tries a task again: not at all where no retry helps, and not before the product asked to be left alone.

Airflow 3.3 lets a policy decide. On older ones the same errors end a task by `final_errors_fail_at_once`, and
Retry-After counts within a try only.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from self_hosted.core.errors import Final, ProductError

try:
    from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy

    HAS_POLICIES = True
except ImportError:  # before Airflow 3.3
    RetryPolicy = object  # type: ignore[assignment,misc]
    HAS_POLICIES = False

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator


class ProductRetryPolicy(RetryPolicy):
    """Ends a task at once on errors that no retry mends, and waits as long as the product asks for.

    Operators and sensors of this provider have it unless they are given another one. A ``@task`` that calls a hook gets
    it by ``@task(retry_policy=ProductRetryPolicy())``.
    """

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """What to do after a failure.

        :param exception: what ended the try
        :param try_number: unused; the number of tries is limited by ``retries``
        :param max_tries: unused
        :param context: unused
        :return: an Airflow ``RetryDecision``
        """
        if isinstance(exception, Final):
            return RetryDecision.fail(reason=f"trying again does not help: {exception}")
        if isinstance(exception, ProductError) and exception.retry_after:
            # with jitter, for all who were turned away together were told the same
            delay = timedelta(seconds=exception.retry_after * random.uniform(1.0, 1.2))  # noqa: S311 no secret
            return RetryDecision.retry(delay=delay, reason=f"the product asked to wait: {exception}")
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Nothing to store: it has no settings."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> ProductRetryPolicy:
        """The policy, from what `serialize` returned.

        :param data: nothing
        """
        return cls()


def obey_the_product(task: BaseOperator) -> None:
    """Give a task the policy, where Airflow has policies, unless it was given one.

    :param task: an operator or sensor
    """
    if HAS_POLICIES and task.retry_policy is None:
        task.retry_policy = ProductRetryPolicy()
