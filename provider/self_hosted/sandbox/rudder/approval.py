"""The workflow of change requests: its statuses, its steps, and the roles that each step needs."""

from __future__ import annotations

from self_hosted.sandbox.rudder.state import Account, ChangeRequest, State

VALIDATION, DEPLOYMENT, DEPLOYED, CANCELLED = "Pending validation", "Pending deployment", "Deployed", "Cancelled"
STATUSES = (VALIDATION, DEPLOYMENT, DEPLOYED, CANCELLED)
OPEN_STATUSES = STATUSES[:2]
STATUSES_BY_FILTER = {"open": OPEN_STATUSES, "closed": STATUSES[2:], "all": STATUSES}


def find_acceptance_problem(state: State, request: ChangeRequest, target: str, account: Account) -> str | None:
    """Return why the account cannot move the change request to the target status, or None if it can."""
    return (
        _find_closed_problem(request)
        or _find_permission_problem(state, request, target, account)
        or _find_transition_problem(request, target)
    )


def is_declinable(state: State, request: ChangeRequest, account: Account) -> bool:
    """Return whether the account can cancel the change request."""
    is_blocked_author = request.author is account and not state.self_validation
    return request.status in OPEN_STATUSES and not is_blocked_author and _has_role(account, request.status)


def _has_role(account: Account, status: str) -> bool:
    return account.validator if status == VALIDATION else account.deployer


def _find_closed_problem(request: ChangeRequest) -> str | None:
    if request.status in OPEN_STATUSES:
        return None
    return _describe_rejection(request, f"ChangeRequest {request.id} has already been {request.status.lower()}.")


def _find_permission_problem(state: State, request: ChangeRequest, target: str, account: Account) -> str | None:
    if not _has_role(account, request.status):
        return f"Inconsistency: User is not authorized to update a '{request.status.lower()}' change"
    if target == DEPLOYED and not account.deployer:
        step = f"a '{request.status.lower()}' change to 'deployed' state"
        return f"Inconsistency: User is not authorized to update {step}"
    return _find_self_approval_problem(state, target) if request.author is account else None


def _find_self_approval_problem(state: State, target: str) -> str | None:
    step, is_enabled = (
        ("deployment", state.self_deployment) if target == DEPLOYED else ("validation", state.self_validation)
    )
    action = "to do that action on your own change request"
    message = f"SecurityError: You are not authorized {action}: self-{step} is disabled."
    return None if is_enabled else message


def _find_transition_problem(request: ChangeRequest, target: str) -> str | None:
    if target in {DEPLOYMENT, DEPLOYED} and target != request.status:
        return None
    return _describe_rejection(request, f"you could not send Change Request from '{request.status}' to '{target}'.")


def _describe_rejection(request: ChangeRequest, cause: str) -> str:
    return f"Inconsistency: Could not accept ChangeRequest {request.id} details cause is: {cause}"
