"""What a DAG does in Rudder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.core.lazy import when_used
from self_hosted.core.operator import ProductLink, round_key
from self_hosted.core.waiting import WaitingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.core.question import Seen
    from self_hosted.rudder import api
else:
    api = when_used("self_hosted.rudder.api")

FIELDS = {
    "display_name": "displayName",
    "category_id": "categoryId",
    "short_description": "shortDescription",
    "long_description": "longDescription",
    "directives": "directives",
    "targets": "targets",
    "enabled": "enabled",
    "tags": "tags",
}
"""The operator's arguments that are fields of a rule, and Rudder's names of them."""


class RudderLink(ProductLink):
    """Opens the rule, or the change request that waits for approval, in Rudder."""

    name = "Rudder"


class RudderUpdateRuleOperator(WaitingOperator):
    """Gives a rule the wanted values. What is not named keeps its value; nothing is sent when nothing differs.

    Where Rudder wants changes validated, the update becomes a change request, which people accept or decline.

    :param rule_id: id of the rule
    :param display_name: its name
    :param category_id: id of its category
    :param short_description: one line about it
    :param long_description: more about it
    :param directives: ids of all its directives
    :param targets: all its targets: a list of ``"group:<id>"``, ``"special:all"``, ..., or of one object
        ``{"include": {"or": [...]}, "exclude": {"or": [...]}}``; "and" is refused, since Rudder stores it as "or"
    :param enabled: whether it is applied
    :param tags: all its tags, each an object ``{name: value}``
    :param reason: why, for Rudder's event log; at least five characters, unless the connection says otherwise
    :param change_request_name: name of the change request, if it comes to one
    :param change_request_description: its description
    :param wait_for_change_request: whether to wait until the change request is deployed; the task fails when it is
        declined. ``cancel_on_kill`` has no effect: the request stays with the people who decide about it
    :param rudder_conn_id: the Airflow connection
    :return: ``{"rule_id": ..., "outcome": "applied" | "unchanged" | "pending", "changed": [Rudder's field names],
        "change_request_id": int | None, "url": page of the rule or of the pending change request}``; and, only when a
        lost answer made it necessary to ask twice, ``"duplicates": [numbers of change requests that are one too many
        and that the account may not decline]``

    Rests on ``POST /rules/{id}``: https://docs.rudder.io/api
    """

    hook_class = "self_hosted.rudder.hook.RudderHook"
    question = "self_hosted.rudder.triggers.CHANGE_REQUEST"
    operator_extra_links = (RudderLink(),)
    template_fields: Sequence[str] = (
        "rule_id",
        *FIELDS,
        "reason",
        "change_request_name",
        "change_request_description",
        "rudder_conn_id",
    )

    def __init__(
        self,
        *,
        rule_id: str,
        display_name: str | None = None,
        category_id: str | None = None,
        short_description: str | None = None,
        long_description: str | None = None,
        directives: Sequence[str] | None = None,
        targets: Sequence[str | Mapping[str, Any]] | None = None,
        enabled: bool | str | None = None,
        tags: Sequence[Mapping[str, str]] | None = None,
        reason: str | None = None,
        change_request_name: str | None = None,
        change_request_description: str | None = None,
        wait_for_change_request: bool = False,
        rudder_conn_id: str = "rudder_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rule_id = rule_id
        self.display_name = display_name
        self.category_id = category_id
        self.short_description = short_description
        self.long_description = long_description
        self.directives = directives
        self.targets = targets
        self.enabled = enabled
        self.tags = tags
        self.reason = reason
        self.change_request_name = change_request_name
        self.change_request_description = change_request_description
        self.wait_for_change_request = wait_for_change_request
        self.rudder_conn_id = rudder_conn_id

    def check(self) -> None:
        """See `ProductOperator.check`."""
        if not str(self.rule_id or "").strip():
            raise ValueError("rule_id is empty: it must be the id of a rule")
        if not self._wanted():
            raise ValueError(f"nothing to update: give at least one of {', '.join(FIELDS)}")
        self._check_form()
        self._check_reason()

    def start(self, context: Context) -> dict[str, Any]:
        """Update the rule, or find that it was done or asked for before."""
        update = api.update_rule(
            self.rule_id,
            self._wanted(),
            reason=self._plain_reason,
            change_request_name=self.change_request_name,
            change_request_description=self.change_request_description,
            mark=round_key(context),
            interrupted=self.interrupted,
        )
        result = self.hook.run(update)
        self._warn_of_duplicates(result)
        return self._with_page(result)

    def key_of(self, started: dict[str, Any]) -> str | None:
        """The change request, when it is to be waited for."""
        pending = started["outcome"] == "pending" and self.wait_for_change_request
        return str(started["change_request_id"]) if pending else None

    def page_of(self, started: dict[str, Any]) -> str:
        """The page of the rule, or of the pending change request."""
        return str(started["url"])

    def finish(self, context: Context, started: dict[str, Any], seen: Seen) -> dict[str, Any]:
        """The change is applied, or its request was declined."""
        if seen.state != api.DEPLOYED:
            raise AirflowFailException(
                f"change request {started['change_request_id']} for rule {self.rule_id} was not deployed, "
                f"its state is {seen.state!r}: {started['url']}"
            )
        if "duplicates" in started:  # the server may have opened another one only after this wait had begun
            own = self.hook.run(api.own_change_requests(round_key(context), self.rule_id))
            started = {**started, "duplicates": self.hook.run(api.decline_duplicates(own))}
            self._warn_of_duplicates(started)
        return self._with_page({**started, "outcome": "applied"})

    def _warn_of_duplicates(self, result: dict[str, Any]) -> None:
        for number in result.get("duplicates", ()):
            self.log.warning(
                "Change request %s asks for the same as %s; decline it, which this account may not",
                number,
                result["change_request_id"],
            )

    def _wanted(self) -> dict[str, Any]:
        """The given fields of the rule, under Rudder's names."""
        given = {rudders: getattr(self, ours) for ours, rudders in FIELDS.items()}
        wanted = {name: value for name, value in given.items() if value is not None}
        if "enabled" in wanted:
            wanted["enabled"] = _boolean(wanted["enabled"])
        return wanted

    def _check_form(self) -> None:
        if self.directives is not None and not _all(str, self.directives):
            raise ValueError(f"directives must be a list of ids, not {self.directives!r}")
        if self.tags is not None and not _all(Mapping, self.tags):
            raise ValueError(f'tags must be a list of objects such as {{"team": "pipeline"}}, not {self.tags!r}')
        if self.targets is not None:
            api.normalised(self.targets)

    def _check_reason(self) -> None:
        wishes = self.hook.settings.extra
        if wishes["require_reason"] and len(self._plain_reason or "") < wishes["shortest_reason"]:
            raise ValueError(
                f"reason must say in at least {wishes['shortest_reason']} characters why, for Rudder's event log; "
                f"it is {self.reason!r}"
            )

    @property
    def _plain_reason(self) -> str | None:
        return (self.reason or "").strip() or None

    def _with_page(self, result: dict[str, Any]) -> dict[str, Any]:
        base_url = self.hook.settings.address.base_url
        if result["outcome"] == "pending":
            return {**result, "url": api.change_request_page(base_url, result["change_request_id"])}
        return {**result, "url": api.rule_page(base_url, result["rule_id"])}


def _boolean(given: bool | str) -> bool:
    """A truth value that a template may have turned into text."""
    word = str(given).strip().lower()
    if word not in {"true", "false"}:
        raise ValueError(f"enabled must be true or false, not {given!r}")
    return word == "true"


def _all(kind: type, items: Any) -> bool:
    return isinstance(items, Sequence) and not isinstance(items, str) and all(isinstance(item, kind) for item in items)
