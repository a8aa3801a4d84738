"""Server information and API accounts."""

from __future__ import annotations

import re
from typing import Any

from self_hosted.sandbox.routing import route
from self_hosted.sandbox.rudder.calls import Call, Result
from self_hosted.sandbox.rudder.errors import ApiError
from self_hosted.sandbox.rudder.resource import Resource
from self_hosted.sandbox.rudder.state import Account

TOKEN_ACCOUNT_SINCE = 22  # before this version, "token" is the id of an account
CREATED = "2025-02-12T10:55:00Z"


class System(Resource):
    """The server and the accounts of tokens."""

    @route("GET", "/apiaccounts/token", action="getTokenAccount", since=TOKEN_ACCOUNT_SINCE)
    def get_token_account(self, call: Call) -> Result:
        """Return the account of the request's token."""
        if call.version < TOKEN_ACCOUNT_SINCE:
            is_old_server = max(self.state.versions) < TOKEN_ACCOUNT_SINCE
            return Result({"accounts": [] if is_old_server else [None]}, "token", "getAccount")
        return Result({"accounts": [_to_json(call.account)]})

    @route("GET", "/apiaccounts/{id}", action="getAccount")
    def get_account(self, call: Call) -> Result:
        """Return one account; null for a missing one."""
        account_id = call.path["id"]
        if not re.fullmatch(r"[a-zA-Z0-9_-]+", account_id):
            message = f"'{account_id}' is not a valid API account ID, only [a-zA-Z0-9_-]+ is allowed"
            raise ApiError(message, account_id)
        found = (_to_json(account) for account in self.state.accounts.values() if account.id == account_id)
        return Result({"accounts": [next(found, None)]}, account_id)

    @route("GET", "/info", action="apiGeneralInformations")
    def get_information(self, call: Call) -> Result:
        """Return the API versions, of which only the last is maintained; the sandbox lists no endpoints."""
        latest = max(self.state.versions)
        versions = [
            {"version": version, "status": "maintained" if version == latest else "deprecated"}
            for version in self.state.versions
        ]
        return Result({
            "documentation": "https://docs.rudder.io/api/",
            "availableVersions": {"latest": latest, "all": versions},
            "endpoints": [],
        })

    @route("GET", "/system/status", action="getStatus")
    def get_status(self, call: Call) -> Result:
        """Return the status of the server."""
        return Result({"global": "OK"})

    @route("POST", "/system/update/policies", action="updatePolicies", name="policiesUpdate")
    def update_policies(self, call: Call) -> Result:
        """Start the generation of policies, which ends at once in the sandbox."""
        self.state.generate_due_policies(at_once=True)
        return Result({"policies": "Started"})


def _to_json(account: Account) -> dict[str, Any]:
    """Return the JSON of an account; accounts of users have no authorization of their own."""
    end = account.expiration_date
    expiry = {"expirationPolicy": "datetime", "expirationDate": end} if end else {"expirationPolicy": "never"}
    return {
        "id": account.id,
        "name": account.name,
        "description": "",
        "status": "enabled",
        "creationDate": CREATED,
        **expiry,
        "tokenState": "generatedv2",
        "tokenGenerationDate": CREATED,
        "tenants": "*",
        **({} if account.kind == "user" else {"authorizationType": account.rights}),
    }
