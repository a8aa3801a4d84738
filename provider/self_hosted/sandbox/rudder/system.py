"""Server information and API accounts."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.routing import route
from self_hosted.sandbox.rudder.calls import Call, Result
from self_hosted.sandbox.rudder.errors import ApiError
from self_hosted.sandbox.rudder.resource import Resource
from self_hosted.sandbox.rudder.state import Account

TOKEN_ACCOUNT_SINCE = 22  # before this version, "token" is the id of an account


class System(Resource):
    """The server and the account of the token."""

    @route("GET", "/apiaccounts/token", action="getTokenAccount")
    def get_token_account(self, call: Call) -> Result:
        """Return the account of the request's token."""
        if call.version < TOKEN_ACCOUNT_SINCE:
            raise ApiError("API account with ID 'token' was not found", "token")
        return Result({"accounts": [_account(call.account)]})

    @route("GET", "/info", action="apiGeneralInformations")
    def get_information(self, call: Call) -> Result:
        """Return the API versions; the sandbox leaves the list of endpoints empty."""
        versions = [{"version": version, "status": "maintained"} for version in self.state.versions]
        available = {"latest": max(self.state.versions), "all": versions}
        return Result({"availableVersions": available, "endpoints": []})

    @route("GET", "/system/status", action="getStatus")
    def get_status(self, call: Call) -> Result:
        """Return the status of the server."""
        return Result({"global": "OK"})

    @route("POST", "/system/update/policies", action="updatePolicies")
    def update_policies(self, call: Call) -> Result:
        """Start the generation of policies; in the sandbox it changes nothing."""
        return Result({"policies": "Started"})


def _account(account: Account) -> dict[str, Any]:
    end = account.expiration_date
    expiry = {"expirationPolicy": "datetime", "expirationDate": end} if end else {"expirationPolicy": "never"}
    return {
        "id": account.id,
        "name": account.name,
        "status": "enabled",
        **expiry,
        "tenants": "*",
        "authorizationType": account.rights,
    }
