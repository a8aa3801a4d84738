"""Assemblyline's response envelope, and the errors that its responses stand for.

https://cybercentrecanada.github.io/assemblyline4_docs/integration/rest/
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeVar

from typing_extensions import TypedDict

from self_hosted.core.http.errors import (
    ConcurrencyQuotaError,
    DailyQuotaError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    SelfHostedError,
    ServerError,
    UnavailableError,
)
from self_hosted.core.http.flow import Flow, Reply, Request
from self_hosted.core.http.shape import JsonObject, check_shape

T = TypeVar("T")
API_PATH = "/api/v4"
"""The prefix of all paths. Each path ends with a slash: without it the server answers with a redirect."""

HASH_SEARCH_PATH = f"{API_PATH}/hash_search"
FOREIGN_RESPONSE = "the response does not come from Assemblyline's API; check the base URL and the proxies before it"
EXPIRED_SEARCH_MESSAGE = "No search context found"
FEATURE_OFF_MESSAGES = ("Api does not exist", "not configured for this system", "Archiving is disabled")


class SearchExpiredError(InvalidRequestError):
    """The server has forgotten a paginated search."""


class Success(TypedDict):
    """The shape of a response that only says whether the server made a change."""

    success: bool


def parse_error(reply: Reply) -> SelfHostedError | None:
    """Return the error that a reply stands for, or None for a success.

    A message in the envelope is an error under any status: some errors have status 200. Quotas have status 503, and
    only their messages tell one from another.

    :param reply: any reply of the server
    """
    envelope = _read_envelope(reply)
    message = _read_message(envelope)
    if reply.status == 503:
        return reply.error(_error_class_of_503(message), message or "not available at the moment")
    if _is_hash_search_result(reply, envelope.get("api_response")):
        return None
    if reply.status >= 400 and not envelope:
        return reply.default_error(FOREIGN_RESPONSE)
    if EXPIRED_SEARCH_MESSAGE in message:  # at the end of a message that is longer than the text of an error
        return reply.error(SearchExpiredError, EXPIRED_SEARCH_MESSAGE)
    if reply.status < 300 and message:
        is_text = isinstance(envelope["api_error_message"], str)
        return reply.error(InvalidRequestError if is_text else ServerError, message)
    return reply.default_error(message)


def _is_hash_search_result(reply: Reply, response: Any) -> bool:
    """Whether a reply lists data sources with an error of each: its status is that of the worst source."""
    is_hash_search = reply.request.path.startswith(f"{HASH_SEARCH_PATH}/")
    return is_hash_search and reply.status in {404, 422, 500} and isinstance(response, dict) and bool(response)


def _error_class_of_503(message: str) -> type[SelfHostedError]:
    """Return the class of a quota that is used up for the day, of a quota on concurrent work, or of an outage."""
    if "quota" in message and "daily" in message:
        return DailyQuotaError
    return ConcurrencyQuotaError if "quota" in message and "concurrent" in message else UnavailableError


def _read_envelope(reply: Reply) -> Mapping[str, Any]:
    """Return the envelope; an empty one if there is none, since the status alone may say enough."""
    if reply.is_json and reply.body:  # the body is empty if it went to a file
        with suppress(ServerError):
            body = reply.json()
            return body if isinstance(body, dict) else {}
    return {}


def _read_message(envelope: Mapping[str, Any]) -> str:
    message = envelope.get("api_error_message")
    if message is None or isinstance(message, str):
        return message or ""
    return f"the response has an error message that is no text but {type(message).__name__}"


def call(request: Request, shape: type[T]) -> Flow[T]:
    """Send a request and return the result in the envelope.

    :param request: the request
    :param shape: the shape of the result, see `check_shape`; ``object`` for any
    :raises ServerError: if the response has no envelope, or its result has another shape
    :raises OutcomeUnknownError: in the same cases, for a write that may have been carried out
    """
    return read_result((yield request), shape)


def call_object(request: Request, fields: type[Any]) -> Flow[JsonObject]:
    """Send a request and return the object in the envelope, to pass it on as a whole.

    :param request: the request
    :param fields: the shape of the object: the fields that it always has
    :raises ServerError: see `call`
    """
    document: JsonObject = yield from call(request, fields)
    return document


def call_optional(request: Request, shape: type[T]) -> Flow[T | None]:
    """Send a request and return the result in the envelope, or None if the server has none.

    :param request: the request
    :param shape: see `call`
    :raises ServerError: see `call`
    """
    reply = yield request
    return None if read_result(reply, object) is None else read_result(reply, shape)


def read_result(reply: Reply, shape: type[T]) -> T:
    """Return the result in the envelope of a response.

    :param reply: a successful reply
    :param shape: see `call`
    :raises ServerError: see `call`
    """
    body = reply.json()
    if not isinstance(body, dict) or "api_response" not in body:
        raise reply.malformed(FOREIGN_RESPONSE)
    return check_shape(reply, body["api_response"], shape, "api_response")


def call_if_enabled(feature: str, request: Request, shape: type[T]) -> Flow[T]:
    """Send a request for an optional feature and return the result in the envelope.

    Without the feature, the server does not know the path or says that it is switched off.

    :param feature: the administrator's name for it
    :param request: the request
    :param shape: see `call`
    :raises InvalidRequestError: if the feature is switched off
    """
    try:
        return (yield from call(request, shape))
    except (NotFoundError, PermissionDeniedError, ServerError) as error:
        if any(text in error.message for text in FEATURE_OFF_MESSAGES):
            raise InvalidRequestError(f"{feature} is not enabled on this server ({error})") from None
        raise
