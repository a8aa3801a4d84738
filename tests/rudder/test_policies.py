"""Tests of rudder/api/policies.py and rudder/operators/policies.py. `test_recovery.py` loses the response."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.core.http.errors import ServerError
from self_hosted.rudder.api import policies
from self_hosted.rudder.hook import RudderHook
from self_hosted.rudder.operators import RudderUpdatePoliciesOperator
from self_hosted.sandbox.rudder import TOKENS
from tests.conftest import Served
from tests.context import context
from tests.rudder.conftest import reply, success
from tests.rudder.flows import first_request


def test_the_update_is_started_and_linked(hook: RudderHook) -> None:
    operator = RudderUpdatePoliciesOperator(task_id="update_policies")
    task_context = context(operator)
    assert operator.execute(task_context) == {"status": "Started"}
    assert task_context["ti"].xcoms == {"product_url": hook.settings.address.base_url}


def test_a_read_only_token_fails_the_task(served: Served, connect) -> None:
    connect("rudder_default", served.connection(password=TOKENS["reader"]))
    operator = RudderUpdatePoliciesOperator(task_id="update_policies")
    with pytest.raises(AirflowFailException, match="not allowed"):
        operator.execute(context(operator))


def test_a_malformed_response_is_an_error_of_the_server() -> None:
    flow = policies.start_update()
    request = first_request(flow)
    with pytest.raises(ServerError, match="unexpected response: policies: "):
        flow.send(success(request, {"policies": ["Started"]}))


def test_a_success_without_data_is_a_started_update() -> None:
    flow = policies.start_update()
    request = first_request(flow)
    with pytest.raises(StopIteration) as end:
        flow.send(reply(200, {"action": "updatePolicies", "result": "success"}, request))
    assert end.value.value == {"status": "Started"}
