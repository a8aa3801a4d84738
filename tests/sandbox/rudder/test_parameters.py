"""Global parameters at the fake Rudder server; `test_transcript.py` has their normal use."""

from __future__ import annotations

from tests.conftest import Served
from tests.sandbox.rudder.client import accept, error_message, first_item

PARAMETER = {"id": "color", "value": "red", "description": ""}


def test_every_change_needs_validation(served: Served, call) -> None:
    served.seed({"validation": True})
    assert first_item(call("PUT", "/parameters", json=PARAMETER), "parameters")["changeRequestId"] == "1"
    assert "Could not find" in error_message(call("GET", "/parameters/color"))
    accept(call, 1)
    assert first_item(call("GET", "/parameters/color"), "parameters") == PARAMETER
    updated = first_item(call("POST", "/parameters/color", json={"value": "blue"}), "parameters")
    assert (updated["changeRequestId"], updated["value"]) == ("2", "blue")
    (change,) = first_item(call("GET", "/changeRequests/2"), "changeRequests")["changes"]["parameters"]
    assert change["change"]["value"] == {"from": "red", "to": "blue"}
    assert first_item(call("DELETE", "/parameters/color"), "parameters")["changeRequestId"] == "3"
    accept(call, 3)
    assert call("GET", "/parameters").json()["data"] == {"parameters": []}


def test_a_parameter_that_exists_cannot_be_created(call) -> None:
    call("PUT", "/parameters", json=PARAMETER)
    assert "a parameter with the same name" in error_message(call("PUT", "/parameters", json=PARAMETER))


def test_a_value_of_a_form_is_json_or_text(call) -> None:
    for value, stored in (("[1]", [1]), ("red", "red")):
        assert (
            first_item(call("PUT", "/parameters", data={"id": value, "value": value}), "parameters")["value"] == stored
        )
