"""Values of attributes since core 2.0: the shapes of responses."""

from __future__ import annotations

import pytest

from self_hosted.atrocore.api import attribute_values
from self_hosted.core.http.errors import ServerError
from tests.atrocore.conftest import reply, run_by_hand


def test_values_are_stored_by_attribute():
    [request], changed = run_by_hand(attribute_values.store("Product", "p", {"a": {"value": 1}}), reply(200, True))
    assert (request.method, request.path) == ("POST", "/api/Product/p/upsertAttributeValues")
    assert request.json == [{"attributeId": "a", "value": 1}]
    assert changed


@pytest.mark.parametrize("answer", [reply(304), reply(200, False)])
def test_nothing_may_have_changed(answer):
    assert run_by_hand(attribute_values.store("Product", "p", {}), answer)[1] is False


def test_attributes_are_assigned():
    [request], _ = run_by_hand(attribute_values.assign("Product", "p", ["a"]), reply(200, True))
    assert (request.path, request.json) == ("/api/Product/p/addAttributes", {"attributeIds": ["a"]})
    run_by_hand(attribute_values.assign("Product", "p", ["a"]), reply(304))


@pytest.mark.parametrize("body", [{}, [{"value": 1}], [1], None])
def test_a_list_of_another_shape_is_an_error(body):
    with pytest.raises(ServerError):
        run_by_hand(attribute_values.list_assigned("Product", "p"), reply(200, body))


@pytest.mark.parametrize(
    "flow", [attribute_values.assign("Product", "p", ["a"]), attribute_values.store("Product", "p", {})]
)
def test_a_page_of_a_proxy_is_an_error(flow):
    with pytest.raises(ServerError):
        run_by_hand(flow, reply(200, b"<html>"))
