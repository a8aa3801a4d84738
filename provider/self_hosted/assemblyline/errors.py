"""Assemblyline's response envelope, and the errors that its responses stand for.

https://cybercentrecanada.github.io/assemblyline4_docs/integration/rest/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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

API_PATH = "/api/v4"
"""The prefix of all paths. Each path ends with a slash: without it the server answers with a redirect."""

HASH_SEARCH_PATH = f"{API_PATH}/hash_search"
FOREIGN_RESPONSE = "the response does not come from Assemblyline's API; check the base URL and the proxies before it"
FEATURE_OFF_MESSAGES = ("Api does not exist", "not configured for this system", "Archiving is disabled")


def parse_error(reply: Reply) -> SelfHostedError | None:
    """Return the error that a reply stands for, or None for a success.

    A message in the envelope is an error under any status: some errors have status 200. Quotas have status 503, and
    only their messages tell one from another.

    :param reply: any reply of the server
    """
    envelope = _read_envelope(reply)
    message = str(envelope.get("api_error_message") or "")
    if reply.status == 503:
        return reply.error(_error_class_of_503(message), message or "not available at the moment")
    if _is_hash_search_result(reply, envelope.get("api_response")):
        return None
    if reply.status >= 400 and not envelope:
        return reply.default_error(FOREIGN_RESPONSE)
    if reply.status < 300 and message:
        return reply.error(InvalidRequestError, message)
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
    body = reply.json() if reply.is_json and reply.body else None  # the body is empty if it went to a file
    return body if isinstance(body, dict) else {}


def call(request: Request) -> Flow[Any]:
    """Send a request and return the result in the envelope.

    :param request: the request
    :raises ServerError: if the response has no envelope
    """
    reply = yield request
    body = reply.json()
    if not isinstance(body, dict) or "api_response" not in body:
        raise reply.error(ServerError, FOREIGN_RESPONSE)
    return body["api_response"]


def call_if_enabled(feature: str, request: Request) -> Flow[Any]:
    """Send a request for an optional feature and return the result in the envelope.

    Without the feature, the server does not know the path or says that it is switched off.

    :param feature: the administrator's name for it
    :param request: the request
    :raises InvalidRequestError: if the feature is switched off
    """
    try:
        return (yield from call(request))
    except (NotFoundError, PermissionDeniedError, ServerError) as error:
        if any(text in error.message for text in FEATURE_OFF_MESSAGES):
            raise InvalidRequestError(f"{feature} is not enabled on this server ({error})") from None
        raise
