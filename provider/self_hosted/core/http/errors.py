"""Errors of a product, ordered by their consequence for the task.

    SelfHostedError
    ├── UnreachableError           the request did not reach the server         retried
    ├── UnavailableError           not now (429, 503); nothing was done         retried, after Retry-After if given
    │   └── ConcurrencyQuotaError  a quota on concurrent work is full           retried; bulk submits wait for a place
    ├── OutcomeUnknownError        the request may have been carried out        read back, never repeated blindly
    ├── NotReadyError              the requested object is not completed yet    left to the task's retries
    ├── WaitTimeoutError           a wait reached its deadline                  left to the task's retries
    ├── ServerError                the server failed on this request            left to the task's retries
    └── PermanentError             another attempt has the same result:
        ├── DailyQuotaError        a daily limit is used up
        ├── AuthenticationError    the credential is not, or no longer, accepted
        ├── AccessProxyError       a proxy before the server does not let the request through
        ├── PermissionDeniedError  the credential lacks a permission
        ├── NotFoundError          the object does not exist
        ├── ConflictError          the object exists already, or was changed concurrently
        └── InvalidRequestError    the product rejects the request

A message holds method, path, status and the product's own text; never a secret.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from self_hosted.core.http.redact import strip_control_characters

MAX_RETRY_AFTER_SECONDS = 24 * 3600.0
"""The longest time that a server may ask for; more is a mistake, such as a time in milliseconds."""
MAX_RETRY_AFTER_PAUSE_SECONDS = 3600.0
"""The longest pause of a running worker or triggerer because of Retry-After."""


class SelfHostedError(Exception):
    """A request to a product failed.

    :param message: what failed, in the product's own words where it gives any
    :param method: HTTP method of the request, "" if none was sent
    :param path: its path, without the query
    :param status: HTTP status of the reply, if there was one
    :param retry_after: seconds that the server requests before the next attempt, if it gave any
    """

    retryable = False

    def __init__(
        self,
        message: str,
        *,
        method: str = "",
        path: str = "",
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.method, self.path = strip_control_characters(message), method, path
        self.status, self.retry_after = status, retry_after

    def __str__(self) -> str:
        request = f"{self.method} {self.path}: " if self.method else ""
        status = f" (HTTP {self.status})" if self.status else ""
        return f"{request}{self.message}{status}"

    def __reduce__(self) -> tuple[object, ...]:
        # Airflow pickles exceptions between its processes; pickling loses keyword-only arguments
        return _rebuild, (type(self), self.__dict__.copy())

    def redact(self, redact: Callable[[str], str]) -> None:
        """Remove secrets from the message, and from all that shows it.

        :param redact: returns a text without secrets
        """
        self.message, self.path = redact(self.message), redact(self.path)
        self.args = (self.message,)

    def as_json(self) -> dict[str, Any]:
        """Return the error as plain JSON, for a trigger event; `error_from_json` reads it."""
        names = ("message", "method", "path", "status", "retry_after")
        error_class = next(base.__name__ for base in type(self).__mro__ if base.__module__ == __name__)
        return {"class": error_class, **{name: getattr(self, name) for name in names}}


def _rebuild(error_class: type[SelfHostedError], state: dict[str, object]) -> SelfHostedError:
    error = error_class(str(state["message"]))
    error.__dict__.update(state)
    return error


def error_from_json(stored: dict[str, Any]) -> SelfHostedError:
    """Return the error that `SelfHostedError.as_json` stored; a product's own class comes back as its core base class.

    :param stored: ``{class, message, method, path, status, retry_after}``
    """
    details = {name: value for name, value in stored.items() if name not in {"class", "message"}}
    error_class: type[SelfHostedError] = globals()[stored["class"]]
    return error_class(stored["message"], **details)


class UnreachableError(SelfHostedError):
    """The request did not reach the server: unknown host, connection refused or timed out."""

    retryable = True


class UnavailableError(SelfHostedError):
    """The product cannot do it now, and did nothing."""

    retryable = True


class ConcurrencyQuotaError(UnavailableError):
    """A quota on concurrent work is full; a place becomes free when some of the work ends."""


class OutcomeUnknownError(SelfHostedError):
    """The response was lost, so the request may have been carried out."""


class NotReadyError(SelfHostedError):
    """The requested object is not completed yet."""


class WaitTimeoutError(SelfHostedError):
    """A wait reached its deadline."""


class ServerError(SelfHostedError):
    """The server failed on this request, or its response is malformed."""


class PermanentError(SelfHostedError):
    """Another attempt has the same result."""


class DailyQuotaError(PermanentError):
    """A daily limit is used up."""


class AuthenticationError(PermanentError):
    """The credential is not, or no longer, accepted."""


class AccessProxyError(PermanentError):
    """A proxy before the server does not let the request through: it requires a header."""


class PermissionDeniedError(PermanentError):
    """The credential lacks a permission."""


class NotFoundError(PermanentError):
    """The object does not exist."""


class ConflictError(PermanentError):
    """The object exists already, or was changed concurrently."""


class InvalidRequestError(PermanentError):
    """The product rejects the request."""


ERROR_CLASSES_BY_STATUS: dict[int, type[SelfHostedError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    425: UnavailableError,
    429: UnavailableError,
    # a gateway that timed out may have passed the request on; a server that answers 503 has not handled it
    502: OutcomeUnknownError,
    503: UnavailableError,
    504: OutcomeUnknownError,
}
"""The errors of HTTP statuses, where a product keeps to HTTP. Each product's ``errors.py`` handles its deviations."""


def error_class_for_status(status: int) -> type[SelfHostedError]:
    """Return the error class of an HTTP status: from the table, else by its hundreds.

    :param status: 400 or above
    """
    return ERROR_CLASSES_BY_STATUS.get(status, InvalidRequestError if status < 500 else ServerError)
