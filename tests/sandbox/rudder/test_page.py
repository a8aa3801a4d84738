"""What the page of the sandbox shows of Rudder."""

from __future__ import annotations

import json

from self_hosted.sandbox.rudder import TOKENS
from tests.conftest import Served
from tests.rudder.conftest import SHARE
from tests.sandbox.rudder.asking import shown, update


def test_the_tables_show_rules_requests_and_reasons_but_no_token(served: Served, call) -> None:
    update(call, params={"reason": "because"})
    tables = served.tables()
    assert set(tables) == {"rules", "nodes", "change requests", "event log"}
    assert next(rule for rule in tables["rules"] if rule["id"] == SHARE)["last reason"] == "because"
    assert not any(token in json.dumps(tables) for token in TOKENS.values())


def test_a_reset_forgets_everything_and_sessions_are_none(served: Served, call) -> None:
    update(call)
    served.end_sessions()
    assert shown(call("GET", f"/rules/{SHARE}"))["enabled"] is True
    served.reset()
    assert shown(call("GET", f"/rules/{SHARE}"))["enabled"] is False
