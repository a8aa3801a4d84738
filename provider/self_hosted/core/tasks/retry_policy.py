"""When Airflow retries a task: never after permanent errors, and not before the time that the product requested.

Airflow 3.3 supports retry policies. In older versions permanent errors end a task through
`fail_fast_on_permanent_errors`, and Retry-After is respected within a try only.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from self_hosted.core.http.errors import MAX_RETRY_AFTER_SECONDS, PermanentError, SelfHostedError

try:
    from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy

    HAS_POLICIES = True
except ImportError:  # before Airflow 3.3
    RetryPolicy = object  # type: ignore[assignment,misc]
    HAS_POLICIES = False

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator


class SelfHostedRetryPolicy(RetryPolicy):
    """Fails a task at once on permanent errors, and delays its retry by the product's Retry-After, 24 hours at most.

    Operators and sensors of this provider have it unless they are given another one. A ``@task`` that calls a hook gets
    it by ``@task(retry_policy=SelfHostedRetryPolicy())``.
    """

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """Return Airflow's decision after a failed try.

        :param exception: the error of the try
        :param try_number: not used; ``retries`` limits the number of tries
        :param max_tries: not used
        :param context: not used
        """
        if isinstance(exception, PermanentError):
            return RetryDecision.fail(reason=f"a retry cannot succeed: {exception}")
        if isinstance(exception, SelfHostedError) and (exception.retry_after or 0) > 0:
            seconds = min(exception.retry_after or 0, MAX_RETRY_AFTER_SECONDS)
            # with jitter: all rejected clients received the same time
            delay = timedelta(seconds=seconds * random.uniform(1.0, 1.2))  # noqa: S311 no secret
            return RetryDecision.retry(delay=delay, reason=f"the product requested a pause: {exception}")
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Return no data: the policy has no settings."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> SelfHostedRetryPolicy:
        """Return the policy.

        :param data: the result of `serialize`
        """
        return cls()


def apply_default_retry_policy(task: BaseOperator) -> None:
    """Give a task the policy, if Airflow supports policies and the task has none.

    :param task: an operator or sensor
    """
    if HAS_POLICIES and task.retry_policy is None:
        task.retry_policy = SelfHostedRetryPolicy()
