"""How Rudder is signed in to, and a table of contents of what can be asked of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from self_hosted.core.auth import HeaderAuth
from self_hosted.core.connection import Settings
from self_hosted.core.flow import Flow, Reply, Request
from self_hosted.core.hook import ProductHook, published
from self_hosted.rudder import api
from self_hosted.rudder.connection import FORM

OLDEST_VERSION = 21
SOON = timedelta(days=14)
RIGHTS = {
    "ro": "may read",
    "rw": "may read and write",
    "acl": "may do what its access list says",
    "none": "may do nothing",
}


class TokenAuth(HeaderAuth):
    """An API token, and the version of the API: in the path or in a header, since Rudder refuses it in both.

    :param token: the API token
    :param version: a number or "latest"
    :param in_header: whether the version goes into the header ``X-API-Version``
    """

    def __init__(self, token: str, version: str, *, in_header: bool) -> None:
        super().__init__({"X-API-Token": token, **({"X-API-Version": version} if in_header else {})})
        self.prefix = "/api" if in_header else f"/api/{version}"

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request below the prefix, with the headers."""
        return (yield from super().send(replace(request, path=self.prefix + request.path)))


class RudderHook(ProductHook):
    """Talks to a Rudder server (rudder.io, not RudderStack).

    :param rudder_conn_id: the Airflow connection
    """

    form = FORM
    error_of = staticmethod(api.error_of)

    def __init__(self, rudder_conn_id: str = "rudder_default") -> None:
        super().__init__(rudder_conn_id)

    def auth(self, settings: Settings) -> TokenAuth:
        """The token from the password, the version from the extras."""
        token = settings.password.strip()
        if not token:
            raise ValueError(f"connection {settings.conn_id!r}: the API token (password) is missing")
        in_header = settings.extra["version_in"] == "header"
        return TokenAuth(token, _version(settings), in_header=in_header)

    def signed_in(self) -> Flow[str]:
        """Say whose token it is, what it may do and when it ends."""
        account = yield from api.proven_token()
        if account is None:
            return "Rudder accepts the token, but does not tell whose it is, what it may do and when it ends."
        kind = account.get("authorizationType", "")
        rights = RIGHTS.get(kind, f"has the rights {kind!r}")
        return f"Signed in as API account {account['name']!r}, which {rights}; its token {_end(account)}."

    current_account = published(api.current_account)
    rules = published(api.rules)
    rule = published(api.rule)
    update_rule = published(api.update_rule)
    change_requests = published(api.change_requests)
    change_request = published(api.change_request)
    accept_change_request = published(api.accept_change_request)
    decline_change_request = published(api.decline_change_request)
    node = published(api.node)
    nodes = published(api.nodes)
    pending_nodes = published(api.pending_nodes)
    compliance = published(api.compliance)
    compliances = published(api.compliances)


def _version(settings: Settings) -> str:
    version: str = (settings.extra["api_version"] or "latest").strip().lower()
    if version != "latest" and not (version.isdecimal() and int(version) >= OLDEST_VERSION):
        raise ValueError(
            f'connection {settings.conn_id!r}: api_version must be "latest" or a number from {OLDEST_VERSION} on, '
            f"not {settings.extra['api_version']!r}"
        )
    return version


def _end(account: dict[str, Any]) -> str:
    """When an account's token ends; with a warning when that is soon, for tokens end after a month by default."""
    if account.get("expirationPolicy") == "never" or not account.get("expirationDate"):
        return "does not end"
    end = datetime.fromisoformat(account["expirationDate"]).astimezone(UTC)
    soon = end - datetime.now(UTC) < SOON
    return f"ends on {end:%Y-%m-%d}" + (", which is soon: renew it in Administration, API accounts" if soon else "")
