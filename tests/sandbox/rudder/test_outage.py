"""What the fake Rudder server responds while a component is down, and how the provider treats it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from self_hosted.core.http.errors import (
    OutcomeUnknownError,
    PermanentError,
    SelfHostedError,
    ServerError,
    UnavailableError,
)
from self_hosted.core.http.flow import Reply, Request
from self_hosted.rudder.errors import parse_error
from self_hosted.rudder.hook import RudderHook
from self_hosted.sandbox.rudder.outage import COMPONENTS, reply
from tests.conftest import Served
from tests.rudder.conftest import SHARE

PATHS = ("/rules", "/rules/r1", "/compliance/rules/r1", "/compliance/nodes", "/nodes", "/changeRequests/1")
REQUESTS = [
    *(Request("GET", f"/api/latest{path}") for path in PATHS),
    Request("POST", "/api/latest/rules/r1"),
    Request("POST", "/api/latest/changeRequests/1/accept"),
    Request("DELETE", "/api/23/changeRequests/1"),
    Request("POST", "/api/latest/system/update/policies", idempotent=True),
]


def error_during(component: str, request: Request) -> SelfHostedError:
    error = parse_error(Reply(*reply(component, request.method, request.path), request))
    assert error is not None
    return error


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: f"{request.method} {request.path}")
def test_no_error_during_an_outage_is_permanent(component: str, request_: Request) -> None:
    error = error_during(component, request_)
    assert not isinstance(error, PermanentError)
    assert isinstance(error, ServerError | OutcomeUnknownError | UnavailableError)
    if not request_.is_idempotent:
        assert not isinstance(error, ServerError)


@pytest.mark.parametrize(
    ("component", "of_read", "of_write"),
    [
        ("database", ServerError, OutcomeUnknownError),
        ("ldap", ServerError, OutcomeUnknownError),
        ("webapp", UnavailableError, UnavailableError),
        ("proxy", OutcomeUnknownError, OutcomeUnknownError),
    ],
)
def test_the_component_determines_the_error(
    component: str, of_read: type[SelfHostedError], of_write: type[SelfHostedError]
) -> None:
    assert type(error_during(component, Request("GET", "/api/latest/rules"))) is of_read
    assert type(error_during(component, Request("POST", "/api/latest/rules/r1"))) is of_write


@pytest.fixture
def hook(served: Served, connect: Callable[..., str]) -> RudderHook:
    return RudderHook(connect("rudder_default", served.connection()))


@pytest.mark.parametrize("component", ["webapp", "proxy"])
def test_a_read_continues_after_an_outage_of_the_web_application(
    served: Served, hook: RudderHook, component: str
) -> None:
    served.fail("outage", component=component, times=2)
    assert hook.get_rule(SHARE)["id"] == SHARE


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_write_has_one_effect_if_a_component_fails_during_it(
    served: Served, hook: RudderHook, monkeypatch: pytest.MonkeyPatch, component: str
) -> None:
    monkeypatch.setattr("self_hosted.core.http.recovery.RECHECK_DELAYS_SECONDS", (0.05,))
    served.fail("outage", method="POST", component=component)
    assert hook.update_rule(SHARE, {"enabled": True}, reason="requested by a test")["outcome"] == "applied"
    assert [event["event"] for event in served.tables()["event log"]] == ["Rule modified"]
