"""Users: their passwords are kept apart from their records."""

from __future__ import annotations

from self_hosted.sandbox.atrocore.hooks import HOOKS, Hooks, Values
from self_hosted.sandbox.atrocore.record_store import insert_record
from self_hosted.sandbox.atrocore.state import Record, State

CURRENCIES = ("CHF", "EUR", "GBP", "USD")


class UserHooks(Hooks):
    """The rules of users."""

    def after_create(self, state: State, record: Record, values: Values) -> None:
        """Keep the password."""
        self.after_update(state, record, values)

    def after_update(self, state: State, record: Record, values: Values) -> None:
        """Keep a new password."""
        if values.get("password"):
            state.users[str(record["userName"])] = values["password"]


HOOKS["User"] = UserHooks()


def add_initial_records(state: State) -> None:
    """Add the records of a new server: its administrator, the currencies, a locale, a scheduled job."""
    [name] = state.users
    insert_record(state, "User", {"id": state.admin_id, "userName": name, "name": "Admin", "isAdmin": True})
    insert_record(state, "Measure", {"id": "currency", "name": "Currency"})
    for code in CURRENCIES:
        is_main = code == "EUR"
        values = {"id": code.lower(), "name": code, "code": code, "measureId": "currency", "isMain": is_main}
        insert_record(state, "Unit", {**values, "multiplier": 1.0})
    insert_record(state, "Locale", {"id": "1", "name": "Main", "language": "en_US", "decimalMark": ","})
    update = {"name": "Automatic system update", "job": "ComposerAutoUpdate", "status": "Active"}
    insert_record(state, "ScheduledJob", {"id": "ComposerAutoUpdate", **update, "scheduling": "0 0 * * SUN"})
