"""The responses of Assemblyline while a component is down.

The API server repeats its queries to Elasticsearch and Redis for ever, so that each request ends when nginx gives up.
Whether a write took effect depends on the query that failed.
"""

from __future__ import annotations

from self_hosted.sandbox.nginx import build_error

COMPONENTS = ("elasticsearch", "redis", "api", "ingress")
STATUSES = {"elasticsearch": 504, "redis": 504, "api": 502, "ingress": 503}


def reply(component: str, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the response.

    :param component: one of ``COMPONENTS``
    :param method: HTTP method of the request
    :param path: path, relative to the base URL of the product
    """
    if component in {"elasticsearch", "redis"} and path.startswith("/healthz/"):
        return _check_health(component, path)
    return build_error(STATUSES[component])


def _check_health(component: str, path: str) -> tuple[int, dict[str, str], bytes]:
    is_healthy = path != "/healthz/ready" or component != "elasticsearch"
    body = b"OK" if is_healthy else b"FAIL"
    return 200 if is_healthy else 503, {"Content-Type": "text/html; charset=utf-8"}, body
