"""The connection forms, filled in and tested in the Airflow UI with a real browser, against the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from airflow import __version__ as airflow_version

pytest.importorskip("playwright.sync_api", reason="pip install .[browser]")

from demo.environment import Environment
from self_hosted.provider_info import FORMS
from tests.ui.form import fill_form, open_form, open_section, press_test, save

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.skipif(airflow_version.startswith("3.1."), reason="tests/meta has tests of the form of Airflow 3.1"),
]
WRONG_CREDENTIALS: dict[str, dict[str, Any]] = {
    "assemblyline": {"extra": {"api_key": "demo:a-wrong-secret"}},
    "ayon": {"extra": {"api_key": "0123456789abcdef0123456789abcdef"}},
    "rudder": {"password": "a-wrong-token-of-32-characters-x"},
    "atrocore": {"password": "a-wrong-password"},
}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.conn_type)
class TestForm:
    def test_a_valid_credential_is_accepted(self, page, environment, form, screenshots):
        status, message = _save_and_test(page, form, _get_connection(environment, form.conn_type), screenshots)
        assert status, message
        assert message.startswith("Signed in")

    def test_a_wrong_credential_is_rejected_and_not_shown(self, page, environment, form):
        connection = _get_connection(environment, form.conn_type)
        wrong = WRONG_CREDENTIALS[form.conn_type]
        changed = {**connection, **wrong, "extra": {**connection.get("extra", {}), **wrong.get("extra", {})}}
        status, message = _save_and_test(page, form, changed)
        assert not status
        assert "wrong" not in message
        assert "0123456789abcdef" not in message

    def test_a_wrong_address_is_reported(self, page, environment, form):
        connection = {**_get_connection(environment, form.conn_type), "host": "http://127.0.0.1", "port": 9}
        status, message = _save_and_test(page, form, connection)
        assert not status
        assert "cannot reach the server: Connection refused; check the base URL" in message


def _get_connection(environment: Environment, product: str) -> dict[str, Any]:
    """Return a connection to the sandbox in the form of the UI: with the port in a field of its own."""
    connection = environment.get_connections()[f"{product}_default"]
    url = urlsplit(connection["host"])
    return {**connection, "host": f"{url.scheme}://{url.hostname}{url.path}", "port": url.port}


def _save_and_test(page, form, connection: dict[str, Any], screenshots: Path | None = None) -> tuple[bool, str]:
    conn_id = f"{form.conn_type}_{abs(hash(str(connection)))}"
    dialog = open_form(page, conn_id, form.hook_name)
    fill_form(dialog, connection)
    if screenshots:
        dialog.locator("input[name=connection_id]").fill(f"{form.conn_type}_default")
        for section in ("Standard Fields", "Extra Fields", "Transport"):
            open_section(dialog, section)
            page.wait_for_timeout(400)  # for the animation of the section
            name = "transport" if section == "Transport" else f"{form.conn_type}_{section.split()[0].lower()}"
            dialog.screenshot(path=screenshots / f"connection_{name}.png")
        dialog.locator("input[name=connection_id]").fill(conn_id)
    save(dialog)
    return press_test(page, conn_id)
