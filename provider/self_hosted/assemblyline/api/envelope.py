"""How Assemblyline wraps its answers, and what its errors mean.

https://cybercentrecanada.github.io/assemblyline4_docs/integration/rest/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from self_hosted.core.errors import Broken, Busy, Invalid, ProductError, QuotaInUse, QuotaSpent
from self_hosted.core.flow import Flow, Reply, Request

API = "/api/v4"
"""What all paths begin with. They all end with a slash: without it the server answers with a redirect."""

HASH_SEARCH = f"{API}/hash_search"


def error_of(reply: Reply) -> ProductError | None:
    """What went wrong, or None.

    The envelope's message counts whatever the status is: some errors come with 200. Quotas are 503, told apart by
    their words.
    """
    envelope = _envelope(reply)
    words = str(envelope.get("api_error_message") or "")
    if reply.status == 503:
        return reply.error(_refusal(words), words or "not available at the moment")
    if reply.request.path.startswith(f"{HASH_SEARCH}/") and _is_by_source(reply.status, envelope.get("api_response")):
        return None  # each source says for itself what went wrong; the status is that of the worst
    if reply.status >= 400 and not envelope:
        return reply.plain_error("this is no answer of Assemblyline's; check the base URL and what stands before it")
    if reply.status < 300 and words:
        return reply.error(Invalid, words)
    return reply.plain_error(words)


def _is_by_source(status: int, answer: Any) -> bool:
    return status in {404, 422, 500} and isinstance(answer, dict) and bool(answer)


def _refusal(words: str) -> type[ProductError]:
    """What is refused for now only, what until something else ends, and what for the rest of the day."""
    if "quota" in words and "daily" in words:
        return QuotaSpent
    return QuotaInUse if "quota" in words and "concurrent" in words else Busy


def _envelope(reply: Reply) -> Mapping[str, Any]:
    body = reply.json() if reply.is_json and reply.body else None  # none when it went to a file
    return body if isinstance(body, dict) else {}


def asked(request: Request) -> Flow[Any]:
    """Send, and take the result out of the envelope."""
    reply = yield request
    body = reply.json()
    if not isinstance(body, dict) or "api_response" not in body:
        raise reply.error(Broken, "this is no answer of Assemblyline's; check the base URL")
    return body["api_response"]
