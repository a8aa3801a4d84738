"""The retry policy, as middleware and as a wrapper of whole flows: one policy for both transports.

tenacity decides and the flow acts. tenacity's own loops exist twice, one blocking and one with `await`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import tenacity

from self_hosted.core.http.errors import (
    MAX_RETRY_AFTER_PAUSE_SECONDS,
    ConcurrencyQuotaError,
    OutcomeUnknownError,
    SelfHostedError,
    ServerError,
)
from self_hosted.core.http.flow import Flow, Pause, Reply, Request

T = TypeVar("T")
MAX_BACKOFF_SECONDS = 30

ErrorParser = Callable[[Reply], SelfHostedError | None]
"""A product's error function: return the error that a reply stands for, or None for a success."""


class Retries:
    """Middleware that turns replies into errors and repeats requests that may safely be repeated.

    :param parse_error: the product's error function
    :param timeout: seconds after which no further attempt begins
    """

    def __init__(self, parse_error: ErrorParser, timeout: float) -> None:
        self.parse_error, self.timeout = parse_error, timeout

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request, and again after errors that may pass.

        :raises SelfHostedError: the error of the last attempt
        """
        return with_retries(lambda: self._attempt(request), lambda error: _is_retryable(error, request), self.timeout)

    def _attempt(self, request: Request) -> Flow[Reply]:
        reply = yield request
        error = self._parse_error(reply)
        if error is not None:
            raise error
        return reply

    def _parse_error(self, reply: Reply) -> SelfHostedError | None:
        try:
            return self.parse_error(reply)
        except ServerError:
            if reply.status < 400:
                raise
            return reply.default_error(reply.text)  # its body is not what it should be, or is cut off


def with_retries(
    make_flow: Callable[[], Flow[T]], is_retryable: Callable[[SelfHostedError], bool], timeout: float
) -> Flow[T]:
    """Run a flow, and again after retryable errors: exponential backoff with full jitter, or Retry-After if given.

    :param make_flow: returns a new flow for each attempt
    :param is_retryable: whether an error allows another attempt
    :param timeout: seconds after which no further attempt begins
    :raises SelfHostedError: the error of the last attempt
    """
    policy = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, SelfHostedError) and is_retryable(error)),
        wait=_wait_seconds,
        stop=tenacity.stop_before_delay(timeout),
        reraise=True,
    )
    state = tenacity.RetryCallState(policy, fn=None, args=(), kwargs={})
    policy.begin()
    while True:
        decision = policy.iter(retry_state=state)
        if isinstance(decision, tenacity.DoAttempt):
            try:
                return (yield from make_flow())
            except SelfHostedError as error:
                state.set_exception((type(error), error, error.__traceback__))
        else:
            reason = _describe_retry(state, float(decision), timeout)
            state.prepare_for_next_attempt()
            yield Pause(float(decision), reason=reason)


def _describe_retry(state: tenacity.RetryCallState, seconds: float, timeout: float) -> str:
    error = state.outcome.exception() if state.outcome else None
    source = " (Retry-After)" if isinstance(error, SelfHostedError) and error.retry_after else ""
    return f"{error}: retry {state.attempt_number} in {seconds:.1f} s{source}, for up to {timeout:.0f} s in all"


def _is_retryable(error: SelfHostedError, request: Request) -> bool:
    if request.fail_fast_on_quota and isinstance(error, ConcurrencyQuotaError):
        return False
    return request.is_idempotent if isinstance(error, OutcomeUnknownError) else error.retryable


_backoff = tenacity.wait_random_exponential(multiplier=0.5, max=MAX_BACKOFF_SECONDS)


def _wait_seconds(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    retry_after = error.retry_after if isinstance(error, SelfHostedError) else None
    # "Retry-After: 0" does not mean "at once, again and again"
    return min(retry_after, MAX_RETRY_AFTER_PAUSE_SECONDS) if retry_after else _backoff(state)
