"""Each write has one effect and succeeds after its response was lost: alerts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from self_hosted.assemblyline.api.alerts import alerts, batches
from self_hosted.assemblyline.api.alerts.changes import AlertChanges
from self_hosted.assemblyline.api.alerts.queries import AlertQuery
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.flow import Flow
from tests.conftest import Served

PAIR = AlertQuery("alert_id:(a OR b)")


class Write(NamedTuple):
    """A write whose response is lost.

    :param method: of the request that has the effect
    :param flow: returns the write
    :param after: the expected values of alert a
    :param events: the expected number of new entries in the history of alert a
    """

    method: str
    flow: Callable[[], Flow[Any]]
    after: dict[str, Any]
    events: int = 1


WRITES = {
    "add_alert_labels": Write("POST", lambda: alerts.add_labels("a", ["x"]), {"label": ["OLD", "X"]}),
    "remove_alert_labels": Write("DELETE", lambda: alerts.remove_labels("a", ["old"]), {"label": []}),
    "set_alert_priority": Write("POST", lambda: alerts.set_priority("a", "LOW"), {"priority": "LOW"}),
    "set_alert_status": Write("POST", lambda: alerts.set_status("a", "TRIAGE"), {"status": "TRIAGE"}),
    "set_alert_verdict": Write(
        "PUT",
        lambda: alerts.set_verdict("a", "malicious"),
        {"verdict": {"malicious": ["admin"], "non_malicious": []}},
        0,
    ),
    "take_alert_ownership": Write("GET", lambda: alerts.take_ownership("a"), {"owner": "admin"}, 0),
    "update_alert": Write(
        "POST", lambda: alerts.update("a", AlertChanges(["x"], status="TRIAGE")), {"label": ["OLD", "X"]}, 2
    ),
    "update_alerts": Write("POST", lambda: batches.update_matching(PAIR, AlertChanges(["x"])), {"label": ["OLD", "X"]}),
    "update_alerts, taking": Write(
        "GET", lambda: batches.update_matching(PAIR, AlertChanges(take_ownership=True)), {"owner": "admin"}, 0
    ),
}


@pytest.fixture
def hook(served: Served, hook: AssemblylineHook) -> AssemblylineHook:
    served.seed({"alerts": {"alerts": [{"alert_id": "a", "label": ["OLD"]}, {"alert_id": "b"}]}})
    return hook


@pytest.mark.parametrize("name", WRITES)
def test_a_change_is_made_once(served: Served, hook: AssemblylineHook, name: str):
    write = WRITES[name]
    served.fail("drop", method=write.method, path="/api/v4/alert/(label|priority|status|verdict|ownership|all)/.*")
    result = hook.run(write.flow())
    alert = hook.get_alert("a")
    assert {key: alert[key] for key in write.after} == write.after
    assert len(alert["events"]) == write.events
    if "update_alerts" in name:
        assert result == {"found": 2, "to_change": 2, "changed": 2}
