"""RudderHook: the sign-in, and the endpoints of Rudder as methods, grouped by resource."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from self_hosted.core.connection.hook import SelfHostedHook, hook_method
from self_hosted.core.connection.settings import Settings
from self_hosted.core.http.auth import HeaderAuth
from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow, Reply, Request
from self_hosted.core.timestamps import read_timestamp
from self_hosted.rudder.api import accounts, change_requests, compliance, nodes, policies, rules
from self_hosted.rudder.api.shapes import Account
from self_hosted.rudder.connection import FORM
from self_hosted.rudder.errors import parse_error

MIN_API_VERSION = 21
EXPIRY_WARNING_PERIOD = timedelta(days=14)  # by default, tokens expire after a month
PERMISSIONS = {
    None: "has the permissions of its user",
    "ro": "may read",
    "rw": "may read and write",
    "acl": "has the permissions of its access list",
    "none": "has no permissions",
}


class TokenAuth(HeaderAuth):
    """Signs requests with an API token and the API version: in the path or in a header, as Rudder rejects both at once.

    :param token: the API token
    :param version: a number or "latest"
    :param in_header: whether the version is sent in the header ``X-API-Version``
    """

    def __init__(self, token: str, version: str, *, in_header: bool) -> None:
        super().__init__({"X-API-Token": token, **({"X-API-Version": version} if in_header else {})})
        self.prefix = "/api" if in_header else f"/api/{version}"

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request below the prefix, with the headers.

        :param request: the request, its path without the prefix
        """
        return (yield from super().send(replace(request, path=self.prefix + request.path)))


class RudderHook(SelfHostedHook):
    """Calls a Rudder server (rudder.io, not RudderStack).

    :param rudder_conn_id: the Airflow connection
    """

    form = FORM
    own_page_statuses = frozenset({401})
    parse_error = staticmethod(parse_error)

    def __init__(self, rudder_conn_id: str = "rudder_default") -> None:
        super().__init__(rudder_conn_id)

    def auth(self, settings: Settings) -> TokenAuth:
        """Return the sign-in with the token in the password field and the version in the extra fields.

        :param settings: the connection
        :raises ValueError: if the token is missing, or the version is invalid
        """
        token = settings.password.strip()
        if not token:
            raise ValueError(f"connection {settings.conn_id!r}: the API token (password) is missing")
        in_header = settings.extra["version_in"] == "header"
        return TokenAuth(token, _parse_version(settings), in_header=in_header)

    def verify_credentials(self) -> Flow[str]:
        """Prove that the token is accepted; return one sentence about its account, permissions and expiry."""
        account = yield from accounts.verify_token()
        if account is None:
            return "Rudder accepts the token, but does not show its account, permissions and expiry date."
        authorization = account.get("authorizationType")
        permissions = PERMISSIONS.get(authorization, f"has the permissions {authorization!r}")
        return (
            f"Signed in as API account {account['name']!r}, which {permissions}; its token {_describe_expiry(account)}."
        )

    # Accounts
    get_current_account = hook_method(accounts.get_current)

    # Rules
    get_rule = hook_method(rules.get)
    list_rules = hook_method(rules.list_all)
    update_rule = hook_method(rules.update)

    # Change requests
    get_change_request = hook_method(change_requests.get)
    list_change_requests = hook_method(change_requests.list_all)
    accept_change_request = hook_method(change_requests.accept)
    decline_change_request = hook_method(change_requests.decline)

    # Nodes
    get_node = hook_method(nodes.get)
    list_nodes = hook_method(nodes.list_accepted)
    list_pending_nodes = hook_method(nodes.list_pending)

    # Policies
    update_policies = hook_method(policies.start_update)

    # Compliance
    get_compliance = hook_method(compliance.get)
    list_compliance = hook_method(compliance.list_all)


def _parse_version(settings: Settings) -> str:
    version: str = (settings.extra["api_version"] or "latest").strip().lower()
    if version != "latest" and not (version.isdecimal() and int(version) >= MIN_API_VERSION):
        raise ValueError(
            f'connection {settings.conn_id!r}: api_version must be "latest" or a number from {MIN_API_VERSION} on, '
            f"not {settings.extra['api_version']!r}"
        )
    return version


def _describe_expiry(account: Account) -> str:
    """Return when an account's token expires, with a warning if that is soon."""
    date = account.get("expirationDate")
    if account.get("expirationPolicy") == "never" or not date:
        return "does not expire"
    try:
        expiry = read_timestamp(date).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ServerError(f"unexpected response: accounts[0].expirationDate: not a time: {date!r}") from None
    is_soon = expiry - datetime.now(UTC) < EXPIRY_WARNING_PERIOD
    warning = ", which is soon: renew it in Administration, API accounts" if is_soon else ""
    return f"expires on {expiry:%Y-%m-%d}{warning}"
