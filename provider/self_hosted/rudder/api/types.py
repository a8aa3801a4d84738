"""The typed results that operators extend; this module imports no flows, so that they may import it."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

UpdateOutcome = Literal["applied", "unchanged", "pending"]


class RuleUpdate(TypedDict):
    """The effect of an update.

    :param rule_id: id of the rule
    :param outcome: "applied", "unchanged" if no value differed, or "pending" if the change waits for approval
    :param changed: Rudder's names of the fields that differed
    :param change_request_id: number of the change request, if there is one
    :param duplicates: only if the same task opened several change requests, after a lost response or with other values
        in an earlier attempt: numbers of those that stay open, because the account may not decline them
    """

    rule_id: str
    outcome: UpdateOutcome
    changed: list[str]
    change_request_id: int | None
    duplicates: NotRequired[list[int]]
