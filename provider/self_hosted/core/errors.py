"""What can go wrong when a product is asked for something, sorted by what it means for the task.

    ProductError
    ├── Unreachable      the request did not get there                      tried again
    ├── Busy             not now (429, 503)                                 tried again, after Retry-After when given
    │   └── QuotaInUse       a quota that other work of the user fills      tried again; who starts work waits for it
    ├── Uncertain        it may have been carried out                       read back, never repeated blindly
    ├── Overdue          a wait came to its deadline                        left to the task's retries
    ├── Broken           the server failed on this request                  left to the task's retries
    └── Final            nothing changes by trying again:
        ├── QuotaSpent       a daily limit is used up
        ├── LoginRefused     the credential is not, or no longer, accepted
        ├── Forbidden        the credential lacks a right
        ├── NotFound         there is no such thing
        ├── Conflict         it exists already, or somebody else changed it
        └── Invalid          the product refuses what was sent

No message ever holds a secret: only method, path, status and the product's own words go in.
"""

from __future__ import annotations

from typing import Any


class ProductError(Exception):
    """A product did not do what it was asked.

    :param words: what happened, in the product's own words where it has any
    :param method: the HTTP method of the request, if one was sent
    :param path: its path, without the query
    :param status: the HTTP status of the answer, if one came
    :param retry_after: seconds the server asks to be left alone, if it said so
    """

    retryable = False

    def __init__(
        self,
        words: str,
        *,
        method: str = "",
        path: str = "",
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(words)
        self.words, self.method, self.path = words, method, path
        self.status, self.retry_after = status, retry_after

    def __str__(self) -> str:
        asked = f"{self.method} {self.path}: " if self.method else ""
        status = f" (HTTP {self.status})" if self.status else ""
        return f"{asked}{self.words}{status}"

    def __reduce__(self) -> tuple[object, ...]:
        # keyword-only arguments are lost by the pickling of exceptions, which Airflow uses between its processes
        return _rebuilt, (type(self), self.__dict__.copy())

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON, for the event of a trigger; `from_json` reads it."""
        names = ("words", "method", "path", "status", "retry_after")
        kind = next(one.__name__ for one in type(self).__mro__ if one.__module__ == __name__)
        return {"kind": kind, **{name: getattr(self, name) for name in names}}


def _rebuilt(kind: type[ProductError], state: dict[str, object]) -> ProductError:
    error = kind(str(state["words"]))
    error.__dict__.update(state)
    return error


def from_json(told: dict[str, Any]) -> ProductError:
    """The error that `ProductError.as_json` told; a product's own kind comes back as the one of this file above it.

    :param told: ``{kind, words, method, path, status, retry_after}``
    """
    details = {name: value for name, value in told.items() if name not in {"kind", "words"}}
    kind: type[ProductError] = globals()[told["kind"]]
    return kind(told["words"], **details)


class Unreachable(ProductError):
    """The request did not get there: no such address, refused, no answer to a connection attempt."""

    retryable = True


class Busy(ProductError):
    """The product refused to do it now and did nothing."""

    retryable = True


class QuotaInUse(Busy):
    """A quota of things at once is full; it frees up when some of them end."""


class Uncertain(ProductError):
    """The answer was lost, so the request may have been carried out."""


class Overdue(ProductError):
    """What was waited for did not happen before the deadline."""


class Broken(ProductError):
    """The server failed on this request, or answered what nobody can read."""


class Final(ProductError):
    """Trying again changes nothing."""


class QuotaSpent(Final):
    """A daily limit is used up."""


class LoginRefused(Final):
    """The credential is not, or no longer, accepted."""


class Forbidden(Final):
    """The credential lacks a right."""


class NotFound(Final):
    """There is no such thing."""


class Conflict(Final):
    """It exists already, or somebody else changed it meanwhile."""


class Invalid(Final):
    """The product refuses what was sent."""


BY_STATUS: dict[int, type[ProductError]] = {
    401: LoginRefused,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    425: Busy,
    429: Busy,
    # a gateway that gave up may have passed the request on; one that says 503 has not
    502: Uncertain,
    503: Busy,
    504: Uncertain,
}
"""What statuses mean where a product keeps to HTTP; each product's own ``error_of`` knows where it does not."""


def kind_of(status: int) -> type[ProductError]:
    """The kind of error an HTTP status stands for: the table above, else Invalid below 500 and Broken from there."""
    return BY_STATUS.get(status, Invalid if status < 500 else Broken)
