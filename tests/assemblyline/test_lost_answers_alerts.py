"""Every change of alerts, when its work is done and its answer is lost: it is made once, and the call succeeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.api import AlertChanges, AlertQuery
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.flow import Flow
from tests.conftest import Ask, Served

PAIR = AlertQuery("alert_id:(a OR b)")


class Write(NamedTuple):
    """A change whose answer is lost.

    :param method: of the request that does the work
    :param flow: the change
    :param after: what it makes of alert a
    :param events: how many entries it leaves in the history of a
    """

    method: str
    flow: Callable[[], Flow[Any]]
    after: dict[str, Any]
    events: int = 1


WRITES = {
    "add_alert_labels": Write("POST", lambda: api.add_alert_labels("a", ["x"]), {"label": ["OLD", "X"]}),
    "remove_alert_labels": Write("DELETE", lambda: api.remove_alert_labels("a", ["old"]), {"label": []}),
    "set_alert_priority": Write("POST", lambda: api.set_alert_priority("a", "LOW"), {"priority": "LOW"}),
    "set_alert_status": Write("POST", lambda: api.set_alert_status("a", "TRIAGE"), {"status": "TRIAGE"}),
    "set_alert_verdict": Write(
        "PUT",
        lambda: api.set_alert_verdict("a", "malicious"),
        {"verdict": {"malicious": ["admin"], "non_malicious": []}},
        0,
    ),
    "take_alert": Write("GET", lambda: api.take_alert("a"), {"owner": "admin"}, 0),
    "update_alert": Write(
        "POST", lambda: api.update_alert("a", AlertChanges(["x"], status="TRIAGE")), {"label": ["OLD", "X"]}, 2
    ),
    "update_alerts": Write("POST", lambda: api.update_alerts(PAIR, AlertChanges(["x"])), {"label": ["OLD", "X"]}),
    "update_alerts, taking": Write(
        "GET", lambda: api.update_alerts(PAIR, AlertChanges(take_ownership=True)), {"owner": "admin"}, 0
    ),
}


@pytest.fixture
def hook(served: Served, connect: Callable[[str, dict[str, Any]], str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("self_hosted.core.transport.SLOWNESS", 1)
    served.seed({"alerts": {"alerts": [{"alert_id": "a", "label": ["OLD"]}, {"alert_id": "b"}]}})
    return AssemblylineHook(connect("assemblyline_default", served.connection(extra={"read_timeout": 1})))


@pytest.mark.parametrize("fault", [{"kind": "drop"}, {"kind": "slow_after", "seconds": 1.3}], ids=lambda f: f["kind"])
@pytest.mark.parametrize("name", WRITES)
def test_a_change_is_made_once(served: Served, hook: AssemblylineHook, ask: Ask, name: str, fault: dict[str, Any]):
    write = WRITES[name]
    served.fail(method=write.method, path="/api/v4/alert/(label|priority|status|verdict|ownership|all)/.*", **fault)
    result = ask(hook, write.flow())
    alert = hook.alert("a")
    assert {key: alert[key] for key in write.after} == write.after
    assert len(alert["events"]) == write.events
    if "update_alerts" in name:
        assert result == {"found": 2, "to_change": 2, "changed": 2}
