"""The tables of the fake Rudder server on the page of the sandbox."""

from __future__ import annotations

import json

from self_hosted.sandbox.rudder import TOKENS
from tests.conftest import Served
from tests.rudder.conftest import SHARE
from tests.sandbox.rudder.client import enable_rule, first_item


def test_tables_contain_rules_requests_and_reasons_but_no_tokens(served: Served, call) -> None:
    enable_rule(call, params={"reason": "because"})
    tables = served.tables()
    assert set(tables) == {"rules", "nodes", "change requests", "event log"}
    assert next(rule for rule in tables["rules"] if rule["id"] == SHARE)["last reason"] == "because"
    assert not any(token in json.dumps(tables) for token in TOKENS.values())


def test_a_reset_restores_the_sample_data_and_ending_sessions_changes_nothing(served: Served, call) -> None:
    enable_rule(call)
    served.end_sessions()
    assert first_item(call("GET", f"/rules/{SHARE}"))["enabled"] is True
    served.reset()
    assert first_item(call("GET", f"/rules/{SHARE}"))["enabled"] is False
